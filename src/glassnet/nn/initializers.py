"""Initial weights. Each function fills W (fan_in, fan_out) in place. Biases start at zero."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from glassnet.nn.layer import Array

Initializer = Callable[[Array, "np.random.Generator"], None]  # a string: numpy.random is loaded when it is used


def gaussian(W: Array, rng: np.random.Generator, std: float) -> None:
    """Fill W with N(0, std^2)."""
    rng.standard_normal(out=W, dtype=W.dtype.type)
    W *= std


def he(W: Array, rng: np.random.Generator) -> None:
    """N(0, 2 / fan_in): keeps the variance through ReLU layers. He et al. 2015 (arXiv:1502.01852), eq. 10."""
    gaussian(W, rng, math.sqrt(2 / W.shape[0]))


def glorot(W: Array, rng: np.random.Generator) -> None:
    """N(0, 2 / (fan_in + fan_out)): for tanh and sigmoid. Glorot & Bengio 2010 (AISTATS, PMLR 9:249-256), eq. 12."""
    gaussian(W, rng, math.sqrt(2 / sum(W.shape)))


def lecun(W: Array, rng: np.random.Generator) -> None:
    """N(0, 1 / fan_in): keeps the variance through linear layers. LeCun et al. 1998, "Efficient BackProp", eq. 16."""
    gaussian(W, rng, math.sqrt(1 / W.shape[0]))


def zeros(W: Array, rng: np.random.Generator) -> None:
    """All zeros, for output layers and experiments. Hidden units would stay equal to each other."""
    W[...] = 0


INITIALIZERS: dict[str, Initializer] = {"he": he, "glorot": glorot, "lecun": lecun, "zeros": zeros}


def initializer(name: str) -> Initializer:
    """Return the initializer called `name`: he, glorot, lecun, zeros, or "normal(std)" such as "normal(0.1)".

    Raises ValueError for any other name.
    """
    if isinstance(name, str) and name in INITIALIZERS:
        return INITIALIZERS[name]
    if isinstance(name, str) and name.startswith("normal(") and name.endswith(")"):
        try:
            std = float(name[len("normal(") : -1])
        except ValueError:
            std = math.nan
        if math.isfinite(std) and std >= 0:
            return lambda W, rng: gaussian(W, rng, std)
    raise ValueError(f"init={name!r} is not one of {', '.join(INITIALIZERS)} or normal(std), such as normal(0.1)")
