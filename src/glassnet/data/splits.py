"""How the rows of a table become training, validation and test rows: honestly, for what the network is meant for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from glassnet.data.checks import listed
from glassnet.data.dataset import TEST, VAL, shuffled_rows
from glassnet.data.dates import Order
from glassnet.data.kinds import Reading, kind_of_text
from glassnet.data.markers import is_text, without_markers
from glassnet.data.schema import Column
from glassnet.data.values import NAMED, kind_of, require_values, values_of

if TYPE_CHECKING:
    import polars as pl

WAYS = ("time", "group")
BLOCKS = 10  # of time: training rows lie in the first eight, and those of one are held out together
Rows = NDArray[np.int64]
Parts = Sequence[Rows]  # the numbers of the training, validation and test rows


@dataclass(frozen=True)
class SplitPlan:
    """How rows are split.

    way: "time", by which the latest rows are the test part, or "group", by which rows with one value of a column stay
    together, or None. by: this column. folds: into how many parts the rows are dealt, of which `fold`, counted from 0,
    is the test part; None for a test part of a fifth. dates: their order, where values don't show it. Raises
    ValueError for what doesn't go together.
    """

    way: str | None = None
    by: str | None = None
    folds: int | None = None
    fold: int | None = None
    dates: Order | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        if self.way not in (None, *WAYS):
            raise ValueError(f"the split of a table is one of {listed(WAYS)}, not {self.way!r}")
        if (self.way is None) != (self.by is None):
            raise ValueError(
                f"a split by {self.way} needs the column, data.by"
                if self.by is None
                else f"data.by={self.by!r} needs data.split, which is one of {listed(WAYS)}"
            )
        if self.fold is not None and self.folds is None:
            raise ValueError("a fold needs their number, data.folds")
        if self.folds is not None and self.folds < 2:
            raise ValueError(f"there are two folds or more, not {self.folds}: each is tested by training on the others")
        if self.folds is not None and not 0 <= (self.fold or 0) < self.folds:
            raise ValueError(f"folds are counted from 0: there is no fold {self.fold} of {self.folds}")
        if self.folds is not None and self.way == "time":
            raise ValueError("folds by time would train on what comes later: leave out data.folds, or data.split")

    def parts(self, labels: NDArray[Any] | None, column: pl.Series | None) -> tuple[Parts, Rows | None]:
        """Split rows; return the parts, and the numbers of blocks (N,) that stay together wherever rows are held out.

        labels (N,): of classes, which have the same share in all parts, or None. column: what `by` names, for these
        rows. Raises ValueError if it has too few different values.
        """
        if column is None:
            n = 0 if labels is None else len(labels)
            return self._even(np.zeros(n, np.int64) if labels is None else labels), None
        if self.way == "time":
            times = _times(column, self.dates)
            return self._shuffled(_by_time(times, column.name)), _blocks(times)
        require_values(column)
        groups = np.unique(column.cast(str).to_numpy().astype(np.str_), return_inverse=True)[1]
        return self._shuffled(self._by_group(groups, column.name)), groups

    def _even(self, labels: NDArray[Any]) -> Parts:
        """Stratified sampling: of the rows sorted by label, at random within one, every fifth goes to the test part."""
        order = np.random.default_rng(self.seed).permutation(len(labels))
        order = order[np.argsort(labels[order], kind="stable")]
        if self.folds is None:
            tested = _spread(len(order), round(TEST * len(order)))
        else:
            tested = np.arange(len(order)) % self.folds == (self.fold or 0)
        part = np.zeros(len(order), np.int64)
        part[order[tested]] = 2
        rest = order[~tested]
        part[rest[_spread(len(rest), round(VAL * len(order)) if self.folds is None else round(VAL * len(rest)))]] = 1
        return self._shuffled(part)

    def _by_group(self, groups: Rows, name: str) -> Rows:
        """The part of each row, for groups (N,)."""
        sizes = np.bincount(groups)
        needed = max(3, self.folds or 0)
        if len(sizes) < needed:
            raise ValueError(f"column {name!r} has {len(sizes)} groups, and at least {needed} are needed")
        order = np.random.default_rng(self.seed).permutation(len(sizes))
        if self.folds is None:
            tested = _filled(order, sizes, TEST)
        else:
            tested = order[deal(sizes[order], self.folds) == (self.fold or 0)]
        rest = order[~np.isin(order, tested)]
        part = np.zeros(len(sizes), np.int64)
        part[tested] = 2
        part[_filled(rest, sizes, VAL / (1 - TEST))] = 1
        of_rows: Rows = part[groups]
        return of_rows

    def _shuffled(self, part: Rows) -> Parts:
        """The rows of each part, at random."""
        order = np.random.default_rng(self.seed).permutation(len(part))
        return [order[part[order] == each] for each in range(3)]


def split_table(plan: SplitPlan, y: NDArray[Any], classes: bool, column: pl.Series | None) -> tuple[Parts, Rows | None]:
    """Split rows with targets y (N,) by a plan; see `SplitPlan.parts`."""
    if classes or plan.folds is not None or column is not None:
        labels = np.unique(y, return_inverse=True)[1] if classes else np.zeros(len(y), np.int64)
        return plan.parts(labels, column)
    return shuffled_rows(len(y), seed=plan.seed), None


def deal(sizes: Rows, hands: int) -> Rows:
    """Return which of so many hands each group gets into, so that all hands get about as many rows."""
    hand, full = np.zeros(len(sizes), np.int64), np.zeros(hands, np.int64)
    for group in np.argsort(-sizes, kind="stable"):
        hand[group] = full.argmin()
        full[hand[group]] += sizes[group]
    return hand


def _times(column: pl.Series, dates: Order | None) -> NDArray[np.float64]:
    """The times of rows, as numbers that rise. Raises ValueError for a column of others, or with gaps."""
    reading = kind_of_text(column, dates=dates) if is_text(column) else Reading(kind_of(column) or "number")
    if reading is None or reading.kind not in ("date", "time", "span", "number"):
        held = NAMED[reading.kind] if reading else "nothing"
        raise ValueError(f"column {column.name!r} holds {held}, and a split by time needs dates, or numbers that rise")
    require_values(without_markers(column) if is_text(column) else column)
    return values_of(column, Column(column.name, reading.kind, (), reading.notation))


def _by_time(times: NDArray[np.float64], name: str) -> Rows:
    """The part of each row: the latest are tested, those before them validate. Rows of one time stay together."""
    order = np.argsort(times, kind="stable")
    starts = np.flatnonzero(times[order][1:] > times[order][:-1]) + 1  # of a later time
    if not len(starts):
        raise ValueError(f"column {name!r} has one time only, so no row is later than others")
    last = _nearest(starts, (1 - TEST) * len(order))
    earlier = starts[starts < last]
    middle = _nearest(earlier, (1 - TEST - VAL) * len(order)) if len(earlier) else last
    part = np.zeros(len(order), np.int64)
    part[order[middle:last]], part[order[last:]] = 1, 2
    return part


def _blocks(times: NDArray[np.float64]) -> Rows:
    """Number the time that each row belongs to, from 0 to 9: about as many rows in each, those of one time together."""
    blocks: Rows = np.searchsorted(np.sort(times), times) * BLOCKS // max(1, len(times))
    return blocks


def _spread(n: int, count: int) -> NDArray[np.bool_]:
    """Mark `count` of n places, as evenly as possible."""
    marked = np.zeros(n, bool)
    marked[((np.arange(count) + 0.5) * n / max(1, count)).astype(np.int64)] = True
    return marked


def _nearest(starts: Rows, place: float) -> int:
    return int(starts[np.abs(starts - place).argmin()])


def _filled(groups: Rows, sizes: Rows, share: float) -> Rows:
    """The first groups that together hold about such a share of the rows: at least one, and not all."""
    ends = np.cumsum(sizes[groups])
    return groups[: int(np.abs(ends[:-1] - share * ends[-1]).argmin()) + 1]
