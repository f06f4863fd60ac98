"""Intervals and sets of an estimator, learned when they are first asked for from rows that were held out of its fit."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from glassnet.estimators.tables import TableColumns
from glassnet.nn.layer import Array

if TYPE_CHECKING:
    from glassnet.intervals import ClassSets, ValueIntervals

MOST = 12_000  # rows that are kept


class HeldRows:
    """Rows x (N, n_in) that were held out of a fit, and their targets y (N, n_outputs).

    outputs: those of networks that hadn't seen the rows, None if all of the fit hadn't. table: what the columns are, if
    they are those of a data frame.
    """

    def __init__(self, x: Any, y: Array, outputs: Array | None, table: TableColumns | None) -> None:
        self.x, self.y, self.table = x[:MOST], y[:MOST], table
        self.outputs: Array | None = None if outputs is None else outputs[:MOST]
        self.learned: ValueIntervals | ClassSets | None = None

    def intervals(self, answer: Callable[[Any], Array]) -> ValueIntervals:
        """Return intervals around values. answer: gives the outputs for rows. Raises ValueError as `fit` of these.

        Raises ValueError for several values a row, too.
        """
        from glassnet.intervals import ValueIntervals

        if self.y.shape[1] > 1:
            raise ValueError("intervals are for one value a row, and y had several: fit an estimator for each")
        if not isinstance(self.learned, ValueIntervals):
            outputs = answer(self.x) if self.outputs is None else self.outputs
            self.learned = ValueIntervals.fit(dense(self.x), outputs, self.y, self._columns())
        return self.learned

    def sets(self, answer: Callable[[Any], Array], probabilities: Callable[[Array], Array]) -> ClassSets:
        """Return sets of classes. Raises ValueError for too few rows."""
        from glassnet.intervals import ClassSets

        if not isinstance(self.learned, ClassSets):
            outputs = answer(self.x) if self.outputs is None else self.outputs
            y = self.y[:, 0] if self.y.shape[1] == 1 else self.y.argmax(axis=1)
            self.learned = ClassSets.fit(probabilities(outputs), y.astype(np.int64))
        return self.learned

    def _columns(self) -> dict[str, Any] | None:
        missing = np.flatnonzero(np.isnan(dense(self.x)).any(axis=0)).tolist()
        if self.table is None:
            return {"categories": [0] * self.x.shape[1], "missing": missing} if missing else None
        return {"categories": [len(column.categories) for column in self.table.schema], "missing": missing}


def dense(x: Any) -> Array:
    """Return rows as an array, if they are a sparse matrix."""
    return x.toarray() if hasattr(x, "toarray") else np.asarray(x)


def held_of(estimator: Any) -> HeldRows:
    """Return the rows that the last fit of an estimator held out. Raises ValueError if it held out none."""
    held: HeldRows | None = getattr(estimator, "_held", None)
    if held is None:
        raise ValueError(
            "intervals need rows that were held out of the fit: set preset='strong', or early_stopping=True, or give"
            " X_val and y_val"
        )
    return held
