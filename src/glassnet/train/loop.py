"""The training loop: a step and the end of an epoch, for `fit`, the estimators and the explorer alike."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import numpy as np

from glassnet.nn.layer import Array
from glassnet.nn.randomness import ORDER
from glassnet.train.averaging import take_in
from glassnet.train.rates import rates
from glassnet.train.step import Step
from glassnet.train.training import Callback, Training

HistoryRow = dict[str, float]  # of the history


class Loop:
    """Trains step by step. Its caller chooses the rows of a batch, judges each epoch, and decides when to stop.

    step: moves the weights. steps: the number of steps made before, which the schedules go by.
    """

    def __init__(self, run: Training, step: Step, watchers: Sequence[Callback], steps: int = 0) -> None:
        self.run = run
        self.move = step
        run.level = step.level
        self.watchers = watchers
        self.steps: int = steps
        self.start: float = time.perf_counter() - (run.history["seconds"][-1] if len(run.history) else 0)
        self.first: int = 0  # the first step of this epoch, in the history

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Call the callbacks when training begins and ends. Ctrl-C ends it, and is noted in the history."""
        run = self.run
        try:
            for watcher in self.watchers:
                watcher.on_start(run)
            yield
        except KeyboardInterrupt:
            run.history.interrupted = True
            run.drop_unfinished_epoch()
        finally:
            for watcher in self.watchers:
                watcher.on_end(run)

    def begin_epoch(self, epoch: int) -> None:
        """Begin an epoch, whose noise is drawn from (seed, epoch)."""
        self.run.net.reseed(self.run.seed, epoch)
        self.first = len(self.run.history.step_loss)

    def step(self, rows: Array, x: Array | None = None) -> float:
        """Make a step on training rows, given by number, or on x in their place; return the loss before it.

        If the loss isn't finite, nothing was moved, and the step doesn't count.
        """
        run, history = self.run, self.run.history
        per_epoch = run.steps_per_epoch
        number = min(self.steps, per_epoch * run.epochs - 1)  # steps beyond the last keep its rates
        factor = run.schedule(number, per_epoch, run.epochs)
        with rates(run, number):
            value = self.move(rows, factor, x=x)
            if not math.isfinite(value):
                return value
            self.steps += 1
            history.step_loss.append(value)
            history.step_lr.append(run.optimizer.lr * factor)
            if run.average is not None:
                take_in(run, self.move, run.average.after_step(self.steps))
            for watcher in self.watchers:
                watcher.on_step(run)
        return value

    def end_epoch(self, judge: Callable[[HistoryRow], None] | None = None, loss: float | None = None) -> None:
        """End an epoch: average, judge, and write its row of the history.

        judge: adds its figures to the row. loss: the epoch's, by default the mean of its steps'.
        """
        run, history, epoch = self.run, self.run.history, len(self.run.history) + 1
        if run.average is not None:
            take_in(run, self.move, run.average.after_epoch(epoch, run.epochs))
        row: HistoryRow = {"epoch": epoch, "lr": history.step_lr[-1] if history.step_lr else run.optimizer.lr}
        row["train_loss"] = float(np.mean(history.step_loss[self.first :])) if loss is None else loss
        if judge is not None:
            judge(row)
        history.epochs.append(row | {"seconds": time.perf_counter() - self.start})
        for watcher in self.watchers:
            watcher.on_epoch(run)


def order_of(run: Training, epoch: int) -> Array:
    """Return the numbers of the training rows in the order in which an epoch, counted from 0, uses them."""
    n, rng = len(run.data.train), np.random.default_rng([run.seed, epoch, ORDER])
    return rng.integers(n, size=run.steps_per_epoch * run.batch_size) if run.replacement else rng.permutation(n)
