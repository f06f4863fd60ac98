"""A training in progress: its settings and its state. Callbacks get it."""

from __future__ import annotations

import math
import zlib
from dataclasses import dataclass, field, fields
from functools import cached_property
from typing import Any, ClassVar

import numpy as np

from glassnet.data.dataset import Dataset, Split
from glassnet.nn import Loss, Network
from glassnet.nn.layer import Array
from glassnet.nn.randomness import SAMPLE
from glassnet.optim import Optimizer
from glassnet.ranks import Ranks
from glassnet.train.history import History
from glassnet.train.metrics import HIGHER_IS_BETTER
from glassnet.train.settings import Settings

LARGEST_SAMPLE = 2_000  # training rows that are measured beside the validation rows


@dataclass
class Best:
    """The weights of the epoch that validated best, and its score: larger is better."""

    epoch: int
    score: tuple[float, float]
    theta: Array
    state: dict[str, Array]


@dataclass
class Training(Settings):
    """A training in progress. A callback may read all of it, and set `stop` to end it after the current epoch.

    monitor: the validation metric that chooses the best epoch; None without validation.
    """

    net: Network
    data: Dataset
    loss: Loss
    optimizer: Optimizer
    history: History = field(default_factory=History)
    mean: Array | None = None  # the averaged weights, once there are some
    best: Best | None = None
    level: str | None = None  # what computes it, such as "NumPy"; before its first step, what computed the checkpoint
    ranks: Ranks = field(default_factory=Ranks)  # the processes that train it together
    stop: bool = False
    failure: str | None = None  # why training broke off: the message of the DivergenceError

    @property
    def steps_per_epoch(self) -> int:
        """Steps in an epoch: every row once, the last batch short; drawn with replacement, only whole batches.

        If the rows are stored in chunks, this holds for each chunk.
        """
        return sum(map(self.steps, self.data.train.sizes))

    def steps(self, rows: int) -> int:
        """Return the number of steps on so many rows that are in memory together."""
        return max(1, rows // self.batch_size) if self.replacement else math.ceil(rows / self.batch_size)

    @property
    def largest_batch(self) -> int:
        """Rows in the largest batch: `batch_size`, or all there are."""
        return self.batch_size if self.replacement else min(self.batch_size, max(self.data.train.sizes))

    def keep_best(self, row: dict[str, float]) -> None:
        """Copy the weights if this row of the history is the best yet. Among equals, the least loss is best."""
        sign = 1 if self.monitor in HIGHER_IS_BETTER else -1
        score = (sign * row[f"val_{self.monitor}"], -row["val_loss"])
        if self.best is None or score > self.best.score or math.isnan(self.best.score[0]):
            state = {name: value.copy() for name, value in self.net.state().items()}
            self.best = Best(int(row["epoch"]), score, self.net.theta.copy(), state)

    def drop_unfinished_epoch(self) -> None:
        """Forget the steps after the last whole epoch."""
        whole = len(self.history) * self.steps_per_epoch
        del self.history.step_loss[whole:], self.history.step_lr[whole:]

    def exhausted(self) -> bool:
        """Whether the best epoch lies `patience` or more epochs back."""
        return (
            self.patience is not None and self.best is not None and len(self.history) - self.best.epoch >= self.patience
        )

    @cached_property
    def sample(self) -> Split:
        """Training rows to measure as the validation rows are, and no more than those: always the same, by the seed."""
        train, size = self.data.train, min(len(self.data.val), LARGEST_SAMPLE)
        n = len(train.y)
        rows = np.sort(np.random.default_rng([self.seed, SAMPLE]).choice(n, min(n, size), replace=False))
        return Split(train.x[rows], train.y[rows])

    @cached_property
    def fingerprint(self) -> str:
        """A checksum of the training and validation rows and their targets."""
        stored = self.data.train.stored
        crc = 0 if stored is None else zlib.crc32(stored.fingerprint.encode())
        for array in (self.data.train.x, self.data.train.y, self.data.val.x, self.data.val.y, self.data.train.weights):
            crc = zlib.crc32(np.ascontiguousarray(array).data, crc) if array is not None and array.size else crc
        return f"{len(self.data.train)} rows with checksum {crc:08x}"

    def settings(self) -> dict[str, Any]:
        """Return the settings that determine the course of the training. Trainings with equal settings are equal."""
        names = (each.name for each in fields(Settings) if each.name != "restore_best")  # which acts in the end
        said = {name: getattr(self, name) for name in names}
        said |= {"network": self.net, "loss": self.loss, "optimizer": self.optimizer, "data": self.fingerprint}
        return {name: value if isinstance(value, int | str | None) else repr(value) for name, value in said.items()}


class Callback:
    """Something that looks at a training, or stops it by setting run.stop. Override what is needed.

    The fast path doesn't write `run.net.grad` unless a callback says that it reads_gradients: it takes a little time.
    It takes many steps at once unless a callback has an `on_step`.

    Of several ranks, all call it, unless it is `for_people`: it writes or shows something, and changes nothing.
    """

    reads_gradients: ClassVar[bool] = False
    for_people: ClassVar[bool] = False

    def on_start(self, run: Training) -> None:
        """Act before the first step."""

    def on_step(self, run: Training) -> None:
        """Act after each step; run.history.step_loss[-1] is its loss."""

    def on_epoch(self, run: Training) -> None:
        """Act after each epoch and its validation; run.history.epochs[-1] is its row."""

    def on_end(self, run: Training) -> None:
        """Act when training ends in any way, an error included; the best weights aren't restored yet."""
