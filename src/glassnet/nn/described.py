"""Layers from their description in a file. A file names them by type, and gives their constructors' arguments."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from reprlib import repr as short
from typing import Any

import numpy as np

from glassnet.nn import declared
from glassnet.nn.layer import Array, Layer

# Of a network's parameters, by the precision that it is made with. bfloat16 is that of products alone, see bfloat16.py.
DTYPES = {name: np.dtype(kept) for name, kept in [("float32", "f4"), ("float64", "f8"), ("bfloat16", "f4")]}


def layer_types(base: type[Layer] = Layer) -> Iterator[tuple[str, type[Layer]]]:
    """Yield every layer class that a file may name, the library's own last, so that they win.

    These are all imported layers that compute something. Of the library's own, they are those of this room.
    """
    for layer in sorted(base.__subclasses__(), key=lambda layer: layer.__module__.startswith("glassnet.")):
        yield from layer_types(layer)
        private = layer.__module__.startswith("glassnet.") and not layer.__module__.startswith("glassnet.nn.")
        if layer.forward is not Layer.forward and not private:
            yield layer.__name__, layer


def described_layers(description: Mapping[str, Any], arrays: Mapping[str, Array]) -> tuple[list[Layer], str]:
    """Return the layers and the precision that `Network.describe` described; the layers have no memory yet.

    Raises ValueError unless the arrays hold all their parameters, so a network is never larger than its file. Other
    faults of a description raise any error.
    """
    types = dict(layer_types())
    unknown = next((entry["type"] for entry in description["layers"] if entry["type"] not in types), None)
    if unknown is not None:
        raise ValueError(f"its layer {unknown} is unknown: import the module that defines it first")
    precision = description["dtype"]
    if not isinstance(precision, str) or precision not in DTYPES:
        raise ValueError(f"its dtype is {short(description['dtype'])}")
    layers = [
        types[entry["type"]](**{name: value for name, value in entry.items() if name != "type"})
        for entry in description["layers"]
    ]
    declared.check_parameters(layers, arrays, DTYPES[precision])
    return layers, precision
