"""The training of a pack in rounds: what is trained next, until when, and the best mixture so far."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from contextlib import suppress
from itertools import count
from threading import Event
from typing import Any, NamedTuple

import numpy as np

from glassnet.data.checks import listed
from glassnet.data.dataset import Stored
from glassnet.fast.threads import available
from glassnet.nn import Layer, Network, TargetMeans
from glassnet.nn.layer import Array
from glassnet.pack.answers import Answers
from glassnet.pack.candidate import Candidate, take_state
from glassnet.pack.mixture import Mixture, Team, mix
from glassnet.pack.trainee import Trainee
from glassnet.ranks import Ranks
from glassnet.train import DivergenceError, History

WORSE = 1.03  # times the error at the cycle before: a candidate that is worse than that trains no further
SHOWN = 3  # parts of a mixture, in a line
REFITS = 4  # networks of each candidate in the mixture that hold out nothing

Draw = Callable[[int], Candidate]  # makes the candidate of a number, counted from 0
Job = tuple[Team, Trainee, int]  # a network, and how many cycles it is to have ended


class Prepared(NamedTuple):
    """What candidates share: the layers that prepare rows, fitted, the prepared rows, and a network of the layers."""

    layers: list[Layer]
    x: Array
    net: Network | None

    def ready(self, dtype: np.dtype[Any]) -> Callable[[Array], Array]:
        """Return what prepares other rows in the same way."""
        return (lambda x: x.astype(dtype)) if self.net is None else self.net.predict


class TimeIsUp(Exception):  # noqa: N818  no error: it ends a training
    """The time limit was reached, or the next round wouldn't be finished before."""


