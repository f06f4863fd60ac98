"""CSV files as text, read in blocks that end where a row does: a file of any size takes little memory."""

from __future__ import annotations

import csv
import io
from codecs import BOM_UTF8
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars as pl

BLOCK = 1 << 22  # bytes read at a time
LONGEST = 1 << 26  # bytes; what looks like a longer row is a quotation mark that nothing closes


def read_text(path: Path) -> Iterator[pl.DataFrame]:
    """Yield the rows of a CSV file in UTF-8 with a header, in order, some at a time: columns of text, as written.

    Space around the names of the columns is dropped; an empty value is missing. Raises ValueError on a file that
    holds no rows or no table, naming the row (the first is 1) that breaks it.
    """
    header, names, row = b"", [""], 1
    for block in _blocks(path):
        if not header:
            header = block[: _first_row_end(block)].rstrip(b"\r")
            block = block[len(header) :]
            names = _names(_parsed(header, path, 0), path)
        # With the header before it, every block has the columns that the header has.
        rows = _parsed(header + block, path, row).slice(1)
        if not rows.is_empty():
            rows.columns = names
            yield rows
        row += rows.height
    if not header:
        raise ValueError(f"{path} is empty")
    if row == 1:
        raise ValueError(f"{path} has a header but no rows")


def _blocks(path: Path) -> Iterator[bytes]:
    """Yield the file in pieces of whole rows. All but the first begin with the end of the line before them.

    Blank lines at the beginning and the end of the file are left out.
    """
    unread = b""
    begun = False
    with path.open("rb") as file:
        if (start := file.read(len(BOM_UTF8))) != BOM_UTF8:
            unread = start
        while more := file.read(BLOCK):
            unread += more
            if not begun:
                unread = unread.lstrip()
            if end := len(unread[: _last_row_end(unread)].rstrip(b"\r\n")):
                yield unread[:end]
                unread, begun = unread[end:], True
            elif len(unread) > LONGEST:
                raise ValueError(f"{path} has a row of more than {LONGEST >> 20} MB: check its quotation marks")
    if unread.strip():
        yield unread.rstrip(b"\r\n")


def _last_row_end(block: bytes) -> int:
    """Where the last line end is that no quotation marks enclose; 0 if there is none."""
    end = block.rfind(b"\n")
    while end > 0 and block.count(b'"', 0, end) % 2:
        end = block.rfind(b"\n", 0, end)
    return max(end, 0)


def _first_row_end(block: bytes) -> int:
    end = block.find(b"\n")
    while end >= 0 and block.count(b'"', 0, end) % 2:
        end = block.find(b"\n", end + 1)
    return end if end >= 0 else len(block)


def _parsed(text: bytes, path: Path, first: int) -> pl.DataFrame:
    """The header and the rows below it, the first of which is row `first` of the file."""
    import polars as pl

    try:
        text.decode("utf-8")
    except UnicodeDecodeError as error:
        raise ValueError(f"{path} isn't text in UTF-8; a table is a CSV or a .parquet file") from error
    if b"\0" in text:
        raise ValueError(f"{path} isn't text; a table is a CSV or a .parquet file")
    try:  # the header as a row, for polars would rename duplicates; all as text, to see what was really written
        return pl.read_csv(text, has_header=False, infer_schema_length=0)
    except pl.exceptions.PolarsError as error:
        raise ValueError(f"{path} can't be read as CSV: {_fault(text.decode('utf-8'), first)}") from error


def _fault(text: str, first: int) -> str:
    lines = csv.reader(io.StringIO(text))
    try:
        width = len(next(lines))
        for row, values in enumerate(lines, start=first):
            if len(values) > width:
                return f"row {row} has {len(values)} values, the header {width} names"
    except csv.Error:
        pass
    return "check its quotation marks"


def _names(header: pl.DataFrame, path: Path) -> list[str]:
    names = [(name or "").strip() for name in header.row(0)]
    if len(names) == 1 and (other := next((mark for mark in ";\t|" if mark in names[0]), None)):
        raise ValueError(f"{path} is separated by {other!r}; a CSV file is separated by commas")
    for name in names:
        if names.count(name) > 1:
            raise ValueError(f"{path} has {names.count(name)} columns named {name!r}; rename all but one")
    return names
