"""The mean answer of several networks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from glassnet.nn.activations import Softmax, logistic
from glassnet.nn.layer import Array

Of = Literal["values", "classes", "logits"]


@dataclass(frozen=True)
class Mean:
    """The weighted mean of outputs. weights: of each network, positive numbers of any sum.

    of: "values" are averaged themselves. For "classes", the probabilities softmax(x) are averaged, and the answer is
    the logarithm of their mean (so that its softmax is the mean). For "logits", sigmoid(x) is averaged, and the answer
    is the mean's logit.
    """

    weights: Sequence[float]
    of: Of

    @property
    def shares(self) -> Array:
        """The weights (k,), with the sum 1."""
        weights = np.array(self.weights, np.float64)
        return weights / weights.sum()

    def __call__(self, outputs: Array) -> Array:
        """Return the mean (N, n_out) of outputs (k, N, n_out)."""
        if self.of == "values":
            return self._averaged(outputs)
        tiny = np.finfo(outputs.dtype).tiny
        if self.of == "classes":
            p = Softmax().forward(outputs.reshape(-1, outputs.shape[2])).reshape(outputs.shape)
            return np.log(np.maximum(self._averaged(p), tiny))
        both = (self._averaged(logistic(x, out=np.empty_like(x))) for x in (outputs, -outputs))
        mean, rest = (np.log(np.maximum(p, tiny)) for p in both)
        return mean - rest

    def _averaged(self, p: Array) -> Array:
        return np.tensordot(self.shares.astype(p.dtype), p, axes=1)
