"""The local derivative of a layer, dy/dx: an array where each value acts on itself alone, else the rule in words."""

from __future__ import annotations

import numpy as np

from glassnet.nn import Layer
from glassnet.nn.layer import Array


def local_derivative(layer: Layer, y: Array) -> Array | None:
    """Return dy/dx (N, width) at the latest forward, of output y, of an elementwise layer: its `backward` of ones."""
    return layer.backward(np.ones_like(y)).copy() if layer.elementwise else None


def derivative(layer: Layer) -> str:
    """Return the rule that turns dy into dx: the docstring of the layer's `backward`."""
    kind = type(layer)
    rule = (kind.backward.__doc__ or f"as {kind.__name__}.backward says").partition("\n")[0]
    return f"elementwise: {rule}" if layer.elementwise else rule
