"""Layers from their description in a file. A file names them by type, and gives their constructors' arguments."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from reprlib import repr as short
from typing import Any

import numpy as np

from glassnet.nn import declared
from glassnet.nn.layer import Array, Layer

DTYPES = (np.dtype(np.float32), np.dtype(np.float64))  # of networks


def layer_types(base: type[Layer] = Layer) -> Iterator[tuple[str, type[Layer]]]:
    """Yield every layer class that a file may name, the library's own last, so that they win.

    These are all imported layers that compute something. Of the library's own, they are those of this room.
    """
    for layer in sorted(base.__subclasses__(), key=lambda layer: layer.__module__.startswith("glassnet.")):
        yield from layer_types(layer)
        private = layer.__module__.startswith("glassnet.") and not layer.__module__.startswith("glassnet.nn.")
        if layer.forward is not Layer.forward and not private:
            yield layer.__name__, layer


def described_layers(description: Mapping[str, Any], arrays: Mapping[str, Array]) -> tuple[list[Layer], np.dtype[Any]]:
    """Return the layers and the dtype that `Network.describe` described; the layers have no memory yet.

    Raises ValueError unless the arrays hold all their parameters, so a network is never larger than its file. Other
    faults of a description raise any error.
    """
    types = dict(layer_types())
    unknown = next((entry["type"] for entry in description["layers"] if entry["type"] not in types), None)
    if unknown is not None:
        raise ValueError(f"its layer {unknown} is unknown: import the module that defines it first")
    dtype = next((dtype for dtype in DTYPES if dtype.name == description["dtype"]), None)
    if dtype is None:
        raise ValueError(f"its dtype is {short(description['dtype'])}")
    layers = [
        types[entry["type"]](**{name: value for name, value in entry.items() if name != "type"})
        for entry in description["layers"]
    ]
    declared.check_parameters(layers, arrays, dtype)
    return layers, dtype
