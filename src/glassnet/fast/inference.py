"""Inference by the kernels: what `Network.predict` calls where they cover the network."""

from __future__ import annotations

import threading

import numpy as np

from glassnet.fast import threads
from glassnet.fast.program import Program, address, uncovered
from glassnet.nn import Network
from glassnet.nn.layer import Array

ROWS = 128  # rows at a time: enough for the products, and little enough for the caches


class Inference:
    """The program of one network, for as long as its state isn't replaced."""

    def __init__(self, net: Network) -> None:
        self.limit, self.threads = net.threads, net.threads or threads.available()
        self.program = Program(net, ROWS, self.threads, training=False)
        self.holders = [(layer, name) for layer in net.layers for name in layer.state]
        self.state = [getattr(layer, name) for layer, name in self.holders]
        self.infer, self.pointer, self.lock = self.program.library.infer, self.program.pointer(), threading.Lock()

    def is_current(self, net: Network) -> bool:
        """Whether nothing was fitted or set anew since."""
        return self.limit == net.threads and all(
            getattr(layer, name) is array for (layer, name), array in zip(self.holders, self.state, strict=True)
        )

    def __call__(self, x: Array) -> Array:
        """Return the outputs of rows x."""
        with self.lock:  # the memory that it works in is one
            x, form = self.program.prepare(x)
            y = np.empty((len(x), self.program.n_out), np.float32)
            count = min(self.threads, 1 + (len(x) - 1) // ROWS)
            self.infer(self.pointer, address(x), form, len(x), address(y), count)
            return y if self.program.unit is None else self.program.unit.forward(y).copy()


class FastEngine:
    """What a network asks for its outputs, and about itself."""

    def predict(self, net: Network, x: Array) -> Array | None:
        """Return the outputs of rows x in inference mode; None if the kernels don't cover this network."""
        inference = net.compiled
        if inference is None or not inference.is_current(net):
            fitted = all(hasattr(layer, name) for layer in net.layers for name in layer.state)
            if not fitted or uncovered(net) is not None:
                return None
            inference = net.compiled = Inference(net)
        return inference(x)

    def describe(self, net: Network) -> str:
        """Say what computes a network."""
        why = uncovered(net)
        return f"NumPy ({why})" if why else f"compiled kernels, at most {net.threads or threads.available()} threads"
