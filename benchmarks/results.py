"""Train the bundled recipes over several seeds and write the table of docs/accuracy.md, a JSON file, pictures.

    make results                                    # all of it, about ten minutes on two cores
    python benchmarks/results.py mnist-fast         # only some; the table keeps the other rows

Every figure is of the test part, which nothing was chosen by; it stands beside the seed exercise's and the baseline's.
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import tempfile
from pathlib import Path
from typing import Any

import page
from glassnet import recipes
from glassnet.files import replacing

ROOT = Path(__file__).parent.parent
RESULTS = ROOT / "benchmarks" / "results.json"
PICTURES = ROOT / "docs" / "pictures"
SEEDS = {
    "digits": 5,
    "diabetes": 5,
    "mnist-fast": 5,
    "mnist": 3,
    "mnist-six-layers": 3,
    "california": 3,
    "seed-mnist": 3,
    "seed-california": 5,
}
SHOWN = {"mnist": ["curves", "confusion", "mistakes", "first_layer"], "california": ["curves", "predictions"]}
# What the exercise reports, or what its network scores when it is measured honestly (see the recipes' descriptions).
EXERCISE = {
    "mnist-fast": "94.92%",
    "mnist": "94.92%",
    "mnist-six-layers": "94.92%",
    "seed-mnist": "94.92%",
    "seed-california": "0.636",
}


def measure(name: str, seeds: int) -> dict[str, Any]:
    """Train one recipe with the seeds 0, 1, ...; return each metrics.json, and copy the pictures of the first."""
    runs = []
    for seed in range(seeds):
        with tempfile.TemporaryDirectory() as folder:
            out = Path(folder) / name
            metrics = recipes.train(recipes.load(name, seed=seed), out)
            runs.append({key: value for key, value in metrics.items() if key not in ("classes", "confusion_matrix")})
            for picture in SHOWN.get(name, []) if seed == 0 else []:
                shutil.copy(out / "plots" / f"{picture}.png", PICTURES / f"{name}-{picture}.png")
        part = "accuracy" if metrics["task"] == "classification" else "mse"
        print(
            f"{name} seed {seed}: val {metrics['val'][part]:.4f}  test {metrics['test'][part]:.4f}"
            f"  {metrics['seconds']:.1f} s",
            flush=True,
        )
    return {"task": runs[0]["task"], "runs": runs}


def row(name: str, found: dict[str, Any]) -> str:
    """One line of the table."""
    runs = found["runs"]
    classes = found["task"] == "classification"
    metric = "accuracy" if classes else "mse"

    def cell(values: list[float]) -> str:
        mean, spread = statistics.mean(values), statistics.stdev(values) if len(values) > 1 else 0.0
        digits = 1 if abs(mean) >= 100 else 3
        text = f"{mean:.2%}" if classes else f"{mean:,.{digits}f}"
        if len(values) == 1:
            return text
        return f"{text} ± {100 * spread:.2f}" if classes else f"{text} ± {spread:,.{digits}f}"

    cells = [cell([run[part][metric] for run in runs]) for part in ("val", "test")]
    baseline = cell([runs[0]["baseline"][metric]])
    seconds = statistics.median(run["seconds"] for run in runs)
    what = "accuracy" if classes else "MSE"
    return " | ".join(
        [f"| `{name}`", what, baseline, EXERCISE.get(name, ""), *cells, str(len(runs)), f"{seconds:.1f} s |"]
    )


def write_table(results: dict[str, Any]) -> None:
    """Put the table between its markers in docs/accuracy.md."""
    head = [
        "| recipe | figure | baseline | the exercise | validation | **test** | seeds | time |",
        "| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    table = "\n".join(head + [row(name, results[name]) for name in SEEDS if name in results])
    page.put(ROOT / "docs" / "accuracy.md", recipes=table)


def main() -> None:
    """Measure what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("recipes", nargs="*", default=list(SEEDS), help="default: all")
    PICTURES.mkdir(parents=True, exist_ok=True)
    results = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.exists() else {}
    for name in parser.parse_args().recipes:
        results[name] = measure(name, SEEDS[name])
        with replacing(RESULTS) as part:
            part.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    write_table(results)


if __name__ == "__main__":
    main()
