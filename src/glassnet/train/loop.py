"""The training loop: a step and the end of an epoch, for `fit`, the estimators and the explorer alike."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing, contextmanager

import numpy as np

from glassnet.data.dataset import Split
from glassnet.fast import ReadyRows
from glassnet.nn.layer import Array
from glassnet.nn.randomness import ORDER
from glassnet.train.averages import Average
from glassnet.train.averaging import take_in
from glassnet.train.batches import Batch, batches
from glassnet.train.rates import rates
from glassnet.train.step import Step, many_steps
from glassnet.train.training import Callback, Training

SHORT = 0.02  # seconds: when a call takes less, the next takes more steps

HistoryRow = dict[str, float]  # of the history


class Loop:
    """Trains step by step. Its caller chooses the rows of a batch, judges each epoch, and decides when to stop.

    step: moves the weights. steps: the number of steps made before, which the schedules go by.
    """

    def __init__(self, run: Training, step: Step, watchers: Sequence[Callback], steps: int = 0) -> None:
        self.run = run
        self.move = step
        self.shown: Split = run.data.train  # the rows that batches are taken from
        run.level = step.level
        self.watchers = watchers
        self.steps: int = steps
        self.start: float = time.perf_counter() - (run.history["seconds"][-1] if len(run.history) else 0)
        self.first: int = 0  # the first step of this epoch, in the history
        self.at_once: int = 1  # steps in a call: of a large network one, so that threads are soon chosen

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Call the callbacks when training begins and ends. Ctrl-C ends it, and is noted in the history."""
        run = self.run
        try:
            for watcher in self.watchers:
                watcher.on_start(run)
            yield
        except KeyboardInterrupt:
            if run.ranks.size > 1:  # the others don't know of it, and wait
                raise
            run.history.interrupted = True
            run.drop_unfinished_epoch()
        finally:
            for watcher in self.watchers:
                watcher.on_end(run)

    def begin_epoch(self, epoch: int) -> None:
        """Begin an epoch, whose noise is drawn from (seed, epoch)."""
        self.run.net.reseed(self.run.seed, epoch)
        self.first = len(self.run.history.step_loss)

    def show(self, rows: Split, ready: ReadyRows | None = None) -> None:
        """Take batches from these training rows from now on. ready: the same, if the step has them ready."""
        if rows is not self.shown:
            self.move.show(ready or self.move.ready(rows.x, rows.y))
            self.shown = rows

    def step(self, rows: Array, x: Array | None = None) -> float:
        """Make a step on the rows that are shown, given by number, or on x in their place; return the loss before it.

        If the loss isn't finite, nothing was moved, and the step doesn't count.
        """
        run, history = self.run, self.run.history
        per_epoch = run.steps_per_epoch
        number = min(self.steps, per_epoch * run.epochs - 1)  # steps beyond the last keep its rates
        factor = run.schedule(number, per_epoch, run.epochs)
        with rates(run, number):
            value = self.move(rows, factor, self._weights(rows), x)
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

    def pass_over(self, order: Array, epoch: int) -> tuple[float, Batch]:
        """Make a step on each batch of the rows that are shown, in this order; return the last loss, and its batch.

        The last is the first loss that isn't finite, if there is one. Where nothing in Python acts between two steps,
        the kernels take many in one call.
        """
        if len(order) > self.run.batch_size and self._undisturbed():
            return self._pass_at_once(order)
        with closing(batches(self.run, order, epoch, self.shown, len(self.run.history.step_loss) - self.first)) as made:
            for batch in made:
                value = self.step(*batch)
                if not math.isfinite(value):
                    break
        return value, batch

    def _undisturbed(self) -> bool:
        """Whether nothing but the learning rate changes between two steps, and nobody looks."""
        run = self.run
        return (
            self.move.independent
            and run.augmentation is None
            and run.dropout_schedule is None
            and run.weight_decay_schedule is None
            and (run.average is None or type(run.average).after_step is Average.after_step)
            and all(getattr(each.on_step, "__func__", None) is Callback.on_step for each in self.watchers)
        )

    def _pass_at_once(self, order: Array) -> tuple[float, Batch]:
        """Make the steps of an epoch, so many in one call that Ctrl-C is soon heard."""
        run, history, size, per_epoch = self.run, self.run.history, self.run.batch_size, self.run.steps_per_epoch
        first, last = 0, per_epoch * run.epochs - 1
        while True:
            start = time.perf_counter()
            rows = order[first : first + self.at_once * size]
            numbers = range(self.steps, self.steps + math.ceil(len(rows) / size))
            factors = [run.schedule(min(number, last), per_epoch, run.epochs) for number in numbers]
            losses = many_steps(self.move, rows, factors, size, self._weights(rows))
            made = len(losses) - (not math.isfinite(losses[-1]))
            self.steps += made
            history.step_loss += losses[:made]
            history.step_lr += [run.optimizer.lr * factor for factor in factors[:made]]
            first += len(rows)
            if made < len(losses) or first >= len(order):
                begin = (len(losses) - 1) * size
                return losses[-1], (rows[begin : begin + size], None)
            if time.perf_counter() - start < SHORT:
                self.at_once *= 2

    def _weights(self, rows: Array) -> Array | None:
        weights = self.shown.weights
        return None if weights is None else weights[rows]

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


def order_of(run: Training, epoch: int, rows: Split | None = None, *chunk: int) -> Array:
    """Return the numbers of the training rows in the order in which an epoch, counted from 0, uses them.

    rows: those of a chunk that has this number, if they are stored in chunks.
    """
    n, rng = len((rows or run.data.train).y), np.random.default_rng([run.seed, epoch, ORDER, *chunk])
    return rng.integers(n, size=run.steps(n) * run.batch_size) if run.replacement else rng.permutation(n)


def passes(loop: Loop, epoch: int) -> Generator[Array]:
    """Show the training rows that are in memory together, and yield the order in which an epoch uses them.

    Stored rows come chunk by chunk, in an order drawn from (seed, epoch). The next is read, and made ready, while one
    is trained on.
    """
    run, train, step = loop.run, loop.run.data.train, loop.move
    if train.stored is None:
        loop.show(train)
        yield order_of(run, epoch)
        return
    numbers = np.random.default_rng([run.seed, epoch, ORDER]).permutation(len(train.stored.sizes)).tolist()
    chunks = train.stored.read_ahead(numbers, lambda rows: (rows, step.ready(rows.x, rows.y)))
    for number, (rows, ready) in zip(numbers, chunks, strict=True):
        loop.show(rows, ready)
        yield order_of(run, epoch, rows, number)
