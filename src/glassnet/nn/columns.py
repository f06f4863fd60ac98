"""Columns of a table as a layer: categories become columns of 0 and 1, missing values are filled and marked."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import ClassVar, Self

import numpy as np

from glassnet.checks import positive
from glassnet.nn.layer import Array, Shape
from glassnet.nn.preprocessing import Preprocessing, check_scale
from glassnet.nn.written import Letter, Unit, Written, fill, numeral


class Columns(Preprocessing):
    """Take rows of a table whose columns are numbers or categories, with NaN where a value is missing.

    categories: the number of categories of each column, 0 for one of numbers. A category is a number 0, 1, ....
    missing: the columns whose missing values are marked. y holds, in this order:
    the columns of numbers, (x - median) / scale by the training rows, or 0 where the value is missing;
    for each of `cycles`, a column and a length in its unit, where the value lies in a cycle so long, from -0.5 to 0.5:
    x / length - floor(x / length) - 0.5, or 0 where it is missing. Days since 1970 have cycles of 7, 365.2425 / 12
    and 365.2425;
    for each column in `missing`, 1 where the value is missing, else 0;
    for each column of categories and each category, 1 where it is this one, else 0.
    Any other number is a category that training hadn't. It has 0 in all of them, like a missing one.
    Shapes: x (N, width), y (N, numbers + cycles + missing + all categories), median and scale (width,).
    Backward: dx = dy / scale for numbers, with dy / length of their cycles, 0 for missing ones and for categories.
    Raises ValueError for a negative count, a column in `missing` that isn't there, or a cycle of a column that holds no
    numbers or of a length that isn't positive.
    """

    state: ClassVar[tuple[str, ...]] = ("median", "scale")
    sentence = "Puts numbers on a like scale, marks missing values, and gives each category a column of 0 and 1."
    median: Array
    scale: Array
    known: Array
    turns: Array

    def __init__(
        self, categories: Sequence[int], missing: Sequence[int] = (), cycles: Sequence[tuple[int, float]] = ()
    ) -> None:
        self.categories: list[int] = [int(n) for n in categories]
        self.missing: list[int] = [int(j) for j in missing]
        if min(self.categories, default=-1) < 0:
            raise ValueError(f"Columns: categories must be counts of at least 0, not {self.categories}")
        if any(not 0 <= j < len(self.categories) for j in self.missing):
            raise ValueError(f"Columns: missing must name columns 0 to {len(self.categories) - 1}, not {self.missing}")
        self.numbers: list[int] = [j for j, n in enumerate(self.categories) if n == 0]
        self.cycles: list[list[float]] = [[int(j), positive(length, "Columns: a cycle")] for j, length in cycles]
        if strange := {j for j, _ in self.cycles} - set(self.numbers):
            raise ValueError(f"Columns: cycles must name columns of numbers, {self.numbers}, not {int(min(strange))}")
        self.turning: list[int] = [int(j) for j, _ in self.cycles]
        self.lengths: Array = np.array([length for _, length in self.cycles])

    @property
    def continuous(self) -> int:
        """How many values of y, the first ones, are numbers rather than 0 and 1."""
        return len(self.numbers) + len(self.cycles)

    def state_shapes(self, width_in: int | None) -> dict[str, Shape]:
        """Both (width,)."""
        return {"median": (self.width_in,), "scale": (self.width_in,)}

    def check_state(self, state: Mapping[str, Array]) -> None:
        """Raise ValueError if a number isn't finite, or a scale 0."""
        super().check_state(state)
        check_scale(state)

    def fit(self, x: Array) -> Self:
        """Take median and standard deviation of the values in each column of x (N, width) that aren't missing."""
        x = x.astype(np.float64)
        self.median, self.scale = np.zeros(x.shape[1]), np.ones(x.shape[1])
        for j in self.numbers:
            known = x[~np.isnan(x[:, j]), j]
            if len(known):
                exponent = np.frexp(np.abs(known).max())[1]  # squares near 1e300 or 1e-300 would overflow or vanish
                unit = np.ldexp(known, -exponent)
                self.median[j], scale = np.ldexp([np.median(unit), unit.std()], exponent)
                self.scale[j] = scale if scale > 0 else 1.0
        return self

    def forward(self, x: Array, training: bool = False) -> Array:
        """y as above."""
        self.check(x)
        y = self.buffer("y", (len(x), self.width_out(None)))
        centred = (x[:, self.numbers] - self.median[self.numbers]) / self.scale[self.numbers]
        self.known = ~np.isnan(centred)
        turns = np.floor(x[:, self.turning] / self.lengths)
        places = x[:, self.turning] - self.lengths * turns  # in each cycle
        places = places / self.lengths - 0.5
        marks, last = self.continuous, self.continuous + len(self.missing)
        y[:, : len(self.numbers)] = np.where(self.known, centred, 0)
        y[:, len(self.numbers) : marks] = np.where(np.isnan(places), 0, places)
        y[:, marks:last] = np.isnan(x[:, self.missing])
        for j, n in enumerate(self.categories):
            y[:, last : last + n] = x[:, j, np.newaxis] == np.arange(n)
            last += n
        self.y, self.turns = y, np.nan_to_num(turns)
        return y

    def backward(self, dy: Array) -> Array:
        """dx = dy / scale for numbers that aren't missing, else 0."""
        dx = self.buffer("dx", (len(dy), len(self.categories)))
        dx[...] = 0
        dx[:, self.numbers] = dy[:, : len(self.numbers)] / self.scale[self.numbers]
        for i, (j, length) in enumerate(zip(self.turning, self.lengths, strict=True), len(self.numbers)):
            dx[:, j] += dy[:, i] / length
        dx[:, self.numbers] *= self.known
        return dx

    @property
    def width_in(self) -> int:
        """How many columns there are."""
        return len(self.categories)

    def width_out(self, width_in: int | None) -> int:
        """How many values y has in a row."""
        return self.continuous + len(self.missing) + sum(self.categories)

    def side(self) -> Array:
        """The values that are missing, the category of each of the others, and the numbers of the cycles."""
        return np.concatenate([self.y[:, self.continuous :], self.turns], axis=1)

    def written(self, at: Unit) -> Written:
        """Write a number in units of the column's scale, or a condition that is 1 or 0."""
        j, test = self.source(at.unit)
        x = Letter(f"x[{j}]", float(at.x[at.row, j]))
        if test is not None:
            condition = f"{x.name} is missing" if math.isnan(test) else f"{x.name} = {numeral(test)}"
            return Written(f"1 if {condition} else 0", numeral(float(at.y[at.row, at.unit])))
        if math.isnan(x.value):
            return Written("0", "", f"{x.name} is missing")
        if len(self.numbers) <= at.unit < self.continuous:
            length = Letter("length", float(self.lengths[at.unit - len(self.numbers)]))
            letters = {"x": x, "length": length}
            return fill("({x} % {length}) / {length} - 0.5", at, letters, f"where x[{j}] lies in a cycle")
        median, scale = (Letter(f"{n}[{j}]", float(getattr(self, n)[j])) for n in self.state)
        return fill("({x}{-median}) / {scale}", at, {"x": x, "median": median, "scale": scale})

    def source(self, unit: int) -> tuple[int, float | None]:
        """Return the column of x that a value of y comes from, and its value for which y is 1: NaN for a missing one.

        For numbers it is None, because their y is no condition.
        """
        numbers = [(j, None) for j in (*self.numbers, *self.turning)]
        marks = [(j, math.nan) for j in self.missing]
        categories = [(j, float(c)) for j, n in enumerate(self.categories) for c in range(n)]
        return [*numbers, *marks, *categories][unit]
