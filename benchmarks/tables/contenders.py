"""Who is compared: defaults on one thread, with columns as the library's own documentation recommends.

Each is a function of the training rows that returns an estimator of scikit-learn's kind, for such rows.
"""

from __future__ import annotations

import functools
import importlib.metadata
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.compose import TransformedTargetRegressor, make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler, TargetEncoder

from tables import variants
from tables.prepare import Levels, Words, categories, numbers, plain
from tables.tuned import TunedCatBoost

Make = Callable[[pd.DataFrame, bool], Any]  # of training rows, and whether there are classes
OURS = "glassnet"
MOST_LEVELS = 255  # of a category in HistGradientBoosting


@dataclass(frozen=True)
class Contender:
    """A library's default. `prepare` comes before, and isn't measured: it only says what kind a column is of."""

    make: Make
    package: str
    prepare: Callable[[pd.DataFrame], pd.DataFrame] = plain

    def version(self) -> str:
        """Return the version of the library, for glassnet with the commit."""
        version = importlib.metadata.version(self.package)
        return version if self.package != "glassnet" else f"{version}, {commit()}"


@functools.cache
def commit() -> str:
    """Return the last commit in short, with a mark if files differ from it."""
    command = ["git", "-C", str(Path(__file__).parent), "describe", "--always", "--dirty"]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip() or "unknown"


def _glassnet(x: pd.DataFrame, classes: bool, time_limit: float | None = None) -> Any:
    """Text, dates and missing cells as they are: the estimator looks at columns by itself."""
    from glassnet import estimators
    from glassnet.fast import loading

    loading.load_kernels(np.dtype(np.float32))  # compiled once on a machine, and not in a fit
    kind = estimators.MLPClassifier if classes else estimators.MLPRegressor
    return kind(preset="strong", random_state=0, time_limit=time_limit)


def _catboost(x: pd.DataFrame, classes: bool) -> Any:
    """Categories by name, with missing ones as a level; missing numbers as they are."""
    import catboost

    kind = catboost.CatBoostClassifier if classes else catboost.CatBoostRegressor
    quiet = {"verbose": 0, "allow_writing_files": False}
    return make_pipeline(Words(), kind(cat_features=categories(x), thread_count=1, random_seed=0, **quiet))


def _lightgbm(x: pd.DataFrame, classes: bool) -> Any:
    """Categories of pandas; missing values as they are."""
    import lightgbm

    kind = lightgbm.LGBMClassifier if classes else lightgbm.LGBMRegressor
    return make_pipeline(Levels(), kind(n_jobs=1, random_state=0, verbose=-1))


def _hist_gradient_boosting(x: pd.DataFrame, classes: bool) -> Any:
    """Categories of pandas; those of more levels than it takes by target encoding; missing values as they are."""
    many = [name for name in categories(x) if x[name].nunique() > MOST_LEVELS]
    encoder = make_column_transformer(
        (TargetEncoder(random_state=0), many), remainder="passthrough", verbose_feature_names_out=False
    ).set_output(transform="pandas")
    kind = HistGradientBoostingClassifier if classes else HistGradientBoostingRegressor
    return make_pipeline(encoder, Levels(), kind(random_state=0))


def _dense(x: pd.DataFrame) -> Any:
    """Numbers scaled, missing ones the median and told by a column of their own; categories one-hot."""
    filled = make_pipeline(SimpleImputer(strategy="median", add_indicator=True), StandardScaler())
    return make_column_transformer((filled, numbers(x)), (OneHotEncoder(handle_unknown="ignore"), categories(x)))


def _scikit_learn(x: pd.DataFrame, classes: bool) -> Any:
    """Scaled inputs, and scaled targets."""
    if classes:
        return make_pipeline(_dense(x), MLPClassifier(random_state=0))
    return TransformedTargetRegressor(
        make_pipeline(_dense(x), MLPRegressor(random_state=0)), transformer=StandardScaler()
    )


def _linear(x: pd.DataFrame, classes: bool) -> Any:
    """Logistic regression, with steps enough to converge, or ridge regression."""
    return make_pipeline(_dense(x), LogisticRegression(max_iter=1000) if classes else Ridge())


def _pytabkit(name: str, **log_loss: Any) -> Make:
    """Categories of pandas; missing numbers, which these networks don't take, the median and a column that tells.

    log_loss: what is recommended where classes are judged by that, and not by how many are right.
    """

    def make(x: pd.DataFrame, classes: bool) -> Any:
        from pytabkit.models.sklearn import sklearn_interfaces

        kind = getattr(sklearn_interfaces, f"{name}_{'Classifier' if classes else 'Regressor'}")
        filled = make_column_transformer(
            (SimpleImputer(strategy="median", add_indicator=True), numbers(x)),
            remainder="passthrough",
            verbose_feature_names_out=False,
        ).set_output(transform="pandas")
        settings = log_loss if classes else {}
        return make_pipeline(filled, Levels(), kind(device="cpu", n_threads=1, random_state=0, **settings))

    return make


CONTENDERS = {
    OURS: Contender(_glassnet, "glassnet", prepare=lambda frame: frame),
    "CatBoost": Contender(_catboost, "catboost"),
    "LightGBM": Contender(_lightgbm, "lightgbm"),
    "HistGradientBoosting": Contender(_hist_gradient_boosting, "scikit-learn"),
    "scikit-learn's MLP": Contender(_scikit_learn, "scikit-learn"),
    "linear": Contender(_linear, "scikit-learn"),
    "RealMLP": Contender(_pytabkit("RealMLP_TD", use_ls=False, val_metric_name="cross_entropy"), "pytabkit"),
    "TabM": Contender(_pytabkit("TabM_D", val_metric_name="cross_entropy"), "pytabkit"),
}
OURS_CHANGED = {
    f"{OURS}, {what}": Contender(partial(variants.make, changes), "glassnet", prepare=lambda frame: frame)
    for what, changes in variants.VARIANTS.items()
}
WITH_TIME = {  # minutes for each fit, so that they are fitted only when they are named
    f"{OURS}, ten minutes": Contender(partial(_glassnet, time_limit=600), "glassnet", prepare=lambda frame: frame),
    "CatBoost, tuned": Contender(lambda _, classes: TunedCatBoost(classes), "catboost"),
}
ALL = CONTENDERS | WITH_TIME | OURS_CHANGED
