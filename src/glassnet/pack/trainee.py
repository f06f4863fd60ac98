"""One network of a pack in training: it holds out rows, and keeps its weights as each cycle ends."""

from __future__ import annotations

import math
from collections.abc import Callable, Generator
from contextlib import closing
from copy import deepcopy
from dataclasses import dataclass, field

import numpy as np

from glassnet.data.dataset import Split, Stored
from glassnet.fast import ReadyRows
from glassnet.nn import Layer, Network
from glassnet.nn.layer import Array
from glassnet.nn.randomness import ORDER
from glassnet.pack.answers import Answers
from glassnet.pack.candidate import Candidate
from glassnet.train import DivergenceError
from glassnet.train.step import many_steps, training_step

EPOCH_ROWS = 250_000  # of stored rows, that an epoch goes over: so a cycle takes as long however many there are
TURN = 5  # among the numbers that follow a seed: the order of stored chunks
WARM_UP = 20  # steps in which the learning rate rises
BATCHES = ((1500, 32), (6400, 64), (16000, 128), (math.inf, 256))  # rows below which a batch has how many


def batch_size(rows: int) -> int:
    """Return how many rows a batch has: small tables need many steps, large ones fast steps."""
    return next(size for most, size in BATCHES if rows < most)


@dataclass(eq=False)
class CycleEnd:
    """A network at the end of a cycle.

    outputs: for the rows that it holds out. loss: the mean of the last epoch. slots, steps: of its optimizer.
    """

    theta: Array
    outputs: Array
    loss: float
    slots: dict[str, Array]
    steps: int


