"""Layers with a mistake in them, such as people write when they add a layer of their own."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

import glassnet as gn

Array = NDArray[Any]


class WrongTanh(gn.Tanh):
    """tanh, whose derivative lacks the square: dx = dy * (1 - y)."""

    def backward(self, dy: Array) -> Array:
        """dx = dy * (1 - y)."""
        return dy * (1 - self.y)


class WrongScale(gn.Layer):
    """y = s * x, which forgets s in dx."""

    parameters = ("s",)
    s: Array
    ds: Array

    def __init__(self, width: int) -> None:
        self.width = width

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """One factor per column."""
        return {"s": (self.width,)}

    def initialize(self, rng: np.random.Generator) -> None:
        """Draw factors of both signs."""
        self.s[...] = rng.normal(size=self.width)

    def forward(self, x: Array, training: bool = False) -> Array:
        """y = s * x."""
        self.x = x
        return x * self.s

    def backward(self, dy: Array) -> Array:
        """ds = sum of dy * x, which is right; dx = dy, which isn't."""
        self.ds[...] = (dy * self.x).sum(axis=0)
        return dy


class Untransposed(gn.Dense):
    """Dense, whose dx = dy W lacks the transposition: a square W hides it."""

    def backward(self, dy: Array) -> Array:
        """dx = dy W."""
        self.parameter_gradients(dy)
        return dy @ self.W


class CentreRows(gn.Layer):
    """y = x - mean over the rows, in inference too, so that an answer depends on who else is asked about."""

    def forward(self, x: Array, training: bool = False) -> Array:
        """y = x - mean."""
        return x - x.mean(axis=0)

    def backward(self, dy: Array) -> Array:
        """dx = dy - mean."""
        return dy - dy.mean(axis=0)


class Neighbour(gn.Layer):
    """y = x + half of the row before: an index that is off by one."""

    def forward(self, x: Array, training: bool = False) -> Array:
        """y = x + half of the row before."""
        return x + 0.5 * np.roll(x, 1, axis=0)

    def backward(self, dy: Array) -> Array:
        """dx = dy + half of the next row's dy."""
        return dy + 0.5 * np.roll(dy, -1, axis=0)


class Log(gn.Layer):
    """y = log(x): minus infinity at 0, which a ReLU before it gives all the time."""

    def forward(self, x: Array, training: bool = False) -> Array:
        """y = log(x)."""
        self.x = x
        with np.errstate(all="ignore"):
            return np.log(x)

    def backward(self, dy: Array) -> Array:
        """dx = dy / x."""
        with np.errstate(all="ignore"):
            return dy / self.x


class Root(gn.Layer):
    """y = sqrt(x + shift): NaN in the step in which a value first falls below -shift."""

    def __init__(self, shift: float) -> None:
        self.shift = shift

    def forward(self, x: Array, training: bool = False) -> Array:
        """y = sqrt(x + shift)."""
        with np.errstate(all="ignore"):
            self.y = np.sqrt(x + self.shift)
        return self.y

    def backward(self, dy: Array) -> Array:
        """dx = dy / (2 y)."""
        with np.errstate(all="ignore"):
            return dy / (2 * self.y)


class Inverse(gn.Layer):
    """y = 1 / x: infinite at 0."""

    def forward(self, x: Array, training: bool = False) -> Array:
        """y = 1 / x."""
        self.x = x
        with np.errstate(all="ignore"):
            return 1 / x

    def backward(self, dy: Array) -> Array:
        """dx = -dy / x^2."""
        with np.errstate(all="ignore"):
            return -dy / self.x**2


class Signs(gn.Layer):
    """y = sign(x): keeps of every column only on which side of its mean it is."""

    def forward(self, x: Array, training: bool = False) -> Array:
        """y = sign(x)."""
        return np.sign(x)

    def backward(self, dy: Array) -> Array:
        """dx = 0: flat."""
        return np.zeros_like(dy)


class FirstColumns(gn.Layer):
    """The first columns alone: a slice that is too short."""

    def __init__(self, width: int, kept: int) -> None:
        self.width, self.kept = width, kept

    @property
    def width_in(self) -> int:
        """All columns."""
        return self.width

    def width_out(self, width_in: int | None) -> int:
        """Those kept."""
        return self.kept

    def forward(self, x: Array, training: bool = False) -> Array:
        """y = x[:, :kept]."""
        return x[:, : self.kept]

    def backward(self, dy: Array) -> Array:
        """dx = dy, and zeros for the columns left out."""
        return np.concatenate([dy, np.zeros((len(dy), self.width - self.kept), dy.dtype)], axis=1)
