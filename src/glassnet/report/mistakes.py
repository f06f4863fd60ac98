"""The rows of the test part that are answered worst, as they are written in the file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from glassnet.data import Dataset
from glassnet.data.table import as_written_in_file
from glassnet.data.written import as_written, in_unit
from glassnet.nn.layer import Array
from glassnet.recipes.explaining import beside_inputs
from glassnet.recipes.finished import Finished
from glassnet.recipes.judging import answers_of
from glassnet.report import words
from glassnet.report.page import Table
from glassnet.train.decisions import Decision, answered

WORST = 10  # rows that are shown
WIDEST = 5  # columns that are shown with them: with more, a page of A4 or a small screen cuts the table


@dataclass(frozen=True, eq=False)
class Shown:
    """Columns of some test rows: where a row stands, and its values."""

    caption: str
    names: list[str]
    places: list[str]
    values: list[list[str]]


def worst(run: Finished, data: Dataset, outputs: Array, leading: Sequence[int]) -> Table | None:
    """Return the largest errors, or the surest mistakes; None if there are none.

    leading: the numbers of the columns, the most important first. Those that fit are shown, in the table's order.
    """
    spread = float(data.train.y.std()) if data.task == "regression" else 1.0
    if data.task == "regression":
        predicted = outputs[:, 0]
        errors = predicted - data.test.y
        chosen = np.argsort(-np.abs(errors), kind="stable")[:WORST]
        title, head = "The test rows with the largest errors", ["true", "predicted", "error"]
        answers = [
            [in_unit(float(data.test.y[i]), spread), in_unit(float(predicted[i]), spread), _signed(errors[i], spread)]
            for i in chosen
        ]
    else:
        p = answers_of(run.net, outputs)
        label = answered(p, Decision.read(run.net.info))
        confidence = p[np.arange(len(p)), label]
        wrong = np.flatnonzero(label != data.test.y)
        if not len(wrong):
            return None
        chosen = wrong[np.argsort(-confidence[wrong], kind="stable")][:WORST]
        title, head = f"The surest of {len(wrong):,} mistakes", ["true", "predicted", "confidence"]
        answers = [
            [data.classes[data.test.y[i]], data.classes[label[i]], words.share(float(confidence[i]))] for i in chosen
        ]
    shown = _shown(run, data, chosen, leading)
    rows = [
        [place, *answer, *values] for place, answer, values in zip(shown.places, answers, shown.values, strict=True)
    ]
    return Table(f"{title}{shown.caption}", [shown.names[0], *head, *shown.names[1:]], rows)


def _signed(error: float, spread: float) -> str:
    return in_unit(float(error), spread, sign=True)


def _shown(run: Finished, data: Dataset, chosen: Sequence[int] | Array, leading: Sequence[int]) -> Shown:
    """The rows as the file writes them, with its lines and what is beside the inputs; or by their numbers in the part.

    What is beside them, such as an id, comes first.
    """
    source = Path(run.recipe.data.source)
    if data.test.rows is None or not source.is_file():
        columns = sorted(leading[:WIDEST])
        values = [[_value(data, j, float(data.test.x[i, j])) for j in columns] for i in chosen]
        caption = f"{_more(len(columns), data.n_in)}. Rows are counted from 0, in the order of the test part."
        return Shown(caption, ["row", *(data.features[j] for j in columns)], [str(i) for i in chosen], values)
    frame, lines = as_written_in_file(source, data.test.rows[chosen])
    beside = beside_inputs(frame, data)
    names = [*beside, *(data.features[j] for j in sorted(leading[: WIDEST - len(beside)]))]
    values = [["missing" if cell is None else str(cell) for cell in row] for row in frame.select(names).rows()]
    what = "line" if lines is not None else "row"
    places = lines if lines is not None else [int(row) + 1 for row in data.test.rows[chosen]]
    counted = "Lines are those of the file." if what == "line" else "Rows are counted from 1, in the order of the file."
    caption = f"{_more(len(names), frame.width - 1)}, as they are written in {source.name}. {counted}"
    return Shown(caption, [what, *names], list(map(str, places)), values)


def _more(shown: int, columns: int) -> str:
    """Say which columns are shown, if not all are."""
    return f", with {shown} of {columns:,} columns, those that matter most" if shown < columns else ""


def _value(data: Dataset, column: int, value: float) -> str:
    """Write a value of a column."""
    return as_written(value, data.schema[column]) if data.schema else f"{value:,.5g}"
