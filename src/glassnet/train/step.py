"""One step of training, by the readable layers or by the fast path: both take the numbers of a batch's rows."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from copy import copy
from typing import Protocol

import numpy as np

from glassnet.fast import FastStep, ReadyRows, missing, tell_slow
from glassnet.nn import Loss, Network
from glassnet.nn.layer import Array
from glassnet.optim import Optimizer
from glassnet.train.units import StandardUnits

PATIENCE = 1.0  # seconds of training by NumPy before somebody is told that it could be faster


class Step(Protocol):
    """A step: move the network's weights by the gradient of a batch, with the learning rate lr * factor.

    level: what computes it. Another one's results differ in their last bits.
    """

    level: str

    @property
    def independent(self) -> bool:
        """Whether it needs nothing of Python between two steps."""

    def __call__(self, rows: Array, factor: float, weights: Array | None = None, x: Array | None = None) -> float:
        """Return the loss of these training rows before the step. If it isn't finite, nothing is moved.

        weights: one for each of these rows, which multiplies its loss. x: an array to use in place of the rows.
        """

    def many(self, rows: Array, factors: Sequence[float], weights: Array | None = None) -> list[float]:
        """Do the same for all batches of these rows, with one factor each, in one call; only if it is `independent`."""

    def ready(self, x: Array, t: Array) -> ReadyRows:
        """Return rows x (N, n_in), of the type of the training rows, with targets t, as `show` takes them.

        One thread may do so while another one makes steps.
        """

    def show(self, rows: ReadyRows) -> None:
        """Take these for the training rows from now on."""

    def observe(self, rows: Array, x: Array | None = None) -> None:
        """Pass these rows, or x, through the network in training mode: nothing moves but BatchNorm's statistics."""

    def move_mean(self, mean: Array, share: float) -> None:
        """Move mean weights (n,), in place, towards the present ones: mean <- mean + share * (theta - mean)."""


class PartedStep(Step, Protocol):
    """A step in two parts.

    parts: those of the gradient's vector, in the order in which they are found.
    """

    parts: list[slice]

    def has(self, part: slice) -> bool:
        """Whether a part is there of the gradient that `gradient` is finding in another thread."""

    def gradient(
        self, rows: Array, whole: int, to: Array, add: bool, weights: Array | None = None, x: Array | None = None
    ) -> float:
        """Write the part of these rows in the gradient of a batch of `whole` rows to a vector (n,), or add it there.

        Returns their part of its loss. If that isn't finite, the vector holds nothing of use.
        """

    def move(self, factor: float) -> None:
        """Move the network by the gradient in `net.grad`, at the learning rate lr * factor."""


class StepAround:
    """A step by way of another one, in which only the call itself differs."""

    step: Step

    def ready(self, x: Array, t: Array) -> ReadyRows:
        """Return rows x (N, n_in), of the type of the training rows, with targets t, as `show` takes them."""
        return self.step.ready(x, t)

    def show(self, rows: ReadyRows) -> None:
        """Take these for the training rows from now on."""
        self.step.show(rows)

    def observe(self, rows: Array, x: Array | None = None) -> None:
        """Pass these rows, or x, through the network in training mode: nothing moves but BatchNorm's statistics."""
        self.step.observe(rows, x)

    def move_mean(self, mean: Array, share: float) -> None:
        """Move mean weights (n,), in place, towards the present ones: mean <- mean + share * (theta - mean)."""
        self.step.move_mean(mean, share)


