"""Files that anybody may have written are read to a limit, and what is wrong with them is one line that names them."""

from __future__ import annotations

import gzip
import io
import os
import struct
import tarfile
import zlib
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from PIL import Image

import glassnet as gn
from glassnet import recipes
from glassnet.data import california
from glassnet.data.archive import Archive, gunzip
from glassnet.data.image import read_digit
from glassnet.data.rows import read_rows
from glassnet.limits import DEEPEST, parse_json, parse_toml, read_json, read_limited, read_toml

DEEP = 50_000


def chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def png(width: int, height: int) -> bytes:
    """The beginning of a picture of that size."""
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(bytes(1000)))


@pytest.mark.parametrize("size", [(13_300, 13_300), (8_193, 8_193), (100_000, 100_000), (2**31 - 1, 2**31 - 1)])
def test_the_size_of_a_picture_is_looked_at_before_its_pixels(size: tuple[int, int], tmp_path: Path) -> None:
    path = tmp_path / "large.png"
    path.write_bytes(png(*size))
    with pytest.raises(ValueError, match=r"large\.png has more than 67,108,864 pixels: make it smaller"):
        read_digit(path, (28, 28), 255)


def test_a_large_picture_of_a_digit_is_that_digit(tmp_path: Path) -> None:
    small = Image.new("L", (1000, 1000), 255)
    small.paste(0, (400, 200, 500, 800))
    for name, image in {"small": small, "large": small.resize((4000, 4000), Image.Resampling.NEAREST)}.items():
        image.save(tmp_path / f"{name}.png")
    digits = [read_digit(tmp_path / f"{name}.png", (28, 28), 255) for name in ("small", "large")]
    assert np.abs(np.subtract(*digits, dtype=float)).max() <= 2


def test_no_program_is_started_for_a_picture(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from PIL import EpsImagePlugin

    started: list[object] = []
    monkeypatch.setattr(EpsImagePlugin, "Ghostscript", lambda *given: started.append(given))
    path = tmp_path / "digit.png"
    path.write_bytes(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 28 28\n%%EndComments\nshowpage\n%%EOF\n")
    with pytest.raises(ValueError, match="give a PNG or JPEG file"):
        read_digit(path, (28, 28), 255)
    assert started == []


def test_gzip_makes_no_more_than_was_expected() -> None:
    content = bytes(1 << 20)
    packed = gzip.compress(content)
    assert gunzip(packed, len(content)) == content
    with pytest.raises(ValueError, match="more than 1,000"):
        gunzip(packed, 1000)
    with pytest.raises((EOFError, zlib.error)):  # the last bytes are the length that it claims
        gunzip(packed[:-4] + struct.pack("<I", 1000), 1000)


def test_a_file_in_the_place_of_an_archive_is_read_to_a_limit(tmp_path: Path) -> None:
    path = tmp_path / "large.gz"
    with path.open("wb") as file:
        file.truncate(1 << 40)  # of which nothing is on the disk
    with pytest.raises(ValueError, match=r"holds 1,099,511,627,776 bytes; such files have at most 2,000"):
        Archive("large.gz", (), "", 1000, lambda packed: gunzip(packed, 1000)).content(path)


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.DIRTYPE, tarfile.FIFOTYPE])
def test_what_is_no_file_in_an_archive_is_not_followed(kind: bytes, tmp_path: Path) -> None:
    member = tarfile.TarInfo("CaliforniaHousing/cal_housing.data")
    member.type, member.linkname = kind, member.name
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        tar.addfile(member)
    path = tmp_path / "cal_housing.tgz"
    path.write_bytes(packed.getvalue())
    with pytest.raises(ValueError, match="truncated, or another kind of file"):
        california.ARCHIVE.content(path)


NESTED = {
    "json": ["[" * DEEP, "[" * DEEP + "]" * DEEP, '{"a":' * DEEP + "1" + "}" * DEEP, "[" * 900 + "]" * 900],
    "toml": [
        "a = " + "[" * DEEP,
        "a = " + "[" * 900 + "]" * 900,
        "a = " + "{b = " * 2000,
        "a." * DEEP + "a = 1",
        "[" + "a." * DEEP + "a]",
        "a.'b'." * 300 + "a = 1",
    ],
}


