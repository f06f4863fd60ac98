"""The objective, scaled as in scikit-learn.

scikit-learn sums over outputs where the losses of nn/ take the mean, halves squared errors, and divides the L2
penalty by the rows of the batch:  L = sum_i w_i l_i / sum_i w_i + alpha / 2 * sum W^2 / sum_i w_i.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from glassnet.nn import MAE, MSE, BinaryCrossEntropy, CrossEntropy, Huber, Loss, Network, Poisson
from glassnet.nn.layer import Array


@dataclass(frozen=True)
class Objective:
    """A loss of nn/, and the numbers that make it scikit-learn's.

    scale: multiplies the loss, and so its gradient. reported: multiplies the shown value again, because scikit-learn
    shows the mean over outputs of a squared error, but uses the gradient of the sum. labels: whether the loss takes the
    number of each row's class.
    """

    loss: Loss
    dtype: np.dtype[Any]
    scale: float = 1.0
    reported: float = 1.0
    labels: bool = False

    @classmethod
    def of(cls, loss: str, n_outputs: int, out_activation: str, dtype: np.dtype[Any]) -> Objective:
        """Return the objective of that name in scikit-learn, for a network of `n_outputs` outputs."""
        if loss == "log_loss":
            softmax = out_activation == "softmax"
            return cls(CrossEntropy(), dtype, labels=True) if softmax else cls(BinaryCrossEntropy(), dtype, n_outputs)
        if loss == "poisson":
            return cls(Poisson(), dtype, n_outputs)
        halved = 0.5 if loss == "squared_error" else 1.0
        made = {"squared_error": MSE, "absolute_error": MAE, "huber": Huber}[loss]()
        return cls(made, dtype, halved * n_outputs, 1 / n_outputs)

    def targets(self, y: Array) -> Array:
        """Return the targets that the loss takes, for y (N, n_outputs): flags (a class in each row), or values."""
        return y.argmax(axis=1) if self.labels else y.astype(self.dtype)

    def row_weights(self, rows: int, sample_weight: Array | None) -> Array | None:
        """Return what multiplies the loss of each row of a batch; None if nothing does."""
        if sample_weight is not None:
            return sample_weight * (self.scale / sample_weight.mean()).astype(self.dtype)
        return None if self.scale == 1 else np.full(rows, self.scale, self.dtype)

    def value(self, outputs: Array, targets: Array, sample_weight: Array | None) -> float:
        """Return the loss that is shown, without the penalty."""
        return self.reported * self.loss.forward(outputs, targets, self.row_weights(len(targets), sample_weight))


def squares(net: Network) -> float:
    """Return the sum of all squared weights, without the intercepts."""
    return sum(float(np.dot(net.theta[part], net.theta[part])) for part in net.decayed)
