"""The doctor at the bedside: a callback of `fit`, or a companion of your own loop."""

from __future__ import annotations

from types import TracebackType
from typing import Self

import numpy as np

from glassnet.data import Split
from glassnet.inspection.doctor import course
from glassnet.inspection.doctor.finding import Finding
from glassnet.inspection.doctor.order import ordered
from glassnet.inspection.doctor.record import ROWS_OF_A_LOOK, Record, Watch
from glassnet.nn import Loss, Network
from glassnet.nn.layer import Array
from glassnet.optim import Optimizer
from glassnet.train import Callback, Training


class Doctor(Callback):
    """Watch a training for faults: `findings`, worst first, at any time.

    As a callback of `fit`:

        doctor = gn.Doctor()
        gn.fit(net, data, loss, optimizer, callbacks=[doctor])
        print(*doctor.findings, sep="\\n")

    Around your own loop, which reports every step and every validated epoch to it:

        with gn.Doctor(net, loss, optimizer) as doctor:
            for x, t in batches:
                value = loss.forward(net.forward(x, training=True), t)
                net.backward(loss.backward())
                optimizer.step(net)
                doctor.step(value, x, t)
            doctor.epoch(kept=score < best)

    It looks at a few rows, on a copy, after steps 1, 4, 16, 64, 256 and then after every 256th. `examine` adds checks
    of the data, of the start and of the result. Raises ValueError when it is used before it has anything to watch.
    """

    def __init__(
        self, net: Network | None = None, loss: Loss | None = None, optimizer: Optimizer | None = None
    ) -> None:
        self.watch: Watch | None = None
        self.rows: Split = Split(np.empty((0, 0)), np.empty(0))  # to look at, in a user's own loop
        if net is not None:
            if loss is None or optimizer is None:
                raise ValueError("Doctor: a loop of your own gives net, loss and optimizer; a callback gives none")
            self.watch = Watch(net, loss, optimizer)

    @property
    def record(self) -> Record:
        """The record so far."""
        if self.watch is None:
            raise ValueError("Doctor: nothing to watch yet: pass it to fit as a callback, or give net, loss, optimizer")
        return self.watch.record

    @property
    def findings(self) -> list[Finding]:
        """The findings about the training so far, worst first."""
        return ordered([finding for check in course.CHECKS for finding in check(self.record)])

    def __enter__(self) -> Self:
        if self.watch is None:
            raise ValueError("Doctor: around a loop of your own it needs net, loss and optimizer")
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        if isinstance(error, ArithmeticError):
            self.record.failure, self.record.failed = str(error), len(self.record.losses) + 1
        elif self.watch is not None and len(self.rows) >= ROWS_OF_A_LOOK:
            self.watch.see(len(self.record.losses), self.record.optimizer.lr, last=True)

    def step(self, value: float, x: Array, t: Array) -> None:
        """Take note of a step on rows x (N, n_in) with targets t whose loss before it was `value`.

        The doctor looks at the first rows that it is shown.
        """
        record, watch = self.record, self.watch
        assert watch is not None
        record.losses.append(value)
        if not np.isfinite(value) and record.failure is None:
            record.failed = len(record.losses)
            record.failure = f"the loss became {value} in step {record.failed}"
        if len(self.rows) < ROWS_OF_A_LOOK:
            x, t = np.asarray(x), np.asarray(t)
            if len(self.rows):
                x, t = np.concatenate([self.rows.x, x]), np.concatenate([self.rows.y, t])
            self.rows = Split(x, t)
            watch.show(self.rows)
        if len(self.rows) >= ROWS_OF_A_LOOK and watch.due(len(record.losses)):
            watch.see(len(record.losses), record.optimizer.lr)

    def epoch(self, *, kept: bool) -> None:
        """Take note of a validated epoch: whether its weights, or any so far, were kept as the best."""
        self.record.kept.append(kept)

    def on_start(self, run: Training) -> None:
        """Look at the network before the first step."""
        train, begun = run.data.train, len(run.history.step_loss)
        self.watch = Watch(run.net, run.loss, run.optimizer, begun)
        rows = np.random.default_rng(run.seed).permutation(len(train))[:ROWS_OF_A_LOOK]
        self.watch.show(Split(train.x[rows], train.y[rows]))
        self.watch.record.losses = run.history.step_loss
        self.watch.see(begun, run.optimizer.lr)

    def on_step(self, run: Training) -> None:
        """Look at the network if it is time."""
        assert self.watch is not None
        number = len(run.history.step_loss)
        if self.watch.due(number):
            self.watch.see(number, run.history.step_lr[-1])

    def on_epoch(self, run: Training) -> None:
        """Take note of whether any weights were kept so far, because another callback may keep them by its own rule."""
        if run.monitor is not None:
            self.epoch(kept=run.best is not None)

    def on_end(self, run: Training) -> None:
        """Take note of how training ended."""
        if self.watch is None:  # it never began
            return
        record = self.record
        record.losses = run.history.step_loss.copy()
        if run.failure is not None:
            record.failure, record.failed = run.failure, len(record.losses) + 1
        rates = run.history.step_lr
        self.watch.see(len(record.losses), rates[-1] if rates else run.optimizer.lr, last=True)
