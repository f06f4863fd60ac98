"""Predictions of a run's network for files of any size, written as they are made."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from glassnet.data import read_rows
from glassnet.data.schema import from_info
from glassnet.files import replacing
from glassnet.nn import Ensemble, Network
from glassnet.nn.layer import Array
from glassnet.recipes.directory import open_model

if TYPE_CHECKING:
    import polars as pl

ENDINGS = (".csv", ".parquet")


def predict_file(run: Path, path: Path, out: Path | None = None) -> None:
    """Predict the rows of a file and write a table, in the file's order and in memory that doesn't grow with it.

    The table is that of `predictions`, written as CSV or Parquet, by the ending of `out`, or as CSV to standard output.
    After an error `out` is as it was before. Raises ValueError for another ending, if `out` is the file that is read,
    and as `predictions` does; OSError if `out` can't be written.
    """
    if out is None:
        _write_csv(predictions(run, path), sys.stdout)
        return
    if out.suffix.lower() not in ENDINGS:
        raise ValueError(f"{out}: predictions are written to a .csv or a .parquet file")
    if out.exists() and path.exists() and out.samefile(path):
        raise ValueError(f"{out} is the file that is read: name another to write")
    tables = predictions(run, path)
    with replacing(out) as part:
        if out.suffix.lower() == ".parquet":
            _write_parquet(tables, part)
        else:
            with part.open("w", encoding="utf-8", newline="") as file:
                _write_csv(tables, file)


def predictions(run: Path, path: Path) -> Iterator[pl.DataFrame]:
    """Predict the rows of a table, an array, a folder of pictures or a picture; yield tables of some rows at a time.

    Their columns: first those of the file that the network doesn't use, such as an id, an index or the target, as they
    are (see `data.read_rows`). Then "prediction", the name of the class or the value, and for classes "p(class)", the
    probability of each. Raises ValueError if `run` is none, if the file doesn't hold what the network was trained on,
    and if a column of the file has the name of one of ours.
    """
    import polars as pl

    net = open_model(run)[1]
    info = net.info
    shape = tuple(info["image_shape"]) if "image_shape" in info else None
    columns = from_info(info) or info["features"]
    for x, beside in read_rows(path, columns, shape, info.get("image_maximum", 255)):
        found = _answers(net, x)
        if taken := {column.name for column in beside} & {column.name for column in found}:
            raise ValueError(f"{path} has a column {min(taken)!r}, as the predictions will: rename it or leave it out")
        yield pl.DataFrame([*beside, *found])


def _answers(net: Network | Ensemble, x: Array) -> list[pl.Series]:
    import polars as pl

    if net.info["task"] == "regression":
        return [pl.Series("prediction", net.predict(x)[:, 0])]
    classes, p = net.info["classes"], net.predict_proba(x)
    names = pl.Series("prediction", classes, dtype=pl.String).gather(p.argmax(axis=1))
    return [names, *(pl.Series(f"p({name})", p[:, i]) for i, name in enumerate(classes))]


def _write_csv(tables: Iterable[pl.DataFrame], file: TextIO) -> None:
    import polars as pl

    for i, table in enumerate(tables):
        try:
            text = table.write_csv(include_header=i == 0)
        except pl.exceptions.PolarsError as error:  # a column of lists, say
            raise ValueError(f"{_reason(error)}: write a .parquet file, or leave out the column") from error
        file.write(text)


def _write_parquet(tables: Iterator[pl.DataFrame], path: Path) -> None:
    """Let polars write the tables while they are made: it asks for the next when it has room."""
    import polars as pl
    from polars.io.plugins import register_io_source

    first = next(tables)
    faults: list[Exception] = []

    def source(*_: Any) -> Iterator[pl.DataFrame]:
        try:
            yield first
            yield from tables
        except Exception as error:
            faults.append(error)
            raise

    try:
        register_io_source(source, schema=first.schema).sink_parquet(path)
    except Exception as error:
        if faults:  # of which polars may have made an error of its own
            raise faults[0] from None
        if isinstance(error, pl.exceptions.PolarsError):
            raise OSError(f"the predictions can't be written as Parquet ({_reason(error)})") from error
        raise


def _reason(error: Exception) -> str:
    return str(error).partition("\n")[0]
