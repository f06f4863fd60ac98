"""One network of a pack in training: it holds out a fold of the rows, and keeps its weights as each cycle ends."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from threading import Event

import numpy as np

from glassnet.nn import Network
from glassnet.nn.layer import Array
from glassnet.nn.randomness import ORDER
from glassnet.optim import AdamW
from glassnet.pack.answers import Answers
from glassnet.pack.candidate import Candidate
from glassnet.train import DivergenceError
from glassnet.train.step import many_steps, training_step

WARM_UP = 20  # steps in which the learning rate rises
BATCHES = ((1500, 32), (6400, 64), (16000, 128), (math.inf, 256))  # rows below which a batch has how many


def batch_size(rows: int) -> int:
    """Return how many rows a batch has: small tables need many steps, large ones fast steps."""
    return next(size for most, size in BATCHES if rows < most)


@dataclass
class CycleEnd:
    """A network at the end of a cycle: its weights, and its outputs for the rows that it holds out."""

    theta: Array
    outputs: Array


@dataclass
class Trainee:
    """A network, the rows that it trains on, and how far it has come.

    before: the layers that have prepared rows x (N, width). net: those that are trained. held: the rows it holds out.
    """

    candidate: Candidate
    before: Network
    net: Network
    x: Array
    answers: Answers
    held: Array
    seed: list[int]
    cycle_ends: list[CycleEnd] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.rows = np.setdiff1d(np.arange(len(self.x)), self.held)
        self.batch = min(batch_size(len(self.x)), len(self.rows))
        self.steps, c = len(self.rows) // self.batch, self.candidate
        self.optimizer = AdamW(lr=c.lr, weight_decay=c.weight_decay)
        self.step = training_step(self.net, self.x, self.answers.targets, self.answers.loss, self.optimizer, self.batch)

    def train_cycle(self, stop: Event) -> None:
        """Train until the next end of the candidate's, or until somebody says stop.

        Raises DivergenceError if the loss becomes NaN or infinite.
        """
        ends = (0, *self.candidate.ends)
        first, last = ends[len(self.cycle_ends)], ends[len(self.cycle_ends) + 1]
        weights = self.answers.weights
        for epoch in range(first, last):
            if stop.is_set():
                return
            rng = np.random.default_rng([*self.seed, epoch, ORDER])
            self.net.reseed(*self.seed, epoch)
            order = rng.permutation(self.rows)[: self.steps * self.batch]
            done = (epoch - first + np.arange(self.steps) / self.steps) / (last - first)
            warm = np.minimum(1, (epoch * self.steps + np.arange(1, self.steps + 1)) / WARM_UP)
            each = None if weights is None else weights[order]
            losses = many_steps(self.step, order, ((1 - done) * warm).tolist(), self.batch, each)
            if not (math.isfinite(losses[-1]) and np.isfinite(self.net.theta).all()):
                raise DivergenceError(f"the loss of the candidate {self.candidate.name!r} became {losses[-1]}")
        self.cycle_ends.append(CycleEnd(self.net.theta.copy(), self.net.predict(self.x[self.held])))
