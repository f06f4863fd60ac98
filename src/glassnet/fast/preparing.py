"""Preprocessing of all rows at once, before the kernels see them: quantiles by a kernel, the other layers by NumPy."""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from typing import Any

import numpy as np

from glassnet.fast.structures import Library
from glassnet.memory import address
from glassnet.nn import Layer, QuantileNormalize
from glassnet.nn.layer import Array

ROWS = 1024  # at a time: they stay in the caches


class Preparation:
    """The layers of preprocessing of one network, for as long as their state isn't replaced."""

    def __init__(self, layers: Sequence[Layer], library: Library, width: int, dtype: np.dtype[Any]) -> None:
        self.layers: list[Layer] = list(layers)
        self.library: Library = library
        self.width = width  # after them
        self.dtype: np.dtype[Any] = dtype
        self.knots: dict[tuple[int, np.dtype[Any]], Array] = {}  # of a layer, as rows of a type meet them: by columns

    def __call__(self, x: Array) -> Array:
        """Return rows x after all layers (N, width)."""
        ready = np.empty((len(x), self.width), self.dtype)
        layers = [copy(layer) for layer in self.layers]  # this thread's own: layers write into them
        for start in range(0, len(x), ROWS):
            rows = x[start : start + ROWS]
            for i, layer in enumerate(layers):
                rows = self._normalized(i, layer, rows) if isinstance(layer, QuantileNormalize) else layer.forward(rows)
            ready[start : start + ROWS] = rows
        return ready

    def _normalized(self, i: int, layer: QuantileNormalize, x: Array) -> Array:
        """Return what QuantileNormalize makes of rows x, in the network's type."""
        layer.check(x)
        if (i, x.dtype) not in self.knots:
            self.knots[i, x.dtype] = np.ascontiguousarray(layer.met_by(x.dtype).T, np.float64)
        knots, levels = self.knots[i, x.dtype], np.ascontiguousarray(layer.levels, np.float64)
        x, y = np.require(x, np.float64, ["C", "A"]), np.empty(x.shape, self.dtype)
        places = address(knots), address(levels), len(levels), address(x), *x.shape, address(y)
        self.library.normalize_quantiles(*places)
        return y
