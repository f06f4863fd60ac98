"""What the mixture consists of: candidates at the ends of their cycles, chosen by the rows that were held out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from glassnet.nn import Dense, Ensemble, Layer, Network
from glassnet.nn.layer import Array
from glassnet.nn.mean import Mean, Of
from glassnet.pack.answers import Answers
from glassnet.pack.candidate import Candidate, copies, take_state
from glassnet.pack.trainee import Trainee

SAME = 0.08  # a temperature so near to 1 isn't worth a choice of its own
STEPS = 10  # of a greedy choice
BAGS, MOST = 20, 4096  # greedy choices, and the most rows that one goes by
SMALL = 0.06  # a share below it isn't worth the time that its networks take to answer


@dataclass(eq=False)
class Team:
    """The networks of a candidate, which share their preprocessing.

    number: of the candidate. before: the layers that prepare rows, fitted. trainees: one for each fold that is held
    out. ends: how many cycles they have ended. refits: networks that hold out nothing.
    """

    number: int
    candidate: Candidate
    before: list[Layer]
    trainees: list[Trainee] = field(default_factory=list)
    ends: int = 0
    refits: list[Trainee] = field(default_factory=list)

    def outputs(self, end: int) -> Array:
        """Return the outputs for all held rows (n, n_out), in the order of the folds, as they were at that end."""
        return np.concatenate([trainee.cycle_ends[end].outputs for trainee in self.trainees])

    def error(self, end: int, answers: Answers, rows: Array) -> float:
        """Return the error for the held rows at that end, after the temperature that suits them."""
        outputs = self.outputs(end)
        return answers.error(answers.answer(outputs, rows, answers.temperature(outputs, rows)), rows)


@dataclass(frozen=True, eq=False)
class Choice:
    """A candidate at the end of a cycle, with a temperature."""

    team: Team
    end: int
    temperature: float

    def outputs(self) -> Array:
        """Return the outputs for all held rows (n, n_out)."""
        return self.team.outputs(self.end) / self.temperature

    def networks(self) -> list[Trainee]:
        """Return the networks that answer: those of the folds, and those that hold out nothing, if they got so far."""
        return [*self.team.trainees, *(each for each in self.team.refits if len(each.cycle_ends) > self.end)]

    def __str__(self) -> str:
        candidate = self.team.candidate
        scaled = "" if self.temperature == 1 else f", temperature {self.temperature:.2g}"
        epochs = candidate.ends[self.end]
        return f"{candidate.name} after {epochs} epoch{'s' if epochs > 1 else ''}{scaled}"


@dataclass(frozen=True, eq=False)
class Mixture:
    """Choices and their shares, which sum to 1. rows: those held out (n,), by which they were chosen."""

    shares: dict[Choice, float]
    answers: Answers
    rows: Array

    @cached_property
    def error(self) -> float:
        """The error for the held rows: the mean negative log probability, or the loss in standard units."""
        mixed = sum(share * self.answers.answer(choice.outputs(), self.rows) for choice, share in self.shares.items())
        return self.answers.error(np.asarray(mixed), self.rows)

    @property
    def train_loss(self) -> float:
        """The mean loss of its networks in the last epoch of each."""
        return sum(
            share * float(np.mean([trainee.cycle_ends[choice.end].loss for trainee in choice.team.trainees]))
            for choice, share in self.shares.items()
        )

    def last_ends(self) -> dict[Team, int]:
        """Return the candidates that take part, and the number of cycles of the longest training of each."""
        found: dict[Team, int] = {}
        for choice in self.shares:
            found[choice.team] = max(found.get(choice.team, 0), choice.end + 1)
        return found

    def parts(self) -> list[str]:
        """Say what it consists of, the largest share first."""
        shown = sorted(self.shares.items(), key=lambda each: -each[1])
        return [f"{share:.0%} {choice}" for choice, share in shown]

    def ensemble(self, info: dict[str, object]) -> Ensemble:
        """Make ordinary networks of it: a temperature is in the weights of the last layer."""
        made: list[tuple[float, Network]] = []
        for choice, share in self.shares.items():
            taking = choice.networks()
            made += [(share / len(taking), self._network(choice, trainee, info)) for trainee in taking]
        weights, networks = zip(*sorted(made, key=lambda each: -each[0]), strict=True)  # the largest share first
        return Ensemble(networks, self.answers.loss.task, weights)

    def _network(self, choice: Choice, trainee: Trainee, info: dict[str, object]) -> Network:
        last: list[Layer] = [] if self.answers.unit is None else [self.answers.unit]
        trained = [*trainee.own, *choice.team.before, *trainee.net.layers, *last]
        layers = copies(trained)
        net = Network(layers, seed=trainee.net.seed, dtype=trainee.net.precision)
        take_state(layers, trained)
        net.theta[...] = trainee.cycle_ends[choice.end].theta
        if choice.temperature != 1:
            dense = layers[-1]
            assert isinstance(dense, Dense)
            dense.W /= choice.temperature
            dense.b /= choice.temperature
        net.info = dict(info)
        return net

    def outputs(self, of: Of) -> Array:
        """Return what the mixture answers for the held rows (n, n_out), as `Ensemble.predict` does."""
        unit, outputs = self.answers.unit, [choice.outputs() for choice in self.shares]
        each = outputs if unit is None else [unit.forward(y) for y in outputs]
        return Mean(list(self.shares.values()), of)(np.stack(each))


def mix(teams: Sequence[Team], answers: Answers, rows: Array) -> Mixture:
    """Return the best mixture of all ends that these candidates have reached, with and without a temperature."""
    choices: list[Choice] = []
    for team in teams:
        for end in range(team.ends):
            choices.append(Choice(team, end, 1.0))
            temperature = answers.temperature(team.outputs(end), rows)
            if abs(temperature - 1) > SAME:
                choices.append(Choice(team, end, temperature))
    shares = bagged(np.stack([answers.answer(choice.outputs(), rows) for choice in choices]), answers, rows)
    return Mixture({choices[i]: float(shares[i]) for i in np.flatnonzero(shares)}, answers, rows)


def bagged(choices: Array, answers: Answers, rows: Array) -> Array:
    """Return the shares (k,) of choices (k, n, ...): the mean over greedy choices by halves of the rows at random.

    A few rows that lie far out would otherwise decide alone. Small shares are dropped. Bags of greedy choices: Caruana
    et al. 2004 (ICML), section 2.3; halves without replacement: Buehlmann & Yu 2002 (Ann. Stat. 30:927-961).
    """
    rng = np.random.default_rng(0)
    counted = np.arange(len(rows)) if answers.weights is None else np.flatnonzero(answers.weights[rows])
    choices, counts = choices.astype(np.float32), np.zeros(len(choices))  # logarithms take most of the time
    for _ in range(BAGS):
        half = rng.permutation(counted)[: min(MOST, (len(counted) + 1) // 2)]
        counts += greedy(choices[:, half], answers, rows[half])
    shares = counts / counts.sum()
    shares[shares < min(SMALL, shares.max() / 2)] = 0
    return shares / shares.sum()


def greedy(choices: Array, answers: Answers, rows: Array, steps: int = STEPS) -> Array:
    """Return how often each choice (k, n, ...) is taken if, so many times, whichever helps the mean most is added.

    Caruana et al. 2004 (ICML), section 2: with repetition. The counts (k,) sum to `steps`.
    """
    counts, total = np.zeros(len(choices), int), np.zeros(choices.shape[1:])
    for step in range(1, steps + 1):
        best = int(np.argmin(answers.doubted((total + choices) / step, rows)))
        counts[best] += 1
        total += choices[best]
    return counts
