"""Figures of a network, beside a baseline that has learned nothing."""

from __future__ import annotations

import math
from copy import copy
from dataclasses import dataclass

import numpy as np

from glassnet.data.dataset import Split
from glassnet.nn import BinaryCrossEntropy, Ensemble, Loss, Network
from glassnet.nn.layer import Array

METRICS: dict[str, tuple[str, ...]] = {
    "classification": ("loss", "accuracy"),
    "regression": ("loss", "mse", "rmse", "mae", "r2"),
}
HIGHER_IS_BETTER = ("accuracy", "r2")


def evaluate(net: Network | Ensemble, split: Split, loss: Loss) -> dict[str, float]:
    """Return the loss and the metrics of its task for the rows of `split`, in inference mode.

    Classes: loss, accuracy (of each output, if they are several flags).
    Values: loss, mse, rmse, mae (in the target's unit) and r2.
    Raises ValueError if the split has no rows.
    """
    return score(net.predict(split.x), split.y, loss)


def baseline(train: Split, split: Split, loss: Loss) -> dict[str, float]:
    """Return the figures of the best constant answer on `split`: the training part's class shares, or its mean.

    Its accuracy is that of the majority class. A network that isn't clearly better has learned nothing.
    """
    return score(
        constant_outputs(train, len(split), loss, int(split.y.max()) + 1 if split.y.ndim == 1 else 0), split.y, loss
    )


def constant_outputs(train: Split, rows: int, loss: Loss, classes: int = 0) -> Array:
    """Return the outputs (rows, n_out) of the best constant answer: the training mean, or the log of class shares.

    classes: the least number of classes, if the training part may lack some. Such a class counts as half a row.
    """
    if loss.task == "regression":
        constant = np.atleast_1d(train.y.mean(axis=0, dtype=np.float64))
    elif train.y.ndim == 1 and not isinstance(loss, BinaryCrossEntropy):
        counts = np.bincount(train.y, minlength=classes)
        constant = np.log(np.maximum(counts, 0.5) / len(train.y))
    else:
        share = np.clip(np.atleast_1d(train.y.mean(axis=0)), 1e-6, 1 - 1e-6)
        constant = np.log(share / (1 - share)) if isinstance(loss, BinaryCrossEntropy) else np.log(share)
    return np.tile(constant, (rows, 1))


def score(outputs: Array, t: Array, loss: Loss) -> dict[str, float]:
    """Return the metrics of outputs (N, n_out) against targets t."""
    if not len(outputs):
        raise ValueError("there are no rows to evaluate")
    if loss.task == "regression":  # float32 would round targets far from 0
        outputs = outputs.astype(np.float64, copy=False)
    metrics = {"loss": copy(loss).forward(outputs, t)}  # a copy, because another thread may use the loss
    if isinstance(loss, BinaryCrossEntropy):
        return metrics | {"accuracy": float(((outputs > 0) == (t.reshape(outputs.shape) > 0.5)).mean())}
    if loss.task == "classification":
        return metrics | {
            "accuracy": float((outputs.argmax(axis=1) == (t if t.ndim == 1 else t.argmax(axis=1))).mean())
        }
    truth = t.reshape(outputs.shape).astype(np.float64)
    error = outputs - truth
    mse = float(np.square(error).mean())
    variance = float(truth.var(axis=0).mean())
    r2 = 1 - mse / variance if variance > 0 else float("nan")
    return metrics | {"mse": mse, "rmse": mse**0.5, "mae": float(np.abs(error).mean()), "r2": r2}


def labels(outputs: Array) -> Array:
    """Return the predicted class of each row (N,). A single output is the logit of the second of two classes."""
    return (outputs[:, 0] > 0).astype(np.int64) if outputs.shape[1] == 1 else outputs.argmax(axis=1)


def auc_of(positive: Array, negative: Array) -> tuple[float, float]:
    """Return the share of pairs whose score in `positive` (N,) exceeds that in `negative` (M,), and its standard error.

    Ties count half. Hanley & McNeil 1982 (Radiology 143:29-36), equation 1, for an area of 1/2: the error of chance.
    """
    negative = np.sort(negative)
    below = np.searchsorted(negative, positive, "left") + np.searchsorted(negative, positive, "right")
    n, m = len(positive), len(negative)
    return float(below.mean() / (2 * m)), math.sqrt((n + m + 1) / (12 * n * m))


def ranking(p: Array, y: Array) -> tuple[float, float]:
    """Return the area under the ROC curve of class probabilities p (N, C) for labels y (N,), and its standard error.

    The mean over the classes, each against all others (Hand & Till 2001 call it the class reference formulation). The
    error is that of chance, the largest over the classes. NaN if no class has both rows of it and others.
    """
    areas = [auc_of(p[y == c, c], p[y != c, c]) for c in range(p.shape[1]) if 0 < (y == c).sum() < len(y)]
    if not areas:
        return math.nan, math.nan
    return float(np.mean([area for area, _ in areas])), max(error for _, error in areas)


def confusion_matrix(true: Array, predicted: Array, classes: int) -> Array:
    """Count the rows of each true class (first axis) by predicted class (second): (classes, classes)."""
    return np.bincount(true * classes + predicted, minlength=classes * classes).reshape(classes, classes)


@dataclass(frozen=True)
class ClassScores:
    """Per class: precision, the share of rows predicted as it that are; recall, the share of its rows found."""

    precision: Array
    recall: Array
    rows: Array


def class_scores(matrix: Array) -> ClassScores:
    """Return precision and recall from a confusion matrix; NaN where a class was never predicted, or has no rows."""
    return scores_of(np.diag(matrix), matrix.sum(axis=0), matrix.sum(axis=1))


def scores_of(hits: Array, predicted: Array, rows: Array) -> ClassScores:
    """Do the same from the rows of each class (C,): those found, those predicted as it, and all."""
    nan = np.full(len(hits), np.nan)
    return ClassScores(
        np.divide(hits, predicted, out=nan.copy(), where=predicted > 0),
        np.divide(hits, rows, out=nan.copy(), where=rows > 0),
        rows,
    )
