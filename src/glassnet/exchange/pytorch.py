"""Weights from PyTorch: a state_dict, as a safetensors file or a mapping, into a network of the same shape."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from glassnet.data.checks import blaming
from glassnet.extras import need
from glassnet.files import regular
from glassnet.nn import BatchNorm, Dense, Layer, LayerNorm, Network
from glassnet.nn.layer import Array

Tensors = dict[str, Array]  # tensors of one module, by the word after its name: "weight", "bias", "running_mean", ...
# For each of our layers: its arrays, the tensors that these are, and the value of a tensor that may be left out.
TAKEN: dict[type[Layer], dict[str, tuple[str, int | None]]] = {
    Dense: {"W": ("weight", None), "b": ("bias", 0)},
    BatchNorm: {
        "gamma": ("weight", 1),
        "beta": ("bias", 0),
        "running_mean": ("running_mean", None),
        "running_var": ("running_var", None),
    },
    LayerNorm: {"gamma": ("weight", 1), "beta": ("bias", 0)},
}
THEIRS: dict[type[Layer], str] = {Dense: "Linear", BatchNorm: "BatchNorm1d", LayerNorm: "LayerNorm"}


def load_pytorch(net: Network, source: str | os.PathLike[str] | Mapping[str, Any]) -> None:
    """Set the weights of a network to those of a PyTorch model with the same Linear, BatchNorm1d and LayerNorm layers.

    source: a state_dict saved by safetensors.torch.save_file, or a mapping of names to arrays or tensors, such as
    model.state_dict(). The first Linear goes to the first Dense, and so on for each kind of layer. Weights (out, in)
    are transposed. Layers are in the order of the mapping. A file keeps no order, so its layers are in the order of the
    numbers in their names ("fc2.weight" comes before "fc10.weight"). A Linear without bias gives zeros. Settings that
    aren't in a state_dict must agree already: activations, eps, the slope of LeakyReLU (0.01 in both).

    Raises ValueError, and leaves the network as it was, if something doesn't fit or the file is no safetensors file. A
    pickle (.pt, .pth) is never loaded. Raises OSError if the file can't be read.
    """
    if isinstance(source, Mapping):
        _set(net, source)
    else:
        with blaming(source):
            _set(net, _read(source))


def _set(net: Network, tensors: Mapping[str, Any]) -> None:
    """Do as `load_pytorch`, with the tensors of a model by their names."""
    found = _modules(tensors)
    wanted: dict[type[Layer], list[tuple[int, Layer]]] = {kind: [] for kind in TAKEN}
    for i, layer in enumerate(net.layers):
        if type(layer) in TAKEN:
            wanted[type(layer)].append((i, layer))
        elif layer.size:
            raise ValueError(f"layer {i}, {layer!r}, has no counterpart in PyTorch: set its parameters yourself")
    for kind, layers in wanted.items():
        if len(layers) != len(found[kind]):
            names = f" ({', '.join(found[kind])})" if found[kind] else ""
            raise ValueError(
                f"the network has {len(layers)} {kind.__name__},"
                f" the state_dict {len(found[kind])} {THEIRS[kind]}{names}"
            )
    arrays = [
        array
        for kind, layers in wanted.items()
        for (i, layer), (name, tensors) in zip(layers, found[kind].items(), strict=True)
        for array in _fitting(i, layer, name, tensors)
    ]
    net.set_arrays(net.arrays() | dict(arrays))


def _fitting(i: int, layer: Layer, module: str, tensors: Tensors) -> Iterator[tuple[str, Array]]:
    """Yield a layer's arrays, by their names in the network, from a module's tensors."""
    for ours, (theirs, default) in TAKEN[type(layer)].items():
        shape = getattr(layer, ours).shape
        if theirs not in tensors and default is not None:
            yield f"{i}.{ours}", np.full(shape, default, float)
            continue
        name = f"{module}.{theirs}".lstrip(".")
        if theirs not in tensors:
            raise ValueError(f"the state_dict lacks {name}, which layer {i}, {layer!r}, needs")
        found, expected = tensors[theirs], shape[::-1]
        if found.shape != expected:
            raise ValueError(
                f"layer {i}, {layer!r}, takes a {theirs} of shape {expected}, but {name} has shape {found.shape}"
            )
        yield f"{i}.{ours}", found.T


def _modules(tensors: Mapping[str, Any]) -> dict[type[Layer], dict[str, Tensors]]:
    """Group a state_dict by kind of layer and module, in the order of the layers."""
    modules: dict[str, Tensors] = {}
    for name, tensor in tensors.items():
        module, _, what = name.rpartition(".")
        if what != "num_batches_tracked":
            modules.setdefault(module, {})[what] = _array(name, tensor)
    kinds: dict[type[Layer], dict[str, Tensors]] = {kind: {} for kind in TAKEN}
    for module, parts in modules.items():
        kinds[_kind(module, parts)][module] = parts
    if list(tensors) == sorted(tensors):  # as files have them; PyTorch's own order has weight before bias
        return {kind: _in_order(found) for kind, found in kinds.items()}
    return kinds


def _kind(module: str, parts: Tensors) -> type[Layer]:
    unknown = set(parts) - {"weight", "bias", "running_mean", "running_var"}
    if not unknown and "running_mean" in parts:
        return BatchNorm
    dimensions = parts["weight"].ndim if "weight" in parts else 0
    if unknown or dimensions not in (1, 2):
        raise ValueError(
            f"{module or 'the model'} is no Linear, BatchNorm1d or LayerNorm: it has"
            f" {', '.join(f'{name} {array.shape}' for name, array in parts.items())}"
        )
    return Dense if dimensions == 2 else LayerNorm


def _in_order(modules: dict[str, Tensors]) -> dict[str, Tensors]:
    """Sort modules by the numbers in their names; raise ValueError if neither names nor shapes decide the order."""
    seen: dict[object, str] = {}
    for name, parts in modules.items():
        shape = parts.get("weight", parts.get("running_mean")).shape  # type: ignore[union-attr]
        other = seen.setdefault(shape, name)
        if re.sub(r"\d+", "", name) != re.sub(r"\d+", "", other):
            raise ValueError(
                f"which comes first, {other} or {name}? Both have shape {shape}, and a file keeps no order: give"
                " load_pytorch a mapping with names such as 0.weight, 0.bias, 1.weight"
            )
    return {
        name: modules[name]
        for name in sorted(modules, key=lambda name: [int(p) if p.isdigit() else p for p in re.split(r"(\d+)", name)])
    }


def _array(name: str, tensor: Any) -> Array:
    """A tensor as float64."""
    try:
        array = np.asarray(tensor)
    except (TypeError, RuntimeError) as error:  # PyTorch's, for bfloat16 or a graphics card
        raise ValueError(f"{name} can't be read as an array: {error}") from None
    if array.dtype.kind != "f":
        raise ValueError(f"{name} holds {array.dtype}, not float32 or float64: take the weights of model.float()")
    return array.astype(np.float64)


def _read(path: str | os.PathLike[str]) -> dict[str, Array]:
    """The tensors of a safetensors file."""
    need("core", "safetensors")
    from safetensors import SafetensorError, safe_open

    with regular(path).open("rb"):  # a missing or unreadable file is an OSError with its name
        pass
    try:
        with safe_open(path, framework="numpy") as file:
            return {name: file.get_tensor(name) for name in sorted(file.keys())}
    except (SafetensorError, TypeError, ValueError) as error:
        raise ValueError(
            f"{os.fspath(path)} can't be read ({error}): save the weights by"
            " safetensors.torch.save_file(model.float().state_dict(), path); a pickle is never loaded"
        ) from None
