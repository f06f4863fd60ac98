"""The local derivative of a layer, dy/dx: an array where each value acts on itself alone, else the rule in words."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from glassnet.nn import (
    Activation,
    BatchNorm,
    CategoryEmbedding,
    Dense,
    Layer,
    LayerNorm,
    MemberHeads,
    Members,
    MemberScale,
    Noise,
    Periodic,
    PiecewiseLinear,
    QuantileNormalize,
    RobustScale,
    Softmax,
    Standardize,
    Unstandardize,
)
from glassnet.nn.layer import Array

ELEMENTWISE = (Activation, Noise, Standardize, Unstandardize, QuantileNormalize, RobustScale)

# By the method that computes it: a subclass with a backward of its own has a rule of its own.
RULES: dict[Callable[..., Array], str] = {
    Dense.backward: "dy/dx = W^T, the same for each row: dx = dy W^T",
    Softmax.backward: "dy/dx = diag(y) - y y^T for each row: dx = y * (dy - sum of dy * y)",
    BatchNorm.backward: "each value acts on its whole column, through mean and variance of the batch",
    LayerNorm.backward: "each value acts on its whole row, through the row's mean and variance",
    PiecewiseLinear.backward: "each feature acts on its own values alone, with the slope of the bin that it lies in",
    Periodic.backward: "each feature acts on its own values alone, through the waves of its frequencies",
    CategoryEmbedding.backward: "each category acts on its column's values, through its own row of W",
    Members.backward: "each value acts on every member: dx = sum over members of dy * r",
    MemberScale.backward: "dx = dy * s, with the member's own s",
    MemberHeads.backward: "dy/dx = W^T of the member: dx = dy W^T",
}


def local_derivative(layer: Layer, y: Array) -> Array | None:
    """Return dy/dx (N, width) at the latest forward, of output y, of an elementwise layer: its `backward` of ones."""
    if not isinstance(layer, ELEMENTWISE) or isinstance(layer, Softmax):
        return None
    return layer.backward(np.ones_like(y)).copy()


def derivative(layer: Layer, local: Array | None) -> str:
    """Say how dx comes of dy."""
    if local is not None:
        return "elementwise: dx = dy * dy/dx"
    return RULES.get(type(layer).backward, f"as {type(layer).__name__}.backward says")
