"""The loss whose minimum is a quantile."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from glassnet.checks import number
from glassnet.nn import Loss
from glassnet.nn.layer import Array
from glassnet.nn.losses import Task, mean, weighted


class Pinball(Loss):
    """Koenker & Bassett 1978: with d = t - y, L = mean over all entries of max(q d, (q - 1) d), for the levels q.

    Each output y (N, levels) has its own level, and all have the same target t (N,). dL/dy = (1 if y > t else 0) - q,
    over the number of entries, and q - 1/2 less where they are equal. Raises ValueError for levels outside 0..1.
    """

    task: Task = "regression"
    above: Array

    def __init__(self, levels: Sequence[float]) -> None:
        self.levels: list[float] = [number(q, "Pinball: a level", low=0, below=1) for q in levels]

    def forward(self, y: Array, t: Array, weights: Array | None = None) -> float:
        """Mean of max(q d, (q - 1) d). Raises ValueError for outputs or targets of another shape."""
        t = np.asarray(t)
        if y.shape != (len(t), len(self.levels)) or t.size != len(t):
            raise ValueError(
                f"{self!r} takes outputs (N, {len(self.levels)}) and targets (N,), not {y.shape}, {t.shape}"
            )
        self.weights = weights
        d = t.reshape(-1, 1).astype(y.dtype) - y
        self.above = (d < 0) + (d == 0) / 2
        q = np.array(self.levels, y.dtype)
        return mean(np.maximum(q * d, (q - 1) * d), weights)

    def backward(self) -> Array:
        """(above - q) / entries."""
        dy = (self.above - np.array(self.levels)) / self.above.size
        return weighted(dy.astype(self.above.dtype), self.weights)

    def side(self) -> Array:
        """Whether y > t."""
        return self.above > 0.5
