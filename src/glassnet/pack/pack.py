"""Training a pack: networks that hold out other rows, in threads, and the mixture that answers best for those rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from threading import Event
from typing import Any

import numpy as np

from glassnet.fast.threads import available
from glassnet.nn import Dense, Ensemble, Layer, Network
from glassnet.nn.layer import Array
from glassnet.nn.members import WeightedMean
from glassnet.pack.answers import Answers, Kind, greedy
from glassnet.pack.candidate import CANDIDATES, Candidate
from glassnet.pack.trainee import Trainee

FOLDS, NETWORKS = 8, 4  # parts of the rows, and how many of them are held out, by a network of each candidate
WORSE = 1.03  # times the error at the cycle before: a candidate that is worse than that trains no further
SAME = 0.08  # a temperature so near to 1 isn't worth a choice of its own


@dataclass(frozen=True, eq=False)
class Pack:
    """A trained pack.

    ensemble: what answers. rows: the numbers of the rows that some network held out (n,), and outputs: what the
    networks that hadn't seen them answer for them (n, n_out), as the ensemble's `predict` does. error: of these, mean
    squared (in standard units) or the mean negative log probability. parts: what the mixture consists of, in words.
    """

    ensemble: Ensemble
    rows: Array
    outputs: Array
    error: float
    parts: list[str]


@dataclass(frozen=True, eq=False)
class Choice:
    """A candidate at the end of a cycle, with a temperature: what the mixture may consist of."""

    trainees: list[Trainee]
    end: int
    temperature: float

    def outputs(self) -> Array:
        """Return the outputs for all held rows (n, n_out), in the order of the folds."""
        return np.concatenate([trainee.cycle_ends[self.end].outputs for trainee in self.trainees]) / self.temperature

    def __str__(self) -> str:
        candidate = self.trainees[0].candidate
        scaled = "" if self.temperature == 1 else f", temperature {self.temperature:.2g}"
        return f"{candidate.name} after {candidate.ends[self.end]} epochs{scaled}"


def fit_pack(
    x: Array,
    y: Array,
    kind: Kind,
    columns: dict[str, Any] | None = None,
    *,
    info: dict[str, Any] | None = None,
    weights: Array | None = None,
    candidates: Sequence[Candidate] = CANDIDATES,
    networks: int = NETWORKS,
    seed: int = 0,
    threads: int | None = None,
    tell: Callable[[str], None] = lambda _: None,
) -> Pack:
    """Train networks of each candidate on rows x (N, n_in) with targets y, and return the best mixture.

    kind: "classes", with y (N, n_out) one-hot; "flags", with y of 0 and 1; "values", with y in any unit.
    columns: the arguments of a layer Columns, if x is a table with categories or missing values. info: what travels
    with each network. weights: of the rows' losses (N,). networks: how many of each candidate, at most 8. threads:
    networks that train side by side, by default as many as there are cores. tell: is given what is decided, in lines.

    The rows are dealt into 8 folds, evenly by class, and the networks of a candidate each hold out another one. Their
    cycles end after more and more epochs. After the second a candidate goes on if that may help: if it is in the best
    mixture, and not worse than after the first. Raises ValueError for fewer than 4 rows, DivergenceError.
    """
    if len(x) < 4:
        raise ValueError(f"a pack needs at least 4 rows, as its networks hold some out, not {len(x)}")
    answers, columns = Answers.of(y, kind, weights), columns or {}
    held = list(_folds(answers, min(FOLDS, len(x) // 2), seed))[:networks]
    rows = np.concatenate(held)
    if weights is not None and not weights[rows].sum() > 0:
        raise ValueError("no row that is held out has a weight above 0: give more rows one")
    known: dict[str, tuple[Network, Array]] = {}
    teams = [
        _team(_prepared(x, c, columns, known), answers, columns, c, held, [seed, i]) for i, c in enumerate(candidates)
    ]
    with ThreadPoolExecutor(threads or available()) as pool:
        going = teams
        while going:
            _train_cycle(pool, going)
            choices, counts = _mixture(teams, answers, rows)
            going = [team for team in going if _goes_on(team, choices, counts, answers, rows)]
            if going:
                tell(f"trained further: {', '.join(team[0].candidate.name for team in going)}")
    taken = {choice: count / counts.sum() for choice, count in zip(choices, counts, strict=True) if count}
    mixed = sum(share * answers.answer(choice.outputs(), rows) for choice, share in taken.items())
    ensemble = _ensemble(answers, taken, info or {})
    shown = sorted(taken.items(), key=lambda each: -each[1])
    parts = [f"{share:.0%} {choice}" for choice, share in shown]
    return Pack(
        ensemble, rows, _held_outputs(answers, taken, ensemble.mean().of), answers.error(np.asarray(mixed), rows), parts
    )


def _folds(answers: Answers, folds: int, seed: int) -> Iterator[Array]:
    """Deal the rows into folds at random; of each class evenly."""
    order = np.random.default_rng(seed).permutation(len(answers.targets))
    if answers.kind == "classes":
        order = order[np.argsort(answers.targets[order], kind="stable")]
    for fold in range(folds):
        yield np.sort(order[fold::folds])


def _prepared(
    x: Array, candidate: Candidate, columns: dict[str, Any], known: dict[str, tuple[Network, Array]]
) -> tuple[Network, Array]:
    """Return a candidate's preprocessing and the prepared rows: those that are known, if another has the same."""
    before = Network(candidate.preprocessing(columns))
    if repr(before) not in known:
        before.fit_preprocessing(x)
        known[repr(before)] = before, before.predict(x)
    return known[repr(before)]


