"""What is explained: a model, its columns, and the rows that show what is usual."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from glassnet.data.schema import Column
from glassnet.data.written import in_unit
from glassnet.nn import Ensemble, Network
from glassnet.nn.layer import Array


@dataclass(frozen=True, eq=False)
class About:
    """A model and its data, as the explanation of a row needs them.

    columns: what each column is. classes: their names. what: the answer in words. of: the number of the class whose
    probability it is, None for values. background, train: rows of the training part, to compare with and to look for
    values in. spread: how far apart answers lie. enough: the change of a value that counts as another answer.
    """

    model: Network | Ensemble
    columns: list[Column]
    classes: Sequence[str]
    what: str
    of: int | None
    background: Array
    train: Array
    spread: float
    enough: float

    @property
    def nearest(self) -> str:
        """Say which changes of the answer are looked for."""
        if self.of is not None:
            return "the nearest changes of one column that lead to another class:"
        far = in_unit(self.enough, self.spread)
        return f"the nearest changes of one column that move the answer by more than its mean error, {far}:"
