"""A network in a graph, layer by layer, and an ensemble with its mean."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from glassnet.exchange.layers import write_layer
from glassnet.exchange.mean import write_mean
from glassnet.nn import Ensemble, Network, Preprocessing

if TYPE_CHECKING:
    from glassnet.exchange.graph import Graph


def write_network(graph: Graph, net: Network, x: str, place: str = "") -> str:
    """Add a network's layers to the graph, after the rows x, and return the name of its outputs; place: its name."""
    graph.dtype = net.dtype
    if not isinstance(net.layers[0], Preprocessing):
        x = graph.cast(x, net.dtype)
    for i, (layer, after) in enumerate(zip(net.layers, (*net.layers[1:], None), strict=True)):
        graph.place = f"{place}{i}.{type(layer).__name__}"
        x = write_layer(graph, layer, x)
        graph.type_of(x)  # or raises ValueError: a user's own layer returned something else
        if isinstance(layer, Preprocessing) and not isinstance(after, Preprocessing):  # as `one_by_one` does
            x = graph.cast(x, net.dtype)
    return x


def write_together(graph: Graph, ensemble: Ensemble, x: str, place: str = "") -> str:
    """Add all networks and their mean; place: before their names."""
    outputs = [write_network(graph, net, x, f"{place}network {i}/") for i, net in enumerate(ensemble.networks)]
    graph.dtype, graph.place = np.result_type(*(graph.types[y] for y in outputs)), f"{place}mean"
    return write_mean(graph, ensemble.mean(), [graph.cast(y, graph.dtype) for y in outputs])
