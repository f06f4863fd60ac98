"""One pass over a table: how many rows have a target, the target's values, and rows drawn at random."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import polars as pl

MOST_CLASSES = 1000  # different values of a target, beyond which they are counted no more

Mask = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Survey:
    """What one pass has found.

    rows: of the table. known: those with a target. sample: rows with a target, drawn at random, in random order.
    places: their numbers among those with a target. values: one of each value of the target, unless they are too many.
    """

    rows: int
    known: int
    sample: pl.DataFrame
    places: NDArray[np.int64]
    values: pl.Series


def survey(
    blocks: Iterable[pl.DataFrame], target: str, has_target: Callable[[pl.Series], Mask], most: int, seed: int
) -> Survey:
    """Draw at most so many rows that have a target: each row is given a random number, and the least are drawn.

    The numbers come row by row from the seed, so the same rows are drawn in whatever pieces the table is read.
    """
    import polars as pl

    rng, rows, known = np.random.default_rng([seed, 0]), 0, 0
    kept: list[pl.DataFrame] = []
    keys, places, bound, values = np.zeros(0), np.zeros(0, np.int64), 1.0, pl.Series(target, [])
    for block in blocks:
        mask = has_target(block[target])
        rows += block.height
        of_rows = np.flatnonzero(mask)
        drawn = rng.random(len(of_rows))
        low = drawn < bound
        kept.append(block[of_rows[low]])
        keys, places = np.concatenate([keys, drawn[low]]), np.concatenate([places, known + np.flatnonzero(low)])
        known += len(of_rows)
        if len(values) <= MOST_CLASSES and not block[target].dtype.is_float():
            new = block[target].unique().drop_nulls()
            values = new if not len(values) else pl.concat([values, new]).unique()
        if len(keys) > most * 1.25:
            best = np.sort(np.argpartition(keys, most)[:most])
            kept, keys, places = [pl.concat(kept)[best]], keys[best], places[best]
            bound = float(keys.max())
    order = np.argsort(keys, kind="stable")[:most]
    sample = pl.concat(kept)[order] if kept else pl.DataFrame()
    return Survey(rows, known, sample, places[order], values if len(values) <= MOST_CLASSES else values.clear())
