"""What may compute a network in place of its layers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from glassnet.nn.layer import Array

if TYPE_CHECKING:
    from glassnet.nn.network import Network


class Engine(Protocol):
    """Gives the layers' numbers, but for rounding, faster. nn/ knows none: `Network.engine` is set from above."""

    def predict(self, net: Network, x: Array) -> Array | None:
        """Return the outputs of rows x in inference mode; None if the engine doesn't cover this network."""

    def describe(self, net: Network) -> str:
        """Say in a few words what computes the network, and why not the engine if it doesn't."""
