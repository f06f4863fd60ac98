"""Preprocessing by the kernels: the fitted layers that take raw rows, as steps."""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Sequence
from ctypes import addressof, byref
from typing import Any, NamedTuple

import numpy as np

from glassnet.fast.structures import BYTES, DOUBLES, PORTION, REALS, SLICE, CPreparation, CStep, Library
from glassnet.memory import address, aligned_zeros
from glassnet.nn import Columns, Layer, QuantileNormalize, RobustScale, Rotations, Standardize, TargetMeans
from glassnet.nn.layer import Array

Step = tuple[Sequence[int], Sequence[Array]]  # its sizes and arrays, in the order in which the C code numbers them


def _columns(layer: Columns, *_: Any) -> Step:
    whole = (np.array(each, np.int64) for each in (layer.categories, layer.missing, layer.turning))
    categories, missing, turning = whole
    sizes = len(categories), len(missing), len(turning)
    return sizes, [categories, layer.median, layer.scale, missing, turning, layer.lengths]


def _standardize(layer: Standardize, width: int, seen: np.dtype[Any]) -> Step:
    mean, scale = (np.broadcast_to(a, width) for a in (layer.mean, layer.scale))
    return (), [mean.astype(np.result_type(seen, layer.dtype)), scale.astype(layer.dtype)]


def _quantiles(layer: QuantileNormalize, _: int, seen: np.dtype[Any]) -> Step:
    knots, levels = np.asarray(layer.met_by(seen).T, np.float64), layer.levels.ravel()
    first = [np.searchsorted(column, column) for column in knots]  # of several knots that are the same
    return (len(levels),), [knots, levels, (levels[np.reshape(first, knots.shape)] + levels) / 2]


def _means(layer: TargetMeans, *_: Any) -> Step:
    columns, sizes = (np.array(each, np.int64) for each in (layer.columns, layer.sizes))
    return (layer.width, len(columns), layer.values), [columns, sizes, layer.keys, layer.means, layer.prior]


STEPS: dict[type[Layer], Callable[[Any, int, np.dtype[Any]], Step]] = {
    Columns: _columns,
    Standardize: _standardize,
    QuantileNormalize: _quantiles,
    RobustScale: lambda layer, *_: ((), [layer.median, layer.scale]),
    Rotations: lambda layer, *_: ((layer.width, layer.added), [layer.A]),
    TargetMeans: _means,
}


class Facts(NamedTuple):
    """What the kernels need to know of a step: its structure's fields, and the type of the rows that it gives."""

    kind: str
    n_in: int
    n_out: int
    rounded: bool
    sizes: Sequence[int]
    arrays: Sequence[Array]  # of whole numbers or float64
    given: np.dtype[Any]


def facts(layer: Layer, width: int, seen: np.dtype[Any], dtype: np.dtype[Any]) -> Facts:
    """Return those of a layer, for rows of a width and a type. dtype: the network's."""
    sizes, arrays = STEPS[type(layer)](layer, width, seen)
    held = [np.require(a, a.dtype if a.dtype == np.int64 else np.float64, ["C", "A"]) for a in arrays]
    given = _given(layer, seen)
    n_out = layer.width_out(width) or width
    return Facts(type(layer).__name__, width, n_out, given == dtype, sizes, held, given)


def _given(layer: Layer, seen: np.dtype[Any]) -> np.dtype[Any]:
    """The type of the rows that a layer gives for rows of a type."""
    if isinstance(layer, TargetMeans):
        return np.dtype(np.float64)
    return np.result_type(seen, layer.dtype) if isinstance(layer, Rotations) else layer.dtype


class Preparation:
    """Some layers of preprocessing, for as long as their state isn't replaced. Used by one thread at a time.

    width: of raw rows. threads: how many may prepare rows side by side.
    """

    def __init__(
        self, layers: Sequence[Layer], library: Library, width: int, dtype: np.dtype[Any], threads: int
    ) -> None:
        self.layers: list[Layer] = list(layers)
        self.library: Library = library
        self.width = width
        self.dtype: np.dtype[Any] = dtype
        self.threads = threads
        self.known: dict[np.dtype[Any], CPreparation] = {}  # by the type of the rows
        self.held: list[Any] = []

    @property
    def width_out(self) -> int:
        """That of prepared rows."""
        width = self.width
        for layer in self.layers:
            width = layer.width_out(width) or width
        return width

    def readable(self, seen: np.dtype[Any]) -> tuple[np.dtype[Any], int]:
        """Return the type that the kernels read raw rows of a type as, and their format."""
        known = {self.dtype: REALS, np.dtype(np.uint8): BYTES, np.dtype(np.float64): DOUBLES}
        dtype = seen if seen in known else np.dtype(np.float64)
        return dtype, REALS if dtype == self.dtype else known[dtype]

    def described(self, seen: np.dtype[Any]) -> CPreparation:
        """Return the steps for rows of a type: less precise ones meet the numbers of a layer as they'd be in theirs."""
        if seen in self.known:
            return self.known[seen]
        steps, width, most, rows = (CStep * len(self.layers))(), self.width, self.width, seen
        for layer, step in zip(self.layers, steps, strict=True):
            found = facts(layer, width, seen, self.dtype)
            step.kind, step.n_in, step.n_out = self.library.numbers[found.kind], found.n_in, found.n_out
            step.rounded = found.rounded
            step.size[: len(found.sizes)] = found.sizes
            step.array[: len(found.arrays)] = [self._hold(array) for array in found.arrays]
            width, seen = found.n_out, found.given
            most = max(most, width)
        memory = self._hold(aligned_zeros((self.threads, 2, most, SLICE), np.float64))
        self.held.append(steps)
        self.known[rows] = CPreparation(addressof(steps), len(steps), self.width, width, most, memory)
        return self.known[rows]

    def _hold(self, array: Array) -> int:
        """Return the address of an array that lives as long as this."""
        self.held.append(array)
        return address(array)

    def __call__(self, x: Array) -> Array:
        """Return rows x after all layers (N, width_out)."""
        steps = self.described(x.dtype)
        dtype, form = self.readable(x.dtype)
        rows = np.require(x, dtype, ["C", "A"])
        ready = np.empty((len(rows), steps.n_out), self.dtype)
        threads = 1 if len(rows) < PORTION else self.threads
        self.library.prepare(byref(steps), address(rows), form, len(rows), address(ready), threads)
        return ready


def array_of(preparations: Sequence[CPreparation]) -> ctypes.Array[CPreparation]:
    """Return them as the kernels take several."""
    return (CPreparation * len(preparations))(*preparations)
