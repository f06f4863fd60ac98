"""Losses: `forward(y, t)` gives the mean over the batch as a number, `backward()` its derivative dL/dy.

With weights, each row's loss is multiplied by its weight before the mean is taken. If the weights are divided by their
mean, this is the weighted mean.
"""

from __future__ import annotations

from copy import copy
from typing import Literal, Self

import numpy as np

from glassnet.checks import number
from glassnet.configured import Configured
from glassnet.nn.activations import logistic
from glassnet.nn.layer import Array

Task = Literal["classification", "regression"]


class Loss(Configured):
    """A scalar L(y, t) of outputs y (N, n_out) and targets t; `backward` belongs to the latest `forward`."""

    task: Task

    def forward(self, y: Array, t: Array, weights: Array | None = None) -> float:
        """Compute the loss of outputs y for targets t, each row's multiplied by its weight in weights (N,)."""
        raise TypeError(f"{type(self).__name__} has no forward: a loss defines forward and backward")

    def backward(self) -> Array:
        """Compute dL/dy (N, n_out) at the latest forward."""
        raise TypeError(f"{type(self).__name__} has no backward: a loss defines forward and backward")

    def side(self) -> Array | None:
        """Return the side of a kink on which each entry was in the latest forward; None for a smooth loss."""
        return None

    def check(self, t: Array, n_out: int) -> None:
        """Raise ValueError if targets t don't fit outputs of that width."""
        self.forward(np.zeros((len(t), n_out)), t)

    def __copy__(self) -> Self:
        """A shallow copy has its own memory of a pass, and so has the loss that it wraps: another thread may use it."""
        twin = object.__new__(type(self))
        twin.__dict__ = {name: copy(v) if isinstance(v, Loss) else v for name, v in self.__dict__.items()}
        return twin


def same_shape(y: Array, t: Array, loss: Loss) -> Array:
    """Return the targets in the shape and type of y. A vector t (N,) fits y (N, 1); nothing is broadcast."""
    t = np.asarray(t)
    if t.shape != y.shape and not (t.ndim == 1 and y.shape == (len(t), 1)):
        raise ValueError(f"{loss!r}: outputs of shape {y.shape} and targets of shape {t.shape} don't fit")
    return t.reshape(y.shape).astype(y.dtype, copy=False)


def mean(rows: Array, weights: Array | None) -> float:
    """Return the mean over all entries of rows (N,) or (N, n_out), each row multiplied by its weight."""
    if weights is not None:
        rows = rows * weights.reshape(-1, *[1] * (rows.ndim - 1))
    return float(rows.mean(dtype=np.float64))


def weighted(dy: Array, weights: Array | None) -> Array:
    """Multiply each row of dy (N, n_out) by its weight, in place."""
    if weights is not None:
        dy *= weights[:, np.newaxis]
    return dy


class MSE(Loss):
    """Mean squared error: L = mean((y - t)^2) over all entries, with no factor 1/2; dL/dy = 2 (y - t) / entries."""

    task: Task = "regression"
    difference: Array

    def forward(self, y: Array, t: Array, weights: Array | None = None) -> float:
        """mean((y - t)^2)."""
        self.weights = weights
        self.difference = y - same_shape(y, t, self)
        return mean(np.square(self.difference), weights)

    def backward(self) -> Array:
        """2 (y - t) / entries."""
        return weighted(self.difference * (2 / self.difference.size), self.weights)


class MAE(Loss):
    """Mean absolute error: L = mean(|y - t|); dL/dy = sign(y - t) / entries, and 0 where y = t."""

    task: Task = "regression"
    difference: Array

    def forward(self, y: Array, t: Array, weights: Array | None = None) -> float:
        """mean(|y - t|)."""
        self.weights = weights
        self.difference = y - same_shape(y, t, self)
        return mean(np.abs(self.difference), weights)

    def backward(self) -> Array:
        """sign(y - t) / entries."""
        return weighted(np.sign(self.difference) / self.difference.size, self.weights)

    def side(self) -> Array:
        """Whether y > t."""
        return self.difference > 0


class Huber(Loss):
    """Huber 1964: with d = y - t, L = mean of d^2 / 2 where |d| <= delta, else of delta (|d| - delta / 2).

    dL/dy = clip(d, -delta, delta) / entries. Raises ValueError unless delta > 0.
    """

    task: Task = "regression"
    difference: Array

    def __init__(self, delta: float = 1.0) -> None:
        self.delta: float = number(delta, "Huber: delta", low=1e-300)

    def forward(self, y: Array, t: Array, weights: Array | None = None) -> float:
        """Mean of d^2 / 2 or delta (|d| - delta / 2)."""
        self.weights = weights
        self.difference = y - same_shape(y, t, self)
        size = np.abs(self.difference)
        within = np.minimum(size, self.delta)
        return mean(within * (size - within / 2), weights)

    def backward(self) -> Array:
        """clip(d, -delta, delta) / entries."""
        return weighted(np.clip(self.difference, -self.delta, self.delta) / self.difference.size, self.weights)

    def side(self) -> Array:
        """Whether |d| <= delta."""
        return np.abs(self.difference) <= self.delta


