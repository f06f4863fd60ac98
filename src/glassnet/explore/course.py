"""A training that can be stopped after any step, and changed between two of them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from reprlib import repr as short
from typing import Any, ClassVar

import numpy as np

from glassnet.data import Dataset
from glassnet.explore.encoding import is_finite
from glassnet.inspection import Trace, trace
from glassnet.nn import BatchNorm, Loss, Network, Noise
from glassnet.nn.layer import Array
from glassnet.nn.preprocessing import Fitted
from glassnet.optim import Optimizer
from glassnet.train import Callback, Training, evaluate
from glassnet.train.loop import HistoryRow, Loop, order_of
from glassnet.train.step import Step, training_step
from glassnet.train.units import training_loss

SETTINGS = ("lr", "momentum", "batch_size")

# The changes to a network, in order: ("train", number of steps), ("set", {"lr": 0.05}), ("by hand", x, t).
Event = tuple[Any, ...]


class RunningNorm(BatchNorm):
    """Batch norm that uses its running statistics in training too. Shapes as those of BatchNorm."""

    formula: ClassVar[str] = BatchNorm.formula
    by_batch = False

    def forward(self, x: Array, training: bool = False) -> Array:
        """y = gamma * (x - running_mean) / sqrt(running_var + eps) + beta."""
        return super().forward(x, training=False)


def in_use(net: Network) -> Network:
    """Return a copy that computes in training mode as it predicts: nothing dropped, batch norm by running statistics.

    So a step on a single row shows the numbers of its prediction. The batch norm of a batch of one row would give beta
    alone. The copy keeps to the readable layers.
    """
    layers = []
    for layer in net.layers:
        kind = RunningNorm if type(layer) is BatchNorm else type(layer)
        layers.append(kind(**(layer.config() | ({layer.amount: 0.0} if isinstance(layer, Noise) else {}))))
    still = Network(layers, net.dtype, net.seed, fast=False)
    still.info = dict(net.info)
    still.set_arrays(net.arrays())
    return still


def untrained(net: Network) -> Network:
    """Return a network with the weights that this one's seed draws. Layers that are fitted to the data stay fitted."""
    fresh = Network([type(layer)(**layer.config()) for layer in net.layers], net.dtype, net.seed)
    fresh.info = dict(net.info)
    for old, new in zip(net.layers, fresh.layers, strict=True):
        if isinstance(old, Fitted):
            for name in old.state:
                setattr(new, name, getattr(old, name).copy())
    return fresh


def unused(optimizer: Optimizer) -> Optimizer:
    """Return an optimizer of the same settings that remembers nothing."""
    return type(optimizer)(**optimizer.config())


def twin(optimizer: Optimizer) -> Optimizer:
    """Return an optimizer that would do the same to an equal network."""
    other = unused(optimizer)
    other.set_state(optimizer.state(), optimizer.steps)
    return other


