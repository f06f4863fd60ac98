"""The layers for tables as ONNX: columns, robust scaling, embeddings; as exchange/layers.py."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from glassnet.nn import (
    CategoryEmbedding,
    Columns,
    Embedding,
    Periodic,
    PiecewiseLinear,
    RobustScale,
    Rotations,
    TargetMeans,
)

if TYPE_CHECKING:
    from glassnet.exchange.graph import Graph


def columns(graph: Graph, layer: Columns, x: str) -> str:
    """Numbers, cycles, marks of missing values, and a column of 0 and 1 for each category, side by side."""
    x = graph.cast(x, np.float64)
    parts = []
    if layer.numbers:
        centred = graph.add("Sub", graph.add("Gather", x, np.array(layer.numbers), axis=1), layer.median[layer.numbers])
        scaled = graph.add("Div", centred, layer.scale[layer.numbers])
        parts.append(graph.add("Where", graph.add("IsNaN", scaled), 0.0, scaled))
    if layer.turning:
        value = graph.add("Gather", x, np.array(layer.turning), axis=1)
        whole = graph.add("Mul", graph.add("Floor", graph.add("Div", value, layer.lengths)), layer.lengths)
        place = graph.add("Sub", graph.add("Div", graph.add("Sub", value, whole), layer.lengths), 0.5)
        parts.append(graph.add("Where", graph.add("IsNaN", place), 0.0, place))
    if layer.missing:
        missing = graph.add("IsNaN", graph.add("Gather", x, np.array(layer.missing), axis=1))
        parts.append(graph.cast(missing, np.float64))
    for j, n in enumerate(layer.categories):
        if n:
            column = graph.add("Gather", x, np.array([j]), axis=1)
            parts.append(graph.cast(graph.add("Equal", column, np.arange(float(n))[None]), np.float64))
    return graph.cast(graph.add("Concat", *parts, axis=1), graph.dtype)


def robust_scale(graph: Graph, layer: RobustScale, x: str) -> str:
    """y = z / sqrt(1 + (z / 3)^2), z = scale * (x - median), in float64, and of no |z| whose square would overflow."""
    z = graph.add("Mul", graph.add("Sub", graph.cast(x, np.float64), layer.median), layer.scale)
    z = graph.add("Min", graph.add("Max", z, -1e150), 1e150)
    third = graph.add("Div", z, 3.0)
    root = graph.add("Sqrt", graph.add("Add", graph.add("Mul", third, third), 1.0))
    return graph.cast(graph.add("Div", z, root), graph.dtype)


def rotations(graph: Graph, layer: Rotations, x: str) -> str:
    """y = [x, x A, plain], in the more precise of the row's and the network's type; the product in float64."""
    precise = np.result_type(graph.types[x], graph.dtype)
    x = graph.cast(x, np.float64)
    own = graph.add("Gather", x, np.arange(layer.width), axis=1)
    parts = [own, *([graph.add("MatMul", own, layer.A)] if layer.added else [])]
    if layer.plain:
        parts.append(graph.add("Gather", x, np.arange(layer.width, layer.width_in), axis=1))
    return graph.cast(graph.add("Concat", *parts, axis=1), precise)


def target_means(graph: Graph, layer: TargetMeans, x: str) -> str:
    """y = [x, m]: a column of 0 and 1 for each key, times how far its mean is from the prior."""
    x = graph.cast(x, np.float64)
    parts, start = [x], 0
    for j, n in zip(layer.columns, layer.sizes, strict=True):
        column = graph.add("Gather", x, np.array([j]), axis=1)
        same = graph.cast(graph.add("Equal", column, layer.keys[np.newaxis, start : start + n]), np.float64)
        parts.append(
            graph.add("Add", graph.add("MatMul", same, layer.means[start : start + n] - layer.prior), layer.prior)
        )
        start += n
    return graph.add("Concat", *parts, axis=1)


def piecewise_linear(graph: Graph, layer: PiecewiseLinear, x: str) -> str:
    """All of the encoding, most of which is 0 or 1, times W: ONNX has no way to look bins up that would be shorter."""
    edges = layer.edges.T
    used = np.isfinite(edges[:, 1:])
    low = np.where(used, edges[:, :-1], 0)
    length = np.where(used, edges[:, 1:] - low, 1)
    least, most = np.zeros(low.shape), used.astype(np.float64)
    least[:, 0] = -np.inf
    most[np.arange(layer.width), used.sum(axis=1) - 1] = np.inf
    column = graph.add("Reshape", _embedded(graph, layer, x), np.array([-1, layer.width, 1]))
    t = graph.add("Div", graph.add("Sub", graph.cast(column, np.float64), low), length)
    t = graph.cast(graph.add("Min", graph.add("Max", t, least), most), graph.dtype)
    y = graph.add("Add", _each(graph, t, layer.W), layer.bias)
    if layer.version == "B":
        y = graph.add("Add", y, graph.add("Mul", column, layer.V))
    return _with_plain(graph, layer, x, y)


def periodic(graph: Graph, layer: Periodic, x: str) -> str:
    """y = max(0, [sin z, cos z] W + b). Cos has no kernel in float64: there it is a sine."""
    column = graph.add("Reshape", _embedded(graph, layer, x), np.array([-1, layer.width, 1]))
    z = graph.add("Mul", column, layer.c * (2 * math.pi))
    single = graph.dtype == np.float32
    cosine = graph.add("Cos", z) if single else graph.add("Sin", graph.add("Add", z, math.pi / 2))
    waves = graph.add("Concat", graph.add("Sin", z), cosine, axis=2)
    return _with_plain(graph, layer, x, graph.add("Relu", graph.add("Add", _each(graph, waves, layer.W), layer.b)))


def _embedded(graph: Graph, layer: Embedding, x: str) -> str:
    return graph.add("Gather", x, np.arange(layer.width), axis=1)


def _each(graph: Graph, x: str, W: np.ndarray) -> str:
    """Return (N, m, out) of x (N, m, in) and W (m, in, out): a product for each of m."""
    return graph.add("Transpose", graph.add("MatMul", graph.add("Transpose", x, perm=[1, 0, 2]), W), perm=[1, 0, 2])


def _with_plain(graph: Graph, layer: Embedding, x: str, y: str) -> str:
    """Embedded values (N, width, dim) as rows, and behind them the columns that are passed through."""
    y = graph.add("Reshape", y, np.array([-1, layer.width * layer.dim]))
    if not layer.plain:
        return y
    plain = graph.add("Gather", x, np.arange(layer.width, layer.width + layer.plain), axis=1)
    return graph.add("Concat", y, plain, axis=1)


def category_embedding(graph: Graph, layer: CategoryEmbedding, x: str) -> str:
    """Columns that are passed through, and behind them, for each column of categories, u W."""
    parts = [graph.add("Gather", x, np.arange(layer.plain), axis=1)] if layer.plain else []
    coded = graph.cast(graph.add("Gather", x, np.arange(layer.plain, layer.width_in), axis=1), np.float64)
    u = graph.cast(graph.add("Div", graph.add("Sub", coded, layer.low), layer.scale), graph.dtype)
    for rows, _ in layer.places():
        mine = graph.add("Gather", u, np.arange(rows.start, rows.stop), axis=1)
        parts.append(graph.add("MatMul", mine, layer.W[rows]))
    return graph.add("Concat", *parts, axis=1)
