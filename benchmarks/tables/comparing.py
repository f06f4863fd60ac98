"""Figures side by side: ratios of each table, their means, ranks, and how sure they are."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import rankdata

from tables.kinds import Kind
from tables.results import Records

LOWEST, HIGHEST = 0.7, 1.4  # a table counts no more than so, that none decides
DRAWS = 10_000
TWO_SIDED = 1.96  # standard errors, for 95%

Ratios = dict[str, float]  # by table; of errors and costs, below 1 is better


@dataclass(frozen=True)
class Summary:
    """Ratios over tables."""

    tables: int
    mean: float  # geometric, of ratios clipped to 0.7..1.4
    interval: tuple[float, float]  # of 95%, by drawing tables with replacement
    median: float
    better: int
    worst: tuple[float, str]


class Board:
    """The figures of fits of one kind: board(figure, table, contender) gives them by split."""

    def __init__(self, records: Records, kind: Kind = Kind()) -> None:  # noqa: B008 (a tuple)
        self.records = {(fit.table, fit.contender, fit.split): f for fit, f in records.items() if fit.kind == kind}
        self.splits = sorted({split for _, _, split in self.records})

    def __call__(self, figure: str, table: str, who: str) -> dict[int, float]:
        """Return a figure by split, of fits that succeeded and have it."""
        found = {split: self.records.get((table, who, split), {}) for split in self.splits}
        return {split: figures[figure] for split, figures in found.items() if figure in figures}

    def mean(self, figure: str, table: str, who: str) -> float | None:
        """Return the mean of a figure over the splits, None without one."""
        found = self(figure, table, who)
        return math.fsum(found.values()) / len(found) if found else None

    def ratios(self, tables: Iterable[str], who: str, against: str, figure: str = "error") -> Ratios:
        """Return the geometric mean of the ratios over the splits that both have, for each table that has some."""
        found = {}
        for table in tables:
            ours, theirs = self(figure, table, who), self(figure, table, against)
            both = ours.keys() & theirs.keys()
            if both:
                found[table] = geometric(ours[split] / theirs[split] for split in sorted(both))
        return found

    def interval(self, table: str, who: str, ratio: float) -> tuple[float, float] | None:
        """Return that of 95% around a ratio to CatBoost's error, from the losses of the same test rows."""
        errors = list(self("spread", table, who).values())
        if not errors:
            return None
        width = TWO_SIDED * math.hypot(*errors) / len(errors)
        return ratio * math.exp(-width), ratio * math.exp(width)

    def ranks(self, tables: Sequence[str], who: Sequence[str]) -> dict[str, float]:
        """Return mean ranks by error, 1 the best, of those that were fitted to more than half of the tables.

        They are ranked in every split of a table that all of them were fitted to. Who failed comes last.
        """
        tried = {name: {table: self._tried(table, name) for table in tables} for name in who}
        often = [name for name in who if 2 * sum(map(bool, tried[name].values())) > len(tables)]
        ranks = []
        for table in tables if often else ():
            errors = [tried[name][table] for name in often]
            for split in sorted(set.intersection(*map(set, errors))):
                ranks.append(rankdata([found[split] for found in errors]))
        return dict(zip(often, np.mean(ranks, axis=0).tolist(), strict=True)) if ranks else {}

    def _tried(self, table: str, who: str) -> dict[int, float]:
        """The errors by split, infinite where a fit failed."""
        found = {split: self.records.get((table, who, split)) for split in self.splits}
        return {split: f.get("error", math.inf) for split, f in found.items() if f is not None}


def geometric(values: Iterable[float]) -> float:
    """The geometric mean of at least one value."""
    logs = [math.log(value) for value in values]
    return math.exp(math.fsum(logs) / len(logs))


def summary(ratios: Ratios) -> Summary:
    """Sum up the ratios of at least one table."""
    values = np.array(list(ratios.values()))
    logs = np.log(values.clip(LOWEST, HIGHEST))
    drawn = np.random.default_rng(0).integers(len(logs), size=(DRAWS, len(logs)))
    low, high = np.exp(np.quantile(logs[drawn].mean(axis=1), [0.025, 0.975]))
    worst = max(ratios, key=ratios.__getitem__)
    return Summary(
        tables=len(values),
        mean=float(np.exp(logs.mean())),
        interval=(float(low), float(high)),
        median=float(np.median(values)),
        better=int((values < 1).sum()),
        worst=(ratios[worst], worst),
    )
