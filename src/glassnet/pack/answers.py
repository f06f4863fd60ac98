"""What the outputs of a network mean: what they are compared with, how well they fit, and how answers are mixed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from glassnet.nn import MSE, BinaryCrossEntropy, CrossEntropy, Loss, Unstandardize
from glassnet.nn.activations import Softmax, logistic
from glassnet.nn.layer import Array
from glassnet.train.units import StandardUnits

Kind = Literal["classes", "flags", "values"]

TEMPERATURES = np.exp(np.linspace(np.log(0.25), np.log(8), 60))
MARGIN = 0.05  # of the range of the training targets, beyond which no value is answered


@dataclass(frozen=True)
class Answers:
    """The targets of all rows, and what the outputs for them mean.

    targets: the numbers of classes (N,), flags of 0 and 1 (N, n_out), or values in standard units (N, n_out).
    n_out: how many outputs a network has. weights: of the rows (N,), or None if they are alike. unit: of values, the
    layer that gives them their own unit, and says from where to where they are answered.
    """

    targets: Array
    kind: Kind
    n_out: int
    weights: Array | None = None
    unit: Unstandardize | None = None

    @classmethod
    def of(cls, y: Array, kind: Kind, weights: Array | None = None) -> Answers:
        """Take targets (N, n_out): classes one-hot, flags, or values in their own unit."""
        n_out = y.shape[1]
        if kind != "values":
            return cls(y.argmax(axis=1) if kind == "classes" else y.astype(np.float64), kind, n_out, weights)
        unit = Unstandardize(MARGIN).fit(y)
        return cls(StandardUnits(MSE(), unit).standardized(y), kind, n_out, weights, unit)

    @property
    def loss(self) -> Loss:
        """The loss that the networks train by."""
        return {"classes": CrossEntropy, "flags": BinaryCrossEntropy, "values": MSE}[self.kind]()

    def answer(self, outputs: Array, rows: Array, temperature: float = 1.0) -> Array:
        """Return of outputs (n, n_out) for these rows what is mixed: values, or the probabilities of what is true."""
        z = outputs.astype(np.float64)
        if self.unit is not None:
            low, high = ((bound - self.unit.mean) / self.unit.scale for bound in (self.unit.low, self.unit.high))
            return np.clip(z, low, high)
        z /= temperature
        if self.kind == "classes":
            return Softmax().forward(z)[np.arange(len(z)), self.targets[rows]]
        return logistic(np.where(self.targets[rows] > 0, z, -z), out=np.empty_like(z))

    def error(self, answers: Array, rows: Array) -> float:
        """Return the error of mixed answers for these rows: mean squared, or the mean negative log probability."""
        far = (answers - self.targets[rows]) ** 2 if self.kind == "values" else -np.log(np.maximum(answers, 1e-12))
        weights = None if self.weights is None else self.weights[rows]
        return float(np.average(far.reshape(len(rows), -1).mean(axis=1), weights=weights))

    def temperature(self, outputs: Array, rows: Array) -> float:
        """Return by which outputs are best divided before they become probabilities; 1 for values.

        Guo et al. 2017 (arXiv:1706.04599), section 4.2.
        """
        if self.kind == "values":
            return 1.0
        errors = [self.error(self.answer(outputs, rows, t), rows) for t in TEMPERATURES]
        return float(TEMPERATURES[int(np.argmin(errors))])


def greedy(choices: Array, answers: Answers, rows: Array, steps: int = 30) -> Array:
    """Return how often each choice (k, n, ...) is taken if, so many times, whichever helps the mean most is added.

    Caruana et al. 2004 (ICML), section 2: with repetition. The counts (k,) sum to `steps`.
    """
    counts, total = np.zeros(len(choices), int), np.zeros(choices.shape[1:])
    for step in range(1, steps + 1):
        errors = [answers.error((total + choice) / step, rows) for choice in choices]
        best = int(np.argmin(errors))
        counts[best] += 1
        total += choices[best]
    return counts
