"""One trial: a training that sees the training and the validation rows, and nothing else."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from glassnet.data import Dataset, Split
from glassnet.recipes import Recipe
from glassnet.recipes.run import load_data
from glassnet.train import Callback, DivergenceError, Training, fit

BreakOff = Callable[[int, float], bool]  # takes the epoch and its validation metric, and returns whether to break off


@dataclass(frozen=True)
class Outcome:
    """The result of a trial: the validation metric of the kept epoch, and the number of epochs."""

    value: float
    epochs: int
    pruned: bool = False


def data_of(recipe: Recipe) -> Dataset:
    """Load the recipe's data without the test part: no trial can reach it.

    Raises ValueError if there are no validation rows to judge by.
    """
    if recipe.pack is not None:
        raise ValueError(
            f"{recipe.name} is a pack, which tries kinds of networks by itself: give it time, as in"
            " glassnet train --time 10m; to search the settings of one network, make a recipe without [pack]"
        )
    data = load_data(recipe)
    if not len(data.val):
        raise ValueError(f"{recipe.data.source} has no validation rows to judge trials by")
    return replace(data, test=Split(data.test.x[:0].copy(), data.test.y[:0].copy()))  # copies: views would keep it all


def monitor_of(recipe: Recipe, data: Dataset) -> str:
    """Return the validation metric that trials are judged by: the recipe's monitor, or the default of `fit`."""
    return recipe.training.monitor or ("accuracy" if data.task == "classification" else "loss")


def run(recipe: Recipe, data: Dataset, watch: BreakOff | None = None) -> Outcome:
    """Train the recipe on data.train and judge it by data.val.

    Raises DivergenceError if the loss or the metric isn't finite, KeyboardInterrupt after Ctrl-C, ValueError for a
    recipe that makes no sense.
    """
    monitor = f"val_{monitor_of(recipe, data)}"
    settled, watcher = recipe.settle(data), Watcher(monitor, watch)
    with np.errstate(over="ignore", invalid="ignore"):
        history = fit(
            settled.net,
            data,
            settled.loss,
            settled.optimizer,
            callbacks=[watcher],
            progress=False,
            **vars(settled.settings),
        )
    if history.interrupted:
        raise KeyboardInterrupt
    kept = history.best_epoch or len(history)
    value = history[monitor][kept - 1]
    if not math.isfinite(value):
        raise DivergenceError(f"the validation metric is {value} in epoch {kept}")
    return Outcome(value, len(history), watcher.pruned)


class Watcher(Callback):
    """Report each epoch's validation metric, and end the training if the answer is to break off."""

    def __init__(self, column: str, watch: BreakOff | None) -> None:
        self.column = column
        self.watch = watch
        self.pruned: bool = False

    def on_epoch(self, run: Training) -> None:
        """Report the epoch, except the last, after which there is nothing to break off."""
        epoch = len(run.history)
        if self.watch is not None and epoch < run.epochs:
            self.pruned = run.stop = self.watch(epoch, run.history.epochs[-1][self.column])
