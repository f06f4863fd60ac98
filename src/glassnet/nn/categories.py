"""Embeddings of categories: each becomes a trained row of values, in place of a column of 0 and 1."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import ClassVar, Self

import numpy as np

from glassnet.checks import count, positive_int
from glassnet.nn.layer import Array, Shape
from glassnet.nn.preprocessing import Fitted
from glassnet.nn.written import Unit, Written, factor, fill


class CategoryEmbedding(Fitted):
    """A trained row W[c] of `dim` values for each category c, or zeros if it is unknown or missing.

    categories: the number of categories of each column. x is the table after `Columns` and the preprocessing behind
    it. Its `plain` first columns are passed through. The others are 0 and 1 for each category of each column, or two
    other values in their place. `fit` takes the lower value, and its distance to the higher as scale (infinity if all
    training rows have the same), so that u = (x - low) / scale is 0 and 1 again. Then y = u W, for each column by its
    own rows of W. Guo & Berkhahn 2016 (arXiv:1604.06737). W starts evenly from +-1 / sqrt(dim), as in Gorishniy et al.
    2021 (arXiv:2106.11959).
    Shapes: x (N, plain + all categories), low and scale (all categories,), W (all categories, dim),
    y (N, plain + columns * dim). Backward, by the dy of each column:  dW = u^T dy,  dx = dy W^T / scale.
    Raises ValueError for no columns, or sizes that are no positive whole numbers.
    """

    parameters: ClassVar[tuple[str, ...]] = ("W",)
    sentence = "Gives each category a row of {dim} trained values, in place of a column of 0 and 1."
    decayed: ClassVar[tuple[str, ...]] = ("W",)
    state: ClassVar[tuple[str, ...]] = ("low", "scale")
    low: Array
    scale: Array
    W: Array
    dW: Array
    u: Array

    def __init__(self, categories: Sequence[int], dim: int, plain: int = 0) -> None:
        self.categories: list[int] = [positive_int(n, "CategoryEmbedding: a count of categories") for n in categories]
        if not self.categories:
            raise ValueError("CategoryEmbedding: categories must hold a count for each column, but there is none")
        self.dim: int = positive_int(dim, "CategoryEmbedding: dim")
        self.plain: int = count(plain, "CategoryEmbedding: plain")
        self.width: int = sum(self.categories)

    def state_shapes(self, width_in: int | None) -> dict[str, Shape]:
        """Both (all categories,)."""
        return {"low": (self.width,), "scale": (self.width,)}

    def check_state(self, state: Mapping[str, Array]) -> None:
        """Raise ValueError if a low value isn't finite, or a scale isn't above 0."""
        if "low" in state and not np.isfinite(state["low"]).all():
            raise ValueError("low holds NaN or infinity")
        if "scale" in state and not (state["scale"] > 0).all():
            raise ValueError("scale must be above 0")

    def fit(self, x: Array) -> Self:
        """Take the two values that each category's column has in x (N, plain + all categories)."""
        x = x[:, self.plain :].astype(np.float64)
        self.low = x.min(axis=0)
        self.scale = x.max(axis=0) - self.low
        self.scale[self.scale == 0] = np.inf
        return self

    def check(self, x: Array) -> None:
        """Raise ValueError if the two values aren't fitted."""
        super().check(x[:, self.plain :])

    def forward(self, x: Array, training: bool = False) -> Array:
        """y = u W, column by column."""
        self.check(x)
        self.u = ((x[:, self.plain :] - self.low) / self.scale).astype(self.dtype)
        y = self.buffer("y", (len(x), self.width_out(None)))
        y[:, : self.plain] = x[:, : self.plain]
        for rows, columns in self.places():
            np.matmul(self.u[:, rows], self.W[rows], out=y[:, columns])
        return y

    def backward(self, dy: Array) -> Array:
        """dx = dy W^T / scale, column by column, and dW."""
        self.parameter_gradients(dy)
        dx = self.buffer("dx", (len(dy), self.width_in))
        dx[:, : self.plain] = dy[:, : self.plain]
        du = dx[:, self.plain :]
        for rows, columns in self.places():
            np.matmul(dy[:, columns], self.W[rows].T, out=du[:, rows])
        du /= self.scale
        return dx

    def parameter_gradients(self, dy: Array) -> None:
        """dW = u^T dy, column by column."""
        for rows, columns in self.places():
            np.matmul(self.u[:, rows].T, dy[:, columns], out=self.dW[rows])

    def places(self) -> Iterator[tuple[slice, slice]]:
        """Yield the place of each column's categories in u and W, and of their values in y."""
        start = 0
        for j, n in enumerate(self.categories):
            first = self.plain + j * self.dim
            yield slice(start, start + n), slice(first, first + self.dim)
            start += n

    @property
    def width_in(self) -> int:
        """plain + all categories."""
        return self.plain + self.width

    def width_out(self, width_in: int | None) -> int:
        """plain + columns * dim."""
        return self.plain + len(self.categories) * self.dim

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """W (all categories, dim)."""
        return {"W": (self.width, self.dim)}

    def initialize(self, rng: np.random.Generator) -> None:
        """Draw W."""
        self.W[...] = rng.uniform(-1, 1, self.W.shape) / math.sqrt(self.dim)

    def written(self, at: Unit) -> Written:
        """Write the value of the category's row, or one that is passed through."""
        if at.unit < self.plain:
            return fill("{x}", at)
        j, d = divmod(at.unit - self.plain, self.dim)
        rows, _ = list(self.places())[j]
        u = (at.x[at.row, self.plain :].astype(np.float64) - self.low)[rows] / self.scale[rows]
        here = [rows.start + i for i in np.flatnonzero(u)]
        names = " + ".join(f"u[{c}] W[{c},{d}]" for c in here) or "0"
        numbers = " + ".join(f"{factor(u[c - rows.start])}*{factor(float(self.W[c, d]))}" for c in here)
        return Written(names, numbers, f"u[c] is 1 for the category of column {j}, and 0 for all others")
