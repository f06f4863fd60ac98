"""Rows held out of training: the network's figures on them after each epoch, and the best weights."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.metrics import get_scorer
from sklearn.model_selection import train_test_split

from glassnet.estimators.objective import Objective
from glassnet.estimators.passes import predict
from glassnet.nn.layer import Array


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
    """Hold out a fraction of the rows, as in scikit-learn: drawn at random, with the shares of two classes kept.

    Raises ValueError if fewer than two rows would be held out.
    """
    kept, held = train_test_split(
        np.arange(len(rows.y)), random_state=random_state, test_size=fraction, stratify=rows.y if stratify else None
    )
    if len(held) < 2:
        raise ValueError("The validation set is too small. Increase 'validation_fraction' or the size of your dataset.")
    return rows.take(kept), rows.take(held)


class Validation:
    """Judges a network by rows that it isn't trained on: by their loss, and by a score, where more is better.

    labels: the rows' targets as they were given. judge: a fitted estimator with this network, which takes the rows as
    they are. scoring: the scorer, or None for the estimator's own score.
    """

    def __init__(self, judge: Any, rows: Rows, labels: Array, objective: Objective, scoring: Any) -> None:
        self.judge = judge
        self.rows = rows
        self.labels = labels
        self.objective = objective
        self.scoring = scoring
        self.targets: Array = objective.targets(rows.y)

    def loss(self) -> float:
        """Return the loss of the rows, as training reports it but without the penalty."""
        outputs = predict(self.judge.network_, self.rows.x)
        with np.errstate(over="ignore", invalid="ignore"):
            return self.objective.value(outputs, self.targets, self.rows.weight)

    def score(self, loss: float) -> float:
        """Return the score of `scoring`, given the loss. It is NaN if an output isn't finite."""
        scoring = self.scoring
        if scoring == "loss":
            return -loss
        if scoring is None:
            return float(self.judge._score(self.rows.x, self.labels, self.rows.weight))
        scorer = get_scorer(scoring) if isinstance(scoring, str) else scoring
        weighted = {} if self.rows.weight is None else {"sample_weight": self.rows.weight}
        return float(scorer(self.judge, self.rows.x, self.labels, **weighted))