class PackTraining:
    """Candidates, their networks so far, and the best mixture of them.

    x (N, n_in): raw rows. folds: all parts of the rows that may be held out. networks: of each candidate at first, each
    of which holds out another fold. batch: rows in a batch. limit: seconds, or None to train the given candidates and
    no more. keep: is called whenever a network has ended its cycles. tell: is given what is found, in lines. ranks:
    train the networks together, each some of them. stored: all rows to train on, if x is a sample of
    them. From an earlier call come the arrays of networks by their names
    (restored), the numbers of drawn candidates that the mixture didn't take (useless), and how many seconds it took
    (spent).
    """

    def __init__(
        self,
        x: Array,
        answers: Answers,
        folds: list[Array],
        networks: int,
        batch: int,
        seed: int,
        *,
        threads: int | None = None,
        limit: float | None = None,
        restored: dict[str, dict[str, Array]] | None = None,
        useless: Iterable[int] = (),
        spent: float = 0.0,
        keep: Callable[[PackTraining], None] = lambda _: None,
        tell: Callable[[str], None] = lambda _: None,
        ranks: Ranks | None = None,
        stored: Stored | None = None,
    ) -> None:
        self.stored = stored
        self.x, self.answers, self.folds, self.batch, self.seed = x, answers, folds, batch, seed
        self.held: list[Array] = folds[:networks]  # those that all networks in a mixture hold out
        self.threads = threads or available()
        if stored is not None:
            self.threads = min(self.threads, stored.networks)
        self.restored, self.keep, self.tell = restored or {}, keep, tell
        self.ranks: Ranks = ranks or Ranks()
        self.start: float = time.monotonic() - spent
        self.deadline: float | None = None if limit is None else time.monotonic() + limit
        self.teams: list[Team] = []
        self.networks: dict[str, Trainee] = {}  # all of them, by their names
        self.useless: set[int] = set(useless)
        self.best: Mixture | None = None
        self.history: History = History()
        self._prepared: dict[str, Prepared] = {}
        self._epochs = 0  # of all networks
        self._pace = 0.0  # seconds for an epoch of one network, beside the others
        self._stop = Event()

    @property
    def seconds(self) -> float:
        """The seconds since the start, with those that were spent before."""
        return time.monotonic() - self.start

    def run(self, candidates: Sequence[Candidate], draw: Draw | None = None) -> Mixture:
        """Train until all is done or the time is up; return the best mixture.

        With a limit, training goes on after the given candidates: those in the mixture hold out all folds, further ones
        are drawn, and at last networks that hold out nothing join in. Ctrl-C, or the limit, ends a round and leaves
        what was found before. If there is nothing yet, Ctrl-C is raised, and the limit waits for the first cycle of one
        candidate's networks; those that haven't come so far are left out.
        Raises DivergenceError if the losses of all candidates become NaN or infinite.
        """
        with ThreadPoolExecutor(self.threads) as self._pool:
            try:
                self._rounds(candidates, draw)
            except KeyboardInterrupt:
                self.history.interrupted = True
                if self.best is None or self.ranks.size > 1:  # the other ranks don't know of it, and wait
                    raise
            finally:
                self._stop.set()
        assert self.best is not None
        return self.best

    def _rounds(self, candidates: Sequence[Candidate], draw: Draw | None) -> None:
        try:
            self._train_candidates([self._team(candidate, i) for i, candidate in enumerate(candidates)])
            if self.deadline is None:
                return
            self._hold_out_all()
        except TimeIsUp:
            return
        if draw is not None:
            self._draw_more(draw, len(candidates))
        with suppress(TimeIsUp):
            self._refit()

    def _draw_more(self, draw: Draw, given: int) -> None:
        """Train drawn candidates as long as there is time, and forget those that the mixture doesn't take."""
        with suppress(TimeIsUp):
            for number in count():
                if number in self.useless:
                    continue
                team, before = self._team(draw(number), given + number), self.best
                self._train_candidates([team], self._refitting())
                if self.best is before:
                    self.useless.add(number)
                    self.teams = [other for other in self.teams if other is not team]
                    self.networks = {name: net for name, net in self.networks.items() if net not in team.trainees}

    def _train_candidates(self, teams: list[Team], spare: float = 0.0) -> None:
        """Train candidates, cycle by cycle. After the second, one goes on if that may help.

        It may if it is in the best mixture, and not worse than after the first.
        """
        self.teams += teams
        going = teams
        while going:
            self._round([(team, trainee, team.ends + 1) for team in going for trainee in team.trainees], spare)
            going = [team for team in going if team in self.teams]
            for team in going:
                team.ends += 1
            self._choose()
            going = [team for team in going if self._goes_on(team)]

    def _goes_on(self, team: Team) -> bool:
        """Whether one more cycle of a candidate may help."""
        if team.ends == len(team.candidate.ends):
            return False
        if team.ends == 1:
            return True
        assert self.best is not None
        if team not in self.best.last_ends():
            return False
        before, now = (team.error(end, self.answers, self.best.rows) for end in (team.ends - 2, team.ends - 1))
        return now <= WORSE * before

    def _hold_out_all(self) -> None:
        """Let the candidates of the mixture hold out the folds that were left, one after the other; drop all others."""
        assert self.best is not None
        ends = self.best.last_ends()
        more: dict[Team, list[Trainee]] = {}
        for team in ends:
            more[team] = [self._trainee(team, i) for i in range(len(self.held), len(self.folds))]
            self._round([(team, trainee, ends[team]) for trainee in more[team]])
        if not all(team in self.teams for team in ends):
            raise TimeIsUp  # a network's loss became infinite, so there is no mixture for the further folds
        self.teams, self.held = list(ends), self.folds
        for team in self.teams:
            team.trainees += more[team]
            team.ends = ends[team]
        self.best = Mixture(self.best.shares, self.answers, self._rows())
        self._choose()

    def _refit(self) -> None:
        """Train networks of the mixture's candidates on all rows, as long as it takes them."""
        assert self.best is not None
        jobs: list[Job] = []
        for team, ends in self.best.last_ends().items():
            team.refits = team.refits or [self._trainee(team, None, i) for i in range(REFITS)]
            jobs += [(team, trainee, ends) for trainee in team.refits]
        self._round(jobs)

    def _refitting(self) -> float:
        """Return how many seconds `_refit` will take."""
        assert self.best is not None
        return self._pace * REFITS * sum(team.candidate.epochs(n) for team, n in self.best.last_ends().items())

    def _round(self, jobs: list[Job], spare: float = 0.0) -> None:
        """Train networks side by side. A candidate whose loss becomes infinite is dropped.

        Raises TimeIsUp if the limit, less `spare` seconds, comes before all have ended their cycles. If there is no
        mixture yet, those of one candidate do, and candidates whose networks don't are dropped.
        """
        until = math.inf if self.deadline is None else self.deadline - spare
        epochs = sum(_left(*job) for job in jobs)
        if self.best is not None and self.ranks.of_first(lambda: time.monotonic() + self._pace * epochs > until):
            raise TimeIsUp
        start = time.monotonic()
        own = range(self.ranks.rank, len(jobs), self.ranks.size)
        first = [jobs[i][1] for i in own if jobs[i][0] is jobs[0][0]] if self.best is None else []

        def halted() -> bool:
            return self._stop.is_set() or (time.monotonic() > until and all(each.cycle_ends for each in first))

        waiting = {self._pool.submit(jobs[i][1].train, jobs[i][2], halted): i for i in own}
        faults: dict[int, DivergenceError] = {}
        try:
            while waiting:
                done, _ = wait(waiting, return_when=FIRST_COMPLETED)
                for each in done:
                    number, fault = waiting.pop(each), each.exception()
                    if isinstance(fault, DivergenceError):
                        faults[number] = fault
                    elif fault is not None:
                        raise fault
                self.keep(self)
        except BaseException:
            self._stop.set()
            self._pool.shutdown(cancel_futures=True)
            raise
        self._exchange(jobs, own, faults)
        if epochs:
            self._pace = (time.monotonic() - start) / epochs
        late = {team for team, trainee, ends in jobs if len(trainee.cycle_ends) < ends} & set(self.teams)
        self._epochs += sum(_new(*job) for job in jobs if job[0] not in late)
        if not late:
            return
        if self.best is not None:
            raise TimeIsUp
        if len(late) == len(self.teams):  # the first candidate was dropped, and the others wait for another
            self._round([job for job in jobs if job[0] in late])
            return
        self.tell(f"no time was left for {listed(team.candidate.name for team in self.teams if team in late)}")
        self.teams = [team for team in self.teams if team not in late]

    def _exchange(self, jobs: list[Job], own: range, faults: dict[int, DivergenceError]) -> None:
        """Take over what the other ranks have trained, and drop the candidates of networks that failed on any."""
        trained = {i: jobs[i][1].arrays() for i in own if jobs[i][1].cycle_ends} if self.ranks.size > 1 else {}
        found = self.ranks.of_all(lambda: (trained, faults))
        faults = {number: fault for _, failed in found for number, fault in failed.items()}
        for rank, (arrays, _) in enumerate(found):
            for number, each in arrays.items():
                if rank != self.ranks.rank:
                    jobs[number][1].restore(each)
        if self.ranks.size > 1:
            self.keep(self)
        for number in sorted(faults):
            team = jobs[number][0]
            if team in self.teams:
                self.teams.remove(team)
                self.tell(f"{faults[number]}, so that is left out")
            if not self.teams:
                raise faults[number]

    def _rows(self) -> Array:
        """The rows that all networks together hold out."""
        return np.concatenate(self.held)

    def _choose(self) -> None:
        """Take the best mixture if it is better than the one before, and note it."""
        found = mix(self.teams, self.answers, self._rows())
        if self.best is not None and found.error >= self.best.error:
            return
        self.best = found
        row: dict[str, float] = {"epoch": self._epochs, "train_loss": found.train_loss, "val_loss": found.error}
        self.history.epochs.append(row | {"seconds": round(self.seconds, 3)})
        parts = found.parts()
        more = f" and {len(parts) - SHOWN} more" if len(parts) > SHOWN else ""
        trained = sum(len(network.cycle_ends) > 0 for network in self.networks.values())
        about = f"{trained} networks, {self._epochs} epochs: error {found.error:.4g} for rows held out"
        self.tell(f"{about}; {', '.join(parts[:SHOWN])}{more}")

    def _team(self, candidate: Candidate, number: int) -> Team:
        """Make the first networks of a candidate."""
        key = repr(candidate.preprocessing)
        if key not in self._prepared:
            self._prepared[key] = self._prepare(candidate)
        team = Team(number, candidate, self._prepared[key].layers)
        for i in range(len(self.held)):
            team.trainees.append(self._trainee(team, i))
        return team

    def _prepare(self, candidate: Candidate) -> Prepared:
        """Fit what all networks of a candidate share before them."""
        layers, x = candidate.preprocessing, self.x
        if layers and isinstance(layers[0], TargetMeans):
            x = self._with_means(layers.pop(0), np.arange(len(x)), [self.seed])
        if not layers:
            return Prepared(layers, x.astype(candidate.net.dtype), None)
        net = Network(layers, dtype=candidate.net.precision)
        net.fit_preprocessing(x)
        return Prepared(layers, net.predict(x), net)

    def _with_means(self, means: Layer, rows: Array, seed: list[int]) -> Array:
        """Fit the layer to these rows, and return all rows as networks train on them."""
        assert isinstance(means, TargetMeans)
        return means.find_keys(self.x).crossed(self.x, self.answers.targets, rows, np.random.default_rng(seed))

    def _trainee(self, team: Team, fold: int | None, number: int = 0) -> Trainee:
        """Make a network of a candidate that holds out a fold or, with a number, none."""
        own = [self.seed, team.number, len(self.folds) + number if fold is None else fold]
        name = ".".join(map(str, own[1:]))
        preprocessing = team.candidate.preprocessing
        prepared = self._prepared[repr(preprocessing)]
        net = team.candidate.trained(int(np.random.SeedSequence(own).generate_state(1)[0]))
        if team.trainees:
            take_state(net.layers, team.trainees[0].net.layers)
        net.fit_preprocessing(prepared.x)
        held = self.folds[fold] if fold is not None else np.zeros(0, np.int64)
        before, x = preprocessing[: len(preprocessing) - len(prepared.layers)], prepared.x
        if before:
            x = self._with_means(before[0], np.setdiff1d(np.arange(len(x)), held), own)
            x = x.astype(net.dtype) if prepared.net is None else prepared.net.predict(x)
        raw: dict[str, Any] = {"stored": self.stored, "prepare": prepared.ready(net.dtype)}
        trainee = Trainee(team.candidate, net, x, self.answers, held, self.batch, own, before, **raw)
        if name in self.restored:
            trainee.restore(self.restored[name])
        self.networks[name] = trainee
        return trainee


def _left(team: Team, trainee: Trainee, ends: int) -> int:
    """How many epochs a network has to train until so many cycles have ended: none if it was restored from there."""
    return max(0, team.candidate.epochs(ends) - team.candidate.epochs(len(trainee.cycle_ends)))


def _new(team: Team, trainee: Trainee, ends: int) -> int:
    """How many epochs those cycles have that are new in this round."""
    return team.candidate.epochs(ends) - team.candidate.epochs(team.ends if trainee in team.trainees else 0)