class ReadableStep:
    """Forward, loss, backward, optimizer, on at most `batch` of the rows x (N, n_in) with targets t.

    lacking: why there are no kernels, if they would do this faster. If training takes long, that is told once.
    """

    level: str = "NumPy"
    independent: bool = False
    parts: list[slice]

    def __init__(
        self, net: Network, x: Array, t: Array, loss: Loss, optimizer: Optimizer, batch: int, lacking: str | None = None
    ) -> None:
        self.net = net
        self.parts = [slice(0, net.theta.size)]
        self.lacking = lacking
        self.start: float = time.perf_counter()
        self.loss = loss
        self.optimizer = optimizer
        self.show(self.ready(x, t))
        self.x: Array = np.empty((batch, *x.shape[1:]), x.dtype)
        self.t: Array = np.empty((batch, *t.shape[1:]), t.dtype)

    def __call__(self, rows: Array, factor: float, weights: Array | None = None, x: Array | None = None) -> float:
        """Return the loss of these training rows before the step; if it isn't finite, nothing is moved."""
        value = self._find_gradient(rows, len(rows), weights, x)
        if math.isfinite(value):
            self.move(factor)
        return value

    def gradient(
        self, rows: Array, whole: int, to: Array, add: bool, weights: Array | None = None, x: Array | None = None
    ) -> float:
        """Write the part of these rows in the gradient of a batch of `whole` rows to a vector (n,), or add it there."""
        value = self._find_gradient(rows, whole, weights, x)
        np.add(self.net.grad, to if add else 0, out=to)
        return value

    def has(self, part: slice) -> bool:
        """Whether a part is there of a gradient that is being found: not before all is."""
        return False

    def _find_gradient(self, rows: Array, whole: int, weights: Array | None, x: Array | None) -> float:
        """Write it into `net.grad`."""
        # mode="clip" writes straight into `out`. The row numbers are in range anyway.
        t = np.take(self.all.t, rows, axis=0, out=self.t[: len(rows)], mode="clip")
        x = np.take(self.all.x, rows, axis=0, out=self.x[: len(rows)], mode="clip") if x is None else x
        loss = copy(self.loss)  # another thread may train another network with it
        with np.errstate(over="ignore", invalid="ignore"):  # the loss shows it
            value = loss.forward(self.net.forward(x, training=True), t, weights)
            if math.isfinite(value):
                dy = loss.backward()
                self.net.backward(dy if whole == len(rows) else dy * (len(rows) / whole), input_gradient=False)
        if self.lacking is not None and time.perf_counter() - self.start > PATIENCE:
            tell_slow(self.lacking)
            self.lacking = None
        return value if whole == len(rows) else value * (len(rows) / whole)

    def move(self, factor: float) -> None:
        """Move the network by the gradient in `net.grad`, at the learning rate lr * factor."""
        with np.errstate(over="ignore", invalid="ignore"):
            self.optimizer.step(self.net, factor)

    def many(self, rows: Array, factors: Sequence[float], weights: Array | None = None) -> list[float]:
        """Not for this step: it needs Python."""
        raise NotImplementedError

    def ready(self, x: Array, t: Array) -> ReadyRows:
        """Return rows x (N, n_in), of the type of the training rows, with targets t, as `show` takes them."""
        return ReadyRows(x, t)

    def show(self, rows: ReadyRows) -> None:
        """Take these for the training rows from now on."""
        self.all: ReadyRows = rows

    def observe(self, rows: Array, x: Array | None = None) -> None:
        """Pass these rows, or x, through the network in training mode: nothing moves but BatchNorm's statistics."""
        self.net.forward(self.all.x[rows] if x is None else x, training=True)

    def move_mean(self, mean: Array, share: float) -> None:
        """Move mean weights (n,), in place, towards the present ones: mean <- mean + share * (theta - mean)."""
        mean += share * (self.net.theta - mean)


def training_step(
    net: Network, x: Array, t: Array, loss: Loss, optimizer: Optimizer, batch: int, reads_gradients: bool = False
) -> PartedStep:
    """Choose the step: the fast one if the network allows it and the kernels cover all of the training."""
    # The fast path leaves out Unstandardize, and compares with targets in its units.
    plain, targets = (loss.loss, loss.standardized) if isinstance(loss, StandardUnits) else (loss, None)
    if not net.fast:
        return ReadableStep(net, x, t, loss, optimizer, batch)
    if (why := FastStep.uncovered(net, plain, optimizer)) is not None:
        lacking = missing(net.dtype)
        return ReadableStep(net, x, t, loss, optimizer, batch, lacking if why == lacking else None)
    return FastStep(net, x, t, plain, optimizer, batch, reads_gradients, targets)


def many_steps(
    step: Step, rows: Array, factors: Sequence[float], batch: int, weights: Array | None = None
) -> list[float]:
    """Take as many steps as there are batches in these rows, with one factor each; return the losses before them.

    weights: of each of the rows. The last loss is the first that isn't finite. The kernels take all steps in one call,
    where they can.
    """
    if step.independent:
        return step.many(rows, factors, weights)
    losses: list[float] = []
    for i, factor in enumerate(factors):
        part = slice(i * batch, (i + 1) * batch)
        losses.append(step(rows[part], factor, None if weights is None else weights[part]))
        if not math.isfinite(losses[-1]):
            break
    return losses
