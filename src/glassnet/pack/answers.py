"""What the outputs of a network mean: what they are compared with, how well they fit, and how answers are mixed."""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np

from glassnet.nn import MSE, BinaryCrossEntropy, CrossEntropy, Loss, Poisson, Unstandardize
from glassnet.nn.activations import Softmax, logistic
from glassnet.nn.layer import Array
from glassnet.train.units import StandardUnits

TEMPERATURES = np.exp(np.linspace(np.log(0.25), np.log(8), 60))
APART = 8  # of them, those that are tried first
SMALLEST = 1e-7  # a probability that counts as this, at least: single precision knows none that is nearer to 1
MARGIN = 0.05  # of the range of the training targets, beyond which no value is answered


@dataclass(frozen=True, eq=False)
class Answers:
    """The targets of all rows, and what the outputs for them mean.

    targets: the numbers of classes (N,), flags of 0 and 1 (N, n_out), or values (N, n_out), in standard units if there
    is a unit. loss: what the networks train by, and the mixture. weights: of the rows (N,), or None if they are alike.
    unit: the layer that gives values their own unit, and says from where to where they are answered.
    """

    targets: Array
    loss: Loss
    n_out: int
    weights: Array | None = None
    unit: Unstandardize | None = None

    @classmethod
    def of(cls, y: Array, loss: Loss, n_out: int, weights: Array | None = None) -> Answers:
        """Take targets as the loss does: the numbers of classes (N,), flags, or values in their own unit."""
        if isinstance(loss, CrossEntropy):
            return cls(y, loss, n_out, weights)
        y = y.reshape(-1, n_out).astype(np.float64)
        if isinstance(loss, (BinaryCrossEntropy, Poisson)):
            return cls(y, loss, n_out, weights)
        unit = Unstandardize(MARGIN).fit(y if weights is None or not weights.any() else y[weights > 0])
        return cls(StandardUnits(loss, unit).standardized(y), loss, n_out, weights, unit)

    def compared(self, y: Array) -> Array:
        """Return the targets of other rows, given as to `of`, in the form of `targets`."""
        if isinstance(self.loss, CrossEntropy):
            return y
        y = y.reshape(-1, self.n_out).astype(np.float64)
        return y if self.unit is None else StandardUnits(self.loss, self.unit).standardized(y)

    @property
    def probable(self) -> bool:
        """Whether outputs become probabilities."""
        return self.loss.task == "classification"

    def answer(self, outputs: Array, rows: Array, temperature: float = 1.0) -> Array:
        """Return of outputs (n, n_out) for these rows what is mixed: values, or the probabilities of what is true."""
        z = outputs.astype(np.float64)
        if self.unit is not None:
            low, high = ((bound - self.unit.mean) / self.unit.scale for bound in (self.unit.low, self.unit.high))
            return np.clip(z, low, high)
        if not self.probable:
            return z
        z /= temperature
        if isinstance(self.loss, CrossEntropy):
            return Softmax().forward(z)[np.arange(len(z)), self.targets[rows]]
        return logistic(np.where(self.targets[rows] > 0, z, -z), out=np.empty_like(z))

    def error(self, answers: Array, rows: Array) -> float:
        """Return the error of mixed answers for these rows: mean negative log probability, or the loss of values."""
        return float(self.errors(answers[np.newaxis], rows)[0])

    def doubted(self, several: Array, rows: Array) -> Array:
        """Return the errors (k,) of several answers for the same rows and one row more, whose class is another.

        Where no row that is held out is answered wrongly, nothing else would keep probabilities from being too sure.
        The row costs what a wrong class costs on average.
        """
        errors = self.errors(several, rows)
        if not self.probable:
            return errors
        wrong = np.maximum(1 - several, SMALLEST) / self.others
        costs = -np.log(wrong).reshape(len(several), -1).mean(axis=1)
        return (errors * len(rows) + costs) / (len(rows) + 1)

    @property
    def others(self) -> int:
        """How many classes are wrong ones."""
        return max(1, self.n_out - 1) if isinstance(self.loss, CrossEntropy) else 1

    def errors(self, several: Array, rows: Array) -> Array:
        """Return the errors (k,) of several answers (k, n, ...) for the same rows."""
        weights = None if self.weights is None else self.weights[rows] / self.weights[rows].mean()
        if self.probable:
            far = -np.log(np.maximum(several, 1e-12))
        elif isinstance(self.loss, MSE):
            far = (several - self.targets[rows]) ** 2
        else:
            return np.array([self.loss.forward(answers, self.targets[rows], weights) for answers in several])
        if weights is not None:
            far = far.reshape(*far.shape[:2], -1) * weights[:, np.newaxis]
        return far.reshape(len(far), -1).mean(axis=1)

    def temperature(self, outputs: Array, rows: Array) -> float:
        """Return by which outputs are best divided before they become probabilities; 1 for values.

        Guo et al. 2017 (arXiv:1706.04599), section 4.2. The error is convex in 1 / temperature, where no probability is
        too small to count, and nearly so with the row in doubt. So one of each few is tried, and what lies around the
        best is halved again and again.
        """
        if not self.probable:
            return 1.0

        @functools.cache
        def error(i: int) -> float:
            return float(self.doubted(self.answer(outputs, rows, TEMPERATURES[i])[np.newaxis], rows)[0])

        near = min(range(0, len(TEMPERATURES), APART), key=error)
        low, high = max(0, near - APART), min(len(TEMPERATURES) - 1, near + APART)
        while low < high:
            middle = (low + high) // 2
            low, high = (low, middle) if error(middle) <= error(middle + 1) else (middle + 1, high)
        return float(TEMPERATURES[low])
