"""Dropout rates and weight decay that change during training."""

from __future__ import annotations

from glassnet.nn import Dropout
from glassnet.train.training import Training


class Rates:
    """Sets what the schedules of a training say, step by step, and in the end the values from before."""

    def __init__(self, run: Training) -> None:
        optimizer = run.optimizer
        self.run = run
        self.dropouts: list[tuple[Dropout, float]] = [
            (layer, layer.rate) for layer in run.net.layers if isinstance(layer, Dropout)
        ]
        self.decay: float = optimizer.weight_decay
        self.l2: float = optimizer.l2

    def set(self, step: int) -> None:
        """Set the rates of this step."""
        run = self.run
        if run.dropout_schedule is not None:
            self._drop(run.dropout_schedule(step, run.steps_per_epoch, run.epochs))
        if run.weight_decay_schedule is not None:
            self._decay(run.weight_decay_schedule(step, run.steps_per_epoch, run.epochs))

    def restore(self) -> None:
        """Set the values from before."""
        if self.run.dropout_schedule is not None:
            self._drop(1.0)
        if self.run.weight_decay_schedule is not None:
            self._decay(1.0)

    def _drop(self, factor: float) -> None:
        for layer, rate in self.dropouts:
            layer.rate = rate * factor

    def _decay(self, factor: float) -> None:
        self.run.optimizer.weight_decay, self.run.optimizer.l2 = self.decay * factor, self.l2 * factor
