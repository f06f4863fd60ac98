"""One gradient entry of a trace beside the central difference of the loss."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from glassnet.nn import Dropout, GaussianNoise, Layer
from glassnet.nn.gradcheck import Entry, GradientProbe
from glassnet.nn.layer import Array

if TYPE_CHECKING:
    from glassnet.inspection.trace import Trace


class FixedMask(Layer):
    """y = x * mask: the dropout of one step, again and again. Shapes: x, y, mask (N, width). dx = dy * mask."""

    def __init__(self, mask: Array) -> None:
        self.mask = mask

    def forward(self, x: Array, training: bool = False) -> Array:
        """y = x * mask."""
        return x * self.mask

    def backward(self, dy: Array) -> Array:
        """dx = dy * mask."""
        return dy * self.mask


class FixedNoise(Layer):
    """y = x + noise: the Gaussian noise of one step, again and again. Shapes: x, y, noise (N, width). dx = dy."""

    def __init__(self, noise: Array) -> None:
        self.noise = noise

    def forward(self, x: Array, training: bool = False) -> Array:
        """y = x + noise."""
        return x + self.noise

    def backward(self, dy: Array) -> Array:
        """dx = dy."""
        return dy


def check(trace: Trace, parameter: str, index: int | tuple[int, ...]) -> Entry:
    """Compare one entry of a parameter's gradient, or of that of x, as `Trace.check` says."""
    net = trace.net.copy("float64")
    for traced in trace.layers:
        kind = type(net.layers[traced.index])
        if issubclass(kind, Dropout) and traced.local is not None:
            net.layers[traced.index] = FixedMask(traced.local.astype(np.float64))
        elif issubclass(kind, GaussianNoise):
            net.layers[traced.index] = FixedNoise(traced.output.astype(np.float64) - traced.input)
    entry = _entry(trace, parameter, index)
    return GradientProbe(net, trace.x, trace.t, trace.objective).check(parameter, entry)


def _entry(trace: Trace, parameter: str, index: int | tuple[int, ...]) -> tuple[int, ...]:
    """The index as a tuple that fits."""
    if parameter != "x" and parameter not in trace.parameters:
        raise ValueError(f"there is no parameter {parameter!r}; there are {', '.join(trace.parameters)} and x")
    shape = trace.x.shape if parameter == "x" else trace.parameters[parameter].before.shape
    numbers = np.atleast_1d(index)
    entry = tuple(numbers.tolist())
    if parameter == "x" and len(entry) == len(trace.x) == 1:
        entry = (0, *entry)
    fits = numbers.dtype.kind in "iu" and len(entry) == len(shape)
    if not fits or not all(0 <= i < size for i, size in zip(entry, shape, strict=True)):
        raise ValueError(f"{parameter} has shape {shape}, counted from 0: it has no entry {index!r}")
    return entry