def _team(
    prepared: tuple[Network, Array],
    answers: Answers,
    columns: dict[str, Any],
    candidate: Candidate,
    held: list[Array],
    seed: list[int],
) -> list[Trainee]:
    """Make the networks of a candidate, which share their preprocessing."""
    before, x = prepared
    team: list[Trainee] = []
    for i, fold in enumerate(held):
        own = [*seed, i]
        drawn = int(np.random.SeedSequence(own).generate_state(1)[0])
        net = Network(candidate.trained(columns, x.shape[1], answers.n_out), seed=drawn, threads=1)
        if team:
            _take_state(net.layers, team[0].net.layers)
        net.fit_preprocessing(x)
        team.append(Trainee(candidate, before, net, x, answers, fold, own))
    return team


def _take_state(layers: Sequence[Layer], of: Sequence[Layer]) -> None:
    """Give layers what equal ones have fitted."""
    for layer, other in zip(layers, of, strict=True):
        for name in other.state:
            setattr(layer, name, getattr(other, name))


def _train_cycle(pool: ThreadPoolExecutor, teams: list[list[Trainee]]) -> None:
    """Train all networks until the end of their next cycle, side by side. After an error none goes on for long."""
    stop = Event()
    done = [pool.submit(trainee.train_cycle, stop) for team in teams for trainee in team]
    try:
        for each in done:
            each.result()
    except BaseException:
        stop.set()
        pool.shutdown(cancel_futures=True)
        raise


def _mixture(teams: list[list[Trainee]], answers: Answers, rows: Array) -> tuple[list[Choice], Array]:
    """Return all choices that there are by now, and how often the best mixture takes each."""
    choices: list[Choice] = []
    for team in teams:
        for end in range(len(team[0].cycle_ends)):
            plain = Choice(team, end, 1.0)
            temperature = answers.temperature(plain.outputs(), rows)
            scaled = abs(temperature - 1) > SAME
            choices += [plain, Choice(team, end, temperature)] if scaled else [plain]
    return choices, greedy(np.stack([answers.answer(c.outputs(), rows) for c in choices]), answers, rows)


def _goes_on(team: list[Trainee], choices: list[Choice], counts: Array, answers: Answers, rows: Array) -> bool:
    """Whether another cycle may help: the second always; then if the mixture has the team, and it didn't get worse."""
    done = len(team[0].cycle_ends)
    if done == len(team[0].candidate.ends):
        return False
    if done == 1:
        return True
    errors = []
    for end in (done - 2, done - 1):
        outputs = Choice(team, end, 1.0).outputs()
        errors.append(answers.error(answers.answer(outputs, rows, answers.temperature(outputs, rows)), rows))
    used = any(count for choice, count in zip(choices, counts, strict=True) if choice.trainees is team)
    return used and errors[1] <= WORSE * errors[0]


def _ensemble(answers: Answers, taken: dict[Choice, float], info: dict[str, Any]) -> Ensemble:
    """Make ordinary networks of what the mixture takes: a temperature is in the weights of the last layer."""
    networks, weights = [], []
    last: list[Layer] = [] if answers.unit is None else [answers.unit]
    for choice, share in taken.items():
        for trainee in choice.trainees:
            trained = [*trainee.before.layers, *trainee.net.layers]
            layers = [type(layer)(**layer.config()) for layer in (*trained, *last)]
            net = Network(layers, seed=trainee.net.seed)
            _take_state(layers, [*trained, *last])
            net.theta[...] = trainee.cycle_ends[choice.end].theta
            dense = layers[len(trained) - 1]
            assert isinstance(dense, Dense)
            dense.W /= choice.temperature
            dense.b /= choice.temperature
            net.info = dict(info)
            networks.append(net)
            weights.append(share / len(choice.trainees))
    return Ensemble(networks, "regression" if answers.unit is not None else "classification", weights)


def _held_outputs(answers: Answers, taken: dict[Choice, float], of: str) -> Array:
    """Return what the mixture answers for the held rows, as `Ensemble.predict` does."""
    outputs = np.stack([choice.outputs() for choice in taken], axis=1)
    rows = outputs.reshape(-1, outputs.shape[2])
    if answers.unit is not None:
        rows = answers.unit.forward(rows)
    return WeightedMean(list(taken.values()), of).forward(rows)
