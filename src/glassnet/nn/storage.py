"""Networks as files: weights and preprocessing as safetensors, the layers as JSON in its header. No pickle is read."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from typing import Any

import numpy as np

from glassnet.files import replacing
from glassnet.nn.layer import Array, Layer
from glassnet.nn.network import Network


def write_arrays(path: str | os.PathLike[str], arrays: dict[str, Array], header: dict[str, Any]) -> None:
    """Write named arrays and a JSON header to one safetensors file, atomically."""
    from safetensors.numpy import save

    whole = {name: np.ascontiguousarray(array) for name, array in arrays.items()}
    # Through our own file object: a full disk is then an OSError like any other.
    with replacing(path) as part, part.open("wb") as file:
        file.write(save(whole, metadata={"glassnet": json.dumps(header)}))


def read_arrays(path: str | os.PathLike[str]) -> tuple[dict[str, Array], dict[str, Any]]:
    """Read what `write_arrays` wrote. Raises ValueError if the file is anything else, truncated or damaged."""
    from safetensors import SafetensorError, safe_open

    with open(path, "rb"):  # noqa: PTH123  a missing or unreadable file is an OSError with its name
        pass
    try:
        with safe_open(path, framework="numpy") as file:
            header = json.loads((file.metadata() or {})["glassnet"])
            return {name: file.get_tensor(name) for name in file.keys()}, header  # noqa: SIM118  not a dict
    except (SafetensorError, KeyError, ValueError) as error:
        raise ValueError(f"{os.fspath(path)} is not a file that glassnet wrote, or it is damaged ({error})") from None


def describe(net: Network) -> dict[str, Any]:
    """Describe a network without its numbers, as JSON can hold it."""
    layers = [{"type": type(layer).__name__, **layer.config()} for layer in net.layers]
    return {"layers": layers, "dtype": net.dtype.name, "seed": net.seed, "info": net.info}


def arrays_of(net: Network) -> dict[str, Array]:
    """Everything that a network has learned: parameters and fitted state by name, such as "1.W" or "0.mean"."""
    return {name: value for name, value, _ in net.named_parameters()} | net.state()


def set_arrays(net: Network, arrays: dict[str, Array]) -> None:
    """Take what `arrays_of` returned; names with a slash, which others have added, are passed over.

    Raises KeyError for a parameter that is missing, ValueError for one of another shape.
    """
    parameters = {name: value for name, value, _ in net.named_parameters()}
    for name, value in parameters.items():
        if arrays[name].shape != value.shape:
            raise ValueError(f"{name} has shape {arrays[name].shape}, the network's has {value.shape}")
        value[...] = arrays[name]
    net.set_state({name: a for name, a in arrays.items() if name not in parameters and "/" not in name})


def save(net: Network, path: str | os.PathLike[str]) -> None:
    """Write a network to one safetensors file, atomically."""
    write_arrays(path, arrays_of(net), {"network": describe(net)})


def load(path: str | os.PathLike[str]) -> Network:
    """Read a network that `save` wrote. Raises ValueError if the file is anything else, or damaged."""
    arrays, header = read_arrays(path)
    try:
        description = header["network"]
        types = dict(_layer_types(Layer))
        layers = [types[entry.pop("type")](**entry) for entry in description["layers"]]
        net = Network(layers, description["dtype"], description["seed"])
        net.info = description["info"]
        set_arrays(net, arrays)
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{os.fspath(path)} does not hold a network of this version of glassnet ({error})") from None
    return net


def _layer_types(base: type[Layer]) -> Iterator[tuple[str, type[Layer]]]:
    """Every layer class that has been imported, one's own included, by name."""
    for layer in base.__subclasses__():
        yield layer.__name__, layer
        yield from _layer_types(layer)
