"""From a table larger than memory to a dataset: a sample in memory, and all training rows on disk."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from glassnet.data.checks import listed
from glassnet.data.columns import find_columns, found, require_left, varying
from glassnet.data.dataset import TEST, VAL, Dataset
from glassnet.data.dates import Order
from glassnet.data.dialect import table_stem
from glassnet.data.labels import Task, look_up
from glassnet.data.markers import CERTAIN, MARKERS, is_text, without_markers
from glassnet.data.numbers import plain_columns
from glassnet.data.schema import Schema, names_of
from glassnet.data.stored.blocks import blocks, files_of, with_bar
from glassnet.data.stored.chunks import Chunks, Form, ManyRows, hash_of
from glassnet.data.stored.room import read_memory
from glassnet.data.stored.survey import Mask, Survey, survey
from glassnet.data.table import numeric_rows
from glassnet.data.target import read_target
from glassnet.memory import give_back

if TYPE_CHECKING:
    import polars as pl

SAMPLE, HELD = 100_000, 50_000  # the most rows of the sample, and of the validation and the test part
FEWEST, KEPT = 20_000, 0.04  # of all three together, however wide they are; otherwise this share of the memory
SHARE = 0.01  # of the memory that a chunk takes
TRAINING = 0.2  # of the memory, for the chunks of all networks that train side by side
LARGEST = 32 << 20  # bytes of a chunk
PRECISE = 1e-6  # of a column's standard deviation, that float32 may lose
MIN_ROWS = 10


def load_stored(
    path: str | os.PathLike[str],
    *,
    target: str | None,
    memory: str,
    drop: Sequence[str] = (),
    task: Task | None = None,
    dates: Order | None = None,
    seed: int = 0,
    cache: str | os.PathLike[str] | None = None,
) -> Dataset:
    """Load a table of any size, a folder of such tables or a pattern such as part-*.parquet, in constant memory.

    One pass draws a sample at random, by which columns and their kinds are found, as `load_table` does by all rows.
    The validation and the test part are random rows, at most 50,000 each, and in memory. `train.x` and `train.y` are
    a sample of the training rows, at most 100,000. Of wide rows they are fewer. All training rows are in
    `train.stored`: when training begins, a second pass deals them into chunks on disk. memory: such as "4GB", which
    decides the size of a chunk. cache: a folder that keeps the chunks. Raises ValueError and OSError as `load_table`,
    also for a value beyond the sample that is of no kind that the sample shows.
    """
    path, limit = Path(path), read_memory(memory)
    give_back()
    first = next(blocks(path))
    if target is None:
        raise ValueError(f"name the target column of {path}: one of {listed(first.columns)}")
    if missing := [name for name in (target, *drop) if name not in first.columns]:
        raise ValueError(f"the table has no column {listed(missing)}; it has {listed(first.columns)}")
    features = [name for name in first.columns if name not in {target, *drop}]
    if not features:
        raise ValueError(f"{path} has no column to learn from besides the target {target!r}")
    has_target = _mask_of(first[target], task, dates)
    del first
    columns = [*features, target]
    most = min(SAMPLE + 2 * HELD, max(FEWEST, int(KEPT * limit / (8 * len(columns)))))
    frames = (frame.select(columns) for frame in with_bar(path, "drawing a sample"))
    seen = survey(frames, target, has_target, most, seed)
    if seen.known < MIN_ROWS:
        raise ValueError(f"{path} has {seen.known} rows with a target; at least {MIN_ROWS} are needed")
    test, val = (min(most * HELD // (SAMPLE + 2 * HELD), round(share * seen.known)) for share in (TEST, VAL))
    parts = np.arange(test + val, len(seen.sample)), np.arange(test, test + val), np.arange(test)
    y, rows, said = read_target(seen.sample[target], task, dates)
    if len(rows) < len(seen.sample):
        raise ValueError(f"column {target!r}: some of its values look like missing ones, others don't: empty them")
    y, classes = _classes(y, task, seen, dates)
    inputs = plain_columns(seen.sample.select(features))
    schema, left_out, notes = find_columns(inputs, parts[0], dates=dates)
    require_left(path, schema, left_out, notes)
    schema, x = varying(schema, numeric_rows(inputs, schema), parts[0], left_out)
    require_left(path, schema, left_out, notes)
    kind = _narrowest(x)
    categories = [column.categories for column in schema]
    named: dict[str, Any] = {"features": names_of(schema), "target": target, "categories": categories}
    task = task or ("classification" if classes else "regression")
    about: dict[str, Any] = {"task": task, "classes": classes or None, "name": table_stem(path), "parts": parts}
    data = Dataset.from_arrays(x.astype(kind), y, **named, **about)
    data.schema, data.left_out = schema, left_out
    form = Form(len(schema), kind.name, data.train.y.dtype.name)
    held = np.sort(seen.places[: test + val])
    stamps = [(each.name, each.stat().st_size, each.stat().st_mtime_ns) for each in files_of(path)]
    settings = hash_of(f"{stamps} {schema} {target} {data.classes} {seed} {form} {seen.known}")
    of_chunk = max(1000, int(min(LARGEST, SHARE * limit)) // form.row_bytes)
    stored = Chunks(
        lambda: _rows(with_bar(path, "dealing rows out", seen.rows), columns, schema, data, has_target, held),
        seen.known - len(held),
        form,
        of_chunk,
        settings,
        seed,
        None if cache is None else Path(cache),
    )
    prepared = sum(max(1, len(column.categories)) for column in schema) * np.dtype(np.float32).itemsize
    of_network = 2 * stored.sizes[0] * (form.row_bytes + prepared)  # the present chunk, and the next
    stored.networks = max(1, int(TRAINING * limit / of_network))
    data.train.stored = stored
    n = len(data.train.y)
    own = (
        f"{seen.rows:,} rows are read in pieces, and take {stored.size / 1e9:.2g} GB of disk in {len(stored.sizes)}"
        f" chunks while the training goes on (memory {memory})",
        f"columns and preprocessing go by a sample of {n:,} training rows: quantiles are right to"
        f" {0.5 / np.sqrt(n):.2%}, and a category in fewer than 3 of its rows isn't known",
        *([f"{seen.rows - seen.known:,} rows are left out: the target {target} is missing in them"]
          if seen.known < seen.rows else []),
    )  # fmt: skip
    data.notes = (*own, *said, *notes, *found(schema, data.train.x, left_out))
    return data


def _mask_of(column: pl.Series, task: Task | None, dates: Order | None) -> Callable[[pl.Series], Mask]:
    """Return what marks the rows that have a target, by the first rows of the column."""
    if is_text(column):
        names = task == "classification" or read_target(column, task, dates)[0].dtype.kind == "U"
        markers = CERTAIN if names else MARKERS
        return lambda text: without_markers(text, markers).is_not_null().to_numpy()
    if column.dtype.is_float():
        return lambda values: values.is_not_nan().fill_null(False).to_numpy()
    return lambda values: values.is_not_null().to_numpy()


def _classes(
    y: NDArray[Any], task: Task | None, seen: Survey, dates: Order | None
) -> tuple[NDArray[Any], tuple[str, ...]]:
    """Return the targets of the sample, and of classes their names with those that no row of the sample has."""
    if task == "regression" or (task is None and y.dtype.kind == "f"):
        return y, ()
    if y.dtype.kind == "f":
        y = _whole(y)
    values = y
    if len(seen.values):
        more = read_target(seen.values, "classification", dates)[0]
        values = np.concatenate([y, more.astype(np.int64) if y.dtype.kind != "U" else more])
    names = tuple(str(value) for value in np.unique(values))
    return y.astype(np.str_), names


def _whole(y: NDArray[Any]) -> NDArray[np.int64]:
    """Return numbers that are names of classes as whole numbers. Raises ValueError for fractions."""
    if (y != np.rint(y)).any():
        raise ValueError(f"the target holds {y[y != np.rint(y)][0]}, which can't be a class; the task is 'regression'")
    return y.astype(np.int64)


def _narrowest(x: NDArray[np.float64]) -> np.dtype[Any]:
    """The type that loses nothing that matters of these rows."""
    with np.errstate(over="ignore", invalid="ignore"):
        lost = np.nanmax(np.abs(x - x.astype(np.float32)), axis=0, initial=0)
        spread = np.nanstd(x, axis=0)
    return np.dtype(np.float32 if (lost <= PRECISE * spread).all() else np.float64)


def _rows(
    frames: Iterable[pl.DataFrame],
    columns: list[str],
    schema: Schema,
    data: Dataset,
    has_target: Callable[[pl.Series], Mask],
    held: NDArray[np.int64],
) -> ManyRows:
    """Yield all rows that have a target and aren't held out, as networks take them."""
    first, known = 1, 0
    for frame in frames:
        frame = frame.select(columns)
        own = np.flatnonzero(has_target(frame[data.target]))
        low, high = np.searchsorted(held, [known, known + len(own)])
        known += len(own)
        training = np.delete(own, held[low:high] - (known - len(own)))
        with np.errstate(over="ignore"):
            x = numeric_rows(frame, schema, first, data.train.x.dtype)
        x = x[training] if len(training) < len(x) else x
        if np.isinf(x).any():
            raise ValueError(f"rows {first} to {first + len(frame) - 1}: a number is too large for single precision")
        y, rows, _ = read_target(frame[data.target][training], data.task)
        if len(rows) < len(training):
            raise ValueError(f"column {data.target!r}: some of its values look like missing ones, others don't")
        yield x, look_up(y, data.classes) if data.task == "classification" else y
        first += frame.height