@pytest.mark.parametrize(("kind", "text"), [(kind, text) for kind, texts in NESTED.items() for text in texts])
def test_text_nested_without_end_is_refused_in_one_line(kind: str, text: str, tmp_path: Path) -> None:
    path = tmp_path / f"deep.{kind}"
    path.write_text(text)
    with pytest.raises(ValueError, match=rf"deep\.{kind}.* nested more than {DEEPEST} deep") as caught:
        {"json": read_json, "toml": read_toml}[kind](path)
    assert len(str(caught.value)) < 300 + len(str(path))


@pytest.mark.parametrize("text", [b"", b"{", b"\xff\xfe", b"[1, 2", b'{"a": ' + b"9" * 5000 + b"}"])
def test_what_is_no_json_is_refused_by_name(text: bytes, tmp_path: Path) -> None:
    path = tmp_path / "broken.json"
    path.write_bytes(text)
    with pytest.raises(ValueError, match=r"broken\.json is not valid JSON: ") as caught:
        read_json(path)
    assert "\n" not in str(caught.value)


def test_text_as_deep_as_anybody_writes_it_is_read() -> None:
    assert parse_json("[" * DEEPEST + "]" * DEEPEST, "it")
    assert parse_toml(".".join("a" * DEEPEST) + " = 1", "it")
    assert parse_toml("a = [" + "0.5, " * 1000 + "]", "it") == {"a": [0.5] * 1000}


def test_what_is_no_regular_file_is_not_read() -> None:
    with pytest.raises(ValueError, match="/dev/zero is no regular file"):
        read_limited("/dev/zero", 1000)


@pytest.mark.parametrize(
    "change", ["network.hidden=" + "[" * DEEP, "a." * DEEP + "a=1", "training.epochs=" + "9" * 5000]
)
def test_a_setting_nested_without_end_is_refused_in_one_line(change: str) -> None:
    with pytest.raises(ValueError, match=r"recipe|--set") as caught:
        recipes.load("digits", changes=[change])
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 1000


HEADERS = [
    "(" * 300,
    "{'descr': '<f8', 'fortran_order': False, 'shape': (",
    "{'descr'",
    "'",
    "\\",
    "{'descr': '<f8'\n 1: 2}",
    "{'descr': '|O', 'fortran_order': False, 'shape': (1,)}",
    "{'descr': '', 'fortran_order': False, 'shape': (1, 2)}",
    "{'descr': [('a', '<f8')], 'fortran_order': False, 'shape': (1,)}",
    "{'descr': [('a', 1.5)], 'shape': (1,)}",
    "{'descr': '<f8', 'fortran_order': False, 'shape': (9999999999999999999999, 2)}",
    "\0" * 40,
    "{'descr': '<f8', 'fortran_order': False, 'shape': (-1, 2)}",
    "{'descr': '<f8', 'fortran_order': False, 'shape': ()}",
    "{'descr': '<f8', 'fortran_order': False, 'shape': (1L, 2)}",
    "{'descr': {'a': 1}, 'fortran_order': False, 'shape': (1, 2)}",
]


@pytest.mark.parametrize("header", HEADERS)
def test_a_header_of_npy_that_makes_no_sense_is_one_line(header: str, tmp_path: Path) -> None:
    path = tmp_path / "rows.npy"
    text = header.encode("latin-1").ljust(118) + b"\n"
    path.write_bytes(b"\x93NUMPY\x01\0" + struct.pack("<H", len(text)) + text + bytes(8))
    with pytest.raises(ValueError, match=r"rows\.npy ") as caught:
        list(read_rows(path, ["a", "b"]))
    assert "\n" not in str(caught.value)


def test_a_panic_of_polars_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def panic(*_: object, **__: object) -> None:
        os.write(2, b"thread 'async-executor-0' panicked at mod.rs:432:30:\nstack backtrace:\n")
        raise pl.exceptions.PanicException("assertion failed\n  left: 0")

    path = tmp_path / "rows.parquet"
    pl.DataFrame({"a": [1.0, 2.0], "y": [0, 1]}).write_parquet(path)
    monkeypatch.setattr(pl, "read_parquet", panic)
    monkeypatch.setattr(pl.LazyFrame, "collect", panic)
    for read in (lambda: gn.load(path, target="y"), lambda: list(read_rows(path, ["a"]))):
        with pytest.raises(ValueError, match=r"rows\.parquet can't be read as Parquet \(assertion failed\)$"):
            read()
    os.write(2, b"what others write comes through")
    assert capfd.readouterr().err == "what others write comes through"
