"""The processes of a search, on one machine or many: whose trial is whose, and which process was killed.

A process names itself in each trial that it begins, and gives a sign of life while it trains. No clocks are compared:
whether signs still come is judged by the time of the one who waits for them.
"""

from __future__ import annotations

import itertools
import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from glassnet.meanwhile import meanwhile

if TYPE_CHECKING:
    from optuna import Study
    from optuna.trial import FrozenTrial, Trial, TrialState

PROCESS, SIGN, FAILED, OWN = "process", "sign of life", "failed", "own"  # attributes of a trial
EVERY = 60.0  # seconds between two signs of life
DEAD = 300.0  # seconds without a sign, after which a process of another machine counts as killed
NAMELESS = 5.0  # the same for one that hasn't named itself, which takes it a moment
PAUSE = 0.1  # seconds between two looks at what others do


def kind(trial: FrozenTrial) -> str:
    """Return the state of a trial: finished, pruned, failed (which Optuna holds as pruned), stopped or running.

    A trial that was created but not begun by any process is "waiting". So is one whose process ended just then.
    """
    if FAILED in trial.user_attrs:
        return FAILED
    names = {"COMPLETE": "finished", "PRUNED": "pruned", "FAIL": "stopped"}
    return names.get(trial.state.name, "running" if PROCESS in trial.user_attrs else "waiting")


def begun(study: Study) -> list[FrozenTrial]:
    """Return the trials that count: all except those that were stopped or wait."""
    return [trial for trial in study.get_trials(deepcopy=False) if kind(trial) not in ("stopped", "waiting")]


def this_process() -> list[Any]:
    """Return the name of this process: its machine and its number."""
    return [socket.gethostname(), os.getpid()]


def claim(study: Study, asked: Trial, wanted: int) -> bool:
    """Name this process in its new trial. Return whether it is to be trained.

    It isn't if processes took more trials than are wanted at the same moment, or the recipe as it is twice: of these
    the later ones, by their numbers, are given up.
    """
    from optuna.trial import TrialState

    asked.set_user_attr(PROCESS, this_process())
    end = time.monotonic() + NAMELESS
    while True:
        before = [t for t in study.get_trials(deepcopy=False) if t.number < asked.number and t.state.name != "FAIL"]
        named = [t for t in before if kind(t) != "waiting"]
        twice = OWN in asked.user_attrs and any(OWN in t.user_attrs for t in named)
        if len(named) >= wanted or twice:
            tell(study, asked.number, TrialState.FAIL)
            return False
        nameless = [t for t in before if t.state.name == "RUNNING" and kind(t) == "waiting"]
        matters = len(named) + len(nameless) >= wanted or OWN in asked.user_attrs
        if not nameless or not matters or time.monotonic() > end:
            return True
        time.sleep(PAUSE)


def tell(study: Study, number: int, state: TrialState, value: float | None = None) -> bool:
    """End a trial, unless another process has ended it in the meantime. Return whether it was this one."""
    from optuna.exceptions import UpdateFinishedTrialError

    if study.get_trials(deepcopy=False)[number].state.is_finished():
        return False
    try:
        study.tell(number, value, state)
    except UpdateFinishedTrialError:
        return False
    return True


@contextmanager
def signs_of_life(asked: Trial) -> Iterator[None]:
    """Show in this block, now and then, that the process of a trial goes on."""
    numbers = itertools.count(1)

    def give() -> None:
        with suppress(Exception):  # the storage will have a chance to complain to the search itself
            asked.set_user_attr(SIGN, next(numbers))

    with meanwhile(give, EVERY):
        yield


class Others:
    """The trials of other processes, as this one sees them."""

    def __init__(self, study: Study) -> None:
        self.study = study
        self.seen: dict[int, tuple[Any, float]] = {}  # the latest sign of a running trial, and since when it is that

    def bury(self) -> None:
        """Mark the trials of killed processes as stopped."""
        from optuna.trial import TrialState

        for trial in self.study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
            if self._killed(trial):
                tell(self.study, trial.number, TrialState.FAIL)

    def _killed(self, trial: FrozenTrial) -> bool:
        process = trial.user_attrs.get(PROCESS)
        sign, now = (process, trial.user_attrs.get(SIGN), trial.last_step), time.monotonic()
        before, since = self.seen.get(trial.number, (None, now))
        if sign != before:
            self.seen[trial.number] = sign, (since := now)
        if process is None:
            return now - since > NAMELESS
        host, number = process
        return now - since > DEAD or (host == this_process()[0] and not _alive(number))


def _alive(process: int) -> bool:
    if os.name != "posix":  # elsewhere the question would be a signal
        return True
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    with suppress(OSError, IndexError):  # Linux: one that has ended, but that its parent hasn't asked after
        return Path(f"/proc/{process}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0] != "Z"
    return True
