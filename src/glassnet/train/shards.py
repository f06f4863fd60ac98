"""A step whose batch is cut into shards, so that several ranks can share it and come to the same bits as one."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import numpy as np

from glassnet.memory import aligned_zeros
from glassnet.nn import BatchNorm, Network
from glassnet.nn.layer import Array
from glassnet.nn.noise import Noise
from glassnet.optim import Optimizer
from glassnet.ranks import Ranks, require_power
from glassnet.train.step import PartedStep, StepAround

FEWEST, MOST = 8, 16  # shards of a batch, unless somebody wants others
TRIALS = 10  # of each way of a step
SOON = 50e-6  # seconds after which a thread looks again
ROWS = 64  # of a shard, if there are more than the fewest: smaller ones take longer


def shards_of(batch_size: int) -> int:
    """Return how many shards a batch has by default, a power of two: 8, or 16 of 64 rows or more each."""
    return int(2 ** int(math.log2(min(batch_size, max(FEWEST, min(MOST, batch_size // ROWS))))))


def settle_shards(wanted: int | None, batch_size: int, ranks: int) -> int:
    """Return the number of shards. Raises ValueError if it is no power of two, or the ranks can't share it."""
    shards = shards_of(batch_size) if wanted is None else wanted
    require_power("shards", shards)
    require_power("the number of ranks", ranks)
    if ranks > shards:
        raise ValueError(
            f"a batch of {batch_size} rows is cut into {shards} shards, too few for {ranks} ranks: start {shards}, take"
            f" larger batches, or set shards={ranks}"
        )
    return shards


class SharedStep(StepAround):
    """A step of one rank, by which several take theirs: what both kinds have in common."""

    step: PartedStep
    independent: bool = False

    def __init__(self, step: PartedStep, net: Network, optimizer: Optimizer, ranks: Ranks) -> None:
        self.step = step
        self.net = net
        self.optimizer = optimizer  # which counts the steps
        self.ranks = ranks
        self.level: str = step.level
        self.noises: list[Noise] = [layer for layer in net.layers if isinstance(layer, Noise)]
        self.norms: list[BatchNorm] = [layer for layer in net.layers if isinstance(layer, BatchNorm)]

    def running(self) -> list[Array]:
        """Return the running statistics of BatchNorm as they are now: others may have been set."""
        return [a for layer in self.norms for a in (layer.running_mean, layer.running_var)]

    def many(self, rows: Array, factors: Sequence[float], weights: Array | None = None) -> list[float]:
        """Not for this step: it needs Python."""
        raise NotImplementedError


