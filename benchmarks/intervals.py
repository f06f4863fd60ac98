"""Intervals at 90%: how often they hold, and how wide they are, beside MAPIE over scikit-learn's gradient boosting.

    pip install mapie
    python benchmarks/intervals.py                # ten tables, three splits each: about 20 minutes on one core
    python benchmarks/intervals.py bike ames      # only some tables

Ours are those of the table default. MAPIE's are cross-conformal (method "plus", five folds), and conformalized quantile
regression, each over HistGradientBoostingRegressor, which is given the categories. All get the same rows, at most 3,000
to train on. The results are added to benchmarks/intervals.json, and a table is printed.
"""

from __future__ import annotations

import json
import os
import sys
import time
import tomllib
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.model_selection import train_test_split

from glassnet import recipes
from glassnet.data import Dataset
from glassnet.intervals import ValueIntervals
from glassnet.recipes.intervals import of_pack
from glassnet.recipes.packs import fit_recipe
from glassnet.recipes.run import load_data

COVERAGE = 0.9
TRAIN, SPLITS = 3000, 3
RESULTS = Path(__file__).with_suffix(".json")
OTHERS = ("MAPIE, cross-conformal", "MAPIE, CQR")

Bounds = tuple[np.ndarray, np.ndarray]


def tables() -> Iterator[tuple[str, str, str | None]]:
    """Yield the name, the source and the target of each table of values."""
    folder = Path(os.environ["GLASSNET_DATA"], "tables")
    known = tomllib.loads((folder / "tables.toml").read_text(encoding="utf-8"))
    for name, about in known.items():
        if about["task"] == "regression":
            yield name, str(folder / about["file"]), about["target"]
    yield "california", "california", None


def data_of(source: str, target: str | None, seed: int) -> Dataset:
    """Load a table, split by a seed, with so many training rows at most."""
    changes = ["data.task=regression", f"data.seed={seed}"] if target else [f"data.seed={seed}"]
    recipe = recipes.choose(source, target=target, changes=changes) if target else recipes.load("table")
    if target is None:
        recipe.data.source, recipe.name = source, source
        recipe.data.seed = seed
    data = load_data(recipe)
    rng = np.random.default_rng(seed)
    chosen = rng.permutation(len(data.train))[:TRAIN]
    data.train.x, data.train.y = data.train.x[chosen], data.train.y[chosen]
    return data


def ours(data: Dataset, seed: int) -> Bounds:
    """Intervals of the table default."""
    recipe = recipes.load("table")
    recipe.seed = seed
    pack = fit_recipe(recipe, data, info={"task": "regression", "classes": []}, threads=1)
    found = of_pack(pack, data, data.train)
    assert isinstance(found, ValueIntervals)
    bounds = found(data.test.x, pack.ensemble.predict(data.test.x), COVERAGE)
    return bounds[:, 0], bounds[:, 1]


def boosting(data: Dataset, **settings: Any) -> HistGradientBoostingRegressor:
    """Gradient boosting that knows which columns are categories."""
    named = [bool(names) for names in data.categories] or None
    return HistGradientBoostingRegressor(categorical_features=named, random_state=0, **settings)


def boosting_rows(data: Dataset, x: np.ndarray) -> np.ndarray:
    """Rows as boosting takes them: a category that training hadn't is missing."""
    named = [j for j, names in enumerate(data.categories) if names]
    x = x.copy()
    x[:, named] = np.where(x[:, named] < 0, np.nan, x[:, named])
    return x


def cross_conformal(data: Dataset, seed: int) -> Bounds:
    """MAPIE's CV+."""
    from mapie.regression import CrossConformalRegressor

    model = CrossConformalRegressor(boosting(data), confidence_level=COVERAGE, method="plus", cv=5, random_state=seed)
    model.fit_conformalize(boosting_rows(data, data.train.x), data.train.y)
    bounds = model.predict_interval(boosting_rows(data, data.test.x))[1][:, :, 0]
    return bounds[:, 0], bounds[:, 1]


def quantile_regression(data: Dataset, seed: int) -> Bounds:
    """MAPIE's CQR, a quarter of the rows for calibration."""
    from mapie.regression import ConformalizedQuantileRegressor

    x, y = boosting_rows(data, data.train.x), data.train.y
    x, x_held, y, y_held = train_test_split(x, y, test_size=0.25, random_state=seed)
    model = ConformalizedQuantileRegressor(boosting(data, loss="quantile", quantile=0.5), confidence_level=COVERAGE)
    model.fit(x, y).conformalize(x_held, y_held)
    bounds = model.predict_interval(boosting_rows(data, data.test.x))[1][:, :, 0]
    return bounds[:, 0], bounds[:, 1]


CONTENDERS: dict[str, Callable[[Dataset, int], Bounds]] = {
    "glassnet": ours,
    OTHERS[0]: cross_conformal,
    OTHERS[1]: quantile_regression,
}


def measure(name: str, source: str, target: str | None, kept: dict[str, Any]) -> None:
    """Measure what isn't there yet of one table."""
    for seed in range(SPLITS):
        for contender, intervals in CONTENDERS.items():
            key = f"{name}/{seed}/{contender}"
            if key in kept:
                continue
            data = data_of(source, target, seed)
            start = time.process_time()
            low, high = intervals(data, seed)
            seconds = time.process_time() - start
            y = data.test.y
            kept[key] = {
                "coverage": float(((low <= y) & (y <= high)).mean()),
                "width": float((high - low).mean()),
                "seconds": round(seconds, 2),
            }
            RESULTS.write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")


def page(kept: dict[str, Any]) -> str:
    """Return the table of results, as Markdown."""
    names = list(dict.fromkeys(key.split("/")[0] for key in kept))
    lines = [
        "| table | " + " | ".join(f"{each}: coverage | width" for each in CONTENDERS) + " |",
        "|---|" + "--:|--:|" * len(CONTENDERS),
    ]
    ratios: dict[str, list[float]] = {each: [] for each in OTHERS}
    for name in names:
        cells, widths = [], {}
        for contender in CONTENDERS:
            found = [
                kept[f"{name}/{seed}/{contender}"] for seed in range(SPLITS) if f"{name}/{seed}/{contender}" in kept
            ]
            if len(found) < SPLITS:
                break
            widths[contender] = float(np.mean([each["width"] for each in found]))
            cells += [f"{np.mean([each['coverage'] for each in found]):.1%}", f"{widths[contender]:,.4g}"]
        else:
            lines.append(f"| {name} | {' | '.join(cells)} |")
            for each in OTHERS:
                ratios[each].append(widths["glassnet"] / widths[each])
    for each, found in ratios.items():
        lines.append(f"\nwidth beside {each}: {np.exp(np.mean(np.log(found))):.3f} (geometric mean of {len(found)})")
    return "\n".join(lines)


def main() -> None:
    """Measure the tables that are named, or all, and print."""
    warnings.simplefilter("ignore")
    kept = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.is_file() else {}
    for name, source, target in tables():
        if not sys.argv[1:] or name in sys.argv[1:]:
            measure(name, source, target, kept)
            print(page(kept), flush=True)


if __name__ == "__main__":
    main()
