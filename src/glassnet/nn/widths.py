"""Whether layers fit together: each must give the width that the next one takes."""

from __future__ import annotations

from collections.abc import Sequence

from glassnet.nn.layer import Layer
from glassnet.nn.preprocessing import Preprocessing


def check_widths(layers: Sequence[Layer]) -> tuple[int | None, int | None]:
    """Return the widths of rows before the first and after the last layer; None if only fitting decides it.

    Raises TypeError for an entry that is no layer, ValueError for layers that don't fit together.
    """
    if not layers:
        raise ValueError("a network needs at least one layer")
    n_in: int | None = None
    width: int | None = None
    raw = True
    seen: set[int] = set()
    for i, layer in enumerate(layers):
        if not isinstance(layer, Layer):
            raise TypeError(f"layer {i} is {layer!r}: not a layer such as gn.Dense(784, 10)")
        if layer.reuse_buffers or id(layer) in seen:
            raise ValueError(f"layer {i}, {layer!r}, is in a network already: make another, or copy that network")
        seen.add(id(layer))
        raw = raw and (i == 0 or isinstance(layers[i - 1], Preprocessing))
        if isinstance(layer, Preprocessing) and not raw:
            raise ValueError(f"layer {i}, {layer!r}, takes raw rows: it comes before all other layers")
        if None not in (layer.width_in, width) and layer.width_in != width:
            raise ValueError(
                f"layer {i}, {layer!r}, takes rows of {layer.width_in} values, but layer {i - 1},"
                f" {layers[i - 1]!r}, gives rows of {width}"
            )
        n_in = layer.width_in if n_in is None else n_in
        width = layer.width_out(layer.width_in if width is None else width)
    return n_in, width
