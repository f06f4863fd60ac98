"""One file for each library, all with the same face: a class Trainer, and a function predictor."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from race.cases import Case
from race.digits import Digits

# The name that tables give a contender, and its file.
MODULES = {
    "glassnet": "glassnet",
    "JAX": "jax",
    "PyTorch": "pytorch",
    "torch.compile": "pytorch_compiled",
    "scikit-learn": "sklearn",
    "ONNX Runtime": "onnx",
    "NumPy": "numpy",
}

Predict = Callable[[NDArray[np.float32]], NDArray[Any]]  # rows (N, n_in) to outputs (N, n_out), both NumPy arrays


class Trainer(Protocol):
    """A network in training, from the weights of race.cases.parameters."""

    def __init__(self, case: Case, digits: Digits) -> None: ...

    def epoch(self) -> None:
        """Train on every row once, in a new random order."""

    def labels(self) -> NDArray[np.int64]:
        """The predicted classes of the test images (N,)."""