class ShardedStep(SharedStep):
    """Adds up the gradients of a batch's shards, and moves by their sum, on each rank alike.

    The rows of a batch are cut into shards of equal size, but for one row. Each rank computes the gradients of its own
    shards, neighbours in the batch. All are summed in one binary tree over the shards, whichever rank computes them: so
    the bits don't depend on the number of ranks. A shard's noise depends on the step and the shard. BatchNorm takes the
    statistics of each shard, and the mean of what they make of the running ones ("ghost batch norm", Hoffer et al.
    2017, arXiv:1705.08741, algorithm 1).
    """

    def __init__(self, step: PartedStep, net: Network, optimizer: Optimizer, shards: int, ranks: Ranks) -> None:
        super().__init__(step, net, optimizer, ranks)
        self.shards = shards
        each = shards // ranks.size
        self.own: range = range(ranks.rank * each, (ranks.rank + 1) * each)
        levels = each.bit_length() + 1  # of the tree over this rank's shards: on each a sum waits for its neighbour
        self.sums: list[Array] = [aligned_zeros((net.theta.size,), net.dtype) for _ in range(levels)]
        self.figures: Array = np.zeros((levels, 1 + 2 * sum(layer.width for layer in self.norms)))
        self.overlap: Overlap = Overlap(ranks if ranks.size > 1 and len(step.parts) > 1 else None)

    def __call__(self, rows: Array, factor: float, weights: Array | None = None, x: Array | None = None) -> float:
        """Return the loss of these training rows before the step; if it isn't finite, nothing is moved."""
        sums, figures, waiting = self.sums, self.figures, 0
        running = self.running()
        before = np.concatenate(running) if running else np.zeros(0)
        start, overlapping = time.perf_counter(), self.overlap.wanted
        with np.errstate(over="ignore", invalid="ignore"):  # the loss shows it
            for number, shard in enumerate(self.own):
                # A counter of binary digits: a sum waits at each 1 of the number of shards so far.
                odd = number % 2
                _write(before, running)
                find = partial(self._gradient, rows, shard, sums[waiting - odd], bool(odd), weights, x)
                last = shard == self.own[-1]
                figures[waiting, 0] = self._add_up_meanwhile(find) if last and overlapping else find()
                if running:
                    share = _part(shard, self.shards, len(rows))
                    np.multiply(np.concatenate(running), len(share) / len(rows), out=figures[waiting, 1:])
                waiting += 1
                while number % 2:
                    waiting, number = waiting - 1, number // 2
                    figures[waiting - 1] += figures[waiting]
                    if number % 2 and not last:
                        sums[waiting - 2] += sums[waiting - 1]
            if not overlapping:
                self._add_up(slice(None))
            self.ranks.add_up(figures[0], figures[1])
        self.overlap.took(time.perf_counter() - start)
        _write(figures[0, 1:], running)
        value = float(figures[0, 0])
        if math.isfinite(value):
            self.net.grad[...] = sums[0]
            self.step.move(factor)
        return value

    def _add_up(self, part: slice) -> None:
        """Add up a part of what waits in the tree after this rank's last shard, and then those of all ranks."""
        for level in reversed(range(len(self.sums) - 3)):
            self.sums[level][part] += self.sums[level + 1][part]
        self.ranks.add_up(self.sums[0][part], self.sums[1][part])

    def _add_up_meanwhile(self, find: Callable[[], float]) -> float:
        """Find the last shard's gradient, and add up each part of it as soon as it is there; return what `find` does.

        The messages of one layer travel while the gradient of the layer before it is found.
        """
        with ThreadPoolExecutor(1) as thread:
            loss = thread.submit(find)
            for part in self.step.parts:
                while not (self.step.has(part) or loss.done()):
                    time.sleep(SOON)
                self._add_up(part)
            return loss.result()

    def _gradient(self, rows: Array, shard: int, to: Array, add: bool, weights: Array | None, x: Array | None) -> float:
        """Write the gradient of a shard to a sum, or add it there; return its part of the loss."""
        part = _part(shard, self.shards, len(rows))
        mine = slice(part.start, part.stop)
        for noise in self.noises:
            noise.go_to(self.optimizer.steps * self.shards + shard)
        if not part:  # a batch of fewer rows than shards
            np.multiply(to, add, out=to)
            return 0.0
        each, of_x = None if weights is None else weights[mine], None if x is None else x[mine]
        return self.step.gradient(rows[mine], len(rows), to, add, each, of_x)


class Overlap:
    """Chooses between two ways of a step: whether messages travel while the last gradient is found.

    That costs a thread and smaller messages. On a fast network, or where each core computes, it may not pay. So all
    ranks try both ways in turn, and agree on the one that takes less time. The numbers don't depend on it.
    ranks: None if there is no choice. wanted: the way of the next step.
    """

    def __init__(self, ranks: Ranks | None) -> None:
        self.ranks = ranks
        self.wanted: bool = False
        self.seconds: dict[bool, list[float]] = {False: [], True: []}  # of the steps of each way

    def took(self, seconds: float) -> None:
        """Take note of how long a step took, and choose the next one's way."""
        if self.ranks is None:
            return
        self.seconds[self.wanted].append(seconds)
        self.wanted = not self.wanted
        if len(self.seconds[True]) == TRIALS:
            spent = np.array([np.median(each) for each in self.seconds.values()])
            self.ranks.add_up(spent, np.empty_like(spent))
            self.wanted, self.ranks = bool(spent[1] < spent[0]), None


def _part(shard: int, shards: int, n: int) -> range:
    """The places of a shard's rows in a batch of n."""
    return range(shard * n // shards, (shard + 1) * n // shards)


def _write(values: Array, arrays: list[Array]) -> None:
    """Write a vector into several, one after the other."""
    start = 0
    for a in arrays:
        a[...] = values[start : start + a.size]
        start += a.size
