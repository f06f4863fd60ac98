"""Train what docs/accuracy.md reports, the most accurate networks and what each ingredient adds, and write its tables.

    make accuracy                                        # all of it: six hours on one core
    python benchmarks/accuracy.py california-embedded    # only some; the tables keep the other rows

Each training is a run directory below --out. Those that are there and finished aren't trained again, and one that was
stopped goes on. Everything was chosen by validation rows before; the test part is looked at here alone.
"""

from __future__ import annotations

import argparse
import json
import statistics
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import page
from glassnet import recipes
from glassnet.files import replacing
from glassnet.nn import MSE, CrossEntropy, Ensemble
from glassnet.recipes.directory import CHECKPOINT_FILE, PACK_FILE
from glassnet.recipes.run import load_data
from glassnet.train.metrics import score

ROOT = Path(__file__).parent.parent
RESULTS = ROOT / "benchmarks" / "accuracy.json"
PAGE = ROOT / "docs" / "accuracy.md"
NARROW = "network.dtype=bfloat16"
ALL_ROWS = ("data.validation=false",)  # for the last training
SHORT = ("training.epochs=20",)
STILL = tuple(f"augmentation.{name}=0" for name in ("rotation", "scale", "shear", "translation"))


@dataclass(frozen=True)
class Entry:
    """A row: a recipe with some changes, trained with some seeds. of: the row whose ingredient it leaves out."""

    recipe: str
    seeds: tuple[int, ...]
    changes: tuple[str, ...] = ()
    of: str | None = None
    what: str = ""


ENTRIES = {
    "mnist-best": Entry("mnist-best", (0, 1, 2), ALL_ROWS),
    "mnist-distorted": Entry("mnist-distorted", (0, 1, 2), ALL_ROWS),
    "mnist-deep": Entry("mnist-deep", (0,), ALL_ROWS),
    "mnist-fast": Entry("mnist-fast", (0, 1, 2)),
    "california-embedded": Entry("california-embedded", (1, 2, 3, 4, 5)),
    "california-table": Entry("table", (1, 2, 3), ("data.source=california",)),
    "no-table-rotations": Entry(
        "table", (1, 2, 3), ("data.source=california", "pack.candidates.rotated.network.rotations=0"),
        "california-table", "without rotated columns",
    ),
    "mnist-bfloat16": Entry("mnist-fast", (0, 1, 2), (NARROW,), "mnist-fast", "products of bfloat16"),
    "table-bfloat16": Entry(
        "table", (1, 2, 3), ("data.source=california", NARROW), "california-table", "products of bfloat16"
    ),
    "no-rotations": Entry(
        "california-embedded", (1, 2, 3), ("network.rotations=0",), "california-embedded", "without rotated columns"
    ),
    "no-embedding": Entry(
        "california-embedded", (1, 2, 3), ('network.embedding={name="PiecewiseLinear", dim=1, bins=1}',),
        "california-embedded", "rotated columns, but one bin and one value each: no embedding",
    ),
    "no-average": Entry(
        "california-embedded", (1, 2, 3), ('training.average={name="EMA", decay=0.0}',), "california-embedded",
        "the last weights instead of averaged ones",
    ),
    "no-dropout": Entry(
        "california-embedded", (1, 2, 3), ("network.dropout=0.0",), "california-embedded", "without dropout"
    ),
    "mnist-deep-narrow": Entry(
        "mnist-deep", (0,), ("network.hidden=[1000,800,500]", "training.epochs=330", *ALL_ROWS), "mnist-deep",
        "784-1000-800-500-10 and 330 epochs",
    ),
    "mnist-deep-short": Entry(
        "mnist-deep", (1, 2), ("network.hidden=[1000,800,500]", "training.epochs=150", *ALL_ROWS), "mnist-deep",
        "784-1000-800-500-10 and 150 epochs",
    ),
    "distorted": Entry("mnist-distorted", (0, 1), SHORT, "mnist-distorted", "20 epochs, with everything"),
    "no-elastic": Entry(
        "mnist-distorted", (0, 1), (*SHORT, "augmentation.alpha=0"), "mnist-distorted",
        "20 epochs, without elastic distortions",
    ),
    "no-affine": Entry(
        "mnist-distorted", (0, 1), (*SHORT, *STILL), "mnist-distorted",
        "20 epochs, without rotation, scaling, shear and translation",
    ),
    "no-distortions": Entry(
        "mnist-distorted", (0, 1), (*SHORT, *STILL, "augmentation.alpha=0"), "mnist-distorted",
        "20 epochs, without any distortion",
    ),
    "no-mnist-average": Entry(
        "mnist-distorted", (0, 1), (*SHORT, 'training.average={name="EMA", decay=0.0}'), "mnist-distorted",
        "20 epochs, the last weights instead of averaged ones",
    ),
}  # fmt: skip
COMMITTEES = {
    "mnist-committee": ("mnist-distorted", "mnist-deep-narrow", "mnist-deep-short", "mnist-deep"),
    "california-ensemble": ("california-embedded",),
}  # each of all runs of some rows


