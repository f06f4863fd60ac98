"""The linear model that a network should beat: ridge regression for values, logistic regression for classes."""

from __future__ import annotations

import math

import numpy as np

from glassnet.data import Split
from glassnet.inspection.doctor.patient import Patient, teach
from glassnet.nn import CrossEntropy, Dense, Network
from glassnet.nn.layer import Array
from glassnet.optim import Adam, Cosine

COLUMNS = 1000  # more take long
RIDGE = 1e-3  # share of the rows, added to each standardised column's sum of squares: collinear columns do no harm
STEPS = 600


def linear_outputs(patient: Patient, x: Array) -> Array | None:
    """Return the answers (N, n_out) of a linear model of at most ROWS training rows to rows x (N, n_in).

    Values: ridge regression. Classes: scores of logistic regression. None if there is nothing to fit it to.
    """
    if "train" not in patient.parts or patient.data.n_in + sum(patient.data.columns().get("categories", ())) > COLUMNS:
        return None
    train = patient.some(patient.parts["train"])
    if patient.loss.task == "regression":
        return _ridge(patient, train, x)
    if train.y.ndim != 1 or train.y.dtype.kind not in "iu":
        return None
    return _logistic(patient, train, x)


def _ridge(patient: Patient, train: Split, x: Array) -> Array:
    """Ridge regression on standardised columns; Hoerl & Kennard 1970 (Technometrics 12:55-67)."""
    standard = Network(patient.as_numbers(train.x), "float64")
    standard.fit_preprocessing(train.x)
    z = standard.forward(train.x)
    y = train.y.reshape(len(train), -1).astype(np.float64)
    mean = y.mean(axis=0)
    weights = np.linalg.solve(z.T @ z + RIDGE * len(z) * np.eye(z.shape[1]), z.T @ (y - mean))
    return standard.forward(x) @ weights + mean


def _logistic(patient: Patient, train: Split, x: Array) -> Array | None:
    """Logistic regression is a network of one Dense layer."""
    classes = max(int(train.y.max()) + 1, len(patient.data.classes))
    front = patient.as_numbers(train.x)
    width = front[0].width_out(patient.data.n_in)
    assert width is not None
    net = Network([*front, Dense(width, classes, init="zeros")])
    epochs = max(3, STEPS // math.ceil(len(train) / 64))
    learned = teach(net, patient.data, train, CrossEntropy(), Adam(1e-2, l2=RIDGE), epochs, 64, Cosine())
    return net.predict(x) if learned else None
