"""The kind of rows and targets that the estimators found, and the two ways of learning from them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

from sklearn.base import BaseEstimator

from glassnet.data.labels import Task
from glassnet.estimators.objective import Objective
from glassnet.estimators.parameters import MLPParameters
from glassnet.estimators.plan import Plan
from glassnet.estimators.tables import TableColumns
from glassnet.nn import Network
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
    """A way to turn rows into arrays, make the network and plan its training: plain.py, or strong.py for a preset."""

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

    def network(self, settings: MLPParameters, problem: Problem, x: Any, y: Array, random: Any) -> Network:
        """Make the network for rows x (N, n_in) and targets y (N, n_outputs), with its initial weights."""

    def objective(self, settings: MLPParameters, problem: Problem, net: Network, dtype: Any) -> Objective:
        """Return the objective, on rows of that type."""

    def plan(self, settings: MLPParameters, problem: Problem, rows: int, incremental: bool) -> Plan:
        """Return the plan of a training on a number of rows, for partial_fit if `incremental`."""
