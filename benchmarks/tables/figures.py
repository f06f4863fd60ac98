"""How good predictions are: losses per row, and the figures of a fit."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score

Array = NDArray[Any]
SMALLEST = 1e-7  # a probability counts as this at least: one wrong row that was sure shall not decide a table
BINS = 15


def of_values(prediction: Array, y: Array) -> tuple[dict[str, float], Array]:
    """Return RMSE, and the squared error of every row. Shapes: both (N,)."""
    squares = (prediction - y) ** 2
    return {"error": float(np.sqrt(squares.mean()))}, squares


def of_classes(probabilities: Array, y: Array) -> tuple[dict[str, float], Array]:
    """Return log loss, AUC, accuracy and calibration error, and the log loss of every row. Shapes: (N, classes), (N,).

    AUC is the mean over the classes, each against the rest, of those that are among the rows.
    """
    p = np.clip(probabilities, SMALLEST, 1)
    p /= p.sum(axis=1, keepdims=True)
    losses = -np.log(p[np.arange(len(y)), y])
    named, sure = p.argmax(axis=1), p.max(axis=1)
    found = {
        "error": float(losses.mean()),
        "auc": float(np.mean([roc_auc_score(y == k, p[:, k]) for k in np.unique(y)])),
        "accuracy": float((named == y).mean()),
        "calibration": calibration_error(sure, named == y),
    }
    return found, losses


def calibration_error(sure: Array, right: Array) -> float:
    """The expected calibration error: |mean confidence - accuracy|, over bins of equal width, weighted by their rows.

    sure (N,): the probability of the class that was named; right (N,): whether it was the true one. Guo et al. 2017
    (https://arxiv.org/abs/1706.04599).
    """
    bins = np.minimum((sure * BINS).astype(int), BINS - 1)
    gaps = np.bincount(bins, weights=sure - right, minlength=BINS)
    return float(np.abs(gaps).sum() / len(sure))
