"""Why a model answers one row as it does."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from glassnet.data.written import as_written, in_unit
from glassnet.files import finite
from glassnet.inspection.why.about import About
from glassnet.inspection.why.contributions import Contributions, contributions
from glassnet.inspection.why.nearest import Change, nearest_changes
from glassnet.inspection.why.outputs import labels_of
from glassnet.inspection.why.tables import write_csv
from glassnet.nn.layer import Array
from glassnet.plots.explained import parts as draw_parts
from glassnet.plots.style import save as save_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SHOWN = 12  # contributions that are printed
CHANGES = 3


@dataclass(frozen=True, eq=False)
class RowExplanation:
    """The answer to a row (n_in,), its parts, and the nearest changes of one column that change it.

    about: the model and what its columns are. contributions: of the columns, in the unit of the answer. changes: the
    nearest first. label: the predicted class, None for values.
    """

    x: Array
    about: About
    contributions: Contributions
    changes: list[Change]
    label: str | None

    @classmethod
    def of(cls, x: Array, about: About) -> RowExplanation:
        """Explain a row."""
        label = None
        if about.of is not None:
            label = about.classes[int(labels_of(about.model, x[np.newaxis])[0])]
        parts = contributions(about.model, x, about.background, about.of)
        changes = nearest_changes(about.model, x, about.train, about.columns, about.of, about.enough)
        return cls(x, about, parts, changes, label)

    @property
    def order(self) -> list[int]:
        """The columns, those that contribute most first."""
        return [int(j) for j in np.argsort(-np.abs(self.contributions.parts), kind="stable")]

    def value(self, j: int) -> str:
        """Return the row's value of a column as it is written in the table."""
        return as_written(float(self.x[j]), self.about.columns[j])

    def figure(self, value: float, sign: bool = False) -> str:
        """Write an answer, or a part of one."""
        return in_unit(value, self.about.spread, sign)

    def sentence(self, change: Change) -> str:
        """Say what a change would do."""
        about, column = self.about, self.about.columns[change.column]
        new = as_written(change.value, column)
        answer = self.figure(change.answer)
        if change.label is not None:
            answer = f"{about.classes[change.label]} ({about.what} {answer})"
        return f"{column.name} {new} in place of {self.value(change.column)}: {answer}"

    def __str__(self) -> str:
        about, parts = self.about, self.contributions
        said = f"{self.label}, with {about.what} {self.figure(parts.answer)}" if self.label else None
        lines = [f"the answer is {said or f'{about.what} {self.figure(parts.answer)}'}"]
        lines.append(f"{self.figure(parts.background):>12}  the mean answer to {len(about.background)} training rows")
        for j in self.order[:SHOWN]:
            lines.append(f"{self.figure(parts.parts[j], True):>12}  {about.columns[j].name} = {self.value(j)}")
        if rest := self.order[SHOWN:]:
            lines.append(f"{self.figure(float(parts.parts[rest].sum()), True):>12}  {len(rest)} other columns")
        lines.append(f"{self.figure(parts.answer):>12}  the answer; the sum misses it by {abs(parts.gap):.2g}")
        lines += ["", about.nearest]
        lines += [f"  {self.sentence(change)}" for change in self.changes[:CHANGES]] or ["  none was found"]
        return "\n".join(lines)

    def to_dict(self) -> dict[str, Any]:
        """Return everything as dicts and lists."""
        about, parts = self.about, self.contributions
        columns = [
            {"column": c.name, "value": self.value(j), "contribution": float(parts.parts[j])}
            for j, c in enumerate(about.columns)
        ]
        changes = [
            {
                "column": about.columns[each.column].name,
                "value": as_written(each.value, about.columns[each.column]),
                "answer": each.answer,
                "label": None if each.label is None else about.classes[each.label],
                "distance": each.distance,
            }
            for each in self.changes
        ]
        found: dict[str, Any] = finite(
            {
                "of": about.what,
                "label": self.label,
                "answer": parts.answer,
                "background": parts.background,
                "contributions": columns,
                "gap": parts.gap,
                "changes": changes,
            }
        )
        return found

    def draw(self, title: str) -> Figure:
        """Draw how the parts lead from the mean answer to this one."""
        about, parts = self.about, self.contributions
        shown, rest = self.order[:SHOWN], self.order[SHOWN:]
        names = [f"{about.columns[j].name} = {self.value(j)}" for j in shown]
        values = [float(parts.parts[j]) for j in shown]
        if rest:
            names.append(f"{len(rest)} other columns")
            values.append(float(parts.parts[rest].sum()))
        written = [self.figure(value, True) for value in values]
        return draw_parts(names, values, written, parts.background, label=about.what, title=title)

    def save(self, folder: Path, name: str, form: str = "png", title: str = "") -> None:
        """Write the contributions as `name`.csv and as a picture to a folder."""
        parts = self.contributions
        rows: list[list[Any]] = [["column", "value", "contribution"]]
        rows += [["mean answer to the background", "", parts.background]]
        rows += [[self.about.columns[j].name, self.value(j), float(parts.parts[j])] for j in self.order]
        write_csv(folder / f"{name}.csv", rows)
        save_figure(self.draw(title or name), folder / f"{name}.{form}")
