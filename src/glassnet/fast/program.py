"""A network as a program for the kernels: which of them does which layer, and the memory that they work in."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from ctypes import addressof, byref, sizeof
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from glassnet.fast.kernels import KERNELS, NONE, PREPARED, Kernel, chosen
from glassnet.fast.library import NoKernelsError
from glassnet.fast.loading import load_kernels
from glassnet.fast.preparing import Preparation
from glassnet.fast.structures import DOUBLES, READY, CGroup, CLayer, CProgram, Library
from glassnet.memory import address, aligned_zeros
from glassnet.nn import Layer, Network, Preprocessing, Standardize, Unstandardize, declared
from glassnet.nn.layer import Array


def split_layers(net: Network) -> tuple[list[Layer], list[Layer], Unstandardize | None]:
    """Return the layers that take raw rows, those that the kernels would do, and a last Unstandardize."""
    before = next((i for i, layer in enumerate(net.layers) if not isinstance(layer, Preprocessing)), len(net.layers))
    last = net.layers[-1]
    unit = last if type(last) is Unstandardize else None
    return net.layers[:before], net.layers[before : len(net.layers) - (unit is not None)], unit


def uncovered(net: Network) -> str | None:
    """Say why the kernels can't compute this network, or return None: then they can."""
    preprocessing, layers, _ = split_layers(net)
    unknown = [type(layer) for layer in preprocessing if type(layer) not in PREPARED]
    unknown += [type(layer) for layer in layers if type(layer) not in KERNELS]
    if unknown:
        return f"there is no kernel for {unknown[0].__name__}"
    if not any(layer.size for layer in layers):
        return "the network has no parameters"
    library = load_kernels(net.dtype)
    return str(library) if isinstance(library, NoKernelsError) else _displaced(net)


def without_unit(net: Network) -> str | None:
    """Say why the kernels can't train with products of bfloat16, or return None if they can, or needn't."""
    library = load_kernels(net.dtype)
    if net.precision != "bfloat16" or (not isinstance(library, NoKernelsError) and library.has_matrix_unit()):
        return None
    return "this processor has no matrix unit for bfloat16 that the kernels know"


def _displaced(net: Network) -> str | None:
    """Name an array that isn't where the kernels would look for it, because another was put in its place."""
    place, size, wanted = address(net.theta), net.dtype.itemsize, net.theta.dtype
    for i, layer in enumerate(net.layers):
        shapes = layer.shapes()
        for name, part in layer.parts():
            a = getattr(layer, name)
            moved = a.size and address(a) != place + size * part.start
            if moved or (a.dtype, a.shape) != (wanted, shapes[name]):
                return f"{name} of layer {i} is not part of theta; write into it: {name}[...] = values"
        for name in KERNELS.get(type(layer), NONE).moved:
            a = getattr(layer, name)
            if a.dtype != np.float64 or not (a.flags.c_contiguous and a.flags.aligned):
                return f"{name} of layer {i} is not a float64 vector of {layer.width_in}"
        place += size * layer.size
    try:  # the kernels would read beside arrays of other sizes
        declared.check_state(net.layers, net.n_in, net.state())
    except ValueError as error:
        return str(error)
    return None


def settings(layers: Sequence[Layer]) -> list[tuple[Layer, str, Any]]:
    """Return all arrays and constants that may be set on layers, each with its owner and its name."""
    return [
        (layer, name, getattr(layer, name))
        for layer in layers
        for name in (*layer.parameters, *layer.state, *KERNELS.get(type(layer), NONE).constants)
        if hasattr(layer, name)
    ]


def _fill(field: Any, values: Sequence[float]) -> None:
    """Set the first numbers of a field that has room for several."""
    field[: len(values)] = values


