"""Schedules of the learning rate: each gives the factor that multiplies lr in a given step."""

from __future__ import annotations

import math

from glassnet.checks import number, positive
from glassnet.configured import Stateless


class Schedule(Stateless):
    """A factor for each step. `step` counts from 0 over the whole training of epochs * steps_per_epoch steps."""

    def __call__(self, step: int, steps_per_epoch: int, epochs: int) -> float:
        """Return the factor of lr in this step."""
        raise TypeError(f"{type(self).__name__} has no factor")


class Constant(Schedule):
    """1 in every step."""

    def __call__(self, step: int, steps_per_epoch: int, epochs: int) -> float:
        """1."""
        return 1.0


class ExponentialDecay(Schedule):
    """rate^epoch, the epoch counted from 0: constant within an epoch. Raises ValueError unless 0 < rate <= 1."""

    def __init__(self, rate: float = 0.95) -> None:
        if positive(rate, "ExponentialDecay: rate") > 1:
            raise ValueError(f"ExponentialDecay: rate must be at most 1, not {rate!r}")
        self.rate: float = float(rate)

    def __call__(self, step: int, steps_per_epoch: int, epochs: int) -> float:
        """rate^epoch."""
        return float(self.rate ** (step // steps_per_epoch))


class Cosine(Schedule):
    """(1 + cos(pi * done)) / 2, with `done` the share of steps taken: from 1 down to 0.

    Loshchilov & Hutter 2017 (arXiv:1608.03983), eq. 5, without restarts.
    """

    def __call__(self, step: int, steps_per_epoch: int, epochs: int) -> float:
        """(1 + cos(pi * step / steps)) / 2."""
        return (1 + math.cos(math.pi * step / (steps_per_epoch * epochs))) / 2


class OneCycle(Schedule):
    """Up linearly to 1 during the first `warmup` share of the steps, then down linearly to 0 at the end.

    After Smith & Topin 2017 (arXiv:1708.07120), with a plain triangle. Raises ValueError unless 0 <= warmup < 1.
    """

    def __init__(self, warmup: float = 0.1) -> None:
        self.warmup: float = number(warmup, "OneCycle: warmup", low=0, below=1)

    def __call__(self, step: int, steps_per_epoch: int, epochs: int) -> float:
        """min((step + 1) / warm-up steps, steps left / steps after the warm-up)."""
        steps = steps_per_epoch * epochs
        rising = self.warmup * steps
        falling = (steps - step) / (steps - rising)
        return min((step + 1) / rising, falling, 1.0) if rising else falling


class Linear(Schedule):
    """In a straight line from `first` in the first step to `last` in the last. Raises ValueError for a negative one.

    As a schedule of dropout rates it is nearly curriculum dropout (Morerio et al. 2017, arXiv:1703.06229).
    """

    def __init__(self, first: float = 1.0, last: float = 0.0) -> None:
        self.first: float = number(first, "Linear: first", low=0)
        self.last: float = number(last, "Linear: last", low=0)

    def __call__(self, step: int, steps_per_epoch: int, epochs: int) -> float:
        """first + (last - first) * step / (steps - 1)."""
        return self.first + (self.last - self.first) * step / max(1, steps_per_epoch * epochs - 1)


class Tail(Schedule):
    """As OneCycle up to 1 and down to `high`, until the share `start` of the epochs is done; then the tail.

    In the tail the factor is `high`. If `low` is less, the factor falls linearly from `high` to `low` within each
    epoch. Weights for stochastic weight averaging (SWA) are trained in this way: Izmailov et al. 2018
    (arXiv:1803.05407), section 3.2. Raises ValueError unless 0 <= warmup < start < 1 and 0 < low <= high <= 1.
    """

    def __init__(self, start: float = 0.75, high: float = 0.2, low: float | None = None, warmup: float = 0.1) -> None:
        low = None if low is None else number(low, "Tail: low")
        start, high, warmup = number(start, "Tail: start"), number(high, "Tail: high"), number(warmup, "Tail: warmup")
        if not 0 <= warmup < start < 1:
            raise ValueError(f"Tail: it takes 0 <= warmup < start < 1, not warmup={warmup!r} and start={start!r}")
        if not 0 < (high if low is None else low) <= high <= 1:
            raise ValueError(f"Tail: it takes 0 < low <= high <= 1, not low={low!r} and high={high!r}")
        self.start: float = start
        self.high: float = high
        self.low: float | None = low
        self.warmup: float = warmup

    def __call__(self, step: int, steps_per_epoch: int, epochs: int) -> float:
        """Up during the warm-up, down until the tail begins, and then as it says."""
        rising, tail = self.warmup * steps_per_epoch * epochs, int(self.start * epochs) * steps_per_epoch
        if step >= tail:
            low = self.high if self.low is None else self.low
            return self.high + (low - self.high) * (step % steps_per_epoch) / max(1, steps_per_epoch - 1)
        if step < rising:
            return min((step + 1) / rising, 1.0)
        return 1 + (self.high - 1) * (step - rising) / (tail - rising)
