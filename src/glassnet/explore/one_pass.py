"""What a forward pass alone tells: the equation of a unit, and probabilities."""

from __future__ import annotations

from collections.abc import Sequence
from types import SimpleNamespace
from typing import cast

import numpy as np

from glassnet.explore.course import RunningNorm
from glassnet.inspection import Trace
from glassnet.inspection.trace_equation import Equation
from glassnet.inspection.trace_equation import equation as equation_of
from glassnet.nn import Layer, Network, Sigmoid, Softmax
from glassnet.nn.activations import logistic
from glassnet.nn.layer import Array


def equation(net: Network, values: Sequence[Array], layer: int, unit: int) -> tuple[str, Equation]:
    """Write how an output of a layer came about, without the step of learning that `gn.trace` makes.

    values: a row before, between and after the layers, (1, width) each. net: one that is `in_use`. Also returned are
    the numbers of the equation.
    """
    seen = [
        SimpleNamespace(name=repr(it), input=x, output=y, local=None)
        for it, x, y in zip(net.layers, values[:-1], values[1:], strict=True)
    ]
    # The part of a trace that an equation is made of.
    found = equation_of(cast(Trace, SimpleNamespace(net=net, x=values[0], layers=seen)), layer, unit)
    it = net.layers[layer]
    text = it.written(float(values[layer][0, unit]), unit) if isinstance(it, RunningNorm) else str(found)
    return text, found


def probabilities(last: Layer, y: Array) -> Array:
    """Return the probabilities (N, classes) for outputs y of the last layer, as `Network.predict_proba` does."""
    if y.shape[1] > 1:
        return y if isinstance(last, Softmax) else Softmax().forward(y)
    p = y if isinstance(last, Sigmoid) else logistic(y, out=np.empty_like(y))
    return np.concatenate([1 - p, p], axis=1)
