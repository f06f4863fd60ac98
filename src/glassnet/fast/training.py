"""A training step by the kernels: the same numbers as the readable layers give, but for rounding."""

from __future__ import annotations

from typing import Any

import numpy as np

from glassnet.fast.program import Program, address, uncovered
from glassnet.fast.threads import Threads, available
from glassnet.nn import MAE, MSE, BinaryCrossEntropy, CrossEntropy, Dropout, Huber, Loss, Network
from glassnet.nn.layer import Array
from glassnet.optim import SGD, Adam, AdamW, Optimizer

LABELS, DISTRIBUTIONS, BINARY, SQUARED, ABSOLUTE, HUBER = range(6)  # as in losses.h
CLASSIC, NESTEROV, ADAM = range(3)  # as in optimizers.h


class FastStep:
    """Training steps of `net` on rows x (N, n_in) with targets t: call it with the numbers of at most `batch` rows.

    Targets of values are those that the loss compares with the output of the last layer but Unstandardize.
    Gradients go straight into the weights; only with keep_gradients=True are they found in `net.grad` after a step.
    """

    def __init__(
        self, net: Network, x: Array, t: Array, loss: Loss, optimizer: Optimizer, batch: int,
        keep_gradients: bool = False,
    ) -> None:  # fmt: skip
        self.threads = Threads(net.threads or available())
        self.optimizer, self.program = optimizer, Program(net, batch, self.threads.limit, training=True)
        program = self.program
        c = program.c
        x, form = program.prepare(x)
        c.data, c.format = program.hold(x), form
        c.loss.kind, c.loss.value, targets = _loss(loss, t, program.n_out)
        c.loss.targets, c.loss.row = program.hold(targets), program.allocate(batch, dtype=np.float64)
        self._set_optimizer(net, keep_gradients)
        self.dropouts = [
            (layer, program.memory[c_layer.kept])
            for layer, c_layer in zip(program.layers, program.c_layers, strict=True)
            if isinstance(layer, Dropout)
        ]
        self.train, self.pointer = program.library.train, program.pointer()

    @staticmethod
    def uncovered(net: Network, loss: Loss, optimizer: Optimizer) -> str | None:
        """Say why the kernels can't train this, or return None: then they can."""
        known = (CrossEntropy, BinaryCrossEntropy, MSE, MAE, Huber, SGD, Adam, AdamW)
        unknown = next((type(part).__name__ for part in (loss, optimizer) if type(part) not in known), None)
        return f"there is no kernel for {unknown}" if unknown else uncovered(net)

    def __call__(self, rows: Array, factor: float) -> float:
        """Move the weights by the gradient of the batch of these rows (int64), lr being lr * factor.

        Returns the loss before the step. If that isn't finite, nothing is moved.
        """
        optimizer = self.optimizer
        for layer, noise in self.dropouts:
            layer.rng.random(out=noise[: len(rows)], dtype=np.float32)
        t = optimizer.steps + 1
        b1, b2 = optimizer.betas if isinstance(optimizer, Adam) else (0.0, 0.0)
        with self.threads as count:
            value: float = self.train(
                self.pointer, address(rows), len(rows), optimizer.lr * factor, 1 / (1 - b1**t), 1 / (1 - b2**t), count
            )
        optimizer.steps = t
        return value

    def _set_optimizer(self, net: Network, keep_gradients: bool) -> None:
        """Fill the optimizer's structure; its vectors remain the optimizer's own."""
        optimizer, c = self.optimizer, self.program.c.optimizer
        optimizer.start(net.theta)
        slots = [address(slot) for slot in optimizer.state().values()]
        c.slot1, c.slot2, c.grad = slots[0], slots[-1], address(net.grad)
        c.weight_decay, c.l2, c.clip_norm = optimizer.weight_decay, optimizer.l2, optimizer.clip_norm or 0.0
        c.fused = optimizer.clip_norm is None and not keep_gradients
        if isinstance(optimizer, SGD):
            c.kind, c.momentum = (NESTEROV if optimizer.nesterov else CLASSIC), optimizer.momentum
        elif isinstance(optimizer, Adam):
            c.kind, c.eps = ADAM, optimizer.eps
            c.beta1, c.beta2 = optimizer.betas
        if not c.fused:
            parts = np.array([(part.start, part.stop) for part in net.decayed], np.int64)
            self.program.c.decayed, self.program.c.n_decayed = self.program.hold(parts), len(parts)
            self.program.c.squares = self.program.allocate(net.theta.size // 4096 + 1, dtype=np.float64)


def _loss(loss: Loss, t: Array, n_out: int) -> tuple[int, float, Array]:
    """The kind and constant of a loss, and all targets as its kernel reads them."""
    if isinstance(loss, CrossEntropy) and t.ndim == 1:
        return LABELS, loss.label_smoothing, np.ascontiguousarray(t, np.int32)
    targets = np.ascontiguousarray(t.reshape(len(t), n_out), np.float32)
    if isinstance(loss, CrossEntropy):
        return DISTRIBUTIONS, loss.label_smoothing, targets
    if isinstance(loss, Huber):
        return HUBER, loss.delta, targets
    kinds: dict[type[Any], int] = {BinaryCrossEntropy: BINARY, MSE: SQUARED, MAE: ABSOLUTE}
    return kinds[type(loss)], 0.0, targets
