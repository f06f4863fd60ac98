"""Inference by the kernels: what networks and ensembles call if they cover them."""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Sequence
from ctypes import addressof, byref
from typing import Any, NamedTuple

import numpy as np

from glassnet.fast.kernels import KERNELS, Folded
from glassnet.fast.loading import level
from glassnet.fast.preparing import Preparation, array_of
from glassnet.fast.program import Program, settings, split_layers, uncovered, without_unit
from glassnet.fast.structures import PORTION, READY, CInference
from glassnet.fast.threads import Threads, limit
from glassnet.memory import address, aligned_zeros
from glassnet.nn import Dense, Layer, Network, Unstandardize
from glassnet.nn.layer import Array, fitted_alike

ROWS, NUMBERS = 512, 2**18  # at a time, at most: enough for the products, and little enough for the caches
SMALL = 200_000  # multiplications: with fewer, one thread is done before another is awake


class Inference:
    """The programs of networks that answer the same rows, for as long as their state isn't replaced.

    A thread has one for itself, as the memory that the kernels work in is its own.
    """

    def __init__(self, nets: Sequence[Network]) -> None:
        self.limits: list[int | None] = [net.threads for net in nets]
        self.layers: list[list[Layer]] = [list(net.layers) for net in nets]
        self.threads: int = min(map(limit, nets))
        self.settings: list[tuple[Layer, str, Any]] = [each for net in nets for each in settings(net.layers)]
        widest = max(_widest(net.layers) for net in nets)
        self.capacity: int = max(1, min(ROWS, NUMBERS // widest))
        self.programs: list[Program] = [Program(net, self.capacity, self.threads, training=False) for net in nets]
        first = self.programs[0]
        self.preparations: list[Preparation] = []
        for i, program in enumerate(self.programs):
            c = program.c
            c.preparation, c.n_shared = self._preparation(program), c.n_parameters - program.layers[-1].size
            c.family = next((j for j in range(i) if self._differ_in_weights(nets, j, i)), i)
        units = [program.unit for program in self.programs if program.unit is not None]
        if units and all(fitted_alike(units[:1], [unit]) for unit in units[1:]):
            units = units[:1]
        self.units: list[Unstandardize] | None = units or None
        self.products: int = sum(
            layer.size for each in self.programs for layer in each.layers if isinstance(layer, (Dense, Folded))
        )
        self.threads_for_few: Threads = Threads(self.threads)
        self.pointers = (ctypes.c_void_p * len(nets))(*(addressof(program.c) for program in self.programs))
        self.ready = (ctypes.c_int64 * len(self.preparations))()
        self.held: list[Any] = []
        self.prepared = (ctypes.c_void_p * len(self.preparations))(
            *(first.hold(aligned_zeros((PORTION, each.width_out), first.dtype)) for each in self.preparations)
        )
        self.c: CInference = CInference(n_programs=len(nets), n_preparations=len(self.ready))
        self.c.programs, self.c.prepared = addressof(self.pointers), addressof(self.prepared)
        self.c.ready = addressof(self.ready)
        self.c.n_in = first.prepared.width
        self.pointer: Any = byref(self.c)
        self.y: Array = aligned_zeros((len(nets), self.capacity, first.n_out), first.dtype)
        self.y_address: int = address(self.y)
        self.sorts: dict[np.dtype[Any] | None, _Rows] = {}
        self.infer: Callable[..., None] = first.library.infer

    def _preparation(self, program: Program) -> int:
        """Return the number of what prepares the rows of a program: those with equal preprocessing share it."""
        for number, each in enumerate(self.preparations):
            if fitted_alike(each.layers, program.prepared.layers):
                return number
        self.preparations.append(program.prepared)
        return len(self.preparations) - 1

    def _differ_in_weights(self, nets: Sequence[Network], i: int, j: int) -> bool:
        """Whether two programs do the same but for the weights. The kernels look how many of these are equal."""
        a, b = self.programs[i], self.programs[j]
        layers, others = (split_layers(net)[1] for net in (nets[i], nets[j]))
        return (
            a.c.preparation == b.c.preparation
            and len(a.layers) > 1
            and type(a.layers[-1]) is Dense  # writes elsewhere than where it reads
            and not any(KERNELS[type(layer)].moved for layer in layers)
            and fitted_alike(layers, others)
        )

    def is_current(self, nets: Sequence[Network]) -> bool:
        """Whether nothing has been fitted or set since."""
        for net, layers, most in zip(nets, self.layers, self.limits, strict=True):
            if net.layers != layers or net.threads != most:
                return False
        for layer, name, value in self.settings:  # noqa: SIM110 - twice as fast as all()
            if getattr(layer, name) is not value:
                return False
        return True

    def __call__(self, x: Array, prepared: bool) -> Array:
        """Return the outputs (networks, N, n_out) of rows x."""
        sort = None if prepared else x.dtype
        rows = self.sorts.get(sort) or self._describe(sort)
        self.c.preparations = rows.preparations
        n = len(x)
        if n > self.capacity:
            x = np.require(x, rows.few.dtype, ["C", "A"])
            y = np.empty((len(self.programs), n, self.programs[0].n_out), self.programs[0].dtype)
            threads = min(self.threads, 1 + (n - 1) // self.capacity)
            self.infer(self.pointer, address(x), rows.format, n, address(y), n, threads)
            return y if self.units is None else self._in_units(y)
        rows.few[:n] = x  # asking NumPy for an address takes longer than that
        places = self.pointer, rows.place, rows.format, n, self.y_address, self.capacity
        if n * self.products < SMALL:
            self.infer(*places, 1)
        else:
            with self.threads_for_few as threads:
                self.infer(*places, threads)
        return self.y[:, :n].copy() if self.units is None else self._in_units(self.y[:, :n])

    def _describe(self, sort: np.dtype[Any] | None) -> _Rows:
        """Note how the kernels read rows of a type; None for rows that are prepared already, of the network's type."""
        first = self.programs[0]
        dtype, form, width, steps = first.dtype, READY, first.width, 0
        if sort is not None:
            dtype, form = first.prepared.readable(sort)
            described = array_of([each.described(sort) for each in self.preparations])
            self.held.append(described)
            width, steps = first.prepared.width, addressof(described)
        few = aligned_zeros((self.capacity, width), dtype)
        self.sorts[sort] = _Rows(few, address(few), form, steps)
        return self.sorts[sort]

    def _in_units(self, y: Array) -> Array:
        """Return outputs after the networks' last Unstandardize."""
        assert self.units is not None
        if len(self.units) == 1:
            return self.units[0].forward(y.reshape(-1, y.shape[2])).reshape(y.shape)
        return np.stack([unit.forward(part) for unit, part in zip(self.units, y, strict=True)])


class _Rows(NamedTuple):
    """Rows of a type: memory for a few, its address, their format, and where the steps that prepare them stand."""

    few: Array
    place: int
    format: int
    preparations: int


def _widest(layers: Sequence[Layer]) -> int:
    """Return how many values the longest row between these layers has."""
    widths = [1]
    for layer in layers:
        widths.append(layer.width_out(layer.width_in or widths[-1]) or widths[-1])
    return max(widths)


class FastEngine:
    """The engine that networks are asked for their outputs by, and for a description."""

    def predict(self, nets: Sequence[Network], compiled: list[Any], x: Array, prepared: bool = False) -> Array | None:
        """Return the outputs (networks, N, n_out) of rows x in inference mode.

        None if the kernels don't cover one of the networks. compiled: what this keeps with them. prepared: whether x
        has been through the preprocessing.
        """
        inference = _taken(nets, compiled)
        if inference is None:
            return None
        y = inference(x, prepared)
        compiled.append(inference)
        return y

    def prepare(self, net: Network, x: Array) -> Array | None:
        """Return rows x after the preprocessing; None if the kernels don't cover this network."""
        inference = _taken([net], net.compiled)
        if inference is None:
            return None
        y = inference.programs[0].prepared(x)
        net.compiled.append(inference)
        return y

    def describe(self, net: Network) -> str:
        """Say what computes a network."""
        why = uncovered(net)
        if why:
            return f"NumPy ({why})"
        slow = without_unit(net)
        kernels = f"compiled kernels ({level(net.dtype)}), at most {limit(net)} threads"
        return f"{kernels}, but trained by NumPy: {slow}" if slow else kernels


def _taken(nets: Sequence[Network], compiled: list[Inference]) -> Inference | None:
    """Take an inference that no other thread uses, or make one; None if the kernels don't cover one of the networks."""
    while compiled:
        try:
            inference = compiled.pop()
        except IndexError:  # another thread was faster
            break
        if inference.is_current(nets):
            return inference
    fitted = all(hasattr(layer, name) for net in nets for layer in net.layers for name in layer.state)
    alike = len({(net.dtype, isinstance(net.layers[-1], Unstandardize)) for net in nets}) == 1
    if not fitted or not alike or any(uncovered(net) is not None for net in nets):
        return None
    return Inference(nets)
