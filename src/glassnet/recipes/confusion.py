"""Confusion matrices, kept by pairs: their size goes by the rows, not by the classes squared."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from glassnet.nn.layer import Array
from glassnet.train.metrics import ClassScores, scores_of

MOST_WHOLE = 100  # classes: up to this number metrics.json holds the whole matrix, beyond it the counts above 0
MOST_DRAWN = 500  # classes: beyond this number a cell of the picture would be smaller than a pixel or two
NAMES = ("true", "predicted", "rows")


def left_out(classes: int) -> list[str]:
    """Say which part of a confusion matrix of `classes` classes isn't kept, if any."""
    if classes <= MOST_WHOLE:
        return []
    picture = ", and there is no picture of it" if classes > MOST_DRAWN else ""
    return [f"{classes:,} classes: of the confusion matrix, only counts above 0 are kept{picture}"]


@dataclass(frozen=True, eq=False)
class Confusion:
    """`rows` of the class `true` were taken for the class `predicted`: three arrays with an entry for each pair."""

    classes: int
    true: Array
    predicted: Array
    rows: Array

    @classmethod
    def of(cls, true: Array, predicted: Array, classes: int) -> Confusion:
        """Count the pairs of labels (N,)."""
        pairs, rows = np.unique(true * classes + predicted, return_counts=True)
        return cls(classes, *np.divmod(pairs, classes), rows)

    @classmethod
    def read(cls, value: Any, classes: int) -> Confusion:
        """Read what `written` returned. Raises ValueError or KeyError for anything else."""
        whole = isinstance(value, list)
        arrays = [np.array(each) for each in ([value] if whole else [value[name] for name in NAMES])]
        shape = (classes, classes) if whole else (len(arrays[0]),)
        if any(each.shape != shape or (each.size and each.dtype.kind != "i") for each in arrays):
            raise ValueError("it doesn't hold a number for each two classes")
        if whole:
            true, predicted = arrays[0].nonzero()
            return cls(classes, true, predicted, arrays[0][true, predicted])
        if any(((labels < 0) | (labels >= classes)).any() for labels in arrays[:2]):
            raise ValueError(f"it has a class that isn't one of {classes}")
        return cls(classes, *(each.astype(np.int64) for each in arrays))

    def written(self) -> list[list[int]] | dict[str, list[int]]:
        """Return the entry of metrics.json: the whole matrix, or the counts above 0 if there are many classes."""
        if self.classes <= MOST_WHOLE:
            return self.whole().tolist()
        return dict(zip(NAMES, (self.true.tolist(), self.predicted.tolist(), self.rows.tolist()), strict=True))

    def whole(self) -> Array:
        """Return the matrix (classes, classes): true classes first, predicted ones second."""
        matrix = np.zeros((self.classes, self.classes), np.int64)
        matrix[self.true, self.predicted] = self.rows
        return matrix

    def scores(self) -> ClassScores:
        """Return precision and recall of each class."""
        right = self.true == self.predicted
        parts = (self.true[right], self.rows[right]), (self.predicted, self.rows), (self.true, self.rows)
        return scores_of(*(np.bincount(of, rows, self.classes).astype(np.int64) for of, rows in parts))

    def mistakes(self) -> Confusion:
        """Return the mistakes alone, the commonest first."""
        wrong = np.flatnonzero(self.true != self.predicted)
        wrong = wrong[np.argsort(-self.rows[wrong], kind="stable")]
        return Confusion(self.classes, self.true[wrong], self.predicted[wrong], self.rows[wrong])
