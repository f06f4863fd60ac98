"""Rows for a network that takes missing values and categories: arrays with NaN, and data frames."""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils.validation import validate_data

from glassnet.data import numeric_rows
from glassnet.data.checks import listed
from glassnet.data.columns import find_columns, require_left, said_of
from glassnet.data.frames import as_polars, from_objects, is_frame
from glassnet.data.kinds import without_mistakes
from glassnet.data.noticed import Noticed
from glassnet.data.schema import Column, Schema
from glassnet.nn.layer import Array

if TYPE_CHECKING:
    import polars as pl

CHECKS: dict[str, Any] = {"dtype": (np.float64, np.float32), "ensure_all_finite": "allow-nan"}


class TableColumns(NamedTuple):
    """Columns of a data frame: those a network takes, and the names of those left out."""

    schema: Schema
    left_out: tuple[str, ...] = ()

    @classmethod
    def of(cls, frame: pl.DataFrame) -> TableColumns:
        """Look at the columns as `glassnet train` does. Its lines about them become warnings.

        Raises ValueError if there is nothing to learn from.
        """
        schema, left_out, notes = find_columns(frame, np.arange(frame.height), first=0, forgiving=True)
        require_left("X", schema, left_out, notes)
        for note in (*notes, *said_of(left_out)):
            warnings.warn(note, UserWarning, stacklevel=2)
        return cls(schema, tuple(name for names in left_out.values() for name in names))

    @classmethod
    def numbers(cls, names: Iterable[str]) -> TableColumns:
        """A table of numbers, like that of an array."""
        return cls(tuple(Column(name) for name in names))

    @property
    def text(self) -> list[str]:
        """The columns that hold no numbers."""
        return [*(column.name for column in self.schema if column.kind == "category"), *self.left_out]


def numbers(
    estimator: BaseEstimator, table: TableColumns | None, X: Any, reset: bool
) -> tuple[Array, TableColumns | None]:
    """Return rows X (N, n_features), an array or a data frame, as the floats that the network takes, some NaN.

    With them comes the table of their columns: `table`, or if `reset`, the one of these first rows; None for an
    array. After a data frame, an array of objects stands for one with the same columns.
    Raises ValueError for another array if a data frame is needed, and TypeError for a sparse matrix.
    """
    table = None if reset else table
    text = [] if table is None else table.text
    objects = bool(text) and isinstance(X, np.ndarray) and X.dtype == object and X.ndim == 2
    if not is_frame(X) and not objects:
        if text:
            raise ValueError(f"X must be a data frame, as in fit: {listed(text)} held no numbers")
        return validate_data(estimator, X, reset=reset, **CHECKS), table
    frame = None if objects else as_polars(X, text)
    validate_data(estimator, X, reset=reset, skip_check_array=True)  # names and number of the columns
    if frame is None:  # scikit-learn's permutation_importance makes an array of objects of a data frame of polars
        frame = from_objects(X, list(estimator.feature_names_in_), text)
    if 0 in X.shape:
        raise ValueError(f"X has {X.shape[0]} rows and {X.shape[1]} columns: give at least one of each")
    if reset:
        table = TableColumns.of(frame)
    known = table or TableColumns.numbers(frame.columns)
    frame, mistakes = without_mistakes(frame, known.schema)
    x = numeric_rows(frame, known.schema, 0)
    if not reset:
        noticed = Noticed(known.schema)
        noticed.see(x, frame)
        for line in (*mistakes, *noticed.strange()):
            warnings.warn(line, UserWarning, stacklevel=2)
    return x, table
