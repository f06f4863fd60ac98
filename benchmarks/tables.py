"""Cross-validate the table default beside other libraries' defaults on the tables that come with scikit-learn.

    make tables                          # about ten minutes on two cores
    python benchmarks/tables.py wine     # only some; the table keeps the other rows

Five folds, three times, the same for everybody, each library as it is: glassnet's is `preset="strong"`, the recipe
`table`, in one word. scikit-learn's network has its inputs scaled, and for values its targets.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import catboost
import lightgbm
from sklearn import datasets
from sklearn.base import is_regressor
from sklearn.compose import TransformedTargetRegressor
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import accuracy_score, r2_score
from sklearn.model_selection import RepeatedKFold, RepeatedStratifiedKFold
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import page
from glassnet import estimators
from glassnet.files import replacing

ROOT = Path(__file__).parent.parent
RESULTS = ROOT / "benchmarks" / "tables.json"
PAGE = ROOT / "docs" / "accuracy.md"
TABLES = ("iris", "wine", "breast_cancer", "digits", "diabetes")
QUIET = {"verbose": 0, "allow_writing_files": False}
MODELS: dict[str, tuple[Callable[[], Any], Callable[[], Any]]] = {  # of classes, of values
    "glassnet": (
        lambda: estimators.MLPClassifier(preset="strong", random_state=0),
        lambda: estimators.MLPRegressor(preset="strong", random_state=0),
    ),
    "scikit-learn": (
        lambda: make_pipeline(StandardScaler(), MLPClassifier(random_state=0)),
        lambda: TransformedTargetRegressor(
            make_pipeline(StandardScaler(), MLPRegressor(random_state=0)), transformer=StandardScaler()
        ),
    ),
    "CatBoost": (
        lambda: catboost.CatBoostClassifier(random_seed=0, **QUIET),
        lambda: catboost.CatBoostRegressor(random_seed=0, **QUIET),
    ),
    "LightGBM": (
        lambda: lightgbm.LGBMClassifier(random_state=0, verbose=-1),
        lambda: lightgbm.LGBMRegressor(random_state=0, verbose=-1),
    ),
}


def measure(name: str) -> dict[str, Any]:
    """Return every model's scores in the fifteen folds, accuracy or R^2, and the seconds of a fit."""
    x, y = getattr(datasets, f"load_{name}")(return_X_y=True)
    values = name == "diabetes"
    kind = RepeatedKFold if values else RepeatedStratifiedKFold
    folds = list(kind(n_splits=5, n_repeats=3, random_state=0).split(x, y))
    found: dict[str, Any] = {}
    for model, makers in MODELS.items():
        scores, start = [], time.perf_counter()
        for train, test in folds:
            estimator = makers[values]().fit(x[train], y[train])
            score = r2_score if is_regressor(estimator) else accuracy_score
            scores.append(float(score(y[test], estimator.predict(x[test]))))
        found[model] = {"scores": scores, "seconds": (time.perf_counter() - start) / len(folds)}
        mean, error = mean_error(scores)
        print(f"{name:14} {model:13} {mean:.4f} ± {error:.4f}  {found[model]['seconds']:.2f} s a fit", flush=True)
    return found


def mean_error(scores: list[float]) -> tuple[float, float]:
    """The mean, and its standard error over the folds, as if they were independent."""
    return statistics.mean(scores), statistics.stdev(scores) / len(scores) ** 0.5


def table(results: dict[str, Any]) -> str:
    """The rows of the page; the best mean in each is bold."""
    lines = [f"| table | {' | '.join(MODELS)} | a fit |", f"| --- |{' ---: |' * (len(MODELS) + 1)}"]
    for name in TABLES:
        if name not in results:
            continue
        means = {model: mean_error(found["scores"]) for model, found in results[name].items()}
        best = round(max(mean for mean, _ in means.values()), 4)
        cells = [
            f"**{mean:.4f}** ± {error:.4f}" if round(mean, 4) == best else f"{mean:.4f} ± {error:.4f}"
            for mean, error in means.values()
        ]
        what = "R²" if name == "diabetes" else "accuracy"
        lines.append(f"| {name}, {what} | {' | '.join(cells)} | {results[name]['glassnet']['seconds']:.1f} s |")
    return "\n".join(lines)


def main() -> None:
    """Measure what was asked for, and write the table."""
    warnings.filterwarnings("ignore", category=ConvergenceWarning)  # of scikit-learn's 200 epochs
    warnings.filterwarnings("ignore", message="X does not have valid feature names")  # LightGBM's
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("tables", nargs="*", default=list(TABLES), help="default: all")
    results = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.exists() else {}
    for name in parser.parse_args().tables:
        results[name] = measure(name)
        with replacing(RESULTS) as part:
            part.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    page.put(PAGE, tables=table(results))


if __name__ == "__main__":
    main()
