"""CSV files as text, read in blocks that end where a row does: a file of any size takes little memory."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from glassnet.data.dialect import Dialect, dialect_of, pieces

if TYPE_CHECKING:
    import polars as pl

BLANK = re.compile(rb"(?:[ \t\f\v]*[\r\n])+")  # lines before the header, which may begin with a tab: an empty name
LONGEST = 1 << 26  # bytes; a longer row comes from a quotation mark that nothing closes
CLOSED = re.compile(rb'"(?:[^"]++|"")*+"')
NAMELESS = "if the file has no header, put a line of names, such as x1,x2,y, before its first row"
NUMBER = re.compile(r"[+-]?\d*\.?\d+(?:[eE][+-]?\d+)?$")


def read_text(path: Path, dialect: Dialect | None = None) -> Iterator[pl.DataFrame]:
    """Yield the rows of a file of text with a header, in order, some at a time: columns of text, as written.

    dialect: how it is written, which is found out if it isn't given. Space around the names of the columns is dropped.
    An empty value is missing. Raises ValueError for a file that holds no rows or no table, naming the row (the first is
    1) that breaks it.
    """
    header, names, row, dialect = b"", [""], 1, dialect or dialect_of(path)
    for block in _blocks(path, dialect.encoding):
        if not header:
            header = block[: _first_row_end(block)].rstrip(b"\r")
            block = block[len(header) :]
            names = _names(_parsed(header, dialect.separator, path, 0), path)
        # With the header before it, every block has the columns that the header has.
        rows = _parsed(header + block, dialect.separator, path, row).slice(1)
        if not rows.is_empty():
            rows.columns = names
            yield rows
        row += rows.height
    if not header:
        raise ValueError(f"{path} is empty")
    if row == 1:
        raise ValueError(f"{path} has a header but no rows")


def _blocks(path: Path, encoding: str) -> Iterator[bytes]:
    """Yield the file, in UTF-8, in pieces of whole rows. All but the first begin with the end of the line before them.

    Blank lines at the beginning and the end of the file are left out. Each byte is read only a few times, however long
    a row is. Raises ValueError after a row that is too long. The part of the row that was read comes first, so that the
    parser can refuse it with its number if quotation marks are at fault.
    """
    unread: list[bytes] = []
    begun, quoted = False, False  # whether a row has begun, and whether what is unread ends inside quotation marks
    for more in pieces(path, encoding):
        if not begun:
            more = b"" if more.isspace() else BLANK.sub(b"", more, count=1) if BLANK.match(more) else more
            begun = bool(more)
        end = _last_row_end(more, quoted)
        quoted ^= more.count(b'"') % 2 == 1
        unread.append(more)
        if end >= 0 or sum(map(len, unread)) > LONGEST:
            text = b"".join(unread)
            rows = text[: len(text) - len(more) + end] if end >= 0 else text
            if rows := rows.rstrip(b"\r\n"):
                yield rows
            if end < 0:
                raise ValueError(f"{path} has a row of more than {LONGEST >> 20} MB: check its quotation marks")
            unread = [text[len(rows) :]]
    if (last := b"".join(unread).rstrip(b"\r\n")) and last.strip():
        yield last


def _last_row_end(block: bytes, quoted: bool) -> int:
    """The place of the last line end outside of quotation marks, or -1. quoted: the block begins inside of them."""
    end, inside = len(block), quoted ^ (block.count(b'"') % 2 == 1)
    while end >= 0:
        mark = block.rfind(b'"', 0, end)
        if not inside and (line := block.rfind(b"\n", mark + 1, end)) >= 0:
            return line
        end, inside = mark, not inside
    return -1


def _first_row_end(block: bytes) -> int:
    start, inside = 0, False
    while True:
        mark = block.find(b'"', start)
        if not inside and (line := block.find(b"\n", start, mark if mark >= 0 else len(block))) >= 0:
            return line
        if mark < 0:
            return len(block)
        start, inside = mark + 1, not inside


def _parsed(text: bytes, separator: str, path: Path, first: int) -> pl.DataFrame:
    """The header and the rows below it, the first of which is row `first` of the file."""
    import polars as pl

    if b"\0" in text:
        raise ValueError(f"{path} isn't text; a table is a CSV or a .parquet file")
    if not _quoted_well(text, separator):  # the result of polars depends on where it cuts
        raise ValueError(f"{path} can't be read as CSV: {_fault(text, separator, first)}")
    try:  # the header as a row, because polars would rename duplicates; all as text, as it was written
        return pl.read_csv(text, has_header=False, infer_schema_length=0, separator=separator)
    except pl.exceptions.PolarsError as error:
        raise ValueError(f"{path} can't be read as CSV: {_fault(text, separator, first)}") from error


def _quoted_well(text: bytes, separator: str) -> bool:
    """Whether quotation marks stand around whole values only, and those inside of them are doubled."""
    if b'"' not in text:
        return True
    around = np.frombuffer(b"\n" + text + b"\n", np.uint8)
    marks = np.flatnonzero(around == ord('"'))
    beside = np.zeros(256, bool)
    beside[[ord(separator), *b'\n\r"']] = True
    well = beside[around[marks[::2] - 1]].all() and beside[around[marks[1::2] + 1]].all()
    return bool(well) and len(marks) % 2 == 0


@cache
def _field(separator: str) -> re.Pattern[bytes]:
    """A value and what ends it. It is possessive: no character is read twice."""
    mark = re.escape(separator.encode())
    return re.compile(rb'(?:"(?:[^"]++|"")*+"|[^"\r\n' + mark + rb"]*+)(" + mark + rb"|\r?\n|\r|\Z)")


def _fault(text: bytes, separator: str, first: int) -> str:
    """Name the row that breaks a table, whose rows after the header begin with row `first`."""
    width, row, count, start = 0, first - 1, 0, 0
    while field := _field(separator).match(text, start):
        count, start = count + 1, field.end()
        if field[1] == separator.encode():
            continue
        if not width:
            width = count
        elif count > width:
            return f"row {row} has {count} values, the header {width} names"
        if not field[1]:
            return "check its quotation marks"
        row, count = row + 1, 0
    where = f"row {row}" if width else "the header"
    if text[start : start + 1] == b'"' and not CLOSED.match(text, start):
        return f"check its quotation marks: in {where}, one is opened and never closed"
    return (
        f"check its quotation marks: in {where}, one stands inside a value; write such a value in quotation marks, and"
        ' each mark in it twice: "5"" wide"'
    )


def _names(header: pl.DataFrame, path: Path) -> list[str]:
    names = [(name or "").strip() for name in header.row(0)]
    name, count = Counter(names).most_common(1)[0]
    if count > 1:
        hint = headless(names)
        raise ValueError(f"{path} has {count} columns named {name!r}" + (hint or "; rename all but one"))
    return names


def headless(names: Sequence[str]) -> str:
    """Say that a table seems to have no header, if its names hold numbers. But 0, 1, 2, ... are names."""
    numbers = [name for name in names if NUMBER.match(name)]
    counted = all(name.isdecimal() for name in numbers) and all(
        int(after) == int(name) + 1 for name, after in pairwise(numbers)
    )
    if not numbers or (counted and (len(numbers) > 1 or len(names) > 2)):
        return ""
    return f", and {numbers[0]!r} is a number: {NAMELESS}"
