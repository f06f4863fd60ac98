"""Columns as other libraries want them. glassnet is given the table as pandas reads it, and does this by itself."""

from __future__ import annotations

from typing import Any

import pandas as pd
from sklearn.base import BaseEstimator, TransformerMixin

NUMERIC = 0.95  # a column is of numbers, or of dates, if so many of its cells are
DATE = r"\d{1,4}[-/]\d{1,2}[-/]\d{1,4}"


def plain(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a table of float64 and text. A date becomes its day since 2000, its month, weekday and day of the month.

    Only what kind a column is of is looked up in all rows.
    """
    made: dict[str, pd.Series[Any]] = {}
    for name, column in frame.items():
        if pd.api.types.is_numeric_dtype(column):  # booleans, too
            made[str(name)] = column.astype(float)
            continue
        numbers, there = pd.to_numeric(column, errors="coerce"), column.notna().sum()
        if numbers.notna().sum() >= NUMERIC * there:
            made[str(name)] = numbers.astype(float)
        elif column.dropna().astype(str).str.fullmatch(DATE).mean() >= NUMERIC:
            day = pd.to_datetime(column, errors="coerce", format="mixed")
            made[f"{name}"] = (day - pd.Timestamp("2000-01-01")).dt.days.astype(float)
            made |= {f"{name} {part}": getattr(day.dt, part).astype(float) for part in ("month", "day_of_week", "day")}
        else:
            made[str(name)] = column.astype(object).where(column.notna(), None)
    return pd.DataFrame(made)


def numbers(frame: pd.DataFrame) -> list[str]:
    """Return the names of the columns of numbers."""
    return [name for name in frame if frame[name].dtype == float]


def categories(frame: pd.DataFrame) -> list[str]:
    """Return the names of the columns of text."""
    return [name for name in frame if frame[name].dtype != float]


class Levels(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Make text pandas' categories, with the levels of the rows it is fitted to. Any other level is missing."""

    def fit(self, x: pd.DataFrame, y: Any = None) -> Levels:
        """Remember the levels."""
        self.levels_ = {name: pd.CategoricalDtype(sorted(x[name].dropna().unique())) for name in categories(x)}
        return self

    def transform(self, x: pd.DataFrame) -> pd.DataFrame:
        """Return the table with categories."""
        made = {name: x[name].where(x[name].isin(kind.categories)).astype(kind) for name, kind in self.levels_.items()}
        return x.assign(**made)


class Words(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Make missing text a level of its own."""

    def fit(self, x: pd.DataFrame, y: Any = None) -> Words:
        """Nothing is learned."""
        self.fitted_ = True
        return self

    def transform(self, x: pd.DataFrame) -> pd.DataFrame:
        """Return the table without missing text."""
        return x.fillna(dict.fromkeys(categories(x), "missing"))
