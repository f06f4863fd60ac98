"""One gradient entry of a trace beside the central difference of the loss."""

from __future__ import annotations

import numpy as np

from glassnet.inspection.step import TracedStep
from glassnet.nn import Layer, Noise
from glassnet.nn.gradcheck import Entry, GradientProbe
from glassnet.nn.layer import Array


class FixedNoise(Layer):
    """y = x * mask + shift: the noise of one step, again and again.

    Shapes: x, y, mask, shift (N, width). Backward: dx = dy * mask.
    """

    def __init__(self, mask: Array, shift: Array) -> None:
        self.mask: Array = mask
        self.shift: Array = shift

    def forward(self, x: Array, training: bool = False) -> Array:
        """y = x * mask + shift."""
        return x * self.mask + self.shift

    def backward(self, dy: Array) -> Array:
        """dx = dy * mask."""
        return dy * self.mask


def check_entry(trace: TracedStep, parameter: str, index: int | tuple[int, ...]) -> Entry:
    """Compare one entry of a parameter's gradient, or of that of x, as `Trace.check` says."""
    net = trace.net.copy("float64")
    for traced in trace.layers:
        if isinstance(net.layers[traced.index], Noise) and traced.local is not None:
            mask = traced.local.astype(np.float64)
            net.layers[traced.index] = FixedNoise(mask, traced.output - traced.input * mask)
    entry = _entry(trace, parameter, index)
    return GradientProbe(net, trace.x, trace.t, trace.objective).check(parameter, entry)


def _entry(trace: TracedStep, parameter: str, index: int | tuple[int, ...]) -> tuple[int, ...]:
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
