"""The data sets that have a name: loading them, and fetching and verifying their files."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from glassnet.data.archive import Archive
from glassnet.data.bundled import load_diabetes, load_digits
from glassnet.data.california import ARCHIVE as CALIFORNIA
from glassnet.data.california import load_california
from glassnet.data.checks import blaming, closest_first, listed
from glassnet.data.dataset import Dataset
from glassnet.data.dates import Order
from glassnet.data.labels import Task
from glassnet.data.mnist import ARCHIVES as MNIST
from glassnet.data.mnist import load_mnist
from glassnet.data.resolve import FileState, find, read, state_of
from glassnet.data.stored import load_chunks, load_stored, memory_for
from glassnet.data.table import load_table


@dataclass(frozen=True)
class Source:
    """A data set that is known by name. `archives` is empty if it comes inside a package."""

    name: str
    rows: int
    task: Task
    origin: str
    load: Callable[..., Dataset]
    archives: tuple[Archive, ...] = ()
    splits: tuple[str, ...] = ()  # the published splits, if there are several: the first is the default


@dataclass(frozen=True)
class SourceStatus:
    """A line of `glassnet data list`: a data set, and its place on this machine."""

    name: str
    rows: int
    task: Task
    where: str
    origin: str


SOURCES = {
    source.name: source
    for source in (
        Source("mnist", 70_000, "classification", "LeCun, Cortes and Burges 1998", load_mnist, MNIST),
        Source(
            "california",
            20_640,
            "regression",
            "Pace and Barry 1997, StatLib",
            load_california,
            (CALIFORNIA,),
            ("benchmark", "sequential"),
        ),
        Source("digits", 1_797, "classification", "Alpaydin and Kaynak 1998, UCI", load_digits),
        Source("diabetes", 442, "regression", "Efron et al. 2004", load_diabetes),
    )
}


def load(
    name_or_path: str | os.PathLike[str] | Iterable[Any],
    *,
    target: str | None = None,
    drop: Sequence[str] = (),
    split: str | None = None,
    task: Task | None = None,
    dates: Order | None = None,
    by: str | None = None,
    folds: int | None = None,
    fold: int | None = None,
    memory: str | None = None,
    cache: str | os.PathLike[str] | None = None,
    seed: int = 0,
) -> Dataset:
    """Load "mnist", "california", "digits" or "diabetes", or the table at a path.

    target, drop, task, dates, by, folds, fold, seed: for a table only, see `load_table`. Named data sets have one
    target, and a split that doesn't depend on a seed. split: for a table, or for "california", "benchmark" (the
    default) or "sequential". memory: such as "4GB", for a table that may be larger, see `load_stored`; by default it is
    what there is, if the table won't fit. In place of a path, an iterable may give chunks of rows, data frames or pairs
    of arrays (x, y): see `load_chunks`. cache: a folder that keeps its chunks.
    Raises ValueError for unknown names and for options that don't apply, OSError if a file can't be read or downloaded.
    """
    options: dict[str, Any] = {"task": task, "dates": dates, "by": by, "folds": folds, "fold": fold}
    about: dict[str, Any] = {"drop": drop, "task": task, "dates": dates, "seed": seed, "cache": cache}
    if not isinstance(name_or_path, str | os.PathLike):
        _require_whole(split, options)
        return load_chunks(name_or_path, target=target, memory=memory, **about)
    source = SOURCES.get(os.fspath(name_or_path))
    if source is None:
        if not _is_path(name_or_path):
            raise ValueError(_unknown(os.fspath(name_or_path)) + ", or give the path of a table")
        if target in drop:
            raise ValueError(f"{target!r} is the target, so it can't be dropped: drop columns that would be inputs")
        memory = memory or memory_for(name_or_path)
        with blaming(name_or_path):
            if memory is not None:
                _require_whole(split, options)
                return load_stored(name_or_path, target=target, memory=memory, **about)
            return load_table(name_or_path, target=target, drop=drop, split=split, seed=seed, **options)
    for option, value in {"target": target, "drop": drop or None, "memory": memory, **options}.items():
        if value is not None:
            raise ValueError(f"{option}={value!r} doesn't apply to {source.name!r}; it is for tables")
    if split is None:
        with _all_files(source):
            return source.load()
    if not source.splits:
        raise ValueError(f"split={split!r} doesn't apply to {source.name!r}; it has one split only")
    if split not in source.splits:
        raise ValueError(f"{source.name!r} has no split {split!r}; there are {listed(source.splits)}")
    with _all_files(source):
        return source.load(split)


def _require_whole(split: str | None, options: dict[str, Any]) -> None:
    """Raise ValueError for options that need all rows in memory."""
    for option in ("split", "by", "folds", "fold"):
        if (split if option == "split" else options[option]) is not None:
            raise ValueError(f"{option} is for tables that fit into memory, and this one is read in pieces")


def status() -> list[SourceStatus]:
    """Describe every named data set and its place on this machine, without reading or downloading it."""
    return [SourceStatus(s.name, s.rows, s.task, _where(s), s.origin) for s in SOURCES.values()]


def fetch(name: str) -> list[FileState]:
    """Download the missing files of a data set, and verify all of its files.

    Gives one state per file, none for a data set inside a package. Raises as `load`.
    """
    source = _source(name)
    with _all_files(source):
        for archive in source.archives:
            read(archive)
    return verify(name)


def verify(name: str) -> list[FileState]:
    """Hash the files of a data set where they are found, without downloading anything."""
    return [state_of(archive) for archive in _source(name).archives]


@contextmanager
def _all_files(source: Source) -> Iterator[None]:
    """Let the error of a download name all files that are needed, and the data sets that need none."""
    try:
        yield
    except OSError as error:
        if error.errno is not None or not source.archives:
            raise
        files = ", ".join(archive.path for archive in source.archives)
        bundled = " and ".join(other.name for other in SOURCES.values() if not other.archives)
        raise OSError(f"{error}; {source.name} needs {files}, while {bundled} work offline") from error


def _where(source: Source) -> str:
    if not source.archives:
        return "inside scikit-learn"
    paths = [find(archive) for archive in source.archives]
    if None in paths:
        return "not here yet"
    return ", ".join(dict.fromkeys(str(path.parent) for path in paths if path))


def _source(name: str) -> Source:
    if name not in SOURCES:
        raise ValueError(_unknown(name))
    return SOURCES[name]


def _unknown(name: str) -> str:
    names = closest_first(name, SOURCES)
    return f"no data set is called {name!r}; did you mean {names[0]!r}? There are {listed(names)}"


def _is_path(name: str | os.PathLike[str]) -> bool:
    path = Path(name)
    return bool(path.suffix) or len(path.parts) != 1 or path.exists()
