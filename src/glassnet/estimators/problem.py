"""The kind of rows and targets that the estimators found, and the two ways of reading them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

from sklearn.base import BaseEstimator

from glassnet.data.labels import Task
from glassnet.estimators.tables import TableColumns
from glassnet.nn.layer import Array


@dataclass(frozen=True)
class Problem:
    """The problem to learn.

    loss: by scikit-learn's name. n_outputs: of the network. out_activation: the function between its last layer and the
    predictions. info: the network's `info`, with the task. features: the names of the columns, if they have any. table:
    the columns of a data frame.
    """

    loss: str
    n_outputs: int
    out_activation: str
    info: dict[str, Any]
    features: list[str] | None
    table: TableColumns | None

    @property
    def task(self) -> Task:
        """The task: classification or regression."""
        return "classification" if self.info["task"] == "classification" else "regression"


class Way(Protocol):
    """A way to turn rows into arrays: that of plain.py or, with a preset, of strong.py."""

    def read(
        self, estimator: BaseEstimator, table: TableColumns | None, X: Any, reset: bool
    ) -> tuple[Any, TableColumns | None]:
        """Return rows X as the network takes them, and the facts about their columns from the first rows.

        reset: whether these are the first.
        """

    def read_both(
        self, estimator: BaseEstimator, table: TableColumns | None, X: Any, y: Any, reset: bool, values: bool
    ) -> tuple[Any, Array, TableColumns | None]:
        """Do the same with rows X to train on, and return y as an array, too. values: whether y holds numbers."""
