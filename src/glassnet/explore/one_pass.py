"""The equation of a unit, by what a forward pass alone tells."""

from __future__ import annotations

from collections.abc import Sequence

from glassnet.explore.course import RunningNorm
from glassnet.inspection.trace_equation import Equation, layer_equation
from glassnet.nn import Network
from glassnet.nn.layer import Array


def equation(net: Network, values: Sequence[Array], layer: int, unit: int) -> tuple[str, Equation]:
    """Write how an output of a layer came about, without the step of learning that `gn.trace` makes.

    values: a row before, between and after the layers, (1, width) each. net: one that is `in_use`. Also returned are
    the numbers of the equation. Raises ValueError if there is no such layer or unit.
    """
    if not 0 <= layer < len(net.layers):
        raise ValueError(f"the network has layers 0 to {len(net.layers) - 1}, so there is no layer {layer}")
    it = net.layers[layer]
    found = layer_equation(it, layer, values[layer], values[layer + 1], unit)
    text = it.written(float(values[layer][0, unit]), unit) if isinstance(it, RunningNorm) else str(found)
    return text, found
