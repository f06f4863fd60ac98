"""Normalisation between layers: BatchNorm over the rows of a batch, LayerNorm over the values of a row."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import ClassVar

import numpy as np

from glassnet.checks import number, positive, positive_int
from glassnet.nn.layer import Array, Layer, Shape
from glassnet.nn.written import Letter, Unit


class Normalization(Layer):
    """The base of both: x_hat has mean 0 and variance 1 along an axis, and y = gamma * x_hat + beta."""

    parameters: ClassVar[tuple[str, ...]] = ("gamma", "beta")
    formula = "{gamma*}*({x}{-mean}) / sqrt({var} + {eps}){+beta}"
    gamma: Array
    beta: Array
    dgamma: Array
    dbeta: Array
    inv_std: Array
    x_hat: Array

    def __init__(self, width: int, eps: float, lr_factor: float) -> None:
        self.width: int = positive_int(width, f"{type(self).__name__}: width")
        self.eps: float = number(eps, f"{type(self).__name__}: eps", low=1e-12)
        self.lr_factor: float = positive(lr_factor, f"{type(self).__name__}: lr_factor")

    def normalize(self, x: Array, mean: Array, var: Array) -> Array:
        """x_hat = (x - mean) / sqrt(var + eps); returns gamma * x_hat + beta."""
        self.inv_std = 1 / np.sqrt(var + self.eps)
        self.x_hat = np.subtract(x, mean, out=self.buffer("x_hat", x.shape, x.dtype))
        self.x_hat *= self.inv_std
        y = np.multiply(self.x_hat, self.gamma, out=self.buffer("y", x.shape, x.dtype))
        y += self.beta
        return y

    def through_statistics(self, dy: Array, axis: int) -> Array:
        """dx when mean and variance came from x itself, along `axis`.

        With g = gamma * dy:  dx = inv_std * (g - mean(g) - x_hat * mean(g * x_hat)).
        """
        dx = np.multiply(dy, self.gamma, out=self.buffer("dx", dy.shape, dy.dtype))
        product = np.multiply(dx, self.x_hat, out=self.buffer("product", dy.shape, dy.dtype))
        along = product.mean(axis=axis, keepdims=True)
        dx -= dx.mean(axis=axis, keepdims=True)
        dx -= np.multiply(self.x_hat, along, out=product)
        dx *= self.inv_std
        return dx

    def parameter_gradients(self, dy: Array) -> None:
        """dgamma = sum over rows of dy * x_hat, dbeta = sum over rows of dy."""
        product = np.multiply(dy, self.x_hat, out=self.buffer("product", dy.shape, dy.dtype))
        np.sum(product, axis=0, out=self.dgamma)
        np.sum(dy, axis=0, out=self.dbeta)

    def variance(self, x: Array, mean: Array, axis: int) -> Array:
        """Mean square of x - mean along `axis`, dimensions kept."""
        centred = np.subtract(x, mean, out=self.buffer("product", x.shape, x.dtype))
        return np.square(centred, out=centred).mean(axis=axis, keepdims=True)

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """gamma and beta, each (width,)."""
        return {"gamma": (self.width,), "beta": (self.width,)}

    def initialize(self, rng: np.random.Generator) -> None:
        """Start as the plain normalisation: gamma 1, beta 0."""
        self.gamma[...] = 1
        self.beta[...] = 0

    @property
    def width_in(self) -> int:
        """width."""
        return self.width


class BatchNorm(Normalization):
    """Normalise each column by the batch's mean and variance: y = gamma * (x - mean) / sqrt(var + eps) + beta.

    Ioffe & Szegedy 2015 (arXiv:1502.03167), algorithm 1. Shapes: x, y (N, width), gamma, beta (width,). In training,
    running <- (1 - momentum) * running + momentum * batch, with the unbiased variance. Inference uses the running
    values, and dx = dy * gamma / sqrt(running_var + eps). A batch of one row gives beta alone, and leaves the running
    values unchanged. lr_factor multiplies the learning rate of gamma and beta. Raises ValueError for a width that is no
    positive whole number, or for eps, momentum or lr_factor out of range.
    """

    sentence = "Brings each unit to a mean of 0 and a deviation of 1, then scales and shifts it by trained numbers."
    by_batch: bool = True  # whether the latest forward used the batch's statistics

    state: ClassVar[tuple[str, ...]] = ("running_mean", "running_var")

    def __init__(self, width: int, momentum: float = 0.1, eps: float = 1e-5, lr_factor: float = 1.0) -> None:
        super().__init__(width, eps, lr_factor)
        self.momentum: float = number(momentum, "BatchNorm: momentum", low=0, below=1 + 1e-12)

    @cached_property
    def running_mean(self) -> Array:
        """The mean of each column (width,); 0 at first."""
        return np.zeros(self.width)

    @cached_property
    def running_var(self) -> Array:
        """The variance of each column (width,); 1 at first."""
        return np.ones(self.width)

    def state_shapes(self, width_in: int | None) -> dict[str, Shape]:
        """Both (width,)."""
        return {"running_mean": (self.width,), "running_var": (self.width,)}

    def check_state(self, state: Mapping[str, Array]) -> None:
        """Raise ValueError if a number isn't finite, or a variance negative."""
        super().check_state(state)
        if "running_var" in state and (state["running_var"] < 0).any():
            raise ValueError("running_var holds a negative number")

    def forward(self, x: Array, training: bool = False) -> Array:
        """y = gamma * x_hat + beta, by the batch's statistics in training and the running ones otherwise."""
        self.by_batch = training
        if not training:
            dtype = x.dtype
            return self.normalize(x, self.running_mean.astype(dtype), self.running_var.astype(dtype))
        mean = x.mean(axis=0, keepdims=True)
        var = self.variance(x, mean, axis=0)
        if len(x) > 1:  # one row gives no estimate of the variance
            unbiased = len(x) / (len(x) - 1)
            self.running_mean += self.momentum * (mean[0] - self.running_mean)
            self.running_var += self.momentum * (var[0] * unbiased - self.running_var)
        return self.normalize(x, mean, var)

    def backward(self, dy: Array) -> Array:
        """dx through the batch's statistics in training; dy * gamma / std otherwise."""
        self.parameter_gradients(dy)
        if self.by_batch:
            return self.through_statistics(dy, axis=0)
        dx = np.multiply(dy, self.gamma, out=self.buffer("dx", dy.shape, dy.dtype))
        dx *= self.inv_std
        return dx

    def letters(self, at: Unit) -> dict[str, Letter]:
        """Mean and variance of the unit's column, or the running ones."""
        if not self.by_batch:
            mean, var = at.letter("running_mean"), at.letter("running_var")
            return {"mean": Letter("running_mean", mean.value), "var": Letter("running_var", var.value)}
        column = at.x[:, at.unit].astype(np.float64)
        return {"mean": Letter("mean of the column", column.mean()), "var": Letter("its var", column.var())}


