"""The nearest change of one column that changes the answer to a row (Wachter, Mittelstadt & Russell 2017)."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from glassnet.data.schema import Column
from glassnet.inspection.why.dependence import grid
from glassnet.inspection.why.outputs import answers, labels_of
from glassnet.nn import Ensemble, Network
from glassnet.nn.layer import Array

POINTS = 60  # values of a column that are tried

Others = Callable[[Array], Array]  # of rows, whether their answers are others


@dataclass(frozen=True, eq=False)
class Change:
    """Another value of one column, and the answer that it leads to.

    distance: the share of the training rows whose value lies between the old one and the new one; for a category, that
    of the rows that don't have the new one.
    """

    column: int
    value: float
    answer: float
    label: int | None
    distance: float


def nearest_changes(
    model: Network | Ensemble, row: Array, train: Array, columns: list[Column], of: int | None, enough: float
) -> list[Change]:
    """Return for each column the nearest value that changes the answer to a row (n_in,), the nearest of all first.

    For classes, another answer is another class. For values it is one that is further away than `enough`. Columns of
    which no value changes the answer are left out.
    """
    row = np.asarray(row, np.float64)
    usual = _label(model, row, of), float(answers(model, row[np.newaxis], of)[0])

    def others(rows: Array) -> Array:
        if of is not None:
            return labels_of(model, rows) != usual[0]
        return np.abs(answers(model, rows, of) - usual[1]) > enough

    found = []
    for j, column in enumerate(columns):
        values = grid(train[:, j], column, POINTS)
        values = values[~np.isnan(values) & (values != row[j])]
        if not len(values):
            continue
        tried = np.repeat(row[np.newaxis], len(values), axis=0)
        tried[:, j] = values
        other = others(tried)
        if not other.any():
            continue
        known = np.sort(train[~np.isnan(train[:, j]), j])
        distances = _distances(known, row[j], values, column)
        value = float(values[other][distances[other].argmin()])
        if column.kind not in ("category", "boolean") and not np.isnan(row[j]):
            value = _nearer(row, j, value, others, known)
        changed = row.copy()
        changed[j] = value
        distance = float(_distances(known, row[j], np.array([value]), column)[0])
        found.append(
            Change(j, value, float(answers(model, changed[np.newaxis], of)[0]), _label(model, changed, of), distance)
        )
    return sorted(found, key=lambda each: each.distance)


def _label(model: Network | Ensemble, row: Array, of: int | None) -> int | None:
    return None if of is None else int(labels_of(model, row[np.newaxis])[0])


def _distances(known: Array, at: float, values: Array, column: Column) -> Array:
    """How far values lie from the row's own, in shares of the training rows."""
    if column.kind in ("category", "boolean") or np.isnan(at):
        return np.array([1 - (known == value).mean() for value in values])
    low, high = np.minimum(values, at), np.maximum(values, at)
    return (np.searchsorted(known, high, "right") - np.searchsorted(known, low, "left")) / max(1, len(known))


def _nearer(row: Array, j: int, value: float, others: Others, known: Array) -> float:
    """Return the value nearest to the row's own that changes the answer, with no more digits than say something."""
    spread = float(known.std())
    step = 10.0 ** math.floor(math.log10(spread / 20)) if spread > 0 else 1.0
    if (known % 1 == 0).all():
        step = max(step, 1.0)
    way = 1 if value > row[j] else -1
    start = math.floor(row[j] / step) if way > 0 else math.ceil(row[j] / step)  # steps are counted from here
    same, other = 0, max(1, math.ceil(abs(value / step - start)))

    def changes(steps: int) -> bool:
        changed = row.copy()
        changed[j] = (start + way * steps) * step
        return bool(others(changed[np.newaxis])[0])

    if not changes(other):
        return value
    while other - same > 1:
        middle = (same + other) // 2
        same, other = (same, middle) if changes(middle) else (middle, other)
    return float((start + way * other) * step)
