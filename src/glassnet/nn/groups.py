"""The parts of theta as an optimizer needs them: one group for each parameter."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from glassnet.nn.layer import Layer


class Group(NamedTuple):
    """A parameter's place in theta, and how it moves.

    decayed: whether weight decay and L2 act on it. lr_factor multiplies the learning rate. max_norm: None, or the
    largest Euclidean norm that each of its `columns` columns may have.
    """

    part: slice
    decayed: bool
    lr_factor: float
    max_norm: float | None
    columns: int


def groups(layers: Iterable[Layer]) -> list[Group]:
    """Return the groups of layers whose parameters lie one after the other in a flat vector."""
    found, start = [], 0
    for layer in layers:
        for name, part in layer.parts():
            decayed = name in layer.decayed
            found.append(
                Group(
                    slice(start + part.start, start + part.stop),
                    decayed,
                    layer.lr_factor,
                    layer.max_norm if decayed else None,
                    layer.shapes()[name][-1],
                )
            )
        start += layer.size
    return found
