"""Averages of the weights over training, which are validated, kept and returned in place of the last weights."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from glassnet.nn import BatchNorm, silenced
from glassnet.nn.checks import number

if TYPE_CHECKING:
    from glassnet.train.batches import Batch
    from glassnet.train.step import Step
    from glassnet.train.training import Training


class Average:
    """How much each step's or epoch's weights count: mean <- mean + share * (theta - mean), in place of every mean."""

    def after_step(self, steps: int) -> float:
        """Return the share of the weights after so many steps, from 1; 0 leaves the mean as it is."""
        return 0.0

    def after_epoch(self, epoch: int, epochs: int) -> float:
        """Return the share of the weights after this of so many epochs, from 1; 0 leaves the mean as it is."""
        return 0.0

    def __repr__(self) -> str:
        given = {name: getattr(self, name) for name in inspect.signature(type(self)).parameters}
        return f"{type(self).__name__}({', '.join(f'{k}={v!r}' for k, v in given.items())})"


class EMA(Average):
    """Exponential moving average: the weights of t steps ago count decay^t, the sum of all these being 1.

    So the first steps need no warm-up: it is the average of Polyak & Juditsky 1992 with weights that fade, corrected
    as Adam's are (Kingma & Ba 2015, arXiv:1412.6980, section 3). Raises ValueError unless 0 <= decay < 1.
    """

    def __init__(self, decay: float = 0.999) -> None:
        self.decay = number(decay, "EMA: decay", low=0, below=1)

    def after_step(self, steps: int) -> float:
        """(1 - decay) / (1 - decay^steps)."""
        return (1 - self.decay) / (1 - self.decay**steps)


class SWA(Average):
    """Stochastic weight averaging: the plain mean of the weights after each epoch from `start` on, a share of all.

    Izmailov et al. 2018 (arXiv:1803.05407), algorithm 1; the schedule `Tail` gives its learning rates. Before `start`
    the weights themselves are validated. Raises ValueError unless 0 <= start < 1.
    """

    def __init__(self, start: float = 0.75) -> None:
        self.start = number(start, "SWA: start", low=0, below=1)

    def after_epoch(self, epoch: int, epochs: int) -> float:
        """1 / n after the n-th epoch that is averaged."""
        n = epoch - int(self.start * epochs)
        return 1 / n if n > 0 else 0.0


def take_in(run: Training, step: Step, share: float) -> None:
    """Move the training's mean weights towards the present ones by a share of the way."""
    if run.mean is None and share:
        run.mean = run.net.theta.copy()
    elif run.mean is not None and share:
        step.move_mean(run.mean, share)


def use_mean(run: Training, step: Step, batches: Iterable[Batch]) -> None:
    """Put the mean weights into the network.

    The running statistics of BatchNorm are those of the last weights. No average of them would be right for the mean,
    as a variance isn't linear in the weights: they are computed anew, as the plain mean over `batches`, and without
    the noise of training, which widens what predictions won't have (Li et al. 2019, arXiv:1801.05134, section 5).
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
