"""The tables: where their rows come from, and how they are split, the same for everybody."""

from __future__ import annotations

import hashlib
import os
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pandas.api.types import is_numeric_dtype
from sklearn import datasets
from sklearn.model_selection import train_test_split

from glassnet.files import cache_folder, replacing

MISSING = ["?", "", " "]  # cells that hold nothing, beside those that pandas knows
SPLITS = (0, 1, 2)  # random states
TEST = 0.2


@dataclass(frozen=True)
class Table:
    """A table as tables.toml describes it. `part` is A, B or bundled."""

    name: str
    target: str
    task: str
    part: str
    about: str
    digest: str = ""  # none of a bundled one

    @property
    def classes(self) -> bool:
        """Whether classes are told apart; otherwise values are predicted."""
        return self.task == "classification"


@dataclass(frozen=True)
class Rows:
    """Rows to fit, and rows to be judged by. Classes are numbered from 0 in the order of their names."""

    x: pd.DataFrame
    y: NDArray[Any]
    x_test: pd.DataFrame
    y_test: NDArray[Any]
    classes: int  # 0 for values


def tables() -> dict[str, Table]:
    """Return all tables by name."""
    text = Path(__file__).with_name("tables.toml").read_text(encoding="utf-8")
    return {name: Table(name, **facts) for name, facts in tomllib.loads(text).items()}


def frame(table: Table) -> pd.DataFrame:
    """Read a table, from GLASSNET_DATA, the cache or its source. Raises OSError if it can't be had.

    Raises ValueError if it isn't the one that the results are of.
    """
    if not table.digest:
        return getattr(datasets, f"load_{table.name}")(as_frame=True).frame
    folders = [Path(folder) / "tables" for folder in (os.environ.get("GLASSNET_DATA"), cache_folder()) if folder]
    path = next((path for path in (folder / f"{table.name}.csv.gz" for folder in folders) if path.exists()), None)
    if path is None:
        from tables import fetching

        path = folders[-1] / f"{table.name}.csv.gz"
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path) as part:
            fetching.fetched(table.name, path.parent / "sources").to_csv(part, index=False, compression="gzip")
    found = pd.read_csv(path, na_values=MISSING, skipinitialspace=True)
    if digest(found) != table.digest:
        raise ValueError(f"{path} isn't the table that the results are of, by its digest: replace it")
    return found


def digest(table: pd.DataFrame) -> str:
    """SHA-256 of names and cells, numbers to nine digits: how a file writes them doesn't matter."""
    numbers = {name: column.astype(float) for name, column in table.items() if is_numeric_dtype(column)}
    text = table.assign(**numbers).to_csv(index=False, float_format="%.9g", lineterminator="\n")
    return hashlib.sha256(text.encode()).hexdigest()


def split(table: Table, whole: pd.DataFrame, state: int, rows: int | None = None, inner: bool = False) -> Rows:
    """Split a table 80/20, classes in their shares. `rows`: fit no more than the first so many, which are in any order.

    inner: split the training rows once more by the same rule, and judge by a fifth of them. The test rows stay unseen.
    """
    y = whole[table.target].to_numpy()
    count = 0
    if table.classes:
        names, y = np.unique(y.astype(str), return_inverse=True)
        count = len(names)
    train, test = _halves(np.arange(len(y)), y if table.classes else None, state)
    if inner:
        train, test = _halves(train, y[train] if table.classes else None, state)
    train = train[:rows]
    x = whole.drop(columns=table.target)
    x_train, x_test = (x.iloc[part].reset_index(drop=True) for part in (train, test))
    return Rows(x_train, y[train], x_test, y[test], count)


def _halves(rows: NDArray[Any], classes: NDArray[Any] | None, state: int) -> tuple[NDArray[Any], NDArray[Any]]:
    train, test = train_test_split(rows, test_size=TEST, random_state=state, stratify=classes)
    return train, test