class Program:
    """The layers of `net` between preprocessing and a last Unstandardize, for batches of at most `batch` rows.

    All memory that the kernels work in belongs to this object. In training, the threads share the work on one batch,
    and there is room for gradients. In inference each thread has its own batch, and memory for it.
    """

    def __init__(self, net: Network, batch: int, threads: int, training: bool) -> None:
        library = load_kernels(net.dtype)
        assert not isinstance(library, NoKernelsError)  # `uncovered` has looked
        self.library: Library = library
        self.dtype: np.dtype[Any] = net.dtype
        self.batch = batch
        self.memory: dict[int, Array] = {}  # by address
        self.training = training
        preprocessing, layers, unit = split_layers(net)
        self.preprocessing: list[Layer] = preprocessing
        self.unit: Unstandardize | None = unit
        self.kernels: list[tuple[Layer, Kernel]] = chosen(layers, training)
        self.layers: list[Layer] = [layer for layer, _ in self.kernels]
        copies = 1 if training else threads
        self.c: CProgram = CProgram()
        groups = [
            CGroup(g.part.start, g.part.stop, g.columns, g.decayed, g.lr_factor, g.max_norm or 0.0) for g in net.groups
        ]
        self.groups: ctypes.Array[CGroup] = (CGroup * len(groups))(*groups)
        self.c.groups, self.c.n_groups = addressof(self.groups), len(self.groups)
        self.c_layers: ctypes.Array[CLayer] = (CLayer * (len(self.layers) * copies))()
        for start in range(0, len(self.c_layers), len(self.layers)):
            self._describe(self.c_layers[start : start + len(self.layers)])
        self.width: int = self.c_layers[0].n_in
        self.n_out: int = self.c_layers[-1].n_out
        c = self.c
        c.layers, c.n_layers, c.batch, c.width = self.c_layers, len(self.layers), batch, self.width
        c.first = next(i for i, layer in enumerate(self.layers) if layer.size)
        c.n_parameters, c.optimizer.theta = net.theta.size, self.hold(net.theta)
        widest = max(max(layer.n_in, layer.n_out) for layer in self.c_layers)
        c.scratch_size = int(library.scratch_size(widest)) + max(
            kernel.scratch(layer) for layer, kernel in self.kernels
        )
        c.scratch = self.allocate(threads * c.scratch_size)
        self.raw_width: int = self.width if net.n_in is None else net.n_in
        self.prepared: Preparation = self.own_preparation(threads)
        if len(self.preprocessing) == 1 and type(self.preprocessing[0]) is Standardize:  # done while gathering a batch
            self.preprocessing[0].check(np.empty((0, self.width)))
            mean, scale = self.preprocessing[0].mean, self.preprocessing[0].scale
            c.mean, c.scale = (self.hold(np.broadcast_to(a, self.width).astype(self.dtype)) for a in (mean, scale))
        if training:
            self._assign_gradients()

    def allocate(self, *shape: int, dtype: npt.DTypeLike | None = None) -> int:
        """Return the address of new memory, of the network's type, which lives as long as the program."""
        return self.hold(aligned_zeros(shape, dtype or self.dtype))

    def hold(self, array: Array) -> int:
        """Return the address of a contiguous array, or of a copy if it isn't aligned. The array is kept alive."""
        array = array if array.flags.aligned else array.copy()
        place = address(array)
        self.memory[place] = array
        return place

    def written(self, array: Array, what: str, size: int, dtype: npt.DTypeLike | None = None) -> int:
        """Return the address of an array of `size` numbers of the network's type, which the kernels write into.

        It is kept alive. Raises ValueError if it has another size or type, or is read-only. The kernels write without
        NumPy's own checks, so they might write into other memory.
        """
        wanted = np.dtype(dtype or self.dtype)
        if array.dtype != wanted or array.size != size or not array.flags.carray:
            found = f"a {'' if array.flags.writeable else 'read-only '}{array.dtype} array of shape {array.shape}"
            raise ValueError(f"{what} must be {size} numbers of {wanted} that can be written into, not {found}")
        return self.hold(array)

    def pointer(self) -> Any:
        """Return the argument that the kernels take."""
        return byref(self.c)

    def own_preparation(self, threads: int) -> Preparation:
        """Return what prepares rows with so many threads, for one caller at a time."""
        return Preparation(self.preprocessing, self.library, self.raw_width, self.dtype, threads)

    def prepare(self, x: Array, by: Preparation | None = None) -> tuple[Array, int]:
        """Return rows x in a form that the kernels read, and the form: as they are, or preprocessed by the layers.

        by: what prepares them, if another thread may use the program's own meanwhile.
        """
        dtype, form = self.prepared.readable(x.dtype)
        if form != DOUBLES and (self.c.scale or not self.preprocessing):
            return np.require(x, dtype, ["C", "A"]), form
        return (by or self.prepared)(x), READY

    def _describe(self, c_layers: Sequence[CLayer]) -> None:
        """Fill in every layer's sizes and constants, and give it memory for its input and output."""
        width = next(layer.width_in for layer in self.layers if layer.width_in is not None)
        x, place = self.allocate(self.batch, width), addressof(self.groups)
        previous: Kernel | None = None
        for (layer, kernel), c in zip(self.kernels, c_layers, strict=True):
            c.kind, c.n_in = self.library.numbers[type(layer).__name__], width
            c.n_out = width = layer.width_out(width) or width
            c.groups, place = place, place + sizeof(CGroup) * len(layer.shapes())
            _fill(c.size, [getattr(layer, name) for name in kernel.sizes])
            c.x = x
            if not kernel.in_place or previous is None or previous.reads_y:
                x = self.allocate(self.batch, width)
            c.y, previous = x, kernel
            _fill(c.memory, kernel.memory(layer, self.allocate, self.batch, width))
            self._set_constants(layer, kernel, c)

    def refresh(self) -> None:
        """Read the layers' constants and running statistics again, because they may have been set."""
        for (layer, kernel), c in zip(self.kernels, self.c_layers, strict=True):
            self._set_constants(layer, kernel, c)

    def _set_constants(self, layer: Layer, kernel: Kernel, c: CLayer) -> None:
        _fill(c.constant, [getattr(layer, name) for name in kernel.constants])
        moved = [getattr(layer, name) for name in kernel.moved]
        hold = partial(self.written, what=f"a running statistic of {layer!r}", size=c.n_in, dtype=np.float64)
        _fill(c.array, [*map(hold if self.training else self.hold, moved), *map(self.hold, kernel.arrays(layer))])

    def _assign_gradients(self) -> None:
        """Give memory to dL/dx of every layer that needs it: in place, unless dL/dy has another width or use."""
        loss = self.c.loss
        last = self.c_layers[-1]
        loss.y, loss.n_out = last.y, self.n_out
        dy = loss.dy = self.allocate(self.batch, self.n_out)
        for i in range(len(self.layers) - 1, self.c.first - 1, -1):
            c = self.c_layers[i]
            c.dy = dy
            if i > self.c.first:  # nobody needs the gradient of the network's input
                c.dx = dy = self.allocate(self.batch, c.n_in) if self.kernels[i][1].own_dx else dy
