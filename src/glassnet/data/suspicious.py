"""Columns of a table that a person would leave out: ids, and those that give the target away."""

from __future__ import annotations

from collections.abc import Callable
from shlex import quote
from typing import Any

import numpy as np
from numpy.typing import NDArray

from glassnet.data.schema import Schema

FEWEST = 20  # rows: fewer whole numbers may all differ by chance
SAMPLE = 2000  # rows that clear most columns of suspicion
REPEATED = 5  # rows for each value of a column, on average, before it can be judged value by value
LEFT = 0.01  # share of the baseline's mistakes: fewer mean that a column gives the class away
SAME = 0.9999  # correlation with the target, of values or of ranks
Numbers = NDArray[np.float64]


def suspicious(schema: Schema, x: Numbers, y: NDArray[Any]) -> list[str]:
    """Say which columns of training rows x (N, n_in) hardly belong to what is learned, and how to leave them out.

    y (N,): the target, the numbers of classes, or values as floating-point numbers.
    """
    lines = []
    gives_away = _tells_values if y.dtype.kind == "f" else _tells_classes
    some = np.random.default_rng(0).permutation(len(y))[:SAMPLE]
    for j, column in enumerate(schema):
        values, name = x[:, j], column.name
        if _is_given(gives_away, values, y, some):
            lines.append(
                f"{name}: it gives the target away, in nearly 100% of the training rows:"
                f" if it isn't known beforehand, leave it out (--drop {quote(name)})"
            )
        elif column.kind == "number" and _all_differ(values):
            lines.append(
                f"{name}: its whole numbers differ in 100% of the training rows: if it is an id, leave it out"
                f" (--drop {quote(name)})"
            )
    return lines


def _is_given(rule: Callable[[Numbers, NDArray[Any]], bool], values: Numbers, y: NDArray[Any], some: Any) -> bool:
    """Whether a rule holds for all rows. It must hold for some of them first, which is found out sooner."""
    return len(y) >= FEWEST and rule(values[some], y[some]) and (len(y) <= SAMPLE or rule(values, y))


def _all_differ(values: Numbers) -> bool:
    values = values[~np.isnan(values)]
    whole = len(values) >= FEWEST and bool((values == np.rint(values)).all())
    return whole and len(np.unique(values)) == len(values)


def _tells_classes(values: Numbers, y: NDArray[np.int64]) -> bool:
    """Whether values, or whether they are missing, tell the class: each for itself, or by where they lie."""
    wrong = len(y) - np.bincount(y).max()
    if not wrong:
        return False
    missing = np.isnan(values)
    for each in [values] if missing.all() else [values, missing]:
        groups, number = np.unique(each, return_inverse=True)
        if len(groups) * REPEATED <= len(y):
            counts = np.zeros((len(groups), y.max() + 1), np.int64)
            np.add.at(counts, (number, y), 1)
            if len(y) - counts.max(axis=1).sum() <= LEFT * wrong:
                return True
    order = np.argsort(values[~missing], kind="stable")
    ordered, classes = values[~missing][order], y[~missing][order]
    changes = classes[1:] != classes[:-1]
    apart = not (changes & (ordered[1:] == ordered[:-1])).any()
    return apart and 2 * len(order) > len(y) and 0 < changes.sum() == len(np.unique(classes)) - 1


def _tells_values(values: Numbers, y: Numbers) -> bool:
    """Whether a straight line or a curve that rises or falls leads from values to the target."""
    known = ~np.isnan(values)
    if 2 * known.sum() <= len(y):
        return False
    for one, other in ((values[known], y[known]), (_ranks(values[known]), _ranks(y[known]))):
        if one.std() > 0 and other.std() > 0 and abs(np.corrcoef(one, other)[0, 1]) > SAME:
            return True
    return False


def _ranks(values: Numbers) -> Numbers:
    """The ranks of values, the same for equal ones."""
    _, number, counts = np.unique(values, return_inverse=True, return_counts=True)
    ranks: Numbers = (np.cumsum(counts) - (counts - 1) / 2)[number]
    return ranks
