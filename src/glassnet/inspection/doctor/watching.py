"""The doctor at the bedside: a callback of `fit`, or a companion of a loop of one's own."""

from __future__ import annotations

import copy
from types import TracebackType
from typing import Self

import numpy as np

from glassnet.data import Split
from glassnet.inspection.doctor import course
from glassnet.inspection.doctor.finding import Finding
from glassnet.inspection.doctor.order import ordered
from glassnet.inspection.doctor.record import ROWS, Record, Watch
from glassnet.nn import Loss, Network
from glassnet.nn.layer import Array
from glassnet.optim import Optimizer
from glassnet.train import Callback, Training
from glassnet.train.units import training_loss


class Doctor(Callback):
    """Watch a training, and tell what is wrong with it: `findings`, worst first, at any time.

    As a callback of `fit`:

        doctor = gn.Doctor()
        gn.fit(net, data, loss, optimizer, callbacks=[doctor])
        print(*doctor.findings, sep="\\n")

    Around a loop of one's own, which tells it of every step, and of every validated epoch what was done with it:

        with gn.Doctor(net, loss, optimizer) as doctor:
            for x, t in batches:
                value = loss.forward(net.forward(x, training=True), t)
                net.backward(loss.backward())
                optimizer.step(net)
                doctor.step(value, x, t)
            doctor.epoch(kept=score < best)

    It looks at a few rows, on a copy, after steps 1, 2, 4, ..., 256 and then after every 256th. `examine` adds checks
    of the data, of the start and of the result. Raises ValueError when it is used before it has anything to watch.
    """

    def __init__(
        self, net: Network | None = None, loss: Loss | None = None, optimizer: Optimizer | None = None
    ) -> None:
        self.watch: Watch | None = None
        if net is not None:
            if loss is None or optimizer is None:
                raise ValueError("Doctor: a loop of your own gives net, loss and optimizer; a callback gives none")
            self.watch = Watch(net, copy.deepcopy(training_loss(loss, net)), optimizer)

    @property
    def record(self) -> Record:
        """What was seen so far."""
        if self.watch is None:
            raise ValueError("Doctor: nothing to watch yet: pass it to fit as a callback, or give net, loss, optimizer")
        return self.watch.record

    @property
    def findings(self) -> list[Finding]:
        """What is wrong with the training so far, worst first."""
        return ordered([finding for check in course.CHECKS for finding in check(self.record)])

    def __enter__(self) -> Self:
        if self.watch is None:
            raise ValueError("Doctor: around a loop of your own it needs net, loss and optimizer")
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        if isinstance(error, ArithmeticError):
            self.record.failure = str(error)

    def step(self, value: float, x: Array, t: Array) -> None:
        """Take note of a step on rows x (N, n_in) with targets t whose loss before it was `value`."""
        record = self.record
        record.losses.append(value)
        assert self.watch is not None
        if not np.isfinite(value) and record.failure is None:
            record.failure = f"the loss became {value} in step {len(record.losses)}"
        if self.watch.due(len(record.losses)):
            self.watch.see(len(record.losses), x[:ROWS], t[:ROWS])

    def epoch(self, *, kept: bool | None = None, **metrics: float) -> None:
        """Take note of an epoch: its metrics, and whether its weights were kept as the best so far."""
        self.record.epochs.append(metrics)
        if kept is not None:
            self.record.kept.append(kept)

    def on_start(self, run: Training) -> None:
        """Look at the network before the first step."""
        train = run.data.train
        self.watch = Watch(run.net, copy.deepcopy(run.loss), run.optimizer)
        rows = np.random.default_rng(run.seed).permutation(len(train))[:ROWS]
        self.rows = Split(train.x[rows], train.y[rows])
        self.watch.see(0, self.rows.x, self.rows.y)

    def on_step(self, run: Training) -> None:
        """Look at the network if it is time."""
        assert self.watch is not None
        number = len(run.history.step_loss)
        if self.watch.due(number):
            self.watch.see(number, self.rows.x, self.rows.y)
        self.watch.record.losses = run.history.step_loss

    def on_epoch(self, run: Training) -> None:
        """Take note of the epoch, and of whether any weights were kept so far."""
        self.epoch(kept=None if run.monitor is None else run.best is not None, **run.history.epochs[-1])

    def on_end(self, run: Training) -> None:
        """Take note of how training ended."""
        assert self.watch is not None
        self.record.failure = run.failure
        self.watch.see(len(run.history.step_loss), self.rows.x, self.rows.y, last=True)
