"""The figures of predictions whose file has the target, too, summed up while the rows go by."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from glassnet.data.written import in_unit

if TYPE_CHECKING:
    import polars as pl


class Scored:
    """Errors so far of a network with this `info`. Rows without a target, or with one that training hadn't, aren't."""

    def __init__(self, info: Mapping[str, Any]) -> None:
        self.target: str | None = info.get("target")
        self.classes: list[str] | None = list(info["classes"]) if info.get("task") == "classification" else None
        self.rows, self.right, self.absolute, self.squared = 0, 0, 0.0, 0.0

    def watch(self, tables: Iterable[pl.DataFrame]) -> Iterator[pl.DataFrame]:
        """Yield the same tables of predictions, beside which the file's columns are."""
        for table in tables:
            if self.target is not None and self.target in table.columns:
                answer = "predicted prediction" if self.target == "prediction" else "prediction"
                if answer in table.columns:
                    self._add(table[self.target], table[answer])
            yield table

    def _add(self, true: pl.Series, found: pl.Series) -> None:
        import polars as pl

        if self.classes is None:
            missed = (found.cast(pl.Float64) - true.cast(pl.Float64, strict=False)).drop_nulls()
            missed = missed.filter(missed.is_finite())
            self.rows += len(missed)
            self.absolute += float(missed.abs().sum())
            self.squared += float((missed * missed).sum())
        else:
            true = true.cast(pl.String, strict=False)
            known = true.is_in(self.classes).fill_null(False)
            self.rows += int(known.sum())
            self.right += int((known & (true == found)).sum())

    def line(self, run: Path) -> str | None:
        """Return the figures in a line, if any row had a target."""
        if not self.rows:
            return None
        if self.classes is None:
            rmse, mae = math.sqrt(self.squared / self.rows), self.absolute / self.rows
            figures = f"rmse {in_unit(rmse, rmse)}, mae {in_unit(mae, rmse)}"
        else:
            figures = f"accuracy {self.right / self.rows:.4f}"
        rows = "1 row" if self.rows == 1 else f"{self.rows:,} rows"
        return f"the file has the target {self.target}: {figures} over {rows} (more: glassnet evaluate {run} FILE)"
