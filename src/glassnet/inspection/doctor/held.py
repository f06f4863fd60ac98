"""The quality of a trained network on rows that it hasn't learned from, row by row, beside a constant answer."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from glassnet.data import Split
from glassnet.inspection.doctor.patient import Patient
from glassnet.nn import BinaryCrossEntropy
from glassnet.nn.layer import Array
from glassnet.train.metrics import labels
from glassnet.train.units import training_loss

FEWEST = 20  # rows that a result needs as evidence
ENOUGH = 100  # validation rows; with fewer, the test's are added


@dataclass(frozen=True)
class Held:
    """Rows that the network hasn't learned from: validation rows, and if they are few, test rows too or instead."""

    name: str
    split: Split
    outputs: Array


def held(patient: Patient) -> Held | None:
    """Predict the held-out rows; None if there are too few to judge by."""
    names = [name for name in ("val", "test") if name in patient.parts]
    if names and len(patient.parts[names[0]]) >= ENOUGH:
        names = names[:1]
    splits = [patient.some(patient.parts[name]) for name in names]
    if sum(map(len, splits)) < FEWEST:
        return None
    split = Split(np.concatenate([s.x for s in splits]), np.concatenate([s.y for s in splits]))
    outputs = patient.net.predict(split.x)
    return Held(" and ".join(names), split, outputs) if np.isfinite(outputs).all() else None


def errors(patient: Patient, outputs: Array, split: Split) -> Array:
    """Return how wrong each row's outputs are (N,): 0 or 1 for classes, else the squared error."""
    if patient.loss.task == "regression":
        return np.square(outputs - split.y.reshape(outputs.shape).astype(np.float64)).mean(axis=1)
    if split.y.ndim == 2:
        if isinstance(patient.loss, BinaryCrossEntropy):
            return ((outputs > 0) != (split.y > 0.5)).mean(axis=1)
        return (outputs.argmax(axis=1) != split.y.argmax(axis=1)).astype(np.float64)
    return (labels(outputs) != split.y).astype(np.float64)


def losses(patient: Patient, outputs: Array, split: Split) -> Array:
    """Return the loss of each row (N,), as training measures it."""
    loss = training_loss(patient.loss, patient.net)
    return np.array([loss.forward(outputs[i : i + 1], split.y[i : i + 1]) for i in range(len(split))])


def lead(ours: Array, theirs: Array) -> tuple[float, float]:
    """Return the lead of the errors of rows (N,) over another answer's: the mean, and the mean in standard errors."""
    return _in_errors(theirs - ours)


def _in_errors(values: Array) -> tuple[float, float]:
    """The mean, and the same in standard errors."""
    mean, error = float(values.mean()), float(values.std()) / math.sqrt(len(values))
    return mean, mean / error if error > 0 else math.copysign(math.inf, mean) if mean else 0.0


def together(outputs: Array, t: Array) -> float:
    """Return the covariance of outputs (N, n_out) and targets, summed over the outputs, in standard errors.

    Labels count as one-hot rows. It is near 0 if the outputs say nothing about the targets, at any scale and mean.
    """
    y = outputs.astype(np.float64)
    target = np.eye(y.shape[1])[t] if t.ndim == 1 and y.shape[1] > 1 else t.reshape(y.shape).astype(np.float64)
    return _in_errors(((y - y.mean(axis=0)) * (target - target.mean(axis=0))).sum(axis=1))[1]


def measure(patient: Patient) -> str:
    """Name the mean of `errors`, or the rest of it."""
    return "mean squared error" if patient.loss.task == "regression" else "accuracy"


def measured(patient: Patient, errors: Array | float) -> str:
    """Write the mean of errors as the measure's value."""
    mean = float(np.mean(errors))
    return f"{mean:.4g}" if patient.loss.task == "regression" else f"{1 - mean:.1%}"
