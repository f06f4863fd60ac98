"""How much worse the answers get when a column is shuffled (Breiman 2001; Fisher, Rudin & Dominici 2019)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from glassnet.inspection.why.outputs import row_errors
from glassnet.nn import Ensemble, Network
from glassnet.nn.layer import Array

REPEATS = 5
PREDICTIONS = 400_000  # at most, in all
ROWS = (200, 2000)  # the fewest and the most that are looked at


@dataclass(frozen=True, eq=False)
class Importance:
    """What shuffling some columns together costs: they are one column, or a group of columns that go together.

    columns: their numbers. increase: of the mean error, the mean over the repeats. std: the standard deviation over
    them. each (repeats,): all of them.
    """

    columns: tuple[int, ...]
    increase: float
    std: float
    each: Array


def rows_for(rows: int, columns: int) -> int:
    """Return how many rows are looked at, so that wide tables don't take for ever."""
    return min(rows, int(np.clip(PREDICTIONS // (REPEATS * max(1, columns)), *ROWS)))


def importance(
    model: Network | Ensemble,
    x: Array,
    y: Array,
    task: str,
    together: Sequence[tuple[int, ...]],
    usual: float,
    seed: int,
) -> list[Importance]:
    """Return what shuffling each of `together` adds to the mean error `usual` for rows x (N, n_in) with targets y.

    The columns of one entry are shuffled alike. The order comes from the seed, the columns and the repeat.
    """
    found = []
    for columns in together:
        each = np.zeros(REPEATS)
        for repeat in range(REPEATS):
            order = np.random.default_rng([seed, repeat, *columns]).permutation(len(x))
            shuffled = x.copy()
            shuffled[:, columns] = x[order][:, columns]
            each[repeat] = row_errors(model, shuffled, y, task).mean() - usual
        found.append(Importance(columns, float(each.mean()), float(each.std(ddof=1)), each))
    return found
