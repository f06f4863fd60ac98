"""Dropout rates and weight decay that change during training."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

from glassnet.nn import Dropout
from glassnet.train.training import Training

AS_THEY_ARE: AbstractContextManager[None] = nullcontext()


def rates(run: Training, step: int) -> AbstractContextManager[None]:
    """Set the rates that the schedules of a training give for a step, and afterwards those from before."""
    if run.dropout_schedule is None and run.weight_decay_schedule is None:
        return AS_THEY_ARE
    return _scheduled(run, step)


@contextmanager
def _scheduled(run: Training, step: int) -> Iterator[None]:
    optimizer = run.optimizer
    dropouts = [(layer, layer.rate) for layer in run.net.layers if isinstance(layer, Dropout)]
    decay, l2 = optimizer.weight_decay, optimizer.l2
    try:
        if run.dropout_schedule is not None:
            factor = run.dropout_schedule(step, run.steps_per_epoch, run.epochs)
            for layer, rate in dropouts:
                layer.rate = rate * factor
        if run.weight_decay_schedule is not None:
            factor = run.weight_decay_schedule(step, run.steps_per_epoch, run.epochs)
            optimizer.weight_decay, optimizer.l2 = decay * factor, l2 * factor
        yield
    finally:
        if run.dropout_schedule is not None:
            for layer, rate in dropouts:
                layer.rate = rate
        if run.weight_decay_schedule is not None:
            optimizer.weight_decay, optimizer.l2 = decay, l2
