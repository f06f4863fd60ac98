"""How the answer follows a column, or two: partial dependence, single rows, and accumulated local effects."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np

from glassnet.data.schema import Column
from glassnet.inspection.why.outputs import answers
from glassnet.nn import Ensemble, Network
from glassnet.nn.layer import Array

ROWS, LINES = 300, 40  # rows that are averaged, and those drawn as lines of their own
POINTS, SMALL = 24, 8  # of a grid: along one column, and along each of two
FEW = 12  # different values that are a grid by themselves
ENDS = 0.01  # the share of the rows beyond each end of a grid
BINS = 20  # of accumulated local effects
PAIRED = 5  # the most important columns, each two of which are looked at together
CATEGORIES = 20  # the most frequent that are shown


@dataclass(frozen=True, eq=False)
class Dependence:
    """The answer along one column.

    values (g,): where; NaN, the last, stands for a missing value. mean (g,): the partial dependence (Friedman 2001),
    the mean answer when all rows have that value. rows (n, g): the answers of single rows (Goldstein et al. 2015, ICE).
    shares (g,): of the training rows, those nearest to each value. edges (k,), local (k,): accumulated local effects
    (Apley & Zhu 2020), whose mean is that of the answers; empty if they weren't asked for.
    """

    column: int
    values: Array
    mean: Array
    rows: Array
    shares: Array
    edges: Array
    local: Array


@dataclass(frozen=True, eq=False)
class Interaction:
    """The mean answer (g, h) over values of two columns.

    strength: the share of its variance that isn't the sum of what each column does alone (the square of Friedman &
    Popescu 2008's H).
    """

    columns: tuple[int, int]
    values: tuple[Array, Array]
    mean: Array
    strength: float


def dependence(
    model: Network | Ensemble, x: Array, train: Array, j: int, column: Column, of: int | None, local: bool
) -> Dependence:
    """Return how the answer to rows x (N, n_in) follows column j.

    train (N, n_in): rows that show which values there are. local: whether to add accumulated local effects.
    """
    values = grid(train[:, j], column, POINTS)
    rows = _over(model, x[:ROWS], (j,), values[:, np.newaxis], of).T
    edges, effects = _local_effects(model, x, j, of) if local else (np.zeros(0), np.zeros(0))
    shares = _shares(train[:, j], values)
    return Dependence(j, values, rows.mean(axis=0), rows[:LINES], shares, edges, effects)


def interactions(
    model: Network | Ensemble, x: Array, train: Array, chosen: list[int], columns: list[Column], of: int | None
) -> list[Interaction]:
    """Return the interactions of each two of the chosen columns, the strongest first."""
    found = []
    for i, j in combinations(chosen[:PAIRED], 2):
        a, b = (_known(grid(train[:, k], columns[k], SMALL)) for k in (i, j))
        if min(len(a), len(b)) < 2:
            continue
        pairs = np.stack(np.meshgrid(a, b, indexing="ij"), axis=-1).reshape(-1, 2)
        mean = _over(model, x[: ROWS // 3], (i, j), pairs, of).mean(axis=1).reshape(len(a), len(b))
        centred = mean - mean.mean()
        rest = centred - centred.mean(axis=0) - centred.mean(axis=1, keepdims=True)
        whole = float(np.square(centred).sum())
        strength = float(np.square(rest).sum()) / whole if whole > 0 else 0.0
        found.append(Interaction((i, j), (a, b), mean, strength))
    return sorted(found, key=lambda each: -each.strength * float(each.mean.var()))


def grid(values: Array, column: Column, points: int) -> Array:
    """Return the values of a column to look at: quantiles, or all if they are few; and NaN if some are missing."""
    known = _known(values)
    distinct, counts = np.unique(known, return_counts=True)
    if column.kind == "category":
        most = np.sort(distinct[np.argsort(-counts, kind="stable")][: min(CATEGORIES, 2 * points)])
        found = most[most >= 0]
    elif len(distinct) <= min(FEW, 2 * points):
        found = distinct
    else:
        found = np.unique(np.quantile(known, np.linspace(ENDS, 1 - ENDS, points), method="nearest"))
    return np.append(found, np.nan) if len(known) < len(values) else found


def _known(values: Array) -> Array:
    return values[~np.isnan(values)].astype(np.float64)


def _over(model: Network | Ensemble, x: Array, columns: tuple[int, ...], values: Array, of: int | None) -> Array:
    """The answers (g, N) to rows x with each of the values (g, columns) in their columns."""
    found = []
    for value in values:
        changed = x.copy()
        changed[:, columns] = value
        found.append(answers(model, changed, of))
    return np.stack(found)


def _local_effects(model: Network | Ensemble, x: Array, j: int, of: int | None) -> tuple[Array, Array]:
    """The edges of bins with as many rows in each, and the accumulated differences of the answer over them."""
    x = x[~np.isnan(x[:, j])]
    edges = np.unique(np.quantile(x[:, j], np.linspace(0, 1, BINS + 1), method="nearest")) if len(x) else np.zeros(0)
    if len(edges) < 2:
        return np.zeros(0), np.zeros(0)
    bins = np.clip(np.searchsorted(edges, x[:, j], side="left") - 1, 0, len(edges) - 2)
    low, high = x.copy(), x.copy()
    low[:, j], high[:, j] = edges[bins], edges[bins + 1]
    change = answers(model, high, of) - answers(model, low, of)
    counts = np.bincount(bins, minlength=len(edges) - 1)
    means = np.bincount(bins, change, len(edges) - 1) / np.maximum(counts, 1)
    effects = np.concatenate([[0.0], np.cumsum(means)])
    middle = (effects[1:] + effects[:-1]) / 2
    return edges, effects - (middle * counts).sum() / counts.sum() + answers(model, x, of).mean()


def _shares(values: Array, points: Array) -> Array:
    """The share of the values that are nearest to each point."""
    known, places = _known(values), points[~np.isnan(points)]
    counts = np.zeros(len(points))
    if len(places):
        nearest = np.searchsorted((places[1:] + places[:-1]) / 2, known)
        counts[: len(places)] = np.bincount(nearest, minlength=len(places))
    if len(places) < len(points):
        counts[-1] = len(values) - len(known)
    return counts / max(1, len(values))
