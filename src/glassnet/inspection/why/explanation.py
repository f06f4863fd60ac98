"""Why a model answers as it does, as an object that prints, and that writes tables and pictures."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np

from glassnet.data import Dataset
from glassnet.inspection.why import show
from glassnet.inspection.why.reasons import Reasons
from glassnet.nn import Ensemble, Network


class Explanation(Reasons):
    """The reasons, as text (`print(explanation)`), as dicts, and as files."""

    def __str__(self) -> str:
        return show.text(self)

    def to_dict(self) -> dict[str, Any]:
        """Return everything as dicts and lists."""
        return show.as_dict(self)

    def save(self, folder: str | os.PathLike[str], form: str = "png") -> list[Path]:
        """Write tables (CSV) and pictures (`form`: png or svg) to a folder, and return their paths.

        Raises ValueError for another form, OSError if a file can't be written.
        """
        return show.save(self, Path(folder), form)


def explain(
    model: Network | Ensemble, data: Dataset, *, part: str = "test", of: str | int | None = None, seed: int = 0
) -> Explanation:
    """Explain a model by its answers to rows of `part`: what matters, how answers follow it, why a row gets its own.

    model: a network or an ensemble. data: what it was trained on. of: the class, by its number or name, whose
    probability is explained; by default the rarer of two classes, and of more the commonest, but for a row the class
    that it is answered with. seed: of the shuffling, and of the choice of rows. Nothing is trained, and the model isn't
    changed.

    Columns that go together share what they tell: shuffling one of them alone shows less than the group is worth, and
    makes rows that don't exist. So groups are shuffled as a whole, too. What the model doesn't use may still matter.

    Raises ValueError for a class that isn't there, a part without rows, or data of another width.
    """
    if model.n_in is not None and model.n_in != data.n_in:
        raise ValueError(f"the model takes rows of {model.n_in} values, the data have {data.n_in}")
    if part not in ("train", "val", "test"):
        raise ValueError(f"part is train, val or test, not {part!r}")
    if not len(getattr(data, part)):
        raise ValueError(f"the {part} part has no rows: name another part")
    own = of is None and len(data.classes) > 2
    return Explanation(model, data, part, _class_of(data, of), seed, own)


def _class_of(data: Dataset, of: str | int | None) -> int | None:
    if data.task == "regression":
        if of is not None:
            raise ValueError("the model answers with values, so there is no class to name")
        return None
    if of is None:
        counts = np.bincount(data.train.y, minlength=len(data.classes))
        return int(counts.argmin() if len(counts) == 2 else counts.argmax())
    if isinstance(of, str):
        if of not in data.classes:
            raise ValueError(f"there is no class {of!r}; the classes are {', '.join(data.classes[:20])}")
        return data.classes.index(of)
    return range(len(data.classes))[of]
