"""How each layer is written as ONNX, in inference mode: one function a layer, with the arithmetic of its `forward`.

Where one operator would do the whole layer and several are used, ONNX Runtime's kernel for it either doesn't exist in
float64, or loses digits: the functions say which.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from glassnet.exchange import tables
from glassnet.exchange.quantiles import quantile_normalize
from glassnet.nn import (
    GELU,
    BatchNorm,
    CategoryEmbedding,
    Columns,
    Dense,
    Dropout,
    Exp,
    GaussianNoise,
    Layer,
    LayerNorm,
    LeakyReLU,
    Noise,
    Periodic,
    PiecewiseLinear,
    QuantileNormalize,
    ReLU,
    RobustScale,
    Rotations,
    Sigmoid,
    SiLU,
    Softmax,
    Standardize,
    Tanh,
    TargetMeans,
    Unstandardize,
)

if TYPE_CHECKING:
    from glassnet.exchange.graph import Graph


def dense(graph: Graph, layer: Dense, x: str) -> str:
    """y = x W + b. ONNX Runtime joins both; before 1.18 it fails on Gemm and an activation in float64."""
    return graph.add("Add", graph.add("MatMul", x, layer.W), layer.b)


def relu(graph: Graph, layer: ReLU, x: str) -> str:
    """y = max(x, 0)."""
    return graph.add("Relu", x)


def leaky_relu(graph: Graph, layer: LeakyReLU, x: str) -> str:
    """y = x where x > 0, else slope * x. LeakyRelu has no kernel in float64."""
    return graph.add("Where", graph.add("Greater", x, 0.0), x, graph.add("Mul", x, layer.slope))


def sigmoid(graph: Graph, layer: Sigmoid, x: str) -> str:
    """y = 1 / (1 + exp(-x))."""
    return graph.add("Sigmoid", x)


def tanh(graph: Graph, layer: Tanh, x: str) -> str:
    """y = tanh(x)."""
    return graph.add("Tanh", x)


def gelu(graph: Graph, layer: GELU, x: str) -> str:
    """y = x * (1 + erf(x / sqrt 2)) / 2. Erf has no kernel in float64: P(x) is then right to 1e-7."""
    error = graph.cast(graph.add("Mul", x, 1 / math.sqrt(2)), np.float32)
    twice = graph.add("Add", graph.cast(graph.add("Erf", error), graph.types[x]), 1.0)
    return graph.add("Mul", graph.add("Mul", x, 0.5), twice)


def silu(graph: Graph, layer: SiLU, x: str) -> str:
    """y = x / (1 + exp(-x)). Far below 0, Sigmoid isn't small enough to be multiplied by x."""
    return graph.add("Div", x, graph.add("Add", graph.add("Exp", graph.add("Neg", x)), 1.0))


def exp(graph: Graph, layer: Exp, x: str) -> str:
    """y = exp(x)."""
    return graph.add("Exp", x)


def softmax(graph: Graph, layer: Softmax, x: str) -> str:
    """y = exp(x) / sum exp(x), row by row."""
    return graph.add("Softmax", x, axis=1)


def noise(graph: Graph, layer: Noise, x: str) -> str:
    """y = x."""
    return x


def batch_norm(graph: Graph, layer: BatchNorm, x: str) -> str:
    """y = (x - mean) * gamma / std + beta. BatchNormalization takes mean * gamma / std off, which may be huge."""
    centred = graph.add("Sub", x, layer.running_mean)
    std = np.sqrt(layer.running_var.astype(graph.dtype) + layer.eps)
    return graph.add("Add", graph.add("Mul", centred, layer.gamma / std), layer.beta)


def layer_norm(graph: Graph, layer: LayerNorm, x: str) -> str:
    """y = gamma * (x - mean) / std + beta. LayerNormalization takes mean^2 off mean(x^2), which may be huge."""
    row, width = graph.constant(np.array([1])), float(layer.gamma.size)
    centred = graph.add("Sub", x, graph.add("Div", graph.add("ReduceSum", x, row), width))
    variance = graph.add("Div", graph.add("ReduceSum", graph.add("Mul", centred, centred), row), width)
    x_hat = graph.add("Div", centred, graph.add("Sqrt", graph.add("Add", variance, layer.eps)))
    return graph.add("Add", graph.add("Mul", x_hat, layer.gamma), layer.beta)


def standardize(graph: Graph, layer: Standardize, x: str) -> str:
    """y = (x - mean) / scale, the difference in the more precise of the row's and the network's type."""
    precise = np.result_type(graph.types[x], graph.dtype)
    centred = graph.add("Sub", graph.cast(x, precise), layer.mean)
    return graph.add("Div", graph.cast(centred, graph.dtype), layer.scale)


def unstandardize(graph: Graph, layer: Unstandardize, x: str) -> str:
    """y = mean + scale * x, in float64, within its bounds."""
    y = graph.add("Add", graph.add("Mul", graph.cast(x, np.float64), layer.scale), layer.mean)
    return y if layer.margin is None else graph.add("Min", graph.add("Max", y, layer.low), layer.high)


LAYERS: dict[type[Layer], Callable[[Graph, Any, str], str]] = {
    Dense: dense, ReLU: relu, LeakyReLU: leaky_relu, Sigmoid: sigmoid, Tanh: tanh, GELU: gelu, SiLU: silu,
    Exp: exp, Softmax: softmax, Dropout: noise, GaussianNoise: noise, BatchNorm: batch_norm, LayerNorm: layer_norm,
    Standardize: standardize, QuantileNormalize: quantile_normalize, Unstandardize: unstandardize,
    Columns: tables.columns, RobustScale: tables.robust_scale, Rotations: tables.rotations,
    TargetMeans: tables.target_means,
    PiecewiseLinear: tables.piecewise_linear, Periodic: tables.periodic,
    CategoryEmbedding: tables.category_embedding,
}  # fmt: skip


def write_layer(graph: Graph, layer: Layer, x: str) -> str:
    """Add a layer to the graph, after the value x, and return the name of its result.

    A user's own layer has a method onnx(graph, x) that does so. Raises ValueError if it has none.
    """
    own = getattr(layer, "onnx", None)
    if own is not None:
        return str(own(graph, x))
    if type(layer) not in LAYERS:
        raise ValueError(
            f"{layer!r} can't be written as ONNX: give {type(layer).__name__} a method onnx(self, graph, x), see"
            " CONTRIBUTING.md"
        )
    return LAYERS[type(layer)](graph, layer, x)
