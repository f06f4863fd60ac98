"""How a table's file is written: which format it has, and for text its packing, its encoding and its separator."""

from __future__ import annotations

import codecs
import csv
import gzip
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

from glassnet.files import regular

TEXT = (".csv", ".tsv", ".txt")
PACKED = (".gz", ".zip")
FRAMES = {".parquet": "Parquet", ".feather": "Arrow", ".arrow": "Arrow", ".xlsx": "Excel"}  # whose columns have types
SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}
WESTERN = "cp1252"  # Latin-1, with letters where Latin-1 has control characters
BLOCK = 1 << 22  # bytes read at a time
SAMPLE = 1 << 16  # bytes in which the separator is looked for
LINES = 20


def table_endings(path: Path) -> tuple[str, str]:
    """Return the ending that tells a table's format, and that of its packing; "" for what it hasn't."""
    ending, packed = path.suffix.lower(), ""
    if ending in PACKED:
        packed, ending = ending, path.with_suffix("").suffix.lower()
        if packed == ".zip" or not ending:  # the name of the file inside doesn't matter
            ending = TEXT[0]
    return (ending, packed) if ending in (TEXT if packed else (*TEXT, *FRAMES)) else ("", "")


def table_stem(path: Path) -> str:
    """Return the name of a table's file without the endings that tell its format."""
    stem = path.stem
    return Path(stem).stem if path.suffix.lower() in PACKED and Path(stem).suffix.lower() in TEXT else stem


@dataclass(frozen=True)
class Dialect:
    """How text is written."""

    encoding: str
    separator: str

    @property
    def notes(self) -> list[str]:
        """What was found out and may be wrong."""
        notes = []
        if self.encoding == WESTERN:
            notes.append("the text isn't UTF-8, so it was read as Windows-1252 (Western European)")
        if self.separator != ",":
            notes.append(f"its columns are separated by {SEPARATORS[self.separator]}")
        return notes


def dialect_of(path: Path) -> Dialect:
    """Find out how a file of text is written, by reading it once. Raises ValueError if its packing is damaged."""
    with _opened(path) as file:
        encoding, sample = _encoding(file, path)
    text = sample.decode(encoding, errors="ignore").removeprefix("\ufeff")
    return Dialect(encoding, _separator(text, whole=len(sample) < SAMPLE))


def pieces(path: Path, encoding: str) -> Iterator[bytes]:
    """Yield a file as UTF-8, without a byte order mark, some bytes at a time. Raises ValueError for other text."""
    with _opened(path) as file:
        decoder = codecs.getincrementaldecoder(encoding)()
        start = file.read(len(codecs.BOM_UTF8))
        start = b"" if start == codecs.BOM_UTF8 else start
        while block := start + file.read(BLOCK):
            start = b""
            if encoding != "utf-8":
                try:
                    block = decoder.decode(block).encode()
                except UnicodeDecodeError as error:
                    raise ValueError(f"{path} isn't text in UTF-8 or {encoding}: save it as UTF-8") from error
            yield block


def _encoding(file: BinaryIO, path: Path) -> tuple[str, bytes]:
    """The encoding, and the beginning of the file."""
    block = sample = file.read(SAMPLE)
    if block.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16", sample
    decoder, other = codecs.getincrementaldecoder("utf-8")(), False
    while True:
        try:
            text = decoder.decode(block, final=not block)
        except UnicodeDecodeError as error:
            # Damaged UTF-8 is no other encoding: the rest would be misread.
            if b"\0" in sample or other or not error.object[: error.start].isascii():
                raise ValueError(f"{path} isn't text in UTF-8; a table is a CSV or a .parquet file") from error
            return WESTERN, sample
        other = other or not text.isascii()
        if not block:
            return "utf-8", sample
        block = file.read(BLOCK)


def _separator(text: str, whole: bool) -> str:
    """The mark that cuts the first lines into equally many values, else the one that cuts the header into the most."""
    lines = text.lstrip().splitlines(keepends=True)
    lines = (lines if whole else lines[:-1])[:LINES]
    widths: dict[str, list[int]] = {}
    for mark in SEPARATORS:
        try:
            widths[mark] = [len(row) for row in csv.reader(lines, delimiter=mark) if row] or [0]
        except csv.Error:
            widths[mark] = [0]
    even = (mark for mark, found in widths.items() if found[0] > 1 and len(set(found)) == 1)
    return next(even, max(widths, key=lambda mark: widths[mark][0]))


@contextmanager
def _opened(path: Path) -> Iterator[BinaryIO]:
    """Open a file, unpacked. Raises ValueError, naming it, if it is damaged, or holds several files."""
    packed = table_endings(path)[1]
    try:
        if packed == ".gz":
            with gzip.open(regular(path)) as file:
                yield cast(BinaryIO, file)
        elif packed == ".zip":
            with zipfile.ZipFile(regular(path)) as archive, archive.open(_only(archive, path)) as file:
                yield cast(BinaryIO, file)
        else:
            with path.open("rb") as file:
                yield file
    except (EOFError, gzip.BadGzipFile, zipfile.BadZipFile, zlib.error, NotImplementedError) as error:
        raise ValueError(f"{path} can't be unpacked: {error}") from error


def _only(archive: zipfile.ZipFile, path: Path) -> str:
    """The one file in an archive. macOS puts others beside it."""
    names = [name for name in archive.namelist() if not name.endswith("/") and not name.startswith("__MACOSX/")]
    if len(names) != 1:
        raise ValueError(f"{path} holds {len(names)} files: unpack the one that is the table")
    if archive.getinfo(names[0]).flag_bits & 1:
        raise ValueError(f"{path} is locked with a password: unpack it")
    return names[0]
