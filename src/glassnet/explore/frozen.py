"""A trained network as the kernels in a page read it: of each layer the fields of its structure in C, and its arrays.

The page (static/frozen.js) puts them into its memory, and runs a row through one layer after the other.
"""

from __future__ import annotations

import base64
import math
from typing import Any

import numpy as np
import numpy.typing as npt

from glassnet.explore.catalog import fields
from glassnet.explore.encoding import packed
from glassnet.explore.engine import FILE
from glassnet.fast.kernels import KERNELS, Kernel
from glassnet.fast.preparing import STEPS, facts
from glassnet.fast.structures import DOUBLES, CGroup, CLayer, COptimizer, CPreparation, CStep
from glassnet.nn import Layer, Network, Noise, Softmax, Unstandardize
from glassnet.nn.written import LETTER

SINGLE = np.dtype(np.float32)  # what the kernels in a page compute in
ALONE = (Softmax, Unstandardize)  # that the page has a function of its own for


def frozen(net: Network, width: int, seen: np.dtype[Any]) -> dict[str, Any]:
    """Return the kernels, and the layers for raw rows of a width and a type.

    Layers that prepare a row are in double precision, the others in single precision, whatever the network's is. Raises
    ValueError if there is no kernel for a layer.
    """
    layers, given = [], seen
    singles = net if net.dtype == SINGLE else net.copy(SINGLE)
    for layer, single in zip(net.layers, singles.layers, strict=True):
        found, seen = _layer(layer, single, width, seen)
        layers.append(_said(layer) | found | {"n_in": width})
        width = layer.width_out(width) or width
        layers[-1]["n_out"] = width
    structures = {"Layer": CLayer, "Group": CGroup, "Optimizer": COptimizer, "Step": CStep, "Preparation": CPreparation}
    return {
        "kernels": base64.b64encode(FILE.read_bytes()).decode("ascii"),
        "structures": {name: fields(each) for name, each in structures.items()},
        "doubles": DOUBLES,
        "single": given == SINGLE,
        "layers": layers,
    }


def _said(layer: Layer) -> dict[str, Any]:
    """What the page says of a layer: its formula, and the arrays in it and those that are trained."""
    named = [name for _, name, _ in LETTER.findall(layer.formula) if name in layer.state]
    arrays = {name: packed(np.atleast_1d(getattr(layer, name))) for name in dict.fromkeys((*layer.shapes(), *named))}
    return {
        "type": type(layer).__name__,
        "config": layer.config(),
        "formula": layer.formula,
        "note": layer.note,
        "parameters": list(layer.shapes()),
        "arrays": arrays,
    }


def _layer(layer: Layer, single: Layer, width: int, seen: np.dtype[Any]) -> tuple[dict[str, Any], np.dtype[Any]]:
    """What a layer's kernel reads, and the type of the rows that the layer gives. single: it in single precision."""
    kind = type(layer)
    if kind in STEPS:
        step = facts(layer, width, seen, SINGLE)
        found = {"rounded": int(step.rounded), "size": list(step.sizes), "array": [packed(a) for a in step.arrays]}
        return {"step": found}, step.given
    if isinstance(layer, Noise):  # which is for training
        return {}, layer.dtype
    if kind in ALONE:
        return {"alone": [packed(np.asarray(getattr(layer, name), np.float64)) for name in layer.state]}, layer.dtype
    if kind not in KERNELS:
        raise ValueError(f"a page without a server can't compute {layer!r}: leave out --out, and use the server")
    return {"kernel": _kernel(single, KERNELS[kind], width)}, layer.dtype


def _kernel(layer: Layer, kernel: Kernel, width: int) -> dict[str, Any]:
    """The fields of Layer, where `memory` are numbers of bytes, for one row."""
    bytes_of: list[int] = []

    def new(*shape: int, dtype: npt.DTypeLike | None = None) -> int:
        bytes_of.append(math.prod(shape) * np.dtype(dtype or SINGLE).itemsize)
        return 0

    kernel.memory(layer, new, 1, layer.width_out(width) or width)
    return {
        "size": [int(getattr(layer, name)) for name in kernel.sizes],
        "constant": [float(getattr(layer, name)) for name in kernel.constants],
        "array": [packed(a) for a in (*(getattr(layer, name) for name in kernel.moved), *kernel.arrays(layer))],
        "memory": bytes_of,
        "scratch": kernel.scratch(layer),
    }
