"""The mean weights of a training, which are validated, kept and returned in place of the last weights."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from glassnet.nn import BatchNorm
from glassnet.nn.noise import silenced
from glassnet.train.batches import Batch
from glassnet.train.step import Step
from glassnet.train.training import Training


def take_in(run: Training, step: Step, share: float) -> None:
    """Move the training's mean weights towards the present ones by a share of the way."""
    if run.mean is None and share:
        run.mean = run.net.theta.copy()
    elif run.mean is not None and share:
        step.move_mean(run.mean, share)


def use_mean(run: Training, step: Step, batches: Iterable[Batch]) -> None:
    """Put the mean weights into the network.

    The running statistics of BatchNorm are those of the last weights. No average of them would be right for the mean,
    because a variance isn't linear in the weights. They are computed again, as the plain mean over `batches`. This is
    done without the noise of training, which would widen them, while predictions have no noise (Li et al. 2019,
    arXiv:1801.05134, section 5).
    """
    run.net.theta[...] = run.mean
    norms = [(layer, layer.momentum) for layer in run.net.layers if isinstance(layer, BatchNorm)]
    with silenced(run.net.layers):
        for n, batch in enumerate(batches if norms else (), 1):
            for layer, _ in norms:
                layer.momentum = 1 / n
            step.observe(*batch)
    for layer, momentum in norms:
        layer.momentum = momentum


@contextmanager
def averaged(run: Training, step: Step, batches: Iterable[Batch]) -> Iterator[None]:
    """Have the mean weights, if there are any, in the network for a while."""
    if run.mean is None:
        yield
        return
    net = run.net
    theta, state = net.theta.copy(), {name: value.copy() for name, value in net.state().items()}
    try:
        use_mean(run, step, batches)
        yield
    finally:
        net.theta[...] = theta
        net.set_state(state)
