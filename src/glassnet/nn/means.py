"""The mean target of the rows that share a value, for columns whose values repeat: ids, places, products."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar, Self

import numpy as np

from glassnet.checks import positive_int
from glassnet.nn.layer import Array, Shape
from glassnet.nn.preprocessing import Preprocessing
from glassnet.nn.written import Letter, Unit, Written, fill

PRIOR = 1.0  # rows of the mean of all that are added to those of a value, as in Prokhorenkova et al. 2018
PARTS = 10  # of the training rows, each of which gets the means of the others
CATEGORIES, NUMBERS = 10, 30  # values that a column of categories, or of whole numbers, must have more of
REPEATS = 2  # rows for each of its values, at least, on average
BINS = 32  # of numbers, which networks see without means
GAIN = 0.01  # of the targets' variance, so that means are worth a try


class TargetMeans(Preprocessing):
    """Add, for some columns, the mean target of the training rows that have the same value there.

    y = [x, m], m = (sum of their targets + prior) / (their number + 1), with the mean target of all rows as prior.
    That is also the answer for a missing value, and for one that no training row has. Micci-Barreca 2001
    (doi:10.1145/507533.507538). A row knows its own target, so networks must train on `crossed` rows.
    columns, sizes: the columns, and how many different values each has. values: how many numbers a target is: one for
    each of several classes, otherwise 1.
    Shapes: x (N, width), y (N, width + columns * values), keys (all sizes,), means (all sizes, values), prior
    (values,).
    Backward: dx = dy of x, as a mean is a constant between the values.
    Raises ValueError for sizes that are no positive whole numbers, or columns that x hasn't.
    """

    state: ClassVar[tuple[str, ...]] = ("keys", "means", "prior")
    sentence = "Adds, for columns whose values repeat, the mean target of the training rows with the same value."
    keys: Array
    means: Array
    prior: Array
    place: Array

    def __init__(self, width: int, columns: Sequence[int], sizes: Sequence[int], values: int = 1) -> None:
        self.width: int = positive_int(width, "TargetMeans: width")
        self.columns: list[int] = [int(j) for j in columns]
        self.sizes: list[int] = [positive_int(n, "TargetMeans: a size") for n in sizes]
        self.values: int = positive_int(values, "TargetMeans: values")
        strange = [j for j in self.columns if not 0 <= j < self.width]
        if strange or not self.columns or len(self.sizes) != len(self.columns):
            raise ValueError(f"TargetMeans: columns must be of 0 to {self.width - 1}, with a size each, not {columns}")

    @property
    def added(self) -> int:
        """How many columns are added."""
        return len(self.columns) * self.values

    @property
    def width_in(self) -> int:
        """How many columns there are."""
        return self.width

    def width_out(self, width_in: int | None) -> int:
        """width + added."""
        return self.width + self.added

    def state_shapes(self, width_in: int | None) -> dict[str, Shape]:
        """As above."""
        total = sum(self.sizes)
        return {"keys": (total,), "means": (total, self.values), "prior": (self.values,)}

    def check_state(self, state: Mapping[str, Array]) -> None:
        """Raise ValueError if a number isn't finite, or the keys of a column don't rise."""
        super().check_state(state)
        if "keys" in state and any((np.diff(keys) <= 0).any() for keys in np.split(state["keys"], self._starts()[1:])):
            raise ValueError("the keys of a column don't rise")

    def check(self, x: Array) -> None:
        """Raise ValueError if the layer isn't fitted."""
        if not self.fitted:
            super().check(x)

    def fit(self, x: Array) -> Self:
        """Raise ValueError: without targets there are no means."""
        raise ValueError(f"{self!r} takes means of the targets, too: call net.fit_preprocessing(x, y)")

    def fit_with(self, x: Array, y: Array | None) -> Self:
        """Take the means of targets y, labels (N,) or values, by rows x (N, width)."""
        if y is None:
            return self.fit(x)
        self.find_keys(x)
        return self.fit_means(x, y)

    def find_keys(self, x: Array) -> Self:
        """Take the different values of each column of x (N, width)."""
        found = [_distinct(x[:, j]) for j in self.columns]
        if [len(keys) for keys in found] != self.sizes:
            raise ValueError(f"{self!r} is for columns of other values: they have {[len(keys) for keys in found]}")
        self.keys = np.concatenate(found)
        return self

    def fit_means(self, x: Array, y: Array) -> Self:
        """Take the means by rows x, which may lack some of the values."""
        t = targets(y, self.values)
        self.prior = t.mean(axis=0)
        places = self._places(x)
        self.means = np.concatenate([_shrunk(*_sums(place, t, n), self.prior)[:-1] for place, n in places])
        return self

    def forward(self, x: Array, training: bool = False) -> Array:
        """y = [x, m]."""
        self.check(x)
        y = self.buffer("y", (len(x), self.width + self.added), np.float64)
        y[:, : self.width] = x
        places = self._places(x)
        self.place = np.stack([place for place, _ in places], axis=1)
        for k, (start, (place, n)) in enumerate(zip(self._starts(), places, strict=True)):
            known = np.concatenate([self.means[start : start + n], self.prior[np.newaxis]])
            y[:, self._added(k)] = known[place]
        return y

    def crossed(self, x: Array, y: Array, rows: Array, rng: np.random.Generator) -> Array:
        """Fit the means to these rows of x and y, and return all rows with theirs (N, width + added).

        The fitted rows are dealt into parts, and each gets the means of the others: its own target isn't in it.
        """
        self.fit_means(x[rows], y[rows])
        out, t = self.forward(x).copy(), targets(y[rows], self.values)
        part = rng.permutation(len(rows)) % PARTS
        for k, n in enumerate(self.sizes):
            out[rows, self._added(k)] = _of_others(self.place[rows, k], n, t, part)
        return out

    def backward(self, dy: Array) -> Array:
        """dx = dy of x."""
        return dy[:, : self.width]

    def side(self) -> Array:
        """The place of each value among the keys: the mean is a constant but there."""
        return self.place

    def written(self, at: Unit) -> Written:
        """Write a mean as it is, or a column that is passed through."""
        if at.unit < self.width:
            return fill("{x}", at)
        j = self.columns[(at.unit - self.width) // self.values]
        x = Letter(f"x[{j}]", float(at.x[at.row, j]))
        return fill("{m}", at, {"m": Letter(f"mean[{x.name}]", float(at.y[at.row, at.unit]))})

    def _starts(self) -> list[int]:
        return [0, *np.cumsum(self.sizes).tolist()][:-1]

    def _added(self, k: int) -> slice:
        first = self.width + k * self.values
        return slice(first, first + self.values)

    def _places(self, x: Array) -> list[tuple[Array, int]]:
        """For each column the place of each row's value among its keys, or their number for any other, and that."""
        each = zip(self.columns, np.split(self.keys, self._starts()[1:]), strict=True)
        return [(_place(keys, x[:, j]), len(keys)) for j, keys in each]


def repeated(x: Array, y: Array, categories: Sequence[int], values: int) -> tuple[list[int], list[int]]:
    """Return the columns of x (N, width) that TargetMeans may help, and how many different values each has.

    They hold more than 10 categories or more than 30 whole numbers, each in two rows on average. The means of other
    rows explain 1% more of the variance of the targets y than those of the column's bins do, or of all rows if it
    holds categories. values: as of TargetMeans.
    """
    found, t = [], targets(y, values)
    part = np.random.default_rng(0).permutation(len(x)) % PARTS
    for j, column in enumerate(x.T):
        keys = _distinct(column)
        whole = bool(categories[j]) or bool((keys == np.round(keys)).all())
        least = CATEGORIES if categories[j] else NUMBERS
        if not whole or len(keys) <= least or len(keys) * REPEATS > np.isfinite(column).sum():
            continue
        known = np.zeros(len(x), np.int64)
        if not categories[j]:
            known = np.searchsorted(np.quantile(keys, np.linspace(0, 1, BINS + 1)[1:-1]), column)
        if _explained(_place(keys, column), len(keys), t, part) > GAIN + max(0.0, _explained(known, BINS, t, part)):
            found.append((j, len(keys)))
    return [j for j, _ in found], [n for _, n in found]


def targets(y: Array, values: int) -> Array:
    """Return labels (N,) of several classes, or values, as numbers (N, values)."""
    if values > 1 and y.ndim == 1:
        return (y[:, np.newaxis] == np.arange(values)).astype(np.float64)
    return y.reshape(len(y), values).astype(np.float64)


def _distinct(column: Array) -> Array:
    return np.unique(column[~np.isnan(column)].astype(np.float64))


def _place(keys: Array, column: Array) -> Array:
    """The place of each value among the keys, or their number for any other."""
    place = np.minimum(np.searchsorted(keys, column), len(keys) - 1)
    return np.where(keys[place] == column, place, len(keys))


def _shrunk(sums: Array, counts: Array, prior: Array) -> Array:
    """The means of places, and behind them the prior."""
    return np.concatenate([(sums + PRIOR * prior) / (counts[:, np.newaxis] + PRIOR), prior[np.newaxis]])


def _sums(place: Array, t: Array, n: int) -> tuple[Array, Array]:
    """The sums of targets (n, values) and the number of rows (n,) of each place; places beyond are left out."""
    inside = place < n
    place, t = place[inside], t[inside]
    sums = np.stack([np.bincount(place, weights=column, minlength=n) for column in t.T], axis=1)
    return sums, np.bincount(place, minlength=n).astype(np.float64)


def _of_others(place: Array, n: int, t: Array, part: Array) -> Array:
    """For each row the mean of its place (N, values) by the rows that aren't in its part."""
    (sums, counts), prior, means = _sums(place, t, n), t.mean(axis=0), np.empty_like(t)
    for p in range(PARTS):
        mine = part == p
        own, rows = _sums(place[mine], t[mine], n)
        means[mine] = _shrunk(sums - own, counts - rows, prior)[place[mine]]
    return means


def _explained(place: Array, n: int, t: Array, part: Array) -> float:
    """The share of the targets' variance that means of other rows explain."""
    all_of_it = np.square(t - t.mean(axis=0)).sum()
    return 1 - float(np.square(t - _of_others(place, n, t, part)).sum() / max(all_of_it, np.finfo(float).tiny))
