"""The number of threads, as the user, the environment and the machine allow."""

from __future__ import annotations

import functools
import os
import time
import warnings
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path

from glassnet.checks import positive_int
from glassnet.fast.structures import MAX_THREADS
from glassnet.nn import Network

LOCAL_RANKS = ("OMPI_COMM_WORLD_LOCAL_SIZE", "MPI_LOCALNRANKS")  # how many processes mpiexec has started here
VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
FIRST = 0.005  # seconds with one thread before more are tried: a short training is over before they'd pay
SOON, SELDOM = 4, 64  # the next trial follows after this multiple of a trial's time
_share: ContextVar[int | None] = ContextVar("share", default=None)  # of one of several trainings in a process


@contextmanager
def sharing(threads: int | None) -> Iterator[None]:
    """Let trainings that this thread begins in the block use at most so many threads. None sets no limit."""
    token = _share.set(threads)
    try:
        yield
    finally:
        _share.reset(token)


def available() -> int:
    """Return the least of: the usual environment variables, the cores of this process, its share of them.

    Ranks of MPI on one machine share its cores, even if mpiexec hasn't bound each of them to some.
    """
    limits = [
        _share.get() or MAX_THREADS,
        len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1,
    ]
    for name in VARIABLES:
        limits += _parsed(name, os.environ.get(name, ""))
    for name in LOCAL_RANKS:
        limits += [max(1, (os.cpu_count() or 1) // ranks) for ranks in _parsed(name, os.environ.get(name, ""))]
    try:  # a container's share, as "quota period" in microseconds
        quota, period = Path("/sys/fs/cgroup/cpu.max").read_text(encoding="ascii").split()
        limits.append(max(1, int(quota) // int(period)))
    except (OSError, ValueError):  # no such file, or "max"
        pass
    return min(limits)


@functools.cache
def _parsed(name: str, value: str) -> list[int]:
    """The number of threads in a variable's value, if it holds one. A value that can't be read is warned of once."""
    try:
        number = int(value.partition(",")[0])
    except ValueError:
        number = 0
    if number < 1 and value.strip():
        warnings.warn(f"{name} is {value!r}, no positive whole number: it is passed over", RuntimeWarning, stacklevel=2)
    return [number] if number > 0 else []


def limit(net: Network) -> int:
    """Return the most threads for a network. Raises ValueError if its `threads` was set to something else."""
    most = available() if net.threads is None else positive_int(net.threads, "threads")
    return min(most, MAX_THREADS - 1)


class Threads:
    """Chooses the number of threads for each of many similar calls: `with threads as count: ...`, or for some at once.

    The kernels' results don't depend on it, so the fastest number is right: all threads on idle cores, fewer for a
    short call, or if other programs or other trainings need the cores. The first calls have one thread.
    """

    choices: Generator[int, tuple[float, int], None]
    choice: int
    start: float
    calls: int = 1  # that are made at once

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.counts: list[int] = [limit]
        while self.counts[-1] > 1:
            self.counts.append(self.counts[-1] // 2)
        self._start()

    def _start(self) -> None:
        self.choices = _fastest(len(self.counts))
        self.choice = next(self.choices)

    def of(self, calls: int) -> Threads:
        """Choose for several calls together."""
        self.calls = calls
        return self

    def __enter__(self) -> int:
        self.start = time.perf_counter()
        return self.counts[self.choice]

    def __exit__(self, *_: object) -> None:
        try:
            self.choice = self.choices.send((time.perf_counter() - self.start, self.calls))
        except StopIteration:  # Ctrl-C came while it was choosing
            self._start()
        self.calls = 1


def _fastest(n: int) -> Generator[int, tuple[float, int], None]:
    """Yield the number of one of n ways again and again, and take the seconds that some calls took, and how many.

    Now and then another way is tried, each in turn: soon after a change, and ever more rarely while nothing changes.
    The best way so far is judged by its mean, which shows waiting for a busy core. The other is judged by the middle of
    three trials, because a single delay says nothing.
    """
    best, other, patience, budget = n - 1, n - 1, SOON, FIRST
    yield best  # the first call also touches all memory for the first time
    while True:
        spent, calls = 0.0, 0
        while calls < 3 or spent < budget or n == 1:
            seconds, made = yield best
            spent, calls = spent + seconds, calls + made
        other = (other + 1) % n
        if other == best:
            continue
        trials = [(yield other), (yield other), (yield other)]
        budget = patience * sum(seconds for seconds, _ in trials)
        patience = min(2 * patience, SELDOM)
        if sorted(seconds / made for seconds, made in trials)[1] < 0.95 * spent / calls:
            best, patience, budget = other, SOON, SOON * sum(seconds for seconds, _ in trials)