@dataclass(eq=False)
class Trainee:
    """A network, the rows that it trains on, and how far it has come.

    net: the layers that are trained, for prepared rows x (N, width). held: the numbers of the rows that it holds out.
    batch: rows in a batch. seed: numbers that decide the order of the rows and the noise. own: the layer before all
    others, if it is fitted to the rows that this network trains on. stored: all rows to train on, if x is a sample of
    them. Then an epoch goes over so many of them at most. prepare: makes x of raw rows.
    """

    candidate: Candidate
    net: Network
    x: Array
    answers: Answers
    held: Array
    batch: int
    seed: list[int]
    own: list[Layer] = field(default_factory=list)
    stored: Stored | None = None
    prepare: Callable[[Array], Array] = np.asarray
    cycle_ends: list[CycleEnd] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.rows = np.setdiff1d(np.arange(len(self.x)), self.held)
        fewest = len(self.rows) if self.stored is None else min(self.stored.sizes)
        self.batch = min(self.batch, fewest)
        self.chunks = 1 if self.stored is None else min(len(self.stored.sizes), max(1, EPOCH_ROWS // fewest))
        self.steps = self.chunks * (fewest // self.batch)
        self.optimizer = deepcopy(self.candidate.optimizer)
        self.step = training_step(self.net, self.x, self.answers.targets, self.answers.loss, self.optimizer, self.batch)

    def train(self, ends: int, halted: Callable[[], bool]) -> None:
        """Train until so many cycles have ended, or until `halted`, which is asked before each epoch.

        A cycle that isn't finished is left as if it hadn't begun. Raises DivergenceError if the loss becomes NaN or
        infinite.
        """
        while len(self.cycle_ends) < ends and self._train_cycle(halted):
            pass

    def _train_cycle(self, halted: Callable[[], bool]) -> bool:
        """Train one more cycle; return whether it was finished."""
        bounds = (0, *self.candidate.ends)
        first, last = bounds[len(self.cycle_ends)], bounds[len(self.cycle_ends) + 1]
        if self.cycle_ends:
            self._go_back()
        losses = [math.nan]
        for epoch in range(first, last):
            if halted():
                return False
            self.net.reseed(*self.seed, epoch)
            done = (epoch - first + np.arange(self.steps) / self.steps) / (last - first)
            warm = np.minimum(1, (epoch * self.steps + np.arange(1, self.steps + 1)) / WARM_UP)
            factors, losses = ((1 - done) * warm).tolist(), []
            with closing(self._orders(epoch)) as orders:
                for order, weights in orders:
                    some = factors[len(losses) : len(losses) + len(order) // self.batch]
                    losses += many_steps(self.step, order, some, self.batch, weights)
                    if not math.isfinite(losses[-1]):
                        break
            if not (math.isfinite(losses[-1]) and np.isfinite(self.net.theta).all()):
                raise DivergenceError(f"the loss of the candidate {self.candidate.name!r} became {losses[-1]}")
        slots = {name: value.copy() for name, value in self.optimizer.state().items()}
        outputs = self.net.predict(self.x[self.held])
        end = CycleEnd(self.net.theta.copy(), outputs, float(np.mean(losses)), slots, self.optimizer.steps)
        self.cycle_ends.append(end)
        return True

    def _orders(self, epoch: int) -> Generator[tuple[Array, Array | None]]:
        """Yield the numbers and weights of the rows of an epoch, in order: all, or one chunk after the other."""
        rng, most = np.random.default_rng([*self.seed, epoch, ORDER]), self.steps // self.chunks * self.batch
        if self.stored is None:
            order = rng.permutation(self.rows)[:most]
            yield order, None if self.answers.weights is None else self.answers.weights[order]
            return
        count, first = len(self.stored.sizes), epoch * self.chunks
        turns = {place // count for place in (first, first + self.chunks - 1)}
        orders = {turn: np.random.default_rng([*self.seed, turn, TURN]).permutation(count) for turn in turns}
        numbers = [int(orders[place // count][place % count]) for place in range(first, first + self.chunks)]
        for rows, weights in self.stored.read_ahead(numbers, self._ready):
            self.step.show(rows)
            order = rng.permutation(len(rows.t))[:most]
            yield order, None if weights is None else weights[order]
        self.step.show(
            self.step.ready(self.x, self.answers.targets)
        )  # lets go of the chunk, while other networks train

    def _ready(self, rows: Split) -> tuple[ReadyRows, Array | None]:
        return self.step.ready(self.prepare(rows.x), self.answers.compared(rows.y)), rows.weights

    def _go_back(self) -> None:
        """Be as at the end of the last cycle, from which another may have begun."""
        last = self.cycle_ends[-1]
        self.net.theta[...] = last.theta
        self.optimizer.set_state(last.slots, last.steps)

    def arrays(self) -> dict[str, Array]:
        """Return everything that decides the rest of the training, by name; meanwhile it may go on."""
        ends = list(self.cycle_ends)
        found = {f"slot {name}": value for name, value in ends[-1].slots.items()}
        found["steps"] = np.array([end.steps for end in ends])
        found["losses"] = np.array([end.loss for end in ends])
        found["theta"] = np.stack([end.theta for end in ends])
        return found | {"outputs": np.stack([end.outputs for end in ends])}

    def restore(self, arrays: dict[str, Array]) -> None:
        """Go on from what `arrays` returned. Raises ValueError for anything else."""
        ends = len(arrays.get("steps", ()))
        expected = {f"slot {name}": self.net.theta.shape for name in self.optimizer.slots} | {
            "steps": (ends,),
            "losses": (ends,),
            "theta": (ends, *self.net.theta.shape),
            "outputs": (ends, len(self.held), self.answers.n_out),
        }
        if not 0 < ends <= len(self.candidate.ends) or {n: a.shape for n, a in arrays.items()} != expected:
            raise ValueError("the networks in the checkpoint are not those of this training")
        slots = {name: arrays[f"slot {name}"] for name in self.optimizer.slots}
        each = zip(*(arrays[name] for name in ("theta", "outputs", "losses", "steps")), strict=True)
        self.cycle_ends = [CycleEnd(theta, outputs, float(loss), slots, int(n)) for theta, outputs, loss, n in each]
