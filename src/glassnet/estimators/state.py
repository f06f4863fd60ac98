"""The state after a training. The next call of partial_fit, or of fit with warm_start, goes on with it."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from glassnet.estimators.parameters import MLPParameters
from glassnet.nn import Network
from glassnet.nn.layer import Array
from glassnet.optim import Optimizer
from glassnet.train import History

SMALLEST_RATE = 1e-6  # the rate at which "adaptive" gives up


class Solver:
    """An optimizer, and the rule for its learning rate, kept between calls of partial_fit."""

    def __init__(self, optimizer: Optimizer) -> None:
        self.optimizer = optimizer
        self.rate: float = optimizer.lr
        self.taken = 0  # steps, by which the schedule goes

    @property
    def learning_rate(self) -> float:
        """The learning rate at present, before a schedule's factor."""
        return self.optimizer.lr

    def end_epoch(self, settings: MLPParameters, seen: int) -> None:
        """Lower the rate with the rows seen, if that is the rule."""
        if settings.solver == "sgd" and settings.learning_rate == "invscaling":
            self.optimizer.lr = self.rate / (seen + 1) ** settings.power_t

    def lower(self, settings: MLPParameters) -> bool:
        """Take a fifth of the rate, if that is the rule and the rate isn't tiny. Return whether it was done."""
        if settings.solver != "sgd" or settings.learning_rate != "adaptive" or self.learning_rate <= SMALLEST_RATE:
            return False
        self.optimizer.lr /= 5
        return True


@dataclass
class State:
    """The state of a training.

    epochs: of the latest call. seen: rows, in all calls. loss: of the latest epoch. losses: one for each epoch.
    held_losses, held_scores: the same for the held-out rows. best_loss, best_score: the least loss, and the best score
    of the held-out rows. The one that training goes by is a number. best_epoch, best: its epoch, and the network's
    arrays then. idle: epochs without improvement. stopped: whether there were too many.
    """

    best_loss: float | None
    best_score: float | None
    epochs: int = 0
    seen: int = 0
    loss: float | None = None
    losses: list[float] = field(default_factory=list)
    held_losses: list[float] = field(default_factory=list)
    held_scores: list[float] = field(default_factory=list)
    best_epoch: int | None = None
    best: dict[str, Array] | None = None
    idle: int = 0
    stopped: bool = False
    history: History | None = None

    @classmethod
    def new(cls, early_stopping: bool) -> State:
        """Return the state before training."""
        return cls(None, -np.inf) if early_stopping else cls(np.inf, None)

    def restore_best(self, net: Network) -> bool:
        """Put the best weights back into the network; return whether there are any."""
        if self.best is not None:
            net.set_arrays(self.best)
        return self.best is not None
