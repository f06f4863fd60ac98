"""What may compute a network in place of its layers, and what may write it for other programs."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Protocol

import numpy.typing as npt

from glassnet.nn.layer import Array

if TYPE_CHECKING:
    from glassnet.nn.network import Network


class Engine(Protocol):
    """Gives the layers' numbers, but for rounding, faster. nn/ knows none: `Network.engine` is set from above."""

    def predict(self, net: Network, x: Array) -> Array | None:
        """Return the outputs of rows x in inference mode; None if the engine doesn't cover this network."""

    def describe(self, net: Network) -> str:
        """Say in a few words what computes the network, and why not the engine if it doesn't."""


class Exporter(Protocol):
    """The type of `Network.export`, a method that is set from above: see `glassnet.export.export`."""

    def __call__(
        self,
        path: str | os.PathLike[str],
        *,
        outputs: str | None = None,
        classes: npt.ArrayLike | None = None,
        input_dtype: npt.DTypeLike | None = None,
    ) -> None:
        """Write the network to an ONNX file."""
