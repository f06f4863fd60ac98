"""Tables as people have them: whatever a file's packing, encoding and separator, it holds the same rows."""

from __future__ import annotations

import gzip
import io
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import openpyxl
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

import glassnet as gn
from glassnet.data import dialect, read_table
from glassnet.data.dialect import SEPARATORS, dialect_of, table_stem
from glassnet.data.rows import read_rows

ROWS = pl.DataFrame({"größe": [f"{i / 2}" for i in range(30)], "Ort": ["Köln", "Genf", "Bern"] * 10, "y": [*range(30)]})


def text(separator: str = ",") -> str:
    return ROWS.write_csv(separator=separator)


def zipped(content: bytes, *more: str) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name in ("table.csv", *more):
            archive.writestr(name, content)
    return file.getvalue()


def arrow() -> bytes:
    file = io.BytesIO()
    ROWS.write_ipc(file)
    return file.getvalue()


FILES: dict[str, Callable[[], bytes]] = {
    "t.csv": lambda: text().encode(),
    "semicolons.csv": lambda: text(";").encode(),
    "tabs.tsv": lambda: text("\t").encode(),
    "bars.txt": lambda: text("|").encode(),
    "mark.csv": lambda: text(";").encode("utf-8-sig"),
    "little.csv": lambda: text("\t").encode("utf-16"),
    "big.csv": lambda: b"\xfe\xff" + text().encode("utf-16-be"),
    "western.csv": lambda: text(";").encode("cp1252"),
    "t.csv.gz": lambda: gzip.compress(text().encode()),
    "t.tsv.gz": lambda: gzip.compress(text("\t").encode("utf-16")),
    "t.csv.zip": lambda: zipped(text().encode()),
    "t.zip": lambda: zipped(text().encode(), "__MACOSX/t.csv", "folder/"),
    "t.feather": arrow,
    "t.arrow": arrow,
}


@pytest.mark.parametrize("name", FILES)
def test_a_table_is_the_same_in_every_form(tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / name
    path.write_bytes(FILES[name]())
    expected = ROWS.with_columns(pl.col("größe").cast(pl.Float64))
    for size in (7, 1 << 22):  # bytes at a time, whole letters or not
        monkeypatch.setattr(dialect, "BLOCK", size)
        assert read_table(path).cast({"größe": pl.Float64}).equals(expected)
    assert gn.load(path, target="y").name == table_stem(path)


def test_what_was_found_out_is_said(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes(FILES["western.csv"]())
    notes = "\n".join(gn.load(path, target="y").notes)
    assert "Windows-1252" in notes
    assert "separated by semicolons" in notes
    path.write_text(text())
    assert not any("read as" in note or "separated" in note for note in gn.load(path, target="y").notes)


def test_rows_to_predict_may_be_written_in_another_way(tmp_path: Path) -> None:
    for name in ("t.csv", "western.csv", "t.tsv.gz", "t.feather"):
        (tmp_path / name).write_bytes(FILES[name]())
    schema = gn.load(tmp_path / "t.csv", target="y").schema
    found = [np.concatenate([x for x, _ in read_rows(path, schema)]) for path in sorted(tmp_path.iterdir())]
    assert all(np.array_equal(each, found[0]) for each in found)


@pytest.mark.parametrize("more", ["second.csv", "third.txt"])
def test_an_archive_of_several_files_is_refused(tmp_path: Path, more: str) -> None:
    (tmp_path / "t.zip").write_bytes(zipped(b"a,y\n1,2\n", more))
    with pytest.raises(ValueError, match="holds 2 files: unpack the one that is the table"):
        read_table(tmp_path / "t.zip")


def test_a_packed_file_that_is_cut_short_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "t.csv.gz").write_bytes(FILES["t.csv.gz"]()[:-20])
    with pytest.raises(ValueError, match=r"t\.csv\.gz can't be unpacked"):
        read_table(tmp_path / "t.csv.gz")


def test_an_excel_file_is_read(tmp_path: Path) -> None:
    path, book = tmp_path / "t.xlsx", openpyxl.Workbook()
    for row in [ROWS.columns, *ROWS.with_columns(pl.col("größe").cast(pl.Float64)).iter_rows()]:
        book.active.append(row)
    book.active.title = "first"
    book.create_sheet("second").append([1, 2])
    book.save(path)
    data = gn.load(path, target="y")
    assert len(data.train.x) + len(data.val.x) + len(data.test.x) == 30
    assert any("of its 2 sheets the first was read, 'first'" in note for note in data.notes)


@given(
    mark=st.sampled_from(sorted(SEPARATORS)),
    cells=st.lists(
        st.lists(st.text(st.characters(codec="ascii", exclude_categories=["Cc"])), min_size=3, max_size=3), min_size=2
    ),
)
def test_the_separator_of_any_table_that_has_no_other_is_found(
    tmp_path_factory: pytest.TempPathFactory, mark: str, cells: list[list[str]]
) -> None:
    plain = [["".join(c for c in cell if c not in (*SEPARATORS, '"')) for cell in row] for row in cells]
    path = tmp_path_factory.mktemp("tables") / "t.csv"
    path.write_text("".join(mark.join(row) + "\n" for row in [["a", "b", "c"], *plain]))
    assert dialect_of(path).separator == mark


def test_decimal_commas_between_semicolons_are_numbers(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("a;y\n" + "".join(f"{i},5;{i}\n" for i in range(30)))
    data = gn.load(path, target="y")
    assert sorted(np.concatenate([data.train.x, data.val.x, data.test.x])[:, 0])[:3] == [0.5, 1.5, 2.5]
