"""The layer that a fully connected network is made of: Dense."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

import numpy as np

from glassnet.checks import positive, positive_int
from glassnet.nn.bfloat16 import bfloat16
from glassnet.nn.initializers import initializer
from glassnet.nn.layer import Array, Layer
from glassnet.nn.written import Letter, Unit, Written, weighted_sum


def _as_it_is(a: Array) -> Array:
    return a


class Dense(Layer):
    """Affine map of each row: y = x W + b.

    Shapes: x (N, fan_in), W (fan_in, fan_out), b (fan_out,), y (N, fan_out).
    Backward, for a loss L with dy = dL/dy:  dW = x^T dy,  db = sum over rows of dy,  dx = dy W^T.
    Weights start as `init` says: "he" (default), "glorot", "lecun", "zeros" or "normal(std)"; biases at zero.
    max_norm: after each step, the weights into a unit (a column of W) are scaled down to this Euclidean norm if
    theirs is larger (Srivastava et al. 2014, JMLR 15:1929-1958, section 5.1). lr_factor multiplies the learning rate.
    In a network of dtype bfloat16, the terms of the three products are rounded to bfloat16 while it trains.
    Raises ValueError for a fan that is no positive whole number, an unknown `init`, or a number that isn't positive.
    """

    parameters: ClassVar[tuple[str, ...]] = ("W", "b")
    decayed: ClassVar[tuple[str, ...]] = ("W",)
    sentence = "Each unit adds up all inputs, each times a weight of its own, and a bias."
    W: Array
    b: Array
    dW: Array
    db: Array

    def __init__(
        self, fan_in: int, fan_out: int, init: str = "he", max_norm: float | None = None, lr_factor: float = 1.0
    ) -> None:
        self.fan_in: int = positive_int(fan_in, "Dense: fan_in")
        self.fan_out: int = positive_int(fan_out, "Dense: fan_out")
        self.init = init
        initializer(init)  # an unknown name fails here, not at the first use
        self.max_norm: float | None = None if max_norm is None else positive(max_norm, "Dense: max_norm")
        self.lr_factor: float = positive(lr_factor, "Dense: lr_factor")

    def forward(self, x: Array, training: bool = False) -> Array:
        """y = x W + b."""
        self.terms: Callable[[Array], Array] = bfloat16 if self.narrow and training else _as_it_is
        self.x = self.terms(x)
        y = self.buffer("y", (len(x), self.fan_out))
        np.matmul(self.x, self.terms(self.W), out=y)
        y += self.b
        return y

    def backward(self, dy: Array) -> Array:
        """dW = x^T dy, db = sum of dy over rows, dx = dy W^T."""
        self.parameter_gradients(dy)
        return np.matmul(self.terms(dy), self.terms(self.W).T, out=self.buffer("dx", self.x.shape))

    def parameter_gradients(self, dy: Array) -> None:
        """dW = x^T dy, db = sum of dy over rows."""
        np.matmul(self.x.T, self.terms(dy), out=self.dW)
        np.sum(dy, axis=0, out=self.db)

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """W (fan_in, fan_out) and b (fan_out,)."""
        return {"W": (self.fan_in, self.fan_out), "b": (self.fan_out,)}

    def initialize(self, rng: np.random.Generator) -> None:
        """Draw W, and set b to zero."""
        initializer(self.init)(self.W, rng)
        self.b[...] = 0

    @property
    def width_in(self) -> int:
        """fan_in."""
        return self.fan_in

    def width_out(self, width_in: int | None) -> int:
        """fan_out."""
        return self.fan_out

    def in_words(self) -> str:
        """Say what each unit adds up."""
        units = f"Each of its {self.fan_out} units" if self.fan_out > 1 else "Its one unit"
        inputs = f"all {self.fan_in} inputs, each" if self.fan_in > 1 else "its one input"
        return (
            f"{units} adds up {inputs} times a weight of its own, and a bias;"
            f" that makes {self.fan_in} x {self.fan_out} weights, which training moves."
        )

    def written(self, at: Unit) -> Written:
        """y[u] = sum over i of x[i] W[i, u] + b[u]."""
        u = at.unit
        bias = Letter(f"b[{u}]", float(self.b[u]))
        return weighted_sum(at.x[at.row].tolist(), self.W[:, u].tolist(), bias, "x[{i}]", f"W[{{i}},{u}]")
