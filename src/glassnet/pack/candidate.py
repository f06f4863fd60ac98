"""A kind of network that a pack trains: its layers, its optimizer, and how long it trains."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from glassnet.checks import positive_int
from glassnet.nn import Dense, Exp, Layer, Network
from glassnet.optim import AdamW, Optimizer

ENDS = (8, 24, 80)


@dataclass(frozen=True, eq=False)
class Candidate:
    """A network to be copied, and its training in cycles.

    net: not yet fitted. Its last layer is a Dense, or after one an Exp. A layer that undoes the standardisation of
    values is added by the pack. optimizer: unused. ends: after how many epochs a cycle ends. In each cycle the learning
    rate falls from the optimizer's to 0 in a straight line. The network as it is at each end may take part in the
    mixture. Raises ValueError for another last layer, or ends that don't rise.
    """

    name: str
    net: Network
    optimizer: Optimizer = field(default_factory=lambda: AdamW(lr=3e-3, weight_decay=0.02))
    ends: tuple[int, ...] = ENDS

    def __post_init__(self) -> None:
        last = [layer for layer in self.net.layers if not isinstance(layer, Exp)][-1]
        if not isinstance(last, Dense):
            raise ValueError(f"candidate {self.name}: the last layer must be a Dense, not {last!r}")
        for end in self.ends:
            positive_int(end, f"candidate {self.name}: an end")
        if not self.ends or list(self.ends) != sorted(set(self.ends)):
            raise ValueError(f"candidate {self.name}: ends must rise, but they are {list(self.ends)}")

    def epochs(self, ends: int) -> int:
        """Return how many epochs have passed when so many cycles have ended."""
        return (0, *self.ends)[ends]

    @property
    def preprocessing(self) -> list[Layer]:
        """Unfitted copies of the layers that prepare rows."""
        return copies(self.net.layers[: self.net.preprocessing])

    def trained(self, seed: int) -> Network:
        """Return a network of the layers after them, with weights drawn by the seed."""
        layers = copies(self.net.layers[self.net.preprocessing :])
        return Network(layers, seed=seed, dtype=self.net.precision, fast=self.net.fast, threads=1)

    def __repr__(self) -> str:
        return f"Candidate({self.name!r}, {self.net!r}, {self.optimizer!r}, ends={self.ends})"


def copies(layers: Sequence[Layer]) -> list[Layer]:
    """Return unfitted layers with the same settings."""
    return [type(layer)(**layer.config()) for layer in layers]


def take_state(layers: Sequence[Layer], of: Sequence[Layer]) -> None:
    """Give layers what equal ones have fitted."""
    for layer, other in zip(layers, of, strict=True):
        for name in other.state:
            setattr(layer, name, getattr(other, name))
