"""Rows held out of training: what the network makes of them after each epoch, and the weights that did best."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.metrics import get_scorer
from sklearn.model_selection import train_test_split

from glassnet.estimators.objective import Objective
from glassnet.estimators.passes import predict
from glassnet.nn.layer import Array

if TYPE_CHECKING:
    from glassnet.estimators.base import BaseMLP


@dataclass(frozen=True)
class Rows:
    """Rows x (N, n_in), dense or sparse, targets y (N, n_outputs) as numbers, and a weight for each row or None."""

    x: Any
    y: Array
    weight: Array | None

    def take(self, rows: Array) -> Rows:
        """Return some of the rows, by number."""
        return Rows(self.x[rows], self.y[rows], None if self.weight is None else self.weight[rows])


def split(rows: Rows, fraction: float, random_state: Any, stratify: bool) -> tuple[Rows, Rows]:
    """Hold out a fraction of the rows, as scikit-learn does: drawn at random, of each of two classes its share.

    Raises ValueError if fewer than two rows would be held out.
    """
    kept, held = train_test_split(
        np.arange(len(rows.y)), random_state=random_state, test_size=fraction, stratify=rows.y if stratify else None
    )
    if len(held) < 2:
        raise ValueError("The validation set is too small. Increase 'validation_fraction' or the size of your dataset.")
    return rows.take(kept), rows.take(held)


class Validation:
    """Judges a network by rows that it isn't trained on: their loss, and a score of which more is better."""

    def __init__(self, estimator: BaseMLP, rows: Rows, objective: Objective, scoring: Any) -> None:
        self.rows, self.objective, self.scoring = rows, objective, scoring
        self.targets = objective.targets(rows.y)
        self.labels = estimator._labels(rows.y)
        # A shallow copy sees the same weights. Without names of features, it takes rows as the network does.
        self.seen = copy.copy(estimator)
        self.seen.__dict__.pop("feature_names_in_", None)
        self.seen._table, self.seen.n_features_in_ = None, rows.x.shape[1]

    def loss(self) -> float:
        """Return the loss of the rows, as training reports it but without the penalty."""
        outputs = predict(self.seen.network_, self.rows.x)
        with np.errstate(over="ignore", invalid="ignore"):
            return self.objective.value(outputs, self.targets, self.rows.weight)

    def score(self, loss: float) -> float:
        """Return the score that `scoring` names, given the loss; NaN if an output isn't finite."""
        scoring = self.scoring
        if scoring == "loss":
            return -loss
        if scoring is None:
            return float(self.seen._score(self.rows.x, self.labels, self.rows.weight))
        scorer = get_scorer(scoring) if isinstance(scoring, str) else scoring
        weighted = {} if self.rows.weight is None else {"sample_weight": self.rows.weight}
        return float(scorer(self.seen, self.rows.x, self.labels, **weighted))