class LayerNorm(Normalization):
    """Normalise each row by its own mean and variance: y = gamma * (x - mean) / sqrt(var + eps) + beta.

    Ba et al. 2016 (arXiv:1607.06450), section 3. Shapes: x, y (N, width), gamma, beta (width,).
    Training and inference are the same. lr_factor multiplies the learning rate of gamma and beta. Raises ValueError
    for a width that is no positive whole number, or for eps or lr_factor of 0 or below.
    """

    sentence = "Brings each row to a mean of 0 and a deviation of 1, then scales and shifts it by trained numbers."

    def __init__(self, width: int, eps: float = 1e-5, lr_factor: float = 1.0) -> None:
        super().__init__(width, eps, lr_factor)

    def forward(self, x: Array, training: bool = False) -> Array:
        """y = gamma * x_hat + beta."""
        mean = x.mean(axis=1, keepdims=True)
        return self.normalize(x, mean, self.variance(x, mean, axis=1))

    def backward(self, dy: Array) -> Array:
        """dx through the row's statistics."""
        self.parameter_gradients(dy)
        return self.through_statistics(dy, axis=1)

    def letters(self, at: Unit) -> dict[str, Letter]:
        """Mean and variance of the row."""
        row = at.x[at.row].astype(np.float64)
        return {"mean": Letter("mean of the row", row.mean()), "var": Letter("its var", row.var())}
