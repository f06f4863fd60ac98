"""The target of a table: classes or values, and the rows that have one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from glassnet.data.dates import Order
from glassnet.data.kinds import Reading, kind_of_text
from glassnet.data.labels import Task
from glassnet.data.markers import CERTAIN, is_text, without_markers
from glassnet.data.numbers import read_numbers
from glassnet.data.schema import Column
from glassnet.data.values import kind_of, read_booleans, values_of

if TYPE_CHECKING:
    import polars as pl

MAX_CLASSES = 20  # whole numbers with more distinct values than this are values to predict
ROWS_PER_CLASS = 10  # on average: with fewer, whole numbers are values to predict, too, unless there are two ...
RAREST = 3  # ... and if one occurs in fewer rows: counts thin out, classes don't
EXACT = 2.0**53  # beyond, float64 can't distinguish whole numbers
SAID = 100  # the decision is noted for at most this number of distinct values, or for more with enough rows for each


def read_target(
    column: pl.Series, task: Task | None, dates: Order | None = None
) -> tuple[NDArray[Any], NDArray[np.int64], list[str]]:
    """Return the known values of a target, the numbers of their rows, from 0, and the notes about them.

    Their type decides the task, unless it is given. Text and booleans are classes. Whole numbers are classes if there
    are two different ones, or at most 20, each in at least 3 rows and in 10 on average. All others are floating-point
    values to predict, dates in days. dates: their order, where the values don't show it. Raises ValueError, naming
    column and row, for values that can't be read.
    """
    if is_text(column) and task == "classification":
        reading = _as_classes(column)
    elif is_text(column) and (kind_of(column) is None or task == "regression"):
        reading = kind_of_text(column, way_out="leave the row out", dates=dates) or Reading("number")
    else:
        reading = Reading(kind_of(column) or "number")
    if reading.kind == "category" and task == "regression":
        reading = Reading("number")  # then this is an error
    notes = [f"target {column.name}: {reading.note}"] if reading.note else []
    if task != "regression" and reading.kind in ("category", "boolean"):
        known = _names(column, reading)
        rows = np.flatnonzero(known.is_not_null().to_numpy())
        y: NDArray[Any] = _distinct(known.drop_nulls())
    else:
        values = values_of(column, Column(column.name, reading.kind, (), reading.notation))
        rows = np.flatnonzero(~np.isnan(values))
        y = values[rows]
        if reading.kind == "number" and task is None and _whole(y, column, reading):
            y, note = _classes_or_values(y)
            notes += [f"target {column.name}: {note}"] if note else []
    if y.dtype.kind == "f" and len(y) and y.min() == y.max():
        notes.append(f"target {column.name}: all its values are {y[0]:g}, so there is nothing to learn")
    if len(rows) < len(column):
        missing = f"{len(column) - len(rows):,} of {len(column):,} rows are left out"
        notes.insert(0, f"{missing}: the target {column.name} is missing in them")
    return y, rows, notes


def _classes_or_values(y: NDArray[np.float64]) -> tuple[NDArray[Any], str]:
    """Whole numbers as classes (integers) or as values, and a note on the decision if it could be disputed."""
    rows = np.unique_counts(y).counts
    n = len(rows)
    classes = n <= 2 or (n <= MAX_CLASSES and rows.mean() >= ROWS_PER_CLASS and rows.min() >= RAREST)
    if n > SAID and rows.mean() < ROWS_PER_CLASS:
        return y, ""
    taken, other = ("classes", "regression") if classes else ("values to predict", "classification")
    note = f"its {n} different whole numbers in {len(y):,} rows are taken for {taken}"
    return y.astype(np.int64) if classes else y, f"{note}; --set data.task={other} decides otherwise"


def _as_classes(column: pl.Series) -> Reading:
    """Names of classes in text. They are numbers only if all of them are, so that 1.0 is class 1."""
    known = without_markers(column).drop_nulls()
    if read_numbers(known).count() == len(known):
        return Reading("number")
    return Reading("boolean" if read_booleans(known).count() == len(known) else "category")


def _names(column: pl.Series, reading: Reading) -> pl.Series:
    """The names of classes, without missing ones."""
    import polars as pl

    if not is_text(column):
        return column.cast(pl.String)
    if reading.kind == "boolean":
        return read_booleans(without_markers(column)).cast(pl.String)
    return without_markers(column, CERTAIN)  # a class may be called none


def _distinct(names: pl.Series) -> NDArray[np.str_]:
    """The names of classes as an array. Raises ValueError if there are nearly as many as rows."""
    if names.n_unique() > MAX_CLASSES and names.n_unique() > len(names) / 2:
        raise ValueError(
            f"column {names.name!r} holds text, {names.n_unique()} different values in {len(names)} rows, such as"
            f" {names[0]!r}: they are no classes; write numbers plainly, such as 1234.5"
        )
    return np.array(names.to_list(), dtype=np.str_)


def _whole(y: NDArray[np.float64], column: pl.Series, reading: Reading) -> bool:
    """Whether numbers are whole, also in the way they are stored or written: 1.0 isn't."""
    import polars as pl

    if (y != np.rint(y)).any() or (np.abs(y) > EXACT).any():
        return False
    if not is_text(column):
        return column.dtype.is_integer()
    known = without_markers(column).drop_nulls()
    return bool(reading.notation) or known.cast(pl.Int64, strict=False).count() == len(known)
