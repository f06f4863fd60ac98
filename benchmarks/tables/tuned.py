"""CatBoost as somebody who has hours would use it: settings by a search, and the mean of eight models."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator
from sklearn.model_selection import KFold, StratifiedKFold

from tables.prepare import Words, categories

TRIALS = 50
FOLDS = 8  # as many as ours holds out
SPACE = {  # what CatBoost's page "Parameter tuning" names; trees deeper than 8 would take hours for small tables, too
    "depth": (4, 8),
    "learning_rate": (0.01, 0.3),
    "l2_leaf_reg": (1.0, 10.0),
    "random_strength": (0.1, 10.0),
    "bagging_temperature": (0.0, 1.0),
}
LOGARITHMIC = {"learning_rate", "l2_leaf_reg", "random_strength"}
FIXED = {"iterations": 2000, "early_stopping_rounds": 50}


class TunedCatBoost(BaseEstimator):  # type: ignore[misc]
    """Fifty trials judge settings by one of eight folds. One model for each fold is trained with the best of them.

    Each stops when its fold's error doesn't fall any more. Their mean answers.
    """

    def __init__(self, classes: bool) -> None:
        self.classes = classes

    def fit(self, x: pd.DataFrame, y: Any) -> TunedCatBoost:
        """Search, and train."""
        import optuna

        optuna.logging.set_verbosity(optuna.logging.ERROR)
        self.words_ = Words().fit(x)
        x, y = self.words_.transform(x), np.asarray(y)
        kind = StratifiedKFold if self.classes and np.unique(y, return_counts=True)[1].min() >= FOLDS else KFold
        folds = list(kind(FOLDS, shuffle=True, random_state=0).split(x, y))
        self.classes_ = np.unique(y) if self.classes else None

        def error(trial: optuna.Trial) -> float:
            return float(self._model(x, y, folds[0], _drawn(trial)).get_best_score()["validation"][self._loss()])

        study = optuna.create_study(sampler=optuna.samplers.TPESampler(seed=0))
        study.optimize(error, n_trials=TRIALS)
        self.models_ = [self._model(x, y, fold, study.best_params) for fold in folds]
        return self

    def _loss(self) -> str:
        return "RMSE" if self.classes_ is None else "Logloss" if len(self.classes_) == 2 else "MultiClass"

    def _model(self, x: pd.DataFrame, y: Any, fold: Any, settings: dict[str, Any]) -> Any:
        import catboost

        kind = catboost.CatBoostRegressor if self.classes_ is None else catboost.CatBoostClassifier
        quiet = {"verbose": 0, "allow_writing_files": False, "thread_count": 1, "random_seed": 0}
        classes = {} if self.classes_ is None else {"class_names": self.classes_}
        model = kind(loss_function=self._loss(), cat_features=categories(x), **quiet, **classes, **FIXED, **settings)
        rows, held = fold
        return model.fit(x.iloc[rows], y[rows], eval_set=(x.iloc[held], y[held]))

    def predict(self, x: pd.DataFrame) -> Any:
        """Return the mean of values, or the likeliest classes."""
        if self.classes_ is not None:
            return self.classes_[self.predict_proba(x).argmax(axis=1)]
        x = self.words_.transform(x)
        return np.mean([model.predict(x) for model in self.models_], axis=0)

    def predict_proba(self, x: pd.DataFrame) -> Any:
        """Return the mean probabilities."""
        x = self.words_.transform(x)
        return np.mean([model.predict_proba(x) for model in self.models_], axis=0)


def _drawn(trial: Any) -> dict[str, Any]:
    return {
        name: trial.suggest_int(name, low, high)
        if isinstance(low, int)
        else trial.suggest_float(name, low, high, log=name in LOGARITHMIC)
        for name, (low, high) in SPACE.items()
    }
