"""Which pairs of columns matter together: FAST of Lou et al. 2013 (KDD, doi:10.1145/2487575.2487579, section 4)."""

from __future__ import annotations

import math
from collections.abc import Iterable
from itertools import combinations

import numpy as np

from glassnet.nn.layer import Array

SEARCHED_ROWS, SEARCHED_COLUMNS = 20_000, 32  # the search for pairs uses at most these
FINE, COARSE = 32, 12  # most bins of a column alone, and of each of two
IN_CELL = 16  # rows, about, of each two bins
CLASSES = 100  # more different whole numbers are values, no labels
PASSES = 10
SIGMAS = 5.0
STRONG = 0.01


def interactions(x: Array, y: Array) -> Iterable[tuple[float, int, int]]:
    """Yield for pairs i < j of columns of x (N, width) the share of the targets' variance that they explain together.

    The share counts only variance that the best sum of functions of single columns leaves: FAST of Lou et al. 2013
    (KDD, doi:10.1145/2487575.2487579, section 4), with a cell for each two bins. The share that chance would explain is
    subtracted: its mean and five of its standard deviations. y: labels (N,), whole numbers of at most 100 kinds, or
    values (N,) or (N, n_out), which count alike in any unit. At most 32 columns are paired, those that matter most
    alone, and at most 20,000 rows are used.
    """
    if len(x) > SEARCHED_ROWS:
        rows = np.random.default_rng(0).choice(len(x), SEARCHED_ROWS, replace=False)
        x, y = x[rows], y[rows]
    y = _targets(y)
    bins = [_binned(column, min(FINE, max(2, len(y) // IN_CELL))) for column in x.T]
    strongest = np.argsort([-np.square(_means(b, y)).sum() for b in bins], kind="stable")[:SEARCHED_COLUMNS]
    parts = {int(j): np.zeros_like(y) for j in strongest}
    left = y
    for _ in range(PASSES):  # backfitting: each function of one column in turn, given the others
        for j, part in parts.items():
            left = left + part
            parts[j] = _means(bins[j], left)
            left = left - parts[j]
    side = min(COARSE, max(2, math.isqrt(len(y) // IN_CELL)))
    coarse = {j: _binned(x[:, j], side) for j in parts}
    unexplained, total = np.square(left).sum(), max(np.square(y).sum(), np.finfo(np.float64).tiny)
    for i, j in combinations(sorted(parts), 2):
        cells = coarse[i] * side + coarse[j]
        explained, used = np.square(_means(cells, left)).sum(), len(np.unique(cells))
        noise = (unexplained - explained) / max(1, len(y) - used)  # the variance that isn't explained
        chance = noise * (used + SIGMAS * math.sqrt(2 * used))
        yield float((explained - chance) / total), i, j


def strong_pairs(x: Array, y: Array, most: int) -> list[tuple[int, int]]:
    """Return the pairs of columns, up to `most`, that explain at least 1% of the targets' variance together.

    x (N, width) may hold NaN, which counts as the column's median. y is as in `interactions`.
    """
    known = np.where(np.isnan(x).all(axis=0), 0, x)
    x = np.where(np.isnan(known), np.nanmedian(known, axis=0), known)
    return [(i, j) for gain, i, j in sorted(interactions(x, y), reverse=True)[:most] if gain >= STRONG]


def _targets(y: Array) -> Array:
    """Labels as a column of 0 and 1 for each class, values in standard units, each minus its mean."""
    if y.ndim == 1 and y.dtype.kind in "iu":
        classes, label = np.unique(y, return_inverse=True)
        if len(classes) <= CLASSES:
            y = np.eye(len(classes))[label]
            return y - y.mean(axis=0)
    y = y.reshape(len(y), -1).astype(np.float64)
    y = y / np.maximum(np.abs(y).max(axis=0), np.finfo(np.float64).tiny)  # whose squares would overflow
    return (y - y.mean(axis=0)) / np.where(np.ptp(y, axis=0) > 0, y.std(axis=0), 1.0)


def _binned(column: Array, bins: int) -> Array:
    """The number of each value's bin, between quantiles; if they all are the lowest value, it has a bin alone."""
    low = column.min()
    edges = np.unique(np.quantile(column, np.linspace(0, 1, bins + 1)[1:-1]))
    edges = edges[edges > low]
    if not len(edges) and column.max() > low:
        edges = column[column > low].min(keepdims=True)
    return np.searchsorted(edges, column, side="right")


def _means(bins: Array, y: Array) -> Array:
    """For each row the mean of the rows of y in its bin, drawn to 0 where they are few."""
    counts = np.bincount(bins) + 1.0
    return np.stack([(np.bincount(bins, column) / counts)[bins] for column in y.T], axis=1)
