"""QuantileNormalize as ONNX: no operator looks a value up in a sorted table, so it is a binary search, unrolled."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from glassnet.nn import QuantileNormalize

if TYPE_CHECKING:
    from glassnet.exchange.graph import Graph


def quantile_normalize(graph: Graph, layer: QuantileNormalize, x: str) -> str:
    """y = level[a] + (level[b] - level[a]) * (x - knot[a]) / (knot[b] - knot[a]), column by column.

    a is the last knot that is <= x, b the first that is >= x; beyond the outermost knots both are the outermost. Where
    knot[a] = knot[b], x is a knot, or one of several that coincide: y is the middle of level[a] and level[b].
    """
    met = layer.met_by(graph.types[x])
    precise = np.result_type(met, graph.dtype)
    x = graph.cast(x, precise)
    count, width = met.shape
    size = 2 ** count.bit_length()  # of each column's part of the table: an unused place, the knots, then infinity
    table = np.full((width, size), np.inf, precise)
    table[:, 1 : count + 1] = met.T
    levels = graph.constant(np.concatenate([[0], layer.levels[:, 0]]).astype(precise))
    knots, begin = graph.constant(table.ravel()), np.arange(width)[None] * size

    def last(comparison: str, outcome: bool) -> str:
        """The place of each column's last knot for which x compares so, or the unused one before the knots."""
        place, step = graph.constant(begin), size // 2
        while step:
            further = graph.add("Add", place, step)
            compared = graph.add(comparison, x, graph.add("Gather", knots, further))
            place = graph.add("Where", compared, *((further, place) if outcome else (place, further)))
            step //= 2
        return place

    # Of NaN, each comparison is false: a is the first knot, b the last, and y is NaN.
    a = graph.add("Min", graph.add("Max", last("GreaterOrEqual", True), begin + 1), begin + count)
    b = graph.add("Min", graph.add("Add", last("LessOrEqual", False), 1), begin + count)
    knot_a, knot_b = (graph.add("Gather", knots, place) for place in (a, b))
    level_a, level_b = (graph.add("Gather", levels, graph.add("Sub", place, begin)) for place in (a, b))
    run, rise = graph.add("Sub", knot_b, knot_a), graph.add("Sub", level_b, level_a)
    share = graph.add("Div", graph.add("Sub", x, knot_a), run)
    share = graph.add("Where", graph.add("Equal", run, 0.0), 0.5, share)
    return graph.cast(graph.add("Add", level_a, graph.add("Mul", rise, share)), graph.dtype)
