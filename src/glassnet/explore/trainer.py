"""Training in a thread of its own. All others see copies of its network and its numbers, under a lock."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from glassnet.explore.course import Course, Event, check_settings, in_use, twin, untrained
from glassnet.explore.encoding import json_number
from glassnet.explore.subject import Subject
from glassnet.inspection import Doctor, Trace
from glassnet.nn import Network
from glassnet.nn.layer import Array
from glassnet.optim import Optimizer

EVERY, SELDOM = 0.1, 1.0  # seconds between two copies for the page, and between two visits of the doctor
POINTS = 500  # of the loss curve, in one answer
SNAPSHOTS, SNAPSHOT_BYTES = 100, 256 * 2**20  # snapshots of epochs: their largest number and memory

Goal = Literal["pause", "step", "epoch", "run"]


class NotNowError(RuntimeError):
    """A question or an order comes at the wrong moment."""


@dataclass(frozen=True, eq=False)
class Snapshot:
    """Network and optimizer as they were after an epoch, and the log that led to them."""

    theta: Array
    state: dict[str, Array]
    optimizer: Optimizer
    settings: dict[str, float | None]
    log: tuple[Event, ...]


class Trainer:
    """Trains a copy of a subject's network on order.

    The thread alone touches `_course` while it is `_busy`. `shown` and `optimizer`, which the page sees, and all other
    attributes are read and written under the lock (`looking`). version: changes with every change of the shown network.
    course: changes with every new beginning.
    """

    shown: Network
    optimizer: Optimizer
    at: int | None  # the epoch whose snapshot is shown; None: the newest weights
    settings: dict[str, float | None]  # lr, momentum, batch_size of the shown network
    problem: str | None  # why training stopped by itself
    log: tuple[Event, ...]  # the log of the shown weights, for `replay`
    steps_per_epoch: int
    fresh: bool  # whether that began with untrained weights

    def __init__(self, subject: Subject) -> None:
        self.subject = subject
        self._changed = threading.Condition(threading.RLock())
        self._goal: Goal = "pause"
        self._busy = self._closed = False
        self._waiting: dict[str, Any] = {}  # settings that the thread hasn't taken yet
        self.version: int = 0
        self.course: int = 0
        self._begin(fresh=False)
        self._thread = threading.Thread(target=self._work, name="glassnet training", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End the thread after its present step."""
        with self._changed:
            self._closed, self._goal = True, "pause"
            self._changed.notify_all()
        self._thread.join(timeout=10)

    @contextmanager
    def looking(self) -> Iterator[None]:
        """Hold the shown network still."""
        with self._changed:
            yield

    # Orders of the page.

    def start(self) -> None:
        """Train until stopped."""
        self._aim("run", wait=False)

    def epoch(self) -> None:
        """Train to the end of this epoch."""
        self._aim("epoch", wait=False)

    def step(self) -> None:
        """Make one step, and wait for it."""
        self._aim("step", wait=True)

    def pause(self) -> None:
        """Stop after the present step, and wait for that, or until somebody else starts it again."""
        with self._changed:
            self._goal = "pause"
            self._changed.notify_all()
            self._changed.wait_for(lambda: not self._busy or self._goal != "pause")

    def reset(self, fresh: bool) -> None:
        """Stop, and begin anew: with the weights as they were opened, or with untrained ones."""
        with self._changed:
            self.pause()
            while self._busy:  # somebody else has started it again
                self.pause()
            self._begin(fresh)

    def set(self, settings: dict[str, Any]) -> dict[str, float | None]:
        """Change settings from the next step on; return all of them.

        Raises ValueError for nonsense, NotNowError while the past is shown.
        """
        with self._changed:
            check_settings(self.optimizer, settings)
            self._check_present()
            if self._busy:
                self._waiting |= settings
                return self.settings | settings
            self._course.set(**settings)
            self._publish()
            return self.settings

    def by_hand(self, x: Array, t: Array) -> Trace:
        """Make one step on the rows x, with targets t. Raises NotNowError while training runs or the past is shown."""
        with self._changed:
            if self._busy or self._goal != "pause":
                raise NotNowError("pause the training first")
            self._check_present()
            made = self._course.by_hand(x, t)
            self._publish()
            return made

    def scrub(self, epoch: int | None) -> None:
        """Show the weights as they were after an epoch (0: at the start); None: the newest.

        Raises NotNowError while training runs, ValueError for an epoch that isn't kept.
        """
        with self._changed:
            if self._busy or self._goal != "pause":
                raise NotNowError("pause the training first")
            if epoch is None:
                self._publish()
                return
            if epoch not in self.snapshots:
                kept = ", ".join(map(str, self.snapshots)) or "none"
                raise ValueError(f"there is no snapshot of epoch {epoch}; there are {kept}")
            snapshot = self.snapshots[epoch]
            self.at, self.log, self.settings = epoch, snapshot.log, snapshot.settings
            self._show(snapshot.theta, snapshot.state, snapshot.optimizer)

    def progress(self, since: int = 0) -> dict[str, Any]:
        """Return the progress of training: the losses after step `since` and all epochs, at most POINTS of each."""
        with self._changed:
            last = len(self.losses)
            losses = [[i + 1, json_number(self.losses[i])] for i in thinned(min(since, last), last)]
            return {
                "running": self._busy or self._goal != "pause",
                "step": last,
                "epoch": len(self.epochs),
                "steps_per_epoch": self.steps_per_epoch,
                "loss": losses,
                "epochs": [self.epochs[i] for i in thinned(0, len(self.epochs))],
                "snapshots": list(self.snapshots),
                "at": self.at,
                "findings": self.findings,
                "problem": self.problem,
                "settings": self.settings,
                "course": self.course,
            }

    # The thread.

    def _work(self) -> None:
        seen = 0.0
        while True:
            with self._changed:
                if self._waiting:
                    self._course.set(**self._waiting)
                    self._waiting = {}
                if self._goal == "pause" and self._busy:
                    self._publish()
                    self._busy = False
                    self._changed.notify_all()
                self._changed.wait_for(lambda: self._goal != "pause" or self._closed)
                if self._closed:
                    self._busy = False
                    self._changed.notify_all()
                    return
                self._busy = True
            ended, problem = self._advance()
            with self._changed:
                if ended:
                    self._keep()
                if problem is not None:
                    self.problem = problem
                if problem is not None or self._goal == "step" or (ended and self._goal == "epoch"):
                    self._goal = "pause"
                if ended or time.monotonic() - seen > EVERY:
                    self._publish()
                    seen = time.monotonic()

    def _advance(self) -> tuple[bool, str | None]:
        """Make a step; return whether an epoch ended, and the error, if any."""
        try:
            with np.errstate(all="ignore"):  # the loss shows it
                return self._course.step(), None
        except Exception as error:  # the page shows it; the thread must live on
            return False, " ".join(str(error).split()) or type(error).__name__

    # Under the lock.

    def _aim(self, goal: Goal, wait: bool) -> None:
        with self._changed:
            if self._closed:
                raise NotNowError("the explorer was stopped")
            if self.subject.why_not is not None:
                raise NotNowError(self.subject.why_not)
            if self.at is not None:
                self._publish()  # training goes on from the newest weights
            if not self._course.steps and 0 not in self.snapshots:
                self._keep()
            self.problem = None
            self._goal = goal
            self._changed.notify_all()
            if wait:
                self._changed.wait_for(lambda: self._goal != goal and not (self._goal == "pause" and self._busy))

    def _check_present(self) -> None:
        if self.at is not None:
            raise NotNowError("this is the past: return to the newest weights first")

    def _begin(self, fresh: bool) -> None:
        """A new course, from the weights as they were opened or from untrained ones."""
        subject = self.subject
        self.course += 1
        table = subject.recipe.training
        net = untrained(subject.net) if fresh else subject.net.copy()
        net.fast, net.threads = subject.net.fast, max(1, (os.cpu_count() or 2) - 1)  # a core is for server and browser
        self._doctor, self._examined = Doctor(), 0.0
        self._course = Course(
            net,
            subject.data,
            subject.loss,
            subject.begin(fresh),
            table.batch_size,
            subject.recipe.seed,
            table.epochs,
            [self._doctor],
            table.replacement,
        )
        self.fresh = fresh
        self.shown = in_use(net)
        self.snapshots: dict[int, Snapshot] = {}
        self._stride = 1  # of every how many epochs one is kept
        self.losses: list[float] = []
        self.epochs: list[dict[str, float | None]] = []
        self.problem = None
        self._waiting = {}
        self._publish()

    def _publish(self) -> None:
        """Show the newest."""
        course, run = self._course, self._course.run
        self.at = None
        self.log = tuple(course.log)
        self._show(run.net.theta, run.net.state(), run.optimizer)
        self.losses += run.history.step_loss[len(self.losses) :]
        self.epochs += [{k: json_number(v) for k, v in row.items()} for row in run.history.epochs[len(self.epochs) :]]
        self.settings = course.settings()
        self.steps_per_epoch = run.steps_per_epoch
        if self._goal == "pause" or time.monotonic() - self._examined > SELDOM:
            self._examine()

    def _examine(self) -> None:
        """Ask the doctor. If that fails, the page shows it, and training goes on."""
        self._examined = time.monotonic()
        if self._doctor.watch is None:
            self.findings: list[dict[str, str]] = []
            return
        try:
            with np.errstate(all="ignore"):
                self.findings = [finding.to_dict() for finding in self._doctor.findings]
        except Exception as error:
            self.problem = f"the doctor could not examine this training: {' '.join(str(error).split())}"

    def _show(self, theta: Array, state: dict[str, Array], optimizer: Optimizer) -> None:
        self.shown.theta[...] = theta
        self.shown.set_state(state)
        self.optimizer = twin(optimizer)
        self.version += 1

    def _keep(self) -> None:
        """Keep a snapshot of every epoch. If there are too many, every other one goes, but not the newest."""
        course, net = self._course, self._course.run.net
        state = {name: array.copy() for name, array in net.state().items()}
        kept = Snapshot(net.theta.copy(), state, twin(course.run.optimizer), course.settings(), tuple(course.log))
        self.snapshots[course.epochs] = kept
        size = kept.theta.nbytes * (1 + len(kept.optimizer.slots)) + sum(array.nbytes for array in state.values())
        if len(self.snapshots) > max(2, min(SNAPSHOTS, SNAPSHOT_BYTES // size)):
            self._stride *= 2
        self.snapshots = {e: s for e, s in self.snapshots.items() if e % self._stride == 0 or e == course.epochs}


def thinned(first: int, last: int) -> list[int]:
    """Return at most POINTS of the numbers first..last-1, evenly spaced; the last is among them."""
    stride = max(1, -(-(last - first) // POINTS))
    return list(range(last - 1, first - 1, -stride))[::-1]
