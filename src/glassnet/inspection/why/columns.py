"""Columns that go together, of numbers and of categories."""

from __future__ import annotations

import numpy as np

from glassnet.data import Dataset
from glassnet.data.schema import Column
from glassnet.nn.layer import Array

TOGETHER = 0.7  # an association from which on columns are one group
ROWS = 4000  # that are looked at
MOST_COLUMNS = 300  # of wider data no groups are looked for: images, spectra


def columns_of(data: Dataset) -> list[Column]:
    """Return the columns of any data: those of arrays are numbers."""
    return list(data.schema) or [Column(name) for name in data.features]


def association(x: Array, columns: list[Column]) -> Array:
    """Return how strongly each two columns of x (N, n_in) go together (n_in, n_in), from 0 to 1.

    Numbers: the absolute rank correlation (Spearman 1904). A category and numbers: the correlation ratio of the ranks
    (Fisher 1925). Two categories: Cramer's V. Only rows in which both have a value count.
    """
    n_in = x.shape[1]
    found = np.eye(n_in)
    ranks = np.column_stack([_ranks(x[:, j]) for j in range(n_in)])
    for i in range(n_in):
        for j in range(i):
            known = ~(np.isnan(x[:, i]) | np.isnan(x[:, j]))
            if known.sum() > 2:
                found[i, j] = found[j, i] = _together(x[known], ranks[known], columns, i, j)
    return found


def groups(together: Array) -> list[list[int]]:
    """Return the columns in groups, in which each two go together; a column may be alone.

    Groups are joined as long as the least association of two of their columns is high (complete linkage).
    """
    found = [[j] for j in range(len(together))]
    while len(found) > 1:
        least = np.array([[together[np.ix_(a, b)].min() if a is not b else 0.0 for b in found] for a in found])
        i, j = sorted(np.unravel_index(int(least.argmax()), least.shape))
        if least[i, j] < TOGETHER:
            break
        found[i] = sorted(found[i] + found.pop(int(j)))
    return found


def _together(x: Array, ranks: Array, columns: list[Column], i: int, j: int) -> float:
    named = [columns[i].kind == "category", columns[j].kind == "category"]
    if all(named):
        return _cramer(x[:, i].astype(int), x[:, j].astype(int))
    if any(named):
        category, number = (i, j) if named[0] else (j, i)
        return _ratio(x[:, category].astype(int), ranks[:, number])
    a, b = (ranks[:, k] - ranks[:, k].mean() for k in (i, j))
    size = float(np.sqrt((a @ a) * (b @ b)))
    return abs(float(a @ b)) / size if size > 0 else 0.0


def _ranks(values: Array) -> Array:
    """The ranks of values, those of equal ones alike."""
    known = ~np.isnan(values)
    _, place, counts = np.unique(values[known], return_inverse=True, return_counts=True)
    ranks = np.full(len(values), np.nan)
    ranks[known] = (np.cumsum(counts) - counts / 2)[place]
    return ranks


def _ratio(category: Array, ranks: Array) -> float:
    _, place = np.unique(category, return_inverse=True)
    counts = np.bincount(place)
    means = np.bincount(place, ranks) / counts
    whole = float(np.square(ranks - ranks.mean()).sum())
    return float(np.sqrt((counts * (means - ranks.mean()) ** 2).sum() / whole)) if whole > 0 else 0.0


def _cramer(a: Array, b: Array) -> float:
    """Cramer's V with the bias taken off (Bergsma 2013)."""
    (_, a), (_, b) = (np.unique(each, return_inverse=True) for each in (a, b))
    table = np.zeros((a.max() + 1, b.max() + 1))
    np.add.at(table, (a, b), 1)
    n, (r, c) = len(a), table.shape
    if min(r, c) < 2:
        return 0.0
    expected = table.sum(axis=1, keepdims=True) * table.sum(axis=0) / n
    phi = float((np.square(table - expected) / expected).sum()) / n
    phi = max(0.0, phi - (r - 1) * (c - 1) / (n - 1))
    r, c = (k - (k - 1) ** 2 / (n - 1) for k in (r, c))
    return float(np.sqrt(phi / max(min(r, c) - 1, 1e-12)))
