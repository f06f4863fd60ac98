"""Averages of the weights over training: the share of each step's or epoch's weights."""

from __future__ import annotations

from glassnet.checks import number
from glassnet.configured import Stateless


class Average(Stateless):
    """The weight of the newest parameters in a running mean: mean <- mean + share * (theta - mean)."""

    def after_step(self, steps: int) -> float:
        """Return the share of the weights after a number of steps, from 1; 0 leaves the mean as it is."""
        return 0.0

    def after_epoch(self, epoch: int, epochs: int) -> float:
        """Return the share of the weights after this epoch of `epochs`, from 1; 0 leaves the mean as it is."""
        return 0.0


class EMA(Average):
    """Exponential moving average: the weights of t steps ago count decay^t, scaled so that all counts sum to 1.

    So the first steps need no warm-up. It is the average of Polyak & Juditsky 1992 with counts that fade, corrected
    like Adam's (Kingma & Ba 2015, arXiv:1412.6980, section 3). Raises ValueError unless 0 <= decay < 1.
    """

    def __init__(self, decay: float = 0.999) -> None:
        self.decay: float = number(decay, "EMA: decay", low=0, below=1)

    def after_step(self, steps: int) -> float:
        """(1 - decay) / (1 - decay^steps)."""
        return (1 - self.decay) / (1 - self.decay**steps)


class SWA(Average):
    """Stochastic weight averaging: the plain mean of the weights after each epoch from `start` on, a share of all.

    Izmailov et al. 2018 (arXiv:1803.05407), algorithm 1. The schedule `Tail` gives its learning rates. Before `start`
    the weights themselves are validated. Raises ValueError unless 0 <= start < 1.
    """

    def __init__(self, start: float = 0.75) -> None:
        self.start: float = number(start, "SWA: start", low=0, below=1)

    def after_epoch(self, epoch: int, epochs: int) -> float:
        """1 / n after the n-th epoch that is averaged."""
        n = epoch - int(self.start * epochs)
        return 1 / n if n > 0 else 0.0
