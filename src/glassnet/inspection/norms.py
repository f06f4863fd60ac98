"""The norm of many numbers."""

from __future__ import annotations

import math

import numpy as np

from glassnet.nn.layer import Array

TINY = 1e-30  # squares that sum to less may have underflowed in float32


def norm(a: Array) -> float:
    """Return the Euclidean norm of an array."""
    flat = a.ravel()
    with np.errstate(over="ignore", invalid="ignore"):
        square = float(np.dot(flat, flat))  # no copy, as one in float64 would be
        if TINY < square < math.inf:
            return math.sqrt(square)
        return float(np.linalg.norm(flat.astype(np.float64)))
