"""The answers of a run's network, judged by the figures by which people decide."""

from __future__ import annotations

from typing import Any

import numpy as np

from glassnet.nn import Ensemble, Network
from glassnet.nn.ensemble import leading
from glassnet.nn.layer import Array
from glassnet.train.figures import ClassFigures, ValueFigures, figures


def judged(answers: Array, y: Array, constant: Array) -> dict[str, Any]:
    """Return the entry "figures" of metrics.json: for each, "value", "low" and "high" of its interval, "baseline".

    answers: of rows with targets y (N,), the values (N,) or the probabilities of classes (N, C). constant: those of a
    constant answer, see `constant_answers`. Answers that aren't finite have no figures.
    """
    if not np.isfinite(answers).all():
        return {}
    measure = ValueFigures if answers.ndim == 1 else ClassFigures
    return {name: of._asdict() for name, of in figures(measure(answers, y), measure(constant, y)).items()}


def answers_of(net: Network | Ensemble, outputs: Array) -> Array:
    """Return a network's outputs (N, n_out) as values (N,), or as probabilities of classes (N, C)."""
    return outputs[:, 0] if net.info["task"] == "regression" else leading(net).probabilities(outputs)


def constant_answers(known: Array, answers: Array) -> Array:
    """Return answers of the same shape that don't depend on the row: the mean of known targets, or their shares."""
    if answers.ndim == 1:
        return np.full(len(answers), known.mean())
    return np.tile(np.bincount(known, minlength=answers.shape[1]) / len(known), (len(answers), 1))
