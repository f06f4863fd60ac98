"""The doctor's corpus: trainings whose diagnosis is known, and how often gn.examine finds it.

    python benchmarks/doctor/corpus.py --write              # all of it, into results.json and docs/doctor.md
    python benchmarks/doctor/corpus.py --only dead-relu     # one fault, in detail
    python benchmarks/doctor/corpus.py --half tune          # the half that thresholds may be tuned by

A healthy case is what a competent person would train: 16 data sets (`datasets.py`), real and made up, with real data's
warts, crossed with 12 networks, four optimizers in turn (`networks.py`). A sick case is a healthy one with one fault
(`data_faults.py`, `start_faults.py`, `training_faults.py`; layers with a mistake are in `broken.py`); `sick.py` says
which fault comes with which, and what the doctor should name. Half of either is for tuning thresholds, "tune"; the
other, "held", is only reported. `skill.py` trains each case, and each sick one's healthy twin, as evidence that the
healthy learn, and of what a fault costs. MNIST and California Housing are used if they are on this machine.
"""

from __future__ import annotations

import argparse
import json
import math
import multiprocessing
import os
import time
import warnings
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import cache
from pathlib import Path
from typing import Any

import networks
import numpy as np
import sick
import table
from plan import Case
from skill import linear_skill, skill

import glassnet as gn
from glassnet.files import replacing

RESULTS = Path(__file__).parent / "results.json"
ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


@cache
def all_cases() -> dict[str, Case]:
    """All of them, by id."""
    return {case.id: case for case in (*sick.cases(), *networks.cases())}


def examine(name: str) -> dict[str, Any]:
    """Examine one case; return what was found, and what the training came to."""
    case = all_cases()[name]
    plan = case.plan()
    found: dict[str, Any] = {"id": name, "kind": case.kind, "half": case.half, "expected": list(case.expected)}
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        try:
            findings = gn.examine(
                plan.network(),
                plan.data,
                plan.loss,
                plan.optimizer,
                epochs=plan.epochs,
                batch_size=plan.batch_size,
                seed=plan.seed,
            )
            found["findings"] = [[finding.name, finding.severity, finding.where] for finding in findings]
        except Exception as error:  # the doctor must answer, whatever it is shown
            found |= {"findings": [], "crash": repr(error)}
    found["skill"] = shown(skill(case.plan()))
    found["beside"] = shown(linear_skill(case.plan()) if case.kind == "healthy" else skill(case.twin()))
    return found


def shown(value: float) -> float | str:
    """A number as JSON can hold it."""
    return round(value, 3) if math.isfinite(value) else {-math.inf: "diverged"}.get(value, "can't be trained")


def run(chosen: list[str], jobs: int) -> Iterator[dict[str, Any]]:
    """Examine cases in so many processes of one thread each."""
    os.environ.update(dict.fromkeys(ONE_THREAD, "1"))
    with ProcessPoolExecutor(jobs, multiprocessing.get_context("spawn")) as pool:
        yield from pool.map(examine, chosen, chunksize=4)


def details(result: dict[str, Any]) -> str:
    """One case in a line."""
    names = ", ".join(f"{name} ({severity})" for name, severity, _ in result["findings"]) or "nothing"
    mark = " " if table.right(result) else "x"
    skills = f"{result['skill']!s:>9} beside {result['beside']!s:<7}"
    return f"{mark} {result['id']:<52} {skills} {result.get('crash', names)}"


def main() -> None:
    """Examine what was asked for; print, and write, what was found."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--only", metavar="FAULT", action="append", help="only this fault, case by case")
    parser.add_argument("--sick", action="store_true", help="only the sick")
    parser.add_argument("--healthy", action="store_true", help="only the healthy")
    parser.add_argument("--half", choices=["tune", "held"], help="only one half")
    parser.add_argument("--jobs", type=int, default=2, help="processes (default: 2)")
    parser.add_argument("--write", action="store_true", help="write results.json and the table in docs/doctor.md")
    asked = parser.parse_args()
    chosen = [
        case.id
        for case in all_cases().values()
        if (not asked.only or case.kind in asked.only)
        and (asked.sick <= (case.kind != "healthy"))
        and (asked.healthy <= (case.kind == "healthy"))
        and asked.half in (None, case.half)
    ]
    if not chosen:
        parser.error("no case is both; see sick.py for the names of faults")
    start = time.perf_counter()
    results = []
    for result in run(chosen, asked.jobs):
        results.append(result)
        if asked.only or not table.right(result):
            print(details(result), flush=True)
    print("", *table.tables(results), f"{len(results)} cases, {time.perf_counter() - start:.0f} s", sep="\n")
    if asked.write:
        known = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.exists() else []
        merged = {result["id"]: result for result in [*known, *results]}
        kept = [merged[name] for name in all_cases() if name in merged]
        with replacing(RESULTS) as part:
            part.write_text("[\n" + ",\n".join(json.dumps(result) for result in kept) + "\n]\n", encoding="utf-8")
        table.write(kept)


if __name__ == "__main__":
    main()
