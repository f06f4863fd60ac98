"""The columns of a table, as numbers or as categories."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from glassnet.data.checks import listed
from glassnet.data.csv_text import NAMELESS
from glassnet.data.dates import Order
from glassnet.data.kinds import Reading, kind_of_text
from glassnet.data.markers import is_text, without_markers
from glassnet.data.schema import Column, Schema
from glassnet.data.values import NAMED, kind_of, known_values, values_of

if TYPE_CHECKING:
    import polars as pl

MIN_ROWS = 3  # a category of fewer training rows is treated as one that isn't known
MAX_CATEGORIES = 100  # of a column, the most frequent: those that networks have a column of 0 and 1 for
EMPTY = "there is no value in the training rows"
CONSTANT = "all training rows have the same value"
RARE = f"no value occurs {MIN_ROWS} times in the training rows"


def find_columns(
    frame: pl.DataFrame,
    train: NDArray[np.int64],
    first: int = 1,
    dates: Order | None = None,
    forgiving: bool = False,
) -> tuple[Schema, dict[str, list[str]], list[str]]:
    """Return the columns to learn from, the names of those left out, by the reason, and the notes about them.

    `kind_of_text` decides the kind of a text column. The type decides that of any other. Columns without a value in the
    training rows are left out. So are columns of categories none of which is frequent there, see `find_categories`.
    dates: their order, where the values don't show it. Raises ValueError, naming column and row (the frame's first is
    row `first`), on mistakes in a column of text. If `forgiving`, a note names them, and `kinds.without_mistakes` takes
    them out.
    """
    kept: list[Column] = []
    left_out: dict[str, list[str]] = {}
    notes = []
    for column in frame:
        kind = kind_of(column)
        of_text = not kind and is_text(column)
        reading = kind_of_text(column, first, dates=dates, forgiving=forgiving) if of_text else kind and Reading(kind)
        if reading is None or not known_values(column[train]):
            left_out.setdefault(EMPTY, []).append(column.name)
            continue
        names = find_categories(column, train) if reading.kind == "category" else ()
        if reading.note:
            notes.append(f"{column.name}: {reading.note}")
        if reading.kind == "category" and not names:
            left_out.setdefault(RARE, []).append(column.name)
        else:
            kept.append(Column(column.name, reading.kind, names, reading.notation))
    return tuple(kept), left_out, notes


def varying(
    schema: Schema, x: NDArray[np.float64], train: NDArray[np.int64] | slice, left_out: dict[str, list[str]]
) -> tuple[Schema, NDArray[np.float64]]:
    """Return the columns, and rows x (N, n_in) of them, without those that have the same value in all training rows.

    The names of these are added to `left_out`. A column with missing values stays: which rows lack it may matter.
    """
    kept = [j for j in range(len(schema)) if _varies(x[:, j][train])]
    if len(kept) == len(schema):
        return schema, x
    left_out[CONSTANT] = [column.name for j, column in enumerate(schema) if j not in kept]
    return tuple(schema[j] for j in kept), x[:, kept]


def _varies(values: NDArray[np.float64]) -> bool:
    return not (values == values[0]).all()


def like_values(schema: Schema) -> str:
    """Say that a table seems to have no header, if a column is named like its values. Plain numbers show elsewhere."""
    import polars as pl

    for column in schema:
        if column.kind == "number" and not column.notation:
            continue
        with suppress(ValueError):
            value = values_of(pl.Series(column.name, [column.name]), column)[0]
            if value >= 0 or (value < 0 and column.kind != "category"):  # and isn't missing, or no known category
                return f", and {column.name!r} is like the values below it: {NAMELESS}"
    return ""


def require_left(
    table: object, schema: Schema, left_out: Mapping[str, Sequence[str]], notes: Sequence[str], hint: str = ""
) -> None:
    """Raise ValueError, saying why, if there is no column to learn from."""
    if not schema:
        reasons = [f"in {listed(names)}, {why}" for why, names in left_out.items()]
        raise ValueError(f"{table} has no column to learn from: {'; '.join([*reasons, *notes[:1]])}{hint}")


def find_categories(column: pl.Series, train: NDArray[np.int64]) -> tuple[str, ...]:
    """Return the categories of a column of text: those that are frequent in the training rows.

    The 100 most frequent come first, in order. Others that occur twice come behind them, for `TargetMeans`. There are
    none if no value occurs at least 3 times. Then the column names its rows, or is free text.
    """
    counts = without_markers(column)[train].drop_nulls().value_counts(sort=True).rows()
    often = [name for name, rows in counts if rows >= MIN_ROWS]
    more = [name for name, rows in counts if rows > 1] if len(often) > MAX_CATEGORIES else []
    return (*sorted(often[:MAX_CATEGORIES]), *sorted(more[MAX_CATEGORIES:]))


def said_of(left_out: Mapping[str, Sequence[str]]) -> list[str]:
    """Name the columns that are left out, and why."""
    return [f"left out, as {why}: {', '.join(name or repr(name) for name in names)}" for why, names in left_out.items()]


def found(schema: Schema, x: NDArray[np.float64], left_out: Mapping[str, Sequence[str]]) -> list[str]:
    """Say in a few lines what the columns of training rows x are."""
    lines = [
        f"{NAMED[kind]}: {', '.join(names)}"
        for kind in ("date", "span", "time")
        if (names := [column.name for column in schema if column.kind == kind])
    ]
    if named := [f"{column.name} ({len(column.categories)})" for column in schema if column.kind == "category"]:
        lines.append(f"categories: {', '.join(named)}")
    shares = np.isnan(x).mean(axis=0)
    if missing := [f"{column.name} ({share:.1%})" for column, share in zip(schema, shares, strict=True) if share]:
        lines.append(f"missing values: {', '.join(missing)}")
    lines += said_of(left_out)
    numbers = sum(column.kind in ("number", "boolean") for column in schema)
    return [f"numbers: {numbers} columns", *lines] if lines else []