class Poisson(Loss):
    """Half the Poisson deviance of counts t >= 0, from expected counts y > 0.

    L = mean of y - t log y + (t log t - t), with 0 log 0 = 0, which is 0 where y = t; dL/dy = (1 - t / y) / entries.
    A network that ends in Exp gives such outputs. McCullagh & Nelder 1989, "Generalized Linear Models", section 2.3.
    Raises ValueError for a negative target or output.
    """

    task: Task = "regression"
    y: Array
    target: Array

    def forward(self, y: Array, t: Array, weights: Array | None = None) -> float:
        """Mean of y - t log y + t log t - t."""
        self.weights = weights
        self.y, self.target = y, same_shape(y, t, self)
        for what, values in (("targets", self.target), ("outputs, such as those of a last Exp,", y)):
            if values.min(initial=0) < 0:
                raise ValueError(f"{self!r}: {what} must be at least 0, not {values.min():g}")
        counted = np.where(self.target > 0, self.target, 1)
        with np.errstate(divide="ignore"):  # an output that has underflowed to 0 makes an infinite loss, or none
            ratio = np.log(y, where=self.target > 0, out=np.zeros_like(y)) - np.log(counted)
        return mean(y - self.target - self.target * ratio, weights)

    def backward(self) -> Array:
        """(1 - t / y) / entries."""
        share = np.divide(self.target, self.y, out=np.zeros_like(self.y), where=self.target > 0)  # 0 / 0 is 0
        return weighted((1 - share) / self.y.size, self.weights)

    def check(self, t: Array, n_out: int) -> None:
        """Raise ValueError if targets t don't fit outputs of that width."""
        self.forward(np.ones((len(t), n_out)), t)


class CrossEntropy(Loss):
    """Cross-entropy of softmax(y) against the targets, from logits y (N, C).

    t: integer labels (N,) in 0..C-1, or probabilities (N, C) whose rows sum to 1. L = mean over rows of log sum_j
    exp(y_j) - sum_j q_j y_j. The row's maximum is subtracted first, so that no exponential overflows. dL/dy =
    (softmax(y) - q) / N. With label smoothing s, q = (1 - s) * target + s / C (Szegedy et al. 2015, arXiv:1512.00567,
    section 7). Raises ValueError for targets that are neither, or a smoothing outside 0..1.
    """

    task: Task = "classification"
    target: Array
    softmax: Array

    def __init__(self, label_smoothing: float = 0.0) -> None:
        self.label_smoothing: float = number(label_smoothing, "CrossEntropy: label_smoothing", low=0, below=1)

    def forward(self, y: Array, t: Array, weights: Array | None = None) -> float:
        """Mean of log sum exp(y) - q . y."""
        self.weights = weights
        self.target = self._probabilities(y, np.asarray(t))
        shifted = y - y.max(axis=1, keepdims=True)
        self.softmax = np.exp(shifted)
        total = self.softmax.sum(axis=1, keepdims=True)
        self.softmax /= total
        return mean(np.log(total[:, 0]) - np.einsum("nc,nc->n", self.target, shifted), weights)

    def backward(self) -> Array:
        """(softmax(y) - q) / N."""
        dy = self.softmax - self.target
        dy /= len(dy)
        return weighted(dy, self.weights)

    def check(self, t: Array, n_out: int, n: int | None = None) -> None:
        """Raise ValueError unless t are labels or distributions of that many classes (for n rows)."""
        n = len(t) if n is None else n
        if t.shape == (n,) and t.dtype.kind in "iub":
            if n and not 0 <= int(t.min()) <= int(t.max()) < n_out:
                raise ValueError(
                    f"{self!r}: labels run from {t.min()} to {t.max()}, but {n_out} outputs allow 0 to {n_out - 1}"
                )
        elif t.shape == (n, n_out) and t.dtype.kind == "f":
            if t.min(initial=0) < 0 or not np.allclose(t.sum(axis=1), 1, atol=1e-5):
                raise ValueError(f"{self!r}: the rows of the target probabilities must be at least 0 and sum to 1")
        else:
            raise ValueError(
                f"{self!r}: for outputs of shape {(n, n_out)}, targets are integer labels of shape ({n},) or"
                f" probabilities of shape {(n, n_out)}, not {t.dtype} of shape {t.shape}"
            )

    def _probabilities(self, y: Array, t: Array) -> Array:
        """The targets as a distribution q (N, C) for each row."""
        n, classes = y.shape
        self.check(t, classes, n)
        if t.ndim == 1:
            q = np.zeros(y.shape, y.dtype)
            q[np.arange(n), t.astype(np.intp)] = 1
        else:
            q = t.astype(y.dtype)
        if self.label_smoothing:
            q *= 1 - self.label_smoothing
            q += self.label_smoothing / classes
        return q


class BinaryCrossEntropy(Loss):
    """Cross-entropy of 1 / (1 + exp(-y)) against t in 0..1, entry by entry, from logits y (N, n_out).

    L = mean of max(y, 0) - y t + log(1 + exp(-|y|)), which can't overflow; dL/dy = (sigmoid(y) - t) / entries.
    t: (N,) for one output, else (N, n_out). Raises ValueError for targets outside 0..1 or of another shape.
    """

    task: Task = "classification"
    y: Array
    target: Array

    def forward(self, y: Array, t: Array, weights: Array | None = None) -> float:
        """Mean of max(y, 0) - y t + log(1 + exp(-|y|))."""
        self.weights = weights
        self.y, self.target = y, same_shape(y, t, self)
        if self.target.size and not 0 <= self.target.min() <= self.target.max() <= 1:
            raise ValueError(f"{self!r}: targets must lie in 0..1, not {self.target.min()} to {self.target.max()}")
        return mean(np.maximum(y, 0) - y * self.target + np.log1p(np.exp(-np.abs(y))), weights)

    def backward(self) -> Array:
        """(sigmoid(y) - t) / entries."""
        dy = logistic(self.y, out=np.empty_like(self.y))
        dy -= self.target
        dy /= dy.size
        return weighted(dy, self.weights)
