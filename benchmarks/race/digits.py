"""MNIST from its four files, as everybody but glassnet's own scripts reads it."""

from __future__ import annotations

import gzip
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

FILES = (
    "train-images-idx3-ubyte.gz",
    "train-labels-idx1-ubyte.gz",
    "t10k-images-idx3-ubyte.gz",
    "t10k-labels-idx1-ubyte.gz",
)


@dataclass
class Digits:
    """Pixels (N, 784) and labels (N,) of the training and test files."""

    x: NDArray[np.uint8]
    y: NDArray[np.int64]
    x_test: NDArray[np.uint8]
    y_test: NDArray[np.int64]

    def standardised(self, rows: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Return the first training rows and all test rows less their mean, over the rows' one standard deviation."""
        x, x_test = self.x[:rows].astype(np.float32), self.x_test.astype(np.float32)
        mean = np.float32(x.mean(dtype=np.float64))
        x -= mean
        x_test -= mean
        std = np.float32(np.sqrt(np.vdot(x, x) / x.size))  # np.std would need twice the memory
        x /= std
        x_test /= std
        return x, x_test


def load() -> Digits:
    """Read the files in the folder that GLASSNET_DATA names."""
    folder = Path(os.environ["GLASSNET_DATA"]) / "mnist"
    x, y, x_test, y_test = (gzip.decompress((folder / name).read_bytes()) for name in FILES)
    return Digits(
        np.frombuffer(x, np.uint8, offset=16).reshape(-1, 784),
        np.frombuffer(y, np.uint8, offset=8).astype(np.int64),
        np.frombuffer(x_test, np.uint8, offset=16).reshape(-1, 784),
        np.frombuffer(y_test, np.uint8, offset=8).astype(np.int64),
    )


def report(predicted: NDArray[np.int64], true: NDArray[np.int64]) -> None:
    """Print the share of right predictions, the one line that a cold start is asked for."""
    print(f"test accuracy {np.mean(predicted == true):.4f}")
