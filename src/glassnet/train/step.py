"""One step of training, by the readable layers or by the fast path: both take the numbers of a batch's rows."""

from __future__ import annotations

import math
from typing import Protocol

import numpy as np

from glassnet.fast import FastStep
from glassnet.nn.layer import Array
from glassnet.train.training import Training
from glassnet.train.units import StandardUnits


class Step(Protocol):
    """A step: move the network's weights by the gradient of a batch, with the learning rate lr * factor."""

    def __call__(self, rows: Array, factor: float) -> float:
        """Return the loss of these training rows before the step; if it isn't finite, nothing is moved."""


class ReadableStep:
    """Forward, loss, backward, optimizer."""

    def __init__(self, run: Training) -> None:
        self.run = run
        train = run.data.train
        self.x, self.t = (np.empty((run.largest_batch, *a.shape[1:]), a.dtype) for a in (train.x, train.y))

    def __call__(self, rows: Array, factor: float) -> float:
        """Return the loss of these training rows before the step; if it isn't finite, nothing is moved."""
        net, loss, train = self.run.net, self.run.loss, self.run.data.train
        # mode="clip" writes straight into `out`; the row numbers are in range anyway.
        x = np.take(train.x, rows, axis=0, out=self.x[: len(rows)], mode="clip")
        t = np.take(train.y, rows, axis=0, out=self.t[: len(rows)], mode="clip")
        with np.errstate(over="ignore", invalid="ignore"):  # the loss tells
            value = loss.forward(net.forward(x, training=True), t)
            if math.isfinite(value):
                net.backward(loss.backward(), input_gradient=False)
                self.run.optimizer.step(net, factor)
        return value


def training_step(run: Training, reads_gradients: bool) -> Step:
    """Choose the step: the fast one if the network allows it and the kernels cover all of the training."""
    net, split, loss, optimizer = run.net, run.data.train, run.loss, run.optimizer
    # The fast path leaves out Unstandardize, and compares with targets in its units.
    plain, targets = (loss.loss, loss.standardized(split.y)) if isinstance(loss, StandardUnits) else (loss, split.y)
    if not net.fast or FastStep.uncovered(net, plain, optimizer) is not None:
        return ReadableStep(run)
    return FastStep(net, split.x, targets, plain, optimizer, run.largest_batch, reads_gradients)