class Course(Callback):
    """The training that `fit` makes with a constant learning rate, one step at a time, and a log of its changes.

    net and optimizer are changed in place; net.fit_preprocessing is called first. `watchers` are callbacks, as of fit.
    run: the training as callbacks see it. log: the events that made the network what it is, for `replay`.
    Raises ValueError as the network, the loss and the optimizer do.
    """

    def __init__(
        self,
        net: Network,
        data: Dataset,
        loss: Loss,
        optimizer: Optimizer,
        batch_size: int,
        seed: int = 0,
        epochs: int = 1,
        watchers: Sequence[Callback] = (),
        replacement: bool = False,
    ) -> None:
        if len(data.train):
            net.fit_preprocessing(data.train.x, data.train.y)
        self.loss = loss
        self.watchers: list[Callback] = list(watchers)
        self.run: Training = Training(
            net,
            data,
            training_loss(loss, net),
            optimizer,
            epochs=epochs,
            batch_size=batch_size,
            seed=seed,
            replacement=replacement,
        )  # without a monitor no weights are kept as the best
        self.log: list[Event] = []
        self.order: Array = np.empty(0, np.int64)  # the rows of this epoch; `place` of them are used
        self.place: int = 0
        self._loop: Loop | None = None

    @property
    def steps(self) -> int:
        """The number of steps made."""
        return len(self.run.history.step_loss)

    @property
    def epochs(self) -> int:
        """The number of epochs finished."""
        return len(self.run.history)

    def settings(self) -> dict[str, float | None]:
        """Return lr, momentum (None if the optimizer has none) and batch_size."""
        optimizer = self.run.optimizer
        return {"lr": optimizer.lr, "momentum": getattr(optimizer, "momentum", None), "batch_size": self.run.batch_size}

    def set(self, **settings: float) -> None:
        """Change lr, momentum or batch_size; it acts from the next step on. Raises ValueError for nonsense."""
        batch_size = check_settings(self.run.optimizer, settings).pop("batch_size", self.run.batch_size)
        for name, value in settings.items():
            if name != "batch_size":
                setattr(self.run.optimizer, name, value)
        if batch_size != self.run.batch_size:
            self.run.batch_size = int(batch_size)
            if self._loop is not None:
                self._loop.move = self._mover()  # the memory of the one before is for batches of another size
        self._note("set", dict(settings))

    def step(self) -> bool:
        """Make one step, and after the last of an epoch evaluate it; return whether the epoch ended.

        Raises ArithmeticError if the loss isn't finite: then nothing was changed.
        """
        run = self.run
        if not len(run.data.train):
            raise ValueError("there are no training rows")
        if self._loop is None:
            self._loop = Loop(run, self._mover(), [self, *self.watchers])
            for watcher in self.watchers:
                watcher.on_start(run)
        if self.place >= len(self.order):
            self._loop.begin_epoch(self.epochs)
            self.order, self.place = order_of(run, self.epochs), 0
        value = self._loop.step(self._rows())
        if not math.isfinite(value):
            run.failure = f"the loss became {value} in step {self.steps + 1}: lower the learning rate, and reset"
            for watcher in self.watchers:
                watcher.on_end(run)
            raise ArithmeticError(run.failure)
        if self.place < len(self.order):
            return False
        self._loop.end_epoch(self._judge)
        return True

    def on_step(self, run: Training) -> None:
        """Note a step, before other callbacks look at it."""
        self.place += len(self._rows())
        self._note("train", 1)

    def by_hand(self, x: Array, t: Array) -> Trace:
        """Make one step on given rows, as the network predicts them (see `in_use`), outside of the epoch."""
        still, mover = in_use(self.run.net), twin(self.run.optimizer)
        made = trace(still, x, t, self.loss, mover, apply=True)
        self.run.net.theta[...] = still.theta
        self.run.optimizer.set_state(mover.state(), mover.steps)
        self._note("by hand", x, t)
        return made

    def _rows(self) -> Array:
        """The rows of the next batch."""
        return self.order[self.place : self.place + self.run.batch_size]

    def _mover(self) -> Step:
        """The object that makes the steps, for batches of the present size."""
        run, reads = self.run, any(watcher.reads_gradients for watcher in self.watchers)
        rows = run.data.train
        return training_step(run.net, rows.x, rows.y, run.loss, run.optimizer, run.largest_batch, reads)

    def _judge(self, row: HistoryRow) -> None:
        """Add the number of steps and the validation figures to the history's row of an epoch."""
        run = self.run
        row["step"] = self.steps
        if len(run.data.val):
            row |= {f"val_{name}": value for name, value in evaluate(run.net, run.data.val, run.loss).items()}

    def _note(self, *event: Any) -> None:
        """Put an event on the log; steps that follow each other are one, and so are settings."""
        last = self.log[-1] if self.log else ("",)
        if event[0] == last[0] == "train":
            self.log[-1] = ("train", last[1] + event[1])
        elif event[0] == last[0] == "set":
            self.log[-1] = ("set", last[1] | event[1])
        else:
            self.log.append(event)


def check_settings(optimizer: Optimizer, settings: dict[str, Any]) -> dict[str, Any]:
    """Return a copy of new settings that make sense for the optimizer. Raises ValueError for any that don't."""
    for name, value in settings.items():
        if name not in SETTINGS:
            raise ValueError(f"there is no setting {short(name)}; there are {', '.join(SETTINGS)}")
        if not is_finite(value):
            raise ValueError(f"{name} must be a number, not {short(value)}")
    config = optimizer.config()
    changed = {name: value for name, value in settings.items() if name != "batch_size"}
    if "momentum" in changed and "momentum" not in config:
        raise ValueError(f"{type(optimizer).__name__} has no momentum")
    type(optimizer)(**(config | changed))
    batch_size = settings.get("batch_size", 1)
    if batch_size < 1 or batch_size != int(batch_size):
        raise ValueError(f"batch_size must be a whole number of at least 1, not {short(batch_size)}")
    return dict(settings)


def replay(
    net: Network,
    data: Dataset,
    loss: Loss,
    optimizer: Optimizer,
    log: Sequence[Event],
    *,
    batch_size: int,
    seed: int,
    replacement: bool = False,
) -> Course:
    """Repeat the log of another course on `net` and `optimizer`, in place; return this course.

    The events: ("train", number of steps), ("set", {"lr": 0.05, ...}), ("by hand", x, t). Raises as `Course` does.
    """
    course = Course(net, data, loss, optimizer, batch_size, seed, replacement=replacement)
    for what, *values in log:
        if what == "train":
            for _ in range(values[0]):
                course.step()
        elif what == "set":
            course.set(**values[0])
        else:
            course.by_hand(*values)
    return course
