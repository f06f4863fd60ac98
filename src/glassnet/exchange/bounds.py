"""The intervals of a run in a graph: bounds around values, or sets of classes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from glassnet.exchange.networks import write_network, write_together
from glassnet.intervals import ClassSets, ValueIntervals
from glassnet.intervals.conformal import PERCENT, percent
from glassnet.intervals.values import LEAST, LEVELS, between

if TYPE_CHECKING:
    from glassnet.exchange.graph import Graph


def write_bounds(graph: Graph, found: ValueIntervals | ClassSets, coverage: float, x: str, answers: str) -> None:
    """Declare the outputs lower and upper (N, 1) for rows x and values (N, 1), or set (N, C) for probabilities (N, C).

    Raises ValueError for a coverage that isn't between 0.5 and 0.99.
    """
    graph.place, graph.dtype = "intervals", np.dtype(np.float64)
    answers = graph.cast(answers, graph.dtype)
    if isinstance(found, ClassSets):
        _write_sets(graph, found, coverage, answers)
    else:
        _write_values(graph, found, coverage, x, answers)


def _write_values(graph: Graph, found: ValueIntervals, coverage: float, x: str, answers: str) -> None:
    """As `ValueIntervals.__call__` computes them."""
    p = percent(coverage)
    mix, below, radius = found.rules[p - PERCENT[0]].tolist()
    ends = np.column_stack(between(np.eye(len(LEVELS)), p / 100, below))  # the bounds, as sums of quantiles
    bounds = graph.add("Add", graph.add("Mul", answers, 0.0), (1 - mix) * found.constant @ ends)
    if mix > 0:
        rows = graph.add("Concat", graph.cast(x, np.float64), answers, axis=1)
        quantiles = write_together(graph, found.nets, write_network(graph, found.before, rows, "rows/"), "intervals/")
        graph.place, graph.dtype = "intervals", np.dtype(np.float64)
        count = graph.constant(np.array([len(LEVELS)]))
        ordered = graph.add("TopK", graph.cast(quantiles, np.float64), count, outputs=2, axis=1, largest=0)
        bounds = graph.add("Add", bounds, graph.add("MatMul", ordered, mix * ends))
    low, high = (graph.add("Gather", bounds, graph.constant(np.array([i])), axis=1) for i in (0, 1))
    grown = graph.add("Mul", graph.add("Max", graph.add("Sub", high, low), np.array(LEAST)), radius)
    low, high = graph.add("Sub", low, grown), graph.add("Add", high, grown)
    for name, op in (("lower", "Min"), ("upper", "Max")):
        bound = graph.add("Add", answers, graph.add("Mul", graph.add(op, low, high), found.scale))
        ended = graph.add("Clip", bound, np.array(found.low), np.array(found.high))
        graph.output(name, ended, ["N", 1], f"{name} bound: both hold {p}% of the values between them")


def _write_sets(graph: Graph, found: ClassSets, coverage: float, probabilities: str) -> None:
    """As `ClassSets.__call__` computes them."""
    p = percent(coverage)
    least = found.least[p - PERCENT[0]]
    enough = graph.add("GreaterOrEqual", probabilities, least)
    likeliest = graph.add("ArgMax", probabilities, axis=1, keepdims=1)
    within = graph.add("Or", enough, graph.add("Equal", likeliest, np.arange(len(least))))
    graph.output(
        "set", within, ["N", len(least)], f"whether a class is in the set that holds the true one in {p}% of rows"
    )
