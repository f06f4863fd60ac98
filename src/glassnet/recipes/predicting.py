"""Predictions of a run's network for files of any size, written as they are made."""

from __future__ import annotations

import re
import sys
import warnings
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from glassnet.data import read_rows
from glassnet.data.noticed import Noticed
from glassnet.data.rows import FileRows
from glassnet.data.schema import from_info
from glassnet.files import replacing
from glassnet.nn import Ensemble, Network
from glassnet.nn.layer import Array
from glassnet.recipes.directory import open_model
from glassnet.recipes.intervals import Bounds
from glassnet.recipes.scored import Scored
from glassnet.terminal import done, say
from glassnet.train.decisions import Decision, answered

if TYPE_CHECKING:
    import polars as pl

ENDINGS = (".csv", ".parquet")


FORMULA = r"^([=+\-@\t\r\n])"  # the first letters of cells that spreadsheets compute (owasp.org, "CSV Injection")
NUMBER = r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$"


def predict_file(
    run: Path, path: Path, out: Path | None = None, *, coverage: float | None = None, quote_formulas: bool = False
) -> None:
    """Predict the rows of a file and write a table, in the file's order and in memory that doesn't grow with it.

    The table is that of `predictions`, written as CSV or Parquet, by the ending of `out`, or as CSV to standard output.
    coverage: that of intervals or sets of classes, if they are wanted.
    quote_formulas: whether to put an apostrophe before text that a spreadsheet would compute. After an error `out` is
    as it was before. Of a file that has the target, too, the figures are a line on standard error.
    Raises ValueError for another ending, if `out` is the file that is read, and as `predictions`
    does; OSError if `out` can't be written.
    """
    if out is not None and out.suffix.lower() not in ENDINGS:
        raise ValueError(f"{out}: predictions are written to a .csv or a .parquet file")
    if out is not None and out.exists() and path.exists() and out.samefile(path):
        raise ValueError(f"{out} is the file that is read: name another to write")
    tables, noticed, info = _predicted(run, path, coverage)
    scored = Scored(info)
    tables = scored.watch(tables)
    if quote_formulas:
        tables = map(_harmless, tables)
    if out is None:
        _write_csv(tables, sys.stdout)
    else:
        with replacing(out) as part:
            if out.suffix.lower() == ".parquet":
                _write_parquet(tables, part)
            else:
                with part.open("w", encoding="utf-8", newline="") as file:
                    _write_csv(tables, file)
    for line in (*noticed.notes, *noticed.filled()):
        say(f"glassnet: {line}", error=True)
    if figures := scored.line(run):
        say(f"glassnet: {figures}", error=True)
    _warn(noticed)


def predictions(run: Path, path: Path, coverage: float | None = None) -> Iterator[pl.DataFrame]:
    """Predict the rows of a table, an array, a folder of pictures or a picture; yield tables of some rows at a time.

    First come the file's columns that the network doesn't use, such as an id, an index or the target, as they are (see
    `data.read_rows`). Then comes "prediction", the name of the class or the value, and for classes "p(class)", the
    probability of each. With a coverage such as 0.9 come "lower 90%" and "upper 90%", between which that share of the
    values lies, or for classes "set 90%", which holds that share of the true classes. If the target itself has such a
    name, the prediction is called "predicted prediction". After the last rows, a UserWarning names columns that held
    mostly categories that training hadn't.
    Raises ValueError if `run` is no run, if the file lacks the columns that the network was trained on, if another
    column of the file has the name of a prediction, and if the run has no intervals.
    """
    tables, noticed, _ = _predicted(run, path, coverage)
    yield from tables
    _warn(noticed)


def _predicted(run: Path, path: Path, coverage: float | None) -> tuple[Iterator[pl.DataFrame], Noticed, dict[str, Any]]:
    net = open_model(run)[1]
    info = net.info
    shape = tuple(info["image_shape"]) if "image_shape" in info else None
    columns = from_info(info) or info["features"]
    noticed = Noticed(columns)
    rows = read_rows(path, columns, shape, info.get("image_maximum", 255), noticed)
    bounds = None if coverage is None else Bounds.of(run, coverage)
    return _tables(net, path, rows, bounds), noticed, info


def _warn(noticed: Noticed) -> None:
    for line in noticed.strange():
        warnings.warn(line, UserWarning, stacklevel=3)


def _tables(
    net: Network | Ensemble, path: Path, rows: Iterator[FileRows], bounds: Bounds | None
) -> Iterator[pl.DataFrame]:
    import polars as pl

    for x, beside in rows:
        found = _answers(net, x, bounds)
        if taken := {column.name for column in beside} & {column.name for column in found}:
            raise ValueError(f"{path} has a column {min(taken)!r}, as the predictions will: rename it or leave it out")
        yield pl.DataFrame([*beside, *found])


def _answers(net: Network | Ensemble, x: Array, bounds: Bounds | None) -> list[pl.Series]:
    import polars as pl

    if net.info["task"] == "regression":
        values = net.predict(x)[:, 0]
        found = [pl.Series("prediction", values), *([] if bounds is None else bounds.around(x, values))]
    else:
        classes, p = net.info["classes"], net.predict_proba(x)
        names = pl.Series("prediction", classes, dtype=pl.String).gather(answered(p, Decision.read(net.info)))
        found = [names, *(pl.Series(f"p({name})", p[:, i]) for i, name in enumerate(classes))]
        found += [] if bounds is None else bounds.sets(p, classes)
    return [each.alias(f"predicted {each.name}") if each.name == net.info.get("target") else each for each in found]


def _harmless(table: pl.DataFrame) -> pl.DataFrame:
    """The same, with an apostrophe before text, names of columns included, that a spreadsheet takes for a formula."""
    import polars as pl

    table = table.rename({name: f"'{name}" for name in table.columns if re.match(FORMULA, name)})
    text = pl.col(pl.String)
    return table.with_columns(pl.when(text.str.contains(NUMBER)).then(text).otherwise(text.str.replace(FORMULA, "'$1")))


def _write_csv(tables: Iterable[pl.DataFrame], file: TextIO) -> None:
    import polars as pl

    for i, table in enumerate(tables):
        try:
            text = table.write_csv(include_header=i == 0)
        except pl.exceptions.PolarsError as error:  # such as a column of lists
            raise ValueError(f"{_reason(error)}: write a .parquet file, or leave out the column") from error
        if file is sys.stdout:
            done()
        file.write(text)


def _write_parquet(tables: Iterator[pl.DataFrame], path: Path) -> None:
    """Let polars write the tables while they are made. It asks for the next when it has room."""
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
