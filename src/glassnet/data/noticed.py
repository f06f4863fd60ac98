"""Notes about rows to predict, printed once when all rows were seen."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from glassnet.data.schema import Column

if TYPE_CHECKING:
    import polars as pl

MOSTLY = 0.5  # share of a column's values: more unknown categories than this are a mistake, and no news


class Noticed:
    """Missing values, and columns of categories that are mostly not those of training, in rows seen some at a time."""

    def __init__(self, columns: Sequence[Column] | Sequence[str]) -> None:
        self.columns: list[Column] = [column for column in columns if not isinstance(column, str)]
        self.missing: NDArray[np.int64] = np.zeros(len(self.columns), np.int64)
        self.unknown: NDArray[np.int64] = np.zeros(len(self.columns), np.int64)
        self.rows: NDArray[np.int64] = np.zeros(len(self.columns), np.int64)
        self.empty: int = 0
        self.examples: dict[str, str] = {}
        self.notes: list[str] = []  # on how the file was read

    def see(self, x: NDArray[np.float64], frame: pl.DataFrame | None = None) -> None:
        """Look at rows x (n, columns), and at the table that holds their values as written."""
        if not self.columns:
            return
        unknown = x == -1
        self.rows += len(x)
        missing = np.isnan(x)
        self.missing += missing.sum(axis=0)
        self.empty += int(missing.all(axis=1).sum())
        for j, column in enumerate(self.columns):
            if column.kind == "category" and (count := int(unknown[:, j].sum())):
                self.unknown[j] += count
                if frame is not None and column.name not in self.examples:
                    self.examples[column.name] = str(frame[column.name][int(unknown[:, j].argmax())])

    def strange(self) -> list[str]:
        """Name the columns that hold mostly, or only, categories that training hadn't."""
        lines = []
        for column, missing, unknown, rows in zip(self.columns, self.missing, self.unknown, self.rows, strict=True):
            known = rows - missing
            if unknown > max(1, MOSTLY * known):
                which = "none" if unknown == known else f"only {known - unknown:,}"
                are = "is a category" if known - unknown < 2 else "are categories"
                known_one, unknown_one = column.categories[0], self.examples[column.name]
                lines.append(
                    f"column {column.name!r}: {which} of {known:,} values {are} known from training, such as"
                    f" {known_one!r}; {unknown_one!r} isn't, and counts as unknown"
                )
        return lines

    def filled(self) -> list[str]:
        """Name the columns with missing values, which the network fills as it learned to."""
        where = [(column.name, int(n)) for column, n in zip(self.columns, self.missing, strict=True) if n]
        if not where:
            return []
        named = ", ".join(f"{name} ({n:,})" for name, n in where[:5]) + (" and others" if len(where) > 5 else "")
        total = sum(n for _, n in where)
        lines = [f"{total:,} missing value{'s were' if total > 1 else ' was'} filled in: {named}"]
        if self.empty:
            some = "rows hold" if self.empty > 1 else "row holds"
            lines.append(f"{self.empty:,} {some} no value at all, like a blank line, and got an answer all the same")
        return lines
