"""Steps that each rank takes by its own rows, with the mean of all ranks' weights now and then."""

from __future__ import annotations

import numpy as np

from glassnet.checks import positive_int
from glassnet.nn import Network
from glassnet.nn.layer import Array
from glassnet.optim import Optimizer
from glassnet.ranks import Ranks, require_power
from glassnet.train.averages import Average
from glassnet.train.shards import SharedStep
from glassnet.train.step import PartedStep
from glassnet.train.training import Training


def check_local(run: Training, every: int) -> None:
    """Raise ValueError unless the ranks can train with sync_every."""
    positive_int(every, "sync_every")
    require_power("the number of ranks", run.ranks.size)
    if run.shards is not None:
        raise ValueError("shards are for ranks that meet in each step: leave out shards, or sync_every")
    if run.average is not None and type(run.average).after_step is not Average.after_step:
        raise ValueError(f"{run.average!r} averages each step's weights, and with sync_every the ranks differ between")


class LocalStep(SharedStep):
    """A step by this rank's share of a batch. After every so many steps, all ranks go on from their mean.

    That is local SGD (Stich 2019, arXiv:1805.09767, algorithm 1). The mean is taken of the weights, of the optimizer's
    vectors and of BatchNorm's running statistics, after the first step, every `every` steps, and as an epoch of
    `per_epoch` steps ends. The loss that is returned is the mean of all since the last time, so it is alike on all
    ranks, too. Between these times it stays as it was.
    """

    def __init__(
        self, step: PartedStep, net: Network, optimizer: Optimizer, every: int, per_epoch: int, ranks: Ranks
    ) -> None:
        super().__init__(step, net, optimizer, ranks)
        self.every, self.per_epoch = every, per_epoch
        self.steps: int = 0
        self.loss: float = 0.0  # that of all ranks, when they last met
        self.losses: list[float] = []  # this rank's since then

    def __call__(self, rows: Array, factor: float, weights: Array | None = None, x: Array | None = None) -> float:
        """Return the mean loss of all ranks when they last met. If it isn't finite, some rank has stopped moving."""
        n, rank, size = len(rows), self.ranks.rank, self.ranks.size
        mine = slice(rank * n // size, max((rank + 1) * n // size, rank * n // size + 1))  # a row at least
        each, of_x = None if weights is None else weights[mine], None if x is None else x[mine]
        for noise in self.noises if size > 1 else ():
            noise.go_to(self.optimizer.steps * size + rank)
        self.losses.append(self.step(rows[mine], factor, each, of_x))
        self.steps += 1
        if self.steps == 1 or self.steps % self.every == 0 or self.steps % self.per_epoch == 0:
            self._meet()
        return self.loss

    def _meet(self) -> None:
        """Replace what each rank has learned by the mean over the ranks."""
        loss = np.array([np.mean(self.losses)])
        for a in (loss, self.net.theta, *self.optimizer.state().values(), *self.running()):
            self.ranks.add_up(a, np.empty_like(a))
            a /= self.ranks.size
        self.loss, self.losses = float(loss[0]), []