def measure(name: str, out: Path) -> dict[str, Any]:
    """Train one row, as far as its runs aren't there, and return what came out."""
    entry, runs = ENTRIES[name], []
    for seed in entry.seeds:
        folder = out / f"{name}-{seed}"
        if not (folder / "metrics.json").is_file():
            recipe = recipes.load(entry.recipe, seed=seed, changes=entry.changes)
            recipes.train(
                recipe, folder, resume=any((folder / name).is_file() for name in (CHECKPOINT_FILE, PACK_FILE))
            )
        metrics = json.loads((folder / "metrics.json").read_text(encoding="utf-8"))
        kept = ("val", "test", "epochs", "best_epoch", "seconds", "seed", "parameters", "task")
        runs.append({key: metrics[key] for key in kept})
        print(f"{name}, seed {seed}: {figure(runs[-1], 'test'):.4f} on the test rows, {metrics['seconds']:.0f} s")
    return {"recipe": entry.recipe, "changes": list(entry.changes), "runs": runs}


def committee(name: str, out: Path) -> dict[str, Any]:
    """Judge all runs of some rows together, as `glassnet ensemble` does."""
    folders = [out / f"{row}-{seed}" for row in COMMITTEES[name] for seed in ENTRIES[row].seeds]
    opened = [recipes.open_run(folder) for folder in folders]
    data = load_data(opened[0][0])
    together = Ensemble.joined([net for _, net in opened])
    test = score(together.predict(data.test.x), data.test.y, MSE() if data.task == "regression" else CrossEntropy())
    run = {"val": {}, "test": test, "task": data.task}
    print(f"{name}: {figure(run, 'test'):.4f} on the test rows")
    return {"recipe": " + ".join(COMMITTEES[name]), "changes": [], "runs": [run], "members": len(folders)}


def figure(run: dict[str, Any], part: str) -> float:
    """The error in percent, or the RMSE."""
    found = run[part]
    value = (1 - found["accuracy"]) * 100 if run["task"] == "classification" else found["rmse"]
    return float(value)


def cell(runs: list[dict[str, Any]], part: str) -> str:
    """Mean and standard deviation over seeds; nothing if the rows weren't held out."""
    if any(None in run[part].values() or not run[part] for run in runs):
        return "-"
    values, classes = [figure(run, part) for run in runs], runs[0]["task"] == "classification"
    spread = f" ± {statistics.stdev(values):.{2 if classes else 4}f}" if len(values) > 1 else ""
    mean = statistics.mean(values)
    return f"{mean:.2f}%{spread}" if classes else f"{mean:.4f}{spread}"


def tables(results: dict[str, Any]) -> tuple[str, str]:
    """The table of results, and that of ingredients."""
    head = "| {} | validation | **test** | seeds | time of one |\n| --- | --- | --- | ---: | ---: |"
    rows = {True: [head.format("what")], False: [head.format("what differs")]}
    for name in [*ENTRIES, *COMMITTEES]:
        if name not in results:
            continue
        runs, entry = results[name]["runs"], ENTRIES.get(name)
        if entry is None:
            what = f"`{name}`: {results[name]['members']} networks, {results[name]['recipe']}"
            seeds, minutes = "", ""
        else:
            what = f"`{name}`" if entry.of is None else f"`{entry.of}`, {entry.what}"
            seeds = str(len(runs))
            minutes = f"{statistics.median(run['seconds'] for run in runs) / 60:.1f} min"
        line = f"| {what} | {cell(runs, 'val')} | **{cell(runs, 'test')}** | {seeds} | {minutes} |"
        rows[entry is None or entry.of is None].append(line)
    return "\n".join(rows[True]), "\n".join(rows[False])


def main() -> None:
    """Measure what was asked for, and write the tables."""
    known = [*ENTRIES, *COMMITTEES]
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("rows", nargs="*", default=known, metavar="ROW", help=f"of {', '.join(known)}; default: all")
    parser.add_argument("--out", type=Path, default=ROOT / "runs" / "accuracy", help="where the runs are kept")
    arguments = parser.parse_args()
    results = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.exists() else {}
    for name in arguments.rows:
        results[name] = (measure if name in ENTRIES else committee)(name, arguments.out)
        with replacing(RESULTS) as part:
            part.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    reached, ingredients = tables(results)
    page.put(PAGE, results=reached, ingredients=ingredients)


if __name__ == "__main__":
    main()
