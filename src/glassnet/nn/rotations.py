"""Rotated copies of pairs of columns, for targets that depend on both, such as a place on a map."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import combinations
from typing import ClassVar, Self

import numpy as np

from glassnet.checks import count, positive_int
from glassnet.nn.interactions import interactions
from glassnet.nn.layer import Array, Shape
from glassnet.nn.preprocessing import Preprocessing
from glassnet.nn.written import Letter, Unit, Written, fill


class Rotations(Preprocessing):
    """Add, for some pairs of columns (i, j) and some angles a, the columns cos(a) x_i / s_i + sin(a) x_j / s_j.

    s is the distance of the column's quartiles, or of its extremes if the quartiles are equal. Embeddings treat each
    column alone, and trees cut along the axes. With rotated columns both see a function of two, such as a price over a
    map, from all sides. The angles are 180 / angles degrees apart, without 0 and 90, which are the columns themselves.
    `pairs` gives the pairs, or the number of pairs to take from those that interact most (see `interactions`).
    Shapes: x (N, width + plain), y (N, width + added + plain). The rotated columns come behind the first `width`, and
    the last `plain` are passed through. A (width, added). y = [x, x A, plain]; backward: dx = dy + dy_added A^T.
    Raises ValueError for sizes that are no positive whole numbers, pairs that aren't two different columns of the first
    `width`, or fewer than 3 angles, of which none is left.
    """

    state: ClassVar[tuple[str, ...]] = ("A",)
    sentence = "Adds copies of pairs of columns, turned by {angles} angles, for targets that depend on both."
    A: Array

    def __init__(self, width: int, pairs: int | Sequence[Sequence[int]] = 1, angles: int = 16, plain: int = 0) -> None:
        self.width: int = positive_int(width, "Rotations: width")
        self.pairs: int | list[list[int]] = _pairs(pairs, self.width)
        self.angles: int = count(angles, "Rotations: angles", 3)
        self.plain: int = count(plain, "Rotations: plain")

    @property
    def turns(self) -> int:
        """How many angles are left without 0 and 90 degrees."""
        return self.angles - (2 if self.angles % 2 == 0 else 1)

    @property
    def added(self) -> int:
        """How many columns are added."""
        pairs = min(self.pairs, math.comb(self.width, 2)) if isinstance(self.pairs, int) else len(self.pairs)
        return pairs * self.turns

    def state_shapes(self, width_in: int | None) -> dict[str, Shape]:
        """A (width, added)."""
        return {"A": (self.width, self.added)}

    @property
    def width_in(self) -> int:
        """width + plain."""
        return self.width + self.plain

    def width_out(self, width_in: int | None) -> int:
        """width + added + plain."""
        return self.width + self.added + self.plain

    def check(self, x: Array) -> None:
        """Raise ValueError if the pairs aren't found yet."""
        if not self.fitted:
            super().check(x)

    def fit(self, x: Array, y: Array | None = None) -> Self:
        """Take the scales from training rows x (N, width + plain), and find the pairs if they aren't given.

        y: the targets, labels (N,) or values. Raises ValueError if pairs are to be found, but there are no targets.
        """
        x = x[:, : self.width].astype(np.float64)
        low, high = np.quantile(x, [0.25, 0.75], axis=0)
        spread = np.ptp(x, axis=0)
        scale = np.where(high > low, high - low, np.where(spread > 0, spread, 1.0))
        chosen = self._find(x, y, self.pairs) if isinstance(self.pairs, int) else self.pairs
        angles = [math.pi * k / self.angles for k in range(1, self.angles) if 2 * k != self.angles]
        turns = np.array([[math.cos(a) for a in angles], [math.sin(a) for a in angles]])
        self.A, n = np.zeros((self.width, self.added)), self.turns
        for k in range(self.added // n):
            for column, part in zip(chosen[k], turns, strict=True):
                self.A[column, k * n : (k + 1) * n] = part / scale[column]
        return self

    def _find(self, x: Array, y: Array | None, most: int) -> list[list[int]]:
        """The pairs that interact most, among those examined; others behind them, if those aren't enough."""
        if y is None:
            raise ValueError(f"{self!r} looks for pairs by the targets, too: call net.fit_preprocessing(x, y)")
        chosen = [[i, j] for _, i, j in sorted(interactions(x, y), reverse=True)][:most]
        return chosen + [list(pair) for pair in combinations(range(self.width), 2) if list(pair) not in chosen]

    def fit_with(self, x: Array, y: Array | None) -> Self:
        """Do the same."""
        return self.fit(x, y)

    def forward(self, x: Array, training: bool = False) -> Array:
        """y = [x, x A, plain]."""
        self.check(x)
        y = self.buffer("y", (len(x), self.width_out(None)), np.result_type(x.dtype, self.dtype))
        last = self.width + self.added
        y[:, : self.width], y[:, last:] = x[:, : self.width], x[:, self.width :]
        y[:, self.width : last] = x[:, : self.width].astype(np.float64) @ self.A
        return y

    def backward(self, dy: Array) -> Array:
        """dx = dy + dy_added A^T."""
        dx, last = self.buffer("dx", (len(dy), self.width_in), dy.dtype), self.width + self.added
        dx[:, : self.width] = dy[:, : self.width] + dy[:, self.width : last] @ self.A.T
        dx[:, self.width :] = dy[:, last:]
        return dx

    def written(self, at: Unit) -> Written:
        """Write the turned copy of a pair, or a column that is passed through."""
        k = at.unit - self.width
        columns = np.flatnonzero(self.A[:, k]).tolist() if 0 <= k < self.added else [at.unit - self.added * (k >= 0)]
        x = [Letter(f"x[{j}]", float(at.x[at.row, j])) for j in columns]
        if len(columns) == 1:
            return fill("{x}", at, {"x": x[0]})
        a = [Letter(f"A[{j},{k}]", float(self.A[j, k])) for j in columns]
        return fill("{x0*}*{a0*} + {x1*}*{a1*}", at, {"x0": x[0], "x1": x[1], "a0": a[0], "a1": a[1]})


def _pairs(pairs: int | Sequence[Sequence[int]], width: int) -> int | list[list[int]]:
    """The number of pairs, or the pairs; raise ValueError if it is neither."""
    if isinstance(pairs, int) or not isinstance(pairs, Sequence):
        return positive_int(pairs, "Rotations: pairs")
    for pair in pairs:
        columns = pair if isinstance(pair, Sequence) else [pair]
        if len(columns) != 2 or columns[0] == columns[1] or not all(type(j) is int and 0 <= j < width for j in columns):
            raise ValueError(f"Rotations: pairs must each be two different columns from 0 to {width - 1}, not {pair!r}")
    return [list(pair) for pair in pairs]
