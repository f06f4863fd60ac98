"""Inference by the kernels: `Network.predict` calls it if they cover the network."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from threading import Lock
from typing import Any

import numpy as np

from glassnet.fast.kernels import Folded
from glassnet.fast.loading import level
from glassnet.fast.program import Program, settings, uncovered, without_unit
from glassnet.fast.structures import READY, REALS
from glassnet.fast.threads import Threads, limit
from glassnet.memory import address
from glassnet.nn import Dense, Layer, Network
from glassnet.nn.layer import Array

ROWS, NUMBERS = 512, 2**18  # at a time, at most: enough for the products, and little enough for the caches
SMALL = 200_000  # multiplications: with fewer, one thread is done before another is awake


class Inference:
    """The program of one network, for as long as its state isn't replaced."""

    def __init__(self, net: Network) -> None:
        self.limit: int | None = net.threads
        self.threads: int = limit(net)
        self.capacity: int = max(1, min(ROWS, NUMBERS // _widest(net.layers)))
        self.program: Program = Program(net, self.capacity, self.threads, training=False)
        self.layers: list[Layer] = list(net.layers)
        self.settings: list[tuple[Layer, str, Any]] = settings(net.layers)
        self.process: int = os.getpid()
        self.products: int = sum(layer.size for layer in self.program.layers if isinstance(layer, (Dense, Folded)))
        self.threads_for_few: Threads = Threads(self.threads)
        self.x: Array = np.zeros((self.capacity, self.program.width), net.dtype)
        self.y: Array = np.zeros((self.capacity, self.program.n_out), net.dtype)
        self.x_address: int = address(self.x)
        self.y_address: int = address(self.y)
        self.infer: Callable[..., None] = self.program.library.infer
        self.pointer: Any = self.program.pointer()
        self.lock: Lock = Lock()

    def is_current(self, net: Network) -> bool:
        """Whether nothing has been fitted or set since, and this isn't a forked process, where the lock may hang."""
        if self.limit != net.threads or self.layers != net.layers or self.process != os.getpid():
            return False
        for layer, name, value in self.settings:  # noqa: SIM110 - twice as fast as all()
            if getattr(layer, name) is not value:
                return False
        return True

    def __call__(self, x: Array, prepared: bool) -> Array:
        """Return the outputs of rows x."""
        x, form = (np.ascontiguousarray(x), READY) if prepared else self.program.prepare(x)
        with self.lock:  # the memory that the kernels work in is one
            y = self._many(x, form) if len(x) > self.capacity else self._few(x, form)
        return y if self.program.unit is None else self.program.unit.forward(y)

    def _many(self, x: Array, form: int) -> Array:
        """Read the rows where they are."""
        y = np.empty((len(x), self.program.n_out), self.program.dtype)
        threads = min(self.threads, 1 + (len(x) - 1) // self.capacity)
        self.infer(self.pointer, address(x), form, len(x), address(y), threads)
        return y

    def _few(self, x: Array, form: int) -> Array:
        """Copy the rows to where the kernels know them: asking NumPy for an address takes longer than that."""
        n = len(x)
        self.x[:n] = x
        form = READY if form == READY else REALS
        if n * self.products < SMALL:
            self.infer(self.pointer, self.x_address, form, n, self.y_address, 1)
        else:
            with self.threads_for_few as count:
                self.infer(self.pointer, self.x_address, form, n, self.y_address, count)
        return self.y[:n].copy()


def _widest(layers: Sequence[Layer]) -> int:
    """Return how many values the longest row between these layers has."""
    widths = [1]
    for layer in layers:
        widths.append(layer.width_out(layer.width_in or widths[-1]) or widths[-1])
    return max(widths)


class FastEngine:
    """The engine that a network asks for its outputs, and for a description."""

    def predict(self, net: Network, x: Array, prepared: bool) -> Array | None:
        """Return the outputs of rows x in inference mode; None if the kernels don't cover this network.

        prepared: whether x has been through the preprocessing.
        """
        inference = self._inference(net)
        return None if inference is None else inference(x, prepared)

    def prepare(self, net: Network, x: Array) -> Array | None:
        """Return rows x after the preprocessing; None if the kernels don't cover this network."""
        inference = self._inference(net)
        return None if inference is None else inference.program.prepared(x)

    def _inference(self, net: Network) -> Inference | None:
        """Return what computes the network as it is now; None if the kernels don't cover it."""
        inference: Inference | None = net.compiled
        if inference is None or not inference.is_current(net):
            fitted = all(hasattr(layer, name) for layer in net.layers for name in layer.state)
            if not fitted or uncovered(net) is not None:
                return None
            inference = net.compiled = Inference(net)
        return inference

    def describe(self, net: Network) -> str:
        """Say what computes a network."""
        why = uncovered(net)
        if why:
            return f"NumPy ({why})"
        slow = without_unit(net)
        kernels = f"compiled kernels ({level(net.dtype)}), at most {limit(net)} threads"
        return f"{kernels}, but trained by NumPy: {slow}" if slow else kernels
