"""What may write a network for other programs."""

from __future__ import annotations

import os
from typing import Protocol

import numpy.typing as npt


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
