"""The tables: where their rows come from, and how they are split, the same for everybody."""

from __future__ import annotations

import gzip
import hashlib
import io
import os
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
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
    sha256: str = ""
    sources: tuple[str, ...] = ()

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
    return {
        name: Table(name, **facts | {"sources": tuple(facts.get("sources", ()))})
        for name, facts in tomllib.loads(text).items()
    }


def frame(table: Table) -> pd.DataFrame:
    """Read a table. Raises ValueError if it isn't the one that was meant, OSError if it can't be had."""
    if not table.sha256:
        return getattr(datasets, f"load_{table.name}")(as_frame=True).frame
    return pd.read_csv(io.BytesIO(_content(table)), na_values=MISSING, skipinitialspace=True)


def _content(table: Table) -> bytes:
    """The CSV, from GLASSNET_DATA, the cache, or its sources."""
    places = [Path(folder) / "tables" for folder in (os.environ.get("GLASSNET_DATA"), cache_folder()) if folder]
    for place in places:
        path = place / f"{table.name}.csv.gz"
        if path.exists():
            return checked(gzip.decompress(path.read_bytes()), table, str(path))
    made = checked(_fetched(table), table, "what its sources give")
    places[-1].mkdir(parents=True, exist_ok=True)
    with replacing(places[-1] / f"{table.name}.csv.gz") as part:
        part.write_bytes(gzip.compress(made))
    return made


def checked(content: bytes, table: Table, what: str) -> bytes:
    """Return the content. Raises ValueError if it isn't that of the table."""
    if hashlib.sha256(content).hexdigest() != table.sha256:
        raise ValueError(f"{table.name}: {what} isn't the table that the results are of, by its SHA-256: remove it")
    return content


def _fetched(table: Table) -> bytes:
    raise OSError(f"{table.name}: put {table.name}.csv.gz into the folder tables of GLASSNET_DATA")


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
