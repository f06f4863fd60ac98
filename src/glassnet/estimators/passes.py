"""Passes through a network for rows that may be sparse: then SciPy computes the first product. Its affine layers."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from copy import copy
from typing import Any

import numpy as np

from glassnet.nn import Dense, Layer, Loss, Network, Noise
from glassnet.nn.layer import Array
from glassnet.optim import Optimizer
from glassnet.train.step import training_step
from glassnet.turns import reading


def affine(net: Network) -> list[Dense]:
    """Return the layers whose W and b are coefs_ and intercepts_."""
    return [layer for layer in net.layers if isinstance(layer, Dense)]


def is_noisy(net: Network) -> bool:
    """Whether the network draws random numbers in training, as for dropout."""
    return any(isinstance(layer, Noise) and layer.strength for layer in net.layers)


def is_sparse(x: Any) -> bool:
    """Whether x is a sparse matrix or array of SciPy's."""
    return hasattr(x, "tocsr")


def forward(layers: Sequence[Layer], x: Any, training: bool = False) -> Array:
    """Return the outputs of sparse rows x. The first layer is Dense."""
    y = x @ layers[0].W + layers[0].b
    for layer in layers[1:]:
        y = layer.forward(y, training)
    return y


def backward(net: Network, x: Any, dy: Array) -> None:
    """Fill net.grad from dL/dy of the latest `forward`, which took sparse rows x."""
    for layer in reversed(net.layers[1:]):
        dy = layer.backward(dy)
    net.layers[0].dW[...] = x.T @ dy
    np.sum(dy, axis=0, out=net.layers[0].db)


def predict(net: Network, x: Any) -> Array:
    """Return the outputs of rows x in inference mode, in an array of their own."""
    if not is_sparse(x):
        return net.predict(x)
    with reading(net):
        return forward([copy(layer) for layer in net.layers], x)  # copies: this thread's memory


def step_for(
    net: Network, x: Any, t: Array, loss: Loss, optimizer: Optimizer, batch: int, reads_gradients: bool = False
) -> Callable[[Array, float, Array | None], float]:
    """Choose the step for rows x, dense or sparse: see train/step.py."""
    if is_sparse(x):
        return SparseStep(net, x, t, loss, optimizer)
    return training_step(net, x, t, loss, optimizer, batch, reads_gradients)


class SparseStep:
    """A step of training on sparse rows x (N, n_in), like ReadableStep for dense ones."""

    level: str = "NumPy"
    independent: bool = False

    def __init__(self, net: Network, x: Any, t: Array, loss: Loss, optimizer: Optimizer) -> None:
        assert isinstance(net.layers[0], Dense)
        self.net = net
        self.x: Any = x.tocsr()
        self.t = t
        self.loss = loss
        self.optimizer = optimizer

    def __call__(self, rows: Array, factor: float, weights: Array | None = None) -> float:
        """Return the loss of these training rows before the step. If it isn't finite, nothing is moved."""
        x = self.x[rows]
        loss = copy(self.loss)  # another thread may train another network with it
        value = loss.forward(forward(self.net.layers, x, training=True), self.t[rows], weights)
        if math.isfinite(value):
            backward(self.net, x, loss.backward())
            self.optimizer.step(self.net, factor)
        return value
