"""The mean answer of an ensemble as ONNX."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from glassnet.nn.mean import Mean

if TYPE_CHECKING:
    from glassnet.exchange.graph import Graph  # which needs onnx


def write_mean(graph: Graph, mean: Mean, outputs: list[str]) -> str:
    """Add the mean of the networks' outputs (N, n_out), and return its name: see `glassnet.nn.mean`."""
    shares = mean.shares.astype(graph.dtype)

    def averaged(values: list[str]) -> str:
        return graph.add("Sum", *(graph.add("Mul", y, share) for y, share in zip(values, shares, strict=True)))

    def logarithm(value: str) -> str:
        return graph.add("Log", graph.add("Max", value, float(np.finfo(graph.dtype).tiny)))

    def sigmoid(value: str) -> str:  # ONNX Runtime's own ends at some 1e-8
        return graph.add("Reciprocal", graph.add("Add", graph.add("Exp", graph.add("Neg", value)), 1.0))

    if mean.of == "values":
        return averaged(outputs)
    if mean.of == "classes":
        return logarithm(averaged([graph.add("Softmax", y, axis=1) for y in outputs]))
    rest = averaged([sigmoid(graph.add("Neg", y)) for y in outputs])
    return graph.add("Sub", logarithm(averaged([sigmoid(y) for y in outputs])), logarithm(rest))
