"""What explaining a run needs: its model with its data, rows of files, and trainings without a column."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from glassnet.data import Dataset, read_rows
from glassnet.data.columns import CONSTANT, EMPTY
from glassnet.data.schema import from_info
from glassnet.data.standard_input import as_file
from glassnet.data.table import as_written_in_file
from glassnet.data.written import in_unit
from glassnet.inspection.why.outputs import row_errors
from glassnet.nn import Ensemble, Network
from glassnet.nn.layer import Array
from glassnet.recipes.directory import open_model, open_shared
from glassnet.recipes.finished import load_same_data
from glassnet.recipes.training import train

if TYPE_CHECKING:
    import polars as pl

BESIDE = 2  # columns that name a row, at most


@dataclass(frozen=True)
class Without:
    """The mean error for the test rows, with a column and after another training without it.

    increase: of the mean error without the column; error: the standard error of this mean over the rows, whose errors
    are compared one by one. spread: how far apart errors lie.
    """

    column: str
    name: str
    before: float
    after: float
    error: float
    spread: float

    @property
    def increase(self) -> float:
        """What leaving the column out adds."""
        return self.after - self.before

    def __str__(self) -> str:
        before, after, added = (in_unit(v, self.spread) for v in (self.before, self.after, self.error))
        change = in_unit(self.increase, self.spread, sign=True)
        return f"trained without {self.column}: {self.name} {after} in place of {before} ({change} ± {added})"

    def to_dict(self) -> dict[str, Any]:
        """Return the figures as a dict."""
        figures = {"before": self.before, "after": self.after, "increase": self.increase, "error": self.error}
        return {"column": self.column, "of": self.name, **figures}


def open_with_data(run: Path) -> tuple[Network | Ensemble, Dataset]:
    """Read what answers in a run, or in an ensemble of runs, and the data.

    Raises ValueError if the data were changed, and for a run of folds: each network has seen others' test rows.
    """
    recipe, net = open_shared(run)
    return net, load_same_data(run, recipe, net)


def beside_inputs(frame: pl.DataFrame, data: Dataset) -> list[str]:
    """Return the columns of a table that are neither inputs nor the target, such as an id: two at most.

    One that has no value, or the same in all training rows, isn't among them.
    """
    known = {*data.features, data.target, *data.left_out.get(EMPTY, ()), *data.left_out.get(CONSTANT, ())}
    return [name for name in frame.columns if name not in known][:BESIDE]


def place_in_file(run: Path, data: Dataset, part: str, row: int) -> str:
    """Say where a row of a part, counted from 0, stands in the table of a run: its line, and what names it.

    Empty if the data are no table in a file, or the file has gone.
    """
    source, rows = Path(open_shared(run)[0].data.source), getattr(data, part).rows
    if rows is None or not source.is_file():
        return ""
    frame, lines = as_written_in_file(source, rows[[row]])
    place = f"row {rows[row] + 1}" if lines is None else f"line {lines[0]}"
    named = [f"{name} {frame[name][0]}" for name in beside_inputs(frame, data) if frame[name][0] is not None]
    return ", ".join([f"{place} of {source.name}", *named])


def rows_of_file(run: Path, path: Path) -> Array:
    """Read rows (N, n_in) of a file, or of "-" for standard input, as a run's network takes them: see `read_rows`."""
    info = open_model(run)[1].info
    shape = tuple(info["image_shape"]) if "image_shape" in info else None
    columns = from_info(info) or info["features"]
    with as_file(path) as file:
        return np.concatenate([rows.x for rows in read_rows(file, columns, shape, info.get("image_maximum", 255))])


def without_column(run: Path, column: str) -> Without:
    """Train the recipe of a run again without a column, in a folder that is removed, and compare the test rows' errors.

    This is what the column is worth if the others may take its place (drop-column importance). Raises ValueError for a
    column that isn't there, and for an ensemble of runs.
    """
    recipe, net = open_model(run)
    if isinstance(net, Ensemble) and recipe.pack is None:
        raise ValueError(f"{run} is an ensemble of several runs: name one of them, as train makes it")
    data = load_same_data(run, recipe, net)
    if column not in data.features or not data.schema:
        raise ValueError(f"{run} was trained on no column {column!r}; there are {', '.join(data.features[:20])}")
    less = replace(recipe, data=replace(recipe.data, drop=[*(recipe.data.drop or []), column]))
    with tempfile.TemporaryDirectory() as folder:
        if train(less, Path(folder) / "run")["interrupted"]:  # by Ctrl-C: half a training tells nothing of the column
            raise KeyboardInterrupt
        other, rest = open_with_data(Path(folder) / "run")
        before = row_errors(net, data.test.x, data.test.y, data.task)
        after = row_errors(other, rest.test.x, rest.test.y, rest.task)
    name = "log loss" if data.task == "classification" else "mean absolute error"
    error = float((after - before).std(ddof=1) / np.sqrt(len(after)))
    return Without(column, name, float(before.mean()), float(after.mean()), error, float(before.std()) or 1.0)
