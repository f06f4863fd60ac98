"""What is trained: shapes, batches, and the weights that everybody starts from."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

MOMENTUM = 0.9
THREADS = 2
SMALL = (784, 128, 10)
SIX_LAYERS = (784, 512, 200, 128, 100, 64, 10)
WIDE = (784, 800, 800, 10)
IMAGES = 60_000

Parameters = list[tuple[NDArray[np.float32], NDArray[np.float32]]]


@dataclass(frozen=True)
class Case:
    """A network of Dense layers with ReLU between them, trained by SGD with momentum on the first `images` images."""

    widths: tuple[int, ...]
    batch: int
    lr: float
    images: int = IMAGES
    dtype: str = "float32"  # or bfloat16, for the products alone

    @property
    def name(self) -> str:
        """Such as "784-128-10, batch 32"."""
        return f"{shape(self.widths)}, batch {self.batch}{'' if self.dtype == 'float32' else f', {self.dtype}'}"

    @property
    def rows(self) -> int:
        """The images in whole batches: an epoch leaves out the rest, for everybody."""
        return self.images // self.batch * self.batch

    @property
    def flops(self) -> int:
        """Floating-point operations of one epoch's matrix products: forward, dW, and dx of all layers but the first."""
        products = [2 * n * m for n, m in itertools.pairwise(self.widths)]
        return self.rows * (3 * sum(products) - products[0])


TRAINING = [
    Case(SMALL, 32, lr=0.01),
    Case(SMALL, 128, lr=0.02),
    Case(SMALL, 1024, lr=0.05),
    Case(SIX_LAYERS, 200, lr=0.02),
    Case(WIDE, 128, lr=0.02),
]
QUICK = [TRAINING[1], TRAINING[3]]


def shape(widths: tuple[int, ...]) -> str:
    """Such as "784-128-10"."""
    return "-".join(map(str, widths))


def parameters(widths: tuple[int, ...]) -> Parameters:
    """Draw W (fan_in, fan_out) by He's rule, b = 0, for every layer: the same for everybody."""
    rng = np.random.default_rng(0)
    found: Parameters = []
    for n, m in itertools.pairwise(widths):
        W = rng.standard_normal((n, m), dtype=np.float32) * np.float32(np.sqrt(2 / n))
        found.append((W, np.zeros(m, np.float32)))
    return found


def outputs(weights: Parameters, x: NDArray[np.float32]) -> NDArray[np.float64]:
    """Compute the scores of rows x in double precision: what every contender's prediction is compared with."""
    y = x.astype(np.float64)
    for W, b in weights[:-1]:
        y = np.maximum(y @ W + b, 0)
    return y @ weights[-1][0] + weights[-1][1]


def softmax(y: NDArray[np.float64]) -> NDArray[np.float64]:
    """Class probabilities of scores y (N, classes)."""
    p = np.exp(y - y.max(axis=1, keepdims=True))
    return p / p.sum(axis=1, keepdims=True)
