"""The reasons for a model's answers, each computed when it is asked for."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property

import numpy as np
import numpy.typing as npt

from glassnet.data import Dataset
from glassnet.data.schema import Column
from glassnet.inspection.why import columns as together
from glassnet.inspection.why import dependence as follow
from glassnet.inspection.why import importance as shuffled
from glassnet.inspection.why.about import About
from glassnet.inspection.why.outputs import answers, labels_of, row_errors
from glassnet.inspection.why.row import RowExplanation
from glassnet.nn import Ensemble, Network
from glassnet.nn.layer import Array

BACKGROUND = 64  # training rows that a row is compared with
SHOWN = 6  # columns, the most important, whose dependence is shown
PAIRS = 2  # interactions that are shown, the strongest


class Reasons:
    """Why a model answers as it does.

    importance: `Importance` of each column, and of each group of columns that go together, the most important first.
    usual: the mean error that it is added to: the absolute error of values, or the log loss of classes. groups: the
    columns that go together (from an association of 0.7 on: see `association`). of: the number of the class whose
    probability is explained, or None for values. rows: those that are looked at, and background: those of training
    that a row is compared with. own: whether a row is explained by the class that it is answered with. columns: what
    each column is. Everything is computed when it is first asked for.
    """

    def __init__(
        self,
        model: Network | Ensemble,
        data: Dataset,
        part: str = "test",
        of: int | None = None,
        seed: int = 0,
        own: bool = False,
    ) -> None:
        self.model, self.data, self.seed, self.of, self.own = model, data, seed, of, own
        self.columns: list[Column] = together.columns_of(data)
        split = getattr(data, part)
        rng = np.random.default_rng(seed)
        entries = 2 * len(self.columns)  # with the groups
        chosen = np.sort(rng.permutation(len(split))[: shuffled.rows_for(len(split), entries)])
        self.part, self.part_rows = part, len(split)
        self.rows: Array = split.x[chosen].astype(np.float64)
        self.targets: Array = split.y[chosen]
        self.train: Array = data.train.x[: together.ROWS].astype(np.float64)
        self.background: Array = self.train[rng.permutation(len(self.train))[:BACKGROUND]]
        self._dependence: dict[int, follow.Dependence] = {}

    @cached_property
    def association(self) -> Array:
        """How strongly each two columns go together (n_in, n_in), from 0 to 1."""
        return together.association(self.train, self.columns)

    @cached_property
    def groups(self) -> list[tuple[int, ...]]:
        """The columns that go together, by their numbers, at least two in each group."""
        if len(self.columns) > together.MOST_COLUMNS:
            return []
        return [tuple(group) for group in together.groups(self.association) if len(group) > 1]

    @cached_property
    def usual(self) -> float:
        """The mean error for the rows."""
        return float(row_errors(self.model, self.rows, self.targets, self.data.task).mean())

    @cached_property
    def spread(self) -> float:
        """How far apart answers lie: the standard deviation of the training targets, or 1 for probabilities."""
        return 1.0 if self.of is not None else float(self.data.train.y.std()) or 1.0

    @cached_property
    def importance(self) -> list[shuffled.Importance]:
        """What shuffling each column, and each group of columns, adds to the mean error, the most important first."""
        entries = [*((j,) for j in range(len(self.columns))), *self.groups]
        rows = self.rows, self.targets, self.data.task
        found = shuffled.importance(self.model, *rows, entries, self.usual, self.seed)
        return sorted(found, key=lambda each: -each.increase)

    @property
    def leading(self) -> list[int]:
        """The columns that are shown, the most important first."""
        return [each.columns[0] for each in self.importance if len(each.columns) == 1][:SHOWN]

    def dependence(self, column: int | str) -> follow.Dependence:
        """Return how the answer follows a column, given by its number or its name.

        Accumulated local effects are added if the column is one of numbers that goes together with others. Raises
        ValueError for a name that no column has.
        """
        j = self.number(column)
        if j not in self._dependence:
            local = any(j in group for group in self.groups) and self.columns[j].kind not in ("category", "boolean")
            self._dependence[j] = follow.dependence(
                self.model, self.rows, self.train, j, self.columns[j], self.of, local
            )
        return self._dependence[j]

    @cached_property
    def interactions(self) -> list[follow.Interaction]:
        """How the answer follows each two of the five most important columns, the strongest interaction first."""
        return follow.interactions(self.model, self.rows, self.train, self.leading, self.columns, self.of)

    @cached_property
    def about(self) -> About:
        """The model and its data, as a row needs them."""
        data = self.data
        return About(
            self.model,
            self.columns,
            data.classes,
            self.what,
            self.of,
            self.background,
            self.train,
            self.spread,
            self.usual,
        )

    def row(self, x: npt.ArrayLike) -> RowExplanation:
        """Return why the model answers a row (n_in,) as it does. Raises ValueError for a row of another width."""
        row = np.asarray(x, np.float64).reshape(-1)
        if len(row) != len(self.columns):
            raise ValueError(f"a row has {len(self.columns)} values, not {len(row)}")
        about = self.about
        if self.own:
            answer = int(labels_of(self.model, row[np.newaxis])[0])
            about = replace(about, of=answer, what=f"p({self.data.classes[answer]})")
        return RowExplanation.of(row, about)

    def number(self, column: int | str) -> int:
        """Return the number of a column. Raises ValueError for a name that no column has."""
        if isinstance(column, int):
            return range(len(self.columns))[column]
        names = [each.name for each in self.columns]
        if column not in names:
            raise ValueError(f"the data have no column {column!r}; they have {', '.join(names[:20])}")
        return names.index(column)

    @property
    def what(self) -> str:
        """The answer in words: the target, or the probability of a class."""
        return self.data.target if self.of is None else f"p({self.data.classes[self.of]})"

    def mean_answer(self) -> float:
        """Return the mean answer to the rows."""
        return float(answers(self.model, self.rows, self.of).mean())
