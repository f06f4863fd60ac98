"""The answers of a run's network, judged by the figures by which people decide."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from glassnet.data import Dataset
from glassnet.nn import Ensemble, Network
from glassnet.nn.ensemble import leading
from glassnet.nn.layer import Array
from glassnet.recipes.recipe import Recipe
from glassnet.train.decisions import Decision, answered, by_costs, by_metric, check_metric, read_costs
from glassnet.train.figures import ClassFigures, ValueFigures, figures


def judged(
    answers: Array,
    y: Array,
    constant: Array,
    predicted: Array | None = None,
    bounds: tuple[Array, Array] | None = None,
) -> dict[str, Any]:
    """Return the entry "figures" of metrics.json: for each, "value", "low" and "high" of its interval, "baseline".

    answers: of rows with targets y (N,), the values (N,) or the probabilities of classes (N, C). constant: those of a
    constant answer, see `constant_answers`. predicted: the classes answered (N,), by default the likeliest. bounds
    (N, 2): around values, and those of a constant answer. Answers that aren't finite have no figures.
    """
    if not np.isfinite(answers).all():
        return {}
    if answers.ndim == 1:
        ours, theirs = bounds or (None, None)
        found = figures(ValueFigures(answers, y, ours), ValueFigures(constant, y, theirs))
    else:
        found = figures(ClassFigures(answers, y, predicted), ClassFigures(constant, y))
    return {name: of._asdict() for name, of in found.items()}


def predicted_classes(net: Network | Ensemble, answers: Array) -> Array | None:
    """Return the classes (N,) that a network answers with these probabilities; None for values."""
    return None if answers.ndim == 1 else answered(answers, Decision.read(net.info))


def check_decision(recipe: Recipe, data: Dataset) -> None:
    """Raise ValueError if what the recipe says about decisions doesn't fit the data, before anything is trained."""
    if recipe.decision is None:
        return
    if not data.classes:
        raise ValueError("recipe: a decision is for classes, and the target has values")
    if not len(data.val) and recipe.pack is None:
        raise ValueError("recipe: a decision is chosen on validation rows: set data.validation to true")
    if recipe.decision.metric is not None:
        check_metric(recipe.decision.metric, data.classes)
    costs_of(recipe, data.classes)


def decide(recipe: Recipe, net: Network | Ensemble, outputs: Array, y: Array) -> None:
    """Choose how the network's probabilities become a class, if the recipe says so, and keep it with the network.

    outputs (N, n_out): the network's for rows that it was not trained on, with labels y (N,). Raises ValueError if
    these are of one class.
    """
    if recipe.decision is None:
        return
    p, classes = answers_of(net, outputs), net.info["classes"]
    costs, metric = costs_of(recipe, classes), recipe.decision.metric
    decision = by_metric(p, y, metric or "", classes) if costs is None else by_costs(p, y, costs, classes)
    net.info["decision"] = asdict(decision)


def costs_of(recipe: Recipe, classes: Sequence[str]) -> Array | None:
    """Return the costs of mistakes (C, C), if the recipe names some."""
    return read_costs(recipe.decision.cost, classes) if recipe.decision is not None and recipe.decision.cost else None


def answers_of(net: Network | Ensemble, outputs: Array) -> Array:
    """Return a network's outputs (N, n_out) as values (N,), or as probabilities of classes (N, C)."""
    return outputs[:, 0] if net.info["task"] == "regression" else leading(net).probabilities(outputs)


def constant_answers(known: Array, answers: Array) -> Array:
    """Return answers of the same shape that don't depend on the row: the mean of known targets, or their shares."""
    if answers.ndim == 1:
        return np.full(len(answers), known.mean())
    return np.tile(np.bincount(known, minlength=answers.shape[1]) / len(known), (len(answers), 1))
