"""A loss for targets in standard units, for network outputs in any unit."""

from __future__ import annotations

from glassnet.nn import Loss, Network, Unstandardize
from glassnet.nn.layer import Array
from glassnet.nn.losses import Task


class StandardUnits(Loss):
    """L((y - mean) / scale, (t - mean) / scale), with mean and scale of a network's last layer, Unstandardize.

    So the size of the loss, of gradients, of a learning rate or of Huber's delta doesn't depend on the target's unit,
    and no square of a price overflows. Backward: dL/dy = dL/du / scale, with u = (y - mean) / scale.
    """

    task: Task = "regression"

    def __init__(self, loss: Loss, unit: Unstandardize) -> None:
        self.loss = loss
        self.unit = unit

    def forward(self, y: Array, t: Array, weights: Array | None = None) -> float:
        """Compute the loss of outputs y and targets t, both in the target's unit."""
        mean, scale = self.unit.mean, self.unit.scale
        t = t.reshape(y.shape) if t.size == y.size else t  # the loss itself complains of other shapes
        return self.loss.forward((y - mean) / scale, self.standardized(t), weights)

    def standardized(self, t: Array) -> Array:
        """Return targets (t - mean) / scale."""
        return (t - self.unit.mean) / self.unit.scale

    def backward(self) -> Array:
        """Compute dL/dy at the latest forward."""
        return self.loss.backward() / self.unit.scale

    def side(self) -> Array | None:
        """Return the side of a kink on which each entry was in the latest forward, as the loss itself does."""
        return self.loss.side()


def training_loss(loss: Loss, net: Network) -> Loss:
    """Return the loss that training minimises: in standard units if the network ends in Unstandardize."""
    last = net.layers[-1]
    return StandardUnits(loss, last) if isinstance(last, Unstandardize) else loss
