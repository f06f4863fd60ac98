"""The intervals of a run: learned from rows that were held out of its training, and kept in its directory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from glassnet.data import Dataset, Split
from glassnet.intervals import ClassSets, ValueIntervals
from glassnet.intervals.conformal import HELD_AT_LEAST, percent
from glassnet.intervals.kept import read_intervals, write_intervals
from glassnet.nn import Ensemble, Network
from glassnet.nn.layer import Array
from glassnet.pack import Pack
from glassnet.recipes.directory import INTERVALS_FILE
from glassnet.train.figures import BOUNDED

if TYPE_CHECKING:
    import polars as pl


def of_pack(pack: Pack, data: Dataset, rows: Split) -> ValueIntervals | ClassSets:
    """Learn intervals, or sets of classes, from those rows that networks of a pack held out."""
    return _learned(pack.ensemble, data, rows.x[pack.rows], rows.y[pack.rows], pack.outputs)


def of_network(net: Network, data: Dataset) -> ValueIntervals | ClassSets:
    """Learn them from the validation rows."""
    return _learned(net, data, data.val.x, data.val.y, net.predict(data.val.x))


def enough(trained: Pack | Network, data: Dataset) -> bool:
    """Whether enough rows were held out of a training to learn them from."""
    return len(trained.rows if isinstance(trained, Pack) else data.val) >= HELD_AT_LEAST


def has(run: Path) -> bool:
    """Whether a run has some."""
    return (run / INTERVALS_FILE).is_file()


def keep(out: Path, trained: Pack | Network, data: Dataset, rows: Split | None = None) -> None:
    """Learn the intervals of a training and keep them in its directory, if enough rows were held out of it.

    rows: those that a pack was trained on, by default the training rows.
    """
    if enough(trained, data):
        found = of_pack(trained, data, rows or data.train) if isinstance(trained, Pack) else of_network(trained, data)
        write_intervals(out / INTERVALS_FILE, found)


def read(run: Path) -> ValueIntervals | ClassSets:
    """Read those of a run. Raises ValueError if it has none."""
    if not has(run):
        raise ValueError(
            f"{run} has no intervals: training learns them from at least {HELD_AT_LEAST} rows that are held out of it,"
            " and an ensemble of several runs has none"
        )
    return read_intervals(run / INTERVALS_FILE)


def bounds_of(run: Path, x: Array, answers: Array, known: Array) -> tuple[Array, Array] | None:
    """Return bounds of 90% (N, 2) around values (N,) of rows x: a run's, and quantiles of known targets for all rows.

    None for classes, values that aren't finite, and a run that has no intervals.
    """
    if answers.ndim > 1 or not np.isfinite(answers).all() or not has(run):
        return None
    found = read(run)
    assert isinstance(found, ValueIntervals)
    ours = found(x, answers.astype(np.float64), BOUNDED[1] - BOUNDED[0])
    return ours, np.tile(np.quantile(known, BOUNDED), (len(x), 1))


@dataclass(frozen=True, eq=False)
class Bounds:
    """The intervals of a run at a coverage, as columns of a table."""

    found: ValueIntervals | ClassSets
    coverage: float

    @classmethod
    def of(cls, run: Path, coverage: float) -> Bounds:
        """Read those of a run. Raises ValueError if it has none, or the coverage isn't between 0.5 and 0.99."""
        percent(coverage)
        return cls(read(run), coverage)

    def around(self, x: Array, values: Array) -> list[pl.Series]:
        """Return the bounds around the values of rows x."""
        import polars as pl

        assert isinstance(self.found, ValueIntervals)
        bounds = self.found(x, values, self.coverage)
        return [
            pl.Series(f"{name} {percent(self.coverage)}%", bounds[:, i]) for i, name in enumerate(("lower", "upper"))
        ]

    def sets(self, p: Array, classes: Sequence[str]) -> list[pl.Series]:
        """Return the classes in the set of each row with probabilities p, the likeliest first, with bars between."""
        import polars as pl

        assert isinstance(self.found, ClassSets)
        within, order = self.found(p, self.coverage), (-p).argsort(axis=1)
        names = [" | ".join(classes[c] for c in row if inside[c]) for row, inside in zip(order, within, strict=True)]
        return [pl.Series(f"set {percent(self.coverage)}%", names, pl.String)]


def _learned(net: Network | Ensemble, data: Dataset, x: Array, y: Array, outputs: Array) -> ValueIntervals | ClassSets:
    if data.task == "classification":
        one = net if isinstance(net, Network) else net.networks[0]
        return ClassSets.fit(one.probabilities(outputs), y)
    return ValueIntervals.fit(x, outputs[:, 0], y, data.columns())
