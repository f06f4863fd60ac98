"""The search space."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from glassnet import optim
from glassnet.data import Dataset
from glassnet.recipes import Recipe
from glassnet.recipes.reading import changed
from glassnet.recipes.space import Choices, Range, short_number
from glassnet.train.metrics import METRICS

if TYPE_CHECKING:
    from optuna.trial import Trial

Space = dict[str, Range | Choices]
TABLES = ("network", "loss", "optimizer", "schedule", "augmentation", "training")
WIDE = 30.0  # the default space reaches from the recipe's learning rate divided by this to its product with it


def space_of(recipe: Recipe) -> Space:
    """Return the recipe's search space, or by default the learning rate, and momentum (SGD) or decay (others)."""
    if recipe.tune is not None and recipe.tune.space:
        return recipe.tune.space
    optimizer = recipe.build_optimizer()
    space: Space = {
        "optimizer.lr": Range(short_number(optimizer.lr / WIDE), short_number(optimizer.lr * WIDE), log=True)
    }
    if isinstance(optimizer, optim.SGD):
        return space | {"optimizer.momentum": Range(0.0, 0.99)}
    return space | {"optimizer.weight_decay": Range(1e-4, 1.0, log=True)}


def check_space(recipe: Recipe, space: Space, monitor: str, data: Dataset) -> None:
    """Raise ValueError if the recipe or a value of the space makes no sense, or trials couldn't be compared."""
    if monitor not in METRICS[data.task]:
        raise ValueError(f"training.monitor: {monitor!r} is not one of the metrics: {', '.join(METRICS[data.task])}")
    pairs = recipe.settle(data).pairs
    for key, each in space.items():
        table = key.partition(".")[0]
        if table not in TABLES or key == "training.monitor":
            raise ValueError(
                f"recipe: tune.space.{key} can't be searched: trials are judged by the same rows, seed and metric; what"
                f" can is in {', '.join(TABLES)}"
            )
        if monitor == "loss" and (table == "loss" or key == "network.standardize_target"):
            raise ValueError(
                f"recipe: tune.space.{key} changes what the loss means, so trials can't be judged by it: set"
                " training.monitor to another metric"
            )
        for value in each.choices if isinstance(each, Choices) else (each.low, each.high):
            try:
                changed(recipe, {key: value}).settle(data, None if key == "network.rotations" else pairs)
            except ValueError as error:
                raise ValueError(f"tune.space.{key}, at {value!r}: {error}") from None


def suggest(trial: Trial, space: Space) -> None:
    """Let the sampler choose a value for each key; `chosen_values` reads them."""
    for key, each in space.items():
        if isinstance(each, Choices):
            trial.suggest_categorical(key, [json.dumps(value) for value in each.choices])
        elif each.whole:
            trial.suggest_int(key, int(each.low), int(each.high), log=each.log)
        else:
            trial.suggest_float(key, each.low, each.high, log=each.log)


def chosen_values(params: dict[str, Any], space: Space) -> dict[str, Any]:
    """Return the values of Optuna's parameters: numbers to three digits, as the recipe will have them."""
    return {key: _value(params[key], each) for key, each in space.items()}


def _value(param: Any, each: Range | Choices) -> Any:
    if isinstance(each, Choices):
        return json.loads(param)
    return int(param) if each.whole else min(max(short_number(param), each.low), each.high)


def own_values(recipe: Recipe, space: Space) -> dict[str, Any] | None:
    """Return the recipe's own values as Optuna's parameters; None if it has no value, or one outside the space."""
    found: dict[str, Any] = {}
    for key, each in space.items():
        value = _own_value(recipe, key)
        if isinstance(each, Choices):
            if value not in each.choices:
                return None
            found[key] = json.dumps(value)
        elif isinstance(value, (int, float)) and each.low <= value <= each.high:
            found[key] = value
        else:
            return None
    return found


def _own_value(recipe: Recipe, key: str) -> Any:
    """The value of a field, or of an argument that the recipe leaves at its default."""
    value: Any = recipe.to_dict()
    table, _, name = key.partition(".")
    for part in key.split("."):
        value = value.get(part) if isinstance(value, dict) else None
    if value is None and table in ("optimizer", "schedule"):
        made = recipe.build_optimizer() if table == "optimizer" else recipe.build_schedule()
        value = getattr(made, name, None)
    return value
