"""CSV and Parquet files as datasets, and everything that can be wrong with them."""

from __future__ import annotations

import io
from datetime import time
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import glassnet.data as gd

N = 25
A, B = np.arange(N) / 4, np.arange(N)[::-1] * 3


@pytest.fixture
def table(tmp_path: Path):
    """Write columns a, b and y to a CSV file; options replace or add columns."""

    def write(**columns) -> Path:
        path = tmp_path / "rows.csv"
        pl.DataFrame({"a": A, "b": B, "y": np.arange(N) % 2} | columns).write_csv(path)
        return path

    return write


def everything(data: gd.Dataset) -> tuple[np.ndarray, np.ndarray]:
    splits = (data.train, data.val, data.test)
    return np.concatenate([s.x for s in splits]), np.concatenate([s.y for s in splits])


def test_a_table_is_split_and_keeps_its_names(table) -> None:
    data = gd.load(table(y=A * 2 + 1), target="y", seed=5)
    assert (data.name, data.task, data.target) == ("rows", "regression", "y")
    assert (data.features, data.n_in, data.n_out, data.image_shape) == (("a", "b"), 2, 1, None)
    assert [len(data.train), len(data.val), len(data.test)] == [16, 4, 5]
    x, y = everything(data)
    assert x.dtype == np.float64
    np.testing.assert_array_equal(y, x[:, 0] * 2 + 1)
    order = np.argsort(x[:, 0])
    np.testing.assert_array_equal(x[order], np.column_stack([A, B]))
    assert not np.array_equal(data.train.x, gd.load(table(y=A), target="y", seed=6).train.x)
    np.testing.assert_array_equal(data.train.x, gd.load(table(y=A), target="y", seed=5).train.x)


@pytest.mark.parametrize(
    ("y", "options", "task", "classes"),
    [
        (["no", "yes"], {}, "classification", ("no", "yes")),
        ([True, False], {}, "classification", ("false", "true")),
        ([10, 9], {}, "classification", ("9", "10")),
        (range(4), {}, "classification", tuple(map(str, range(4)))),
        (range(5), {}, "regression", ()),
        (range(21), {"task": "classification"}, "classification", tuple(map(str, range(21)))),
        ([1, 2], {"task": "regression"}, "regression", ()),
        ([0.5, 2.0], {}, "regression", ()),
        ([1.0, 2.0], {"task": "classification"}, "classification", ("1", "2")),
        (["1", "one"], {"task": "classification"}, "classification", ("1", "one")),
    ],
)
@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_the_task_follows_from_the_target(tmp_path, y, options, task, classes, ending) -> None:
    y = [list(y)[row % len(y)] for row in range(42)]
    frame = pl.DataFrame({"row": range(42), "y": y})
    path = tmp_path / f"rows.{ending}"
    frame.write_csv(path) if ending == "csv" else frame.write_parquet(path)
    data = gd.load(path, target="y", **options)
    assert (data.task, data.classes) == (task, classes)
    x, labels = everything(data)
    assert labels.dtype == (np.int64 if classes else np.float64)
    for row, label in zip(x[:, 0].astype(int), labels, strict=True):
        if classes:
            assert classes[label] in (str(y[row]), str(y[row]).lower(), f"{y[row]:.0f}" if y[row] == 1 else "2")
        else:
            assert label == y[row]


def test_space_quotes_and_line_ends_are_no_matter(tmp_path: Path) -> None:
    path = tmp_path / "excel.csv"
    path.write_bytes(b'\xef\xbb\xbf\r\n"a", flag ,y\r\n' + b'" 1.5",True, red\r\n2e0 ,false,"blue"\r\n' * 6 + b"\r\n")
    data = gd.load(path, target="y")
    assert (data.features, data.classes) == (("a", "flag"), ("blue", "red"))
    x, y = everything(data)
    assert {(*row, label) for row, label in zip(x.tolist(), y.tolist(), strict=True)} == {(1.5, 1, 1), (2, 0, 0)}


def with_value(value: object, row: int, column=A) -> list[str]:
    """A column as text, with something else in one row (the first is 1)."""
    text = [str(v) for v in column]
    text[row - 1] = value
    return text


@pytest.mark.parametrize(
    ("columns", "options", "message"),
    [
        ({}, {"target": "Y2"}, "no column 'Y2'; it has 'y', "),
        ({}, {}, "name the target column of .*rows.csv: one of 'a', 'b', 'y'"),
        ({"b": with_value("many", 7)}, {}, "column 'b', row 7: 'many' is not a number, and a column that mostly holds"),
        ({"b": with_value("inf", 25)}, {}, "column 'b', row 25: inf is not a finite number"),
        ({"b": with_value("-1e999", 2)}, {}, "column 'b', row 2: -inf is not a finite number"),
        ({"y": with_value("inf", 5)}, {}, "column 'y', row 5: inf is not"),
        ({"y": with_value("12,5", 9)}, {}, "column 'y', row 9: '12,5' is not a number"),
        ({"y": ["red"] * N}, {}, r"target column 'y': there is one class only \(red\)"),
        ({"y": ["red", "blue"] * 12 + ["red"]}, {"task": "regression"}, "column 'y', row 1: 'red' is not"),
        ({"y": A}, {"task": "classification"}, r"target column 'y': the target holds 0\.25, which can't be"),
        ({}, {"task": "guess"}, "unknown task 'guess'"),
    ],
)
def test_one_line_says_what_is_wrong_with_a_table(table, columns, options, message) -> None:
    path = table(**columns)
    if "name the target" not in message:
        options = {"target": "y"} | options
    with pytest.raises(ValueError, match=message) as caught:
        gd.load(path, **options)
    assert "\n" not in str(caught.value)


PNG = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("rows.csv", b"", "rows.csv is empty"),
        ("rows.csv", b"\n \n", "rows.csv is empty"),
        ("rows.csv", b"a,b,y\n", "has a header but no rows"),
        ("rows.csv", b"a,b,y\n" + b"1,2,3\n" * 9, "has 9 rows; at least 10 are needed"),
        ("rows.csv", b"y\n" + b"1\n2\n" * 9, "no column to learn from besides the target 'y'"),
        ("rows.csv", b"a,b,a,y\n" + b"1,2,3,4\n" * 12, "has 2 columns named 'a'"),
        ("rows.csv", b"a,y\n1,2\n1,2,3\n", "can't be read as CSV: row 2 has 3 values, the header 2 names"),
        ("rows.csv", b'a,y\n1,2\n"1,2\n', "can't be read as CSV: check its quotation marks: in row 2, one is op"),
        ("rows.csv", b'a,y\n1,2\n5" wide,2\n1,3\n', "check its quotation marks: in row 2, one stands inside a value"),
        ("rows.csv", b"a,b,y\n" + b"1,2,0\n3,4\n" * 6, "has 6 rows with a target; at least 10 are"),
        ("rows.csv", PNG, "isn't text"),
        ("rows.csv", "a,y\n1,2".encode("utf-16-be"), "isn't text"),
        ("rows.csv", "größe,y\n".encode() + b"\xff,2\n" * 20, "isn't text in UTF-8"),
        ("rows.csv", b"a\x81,y\n1,2\n", "isn't text in UTF-8 or cp1252: save it as UTF-8"),
        ("rows.csv.gz", b"a,y\n1,2\n", "can't be unpacked"),
        ("rows.zip", b"a,y\n1,2\n", "can't be unpacked"),
        ("rows.xlsx", b"a,y\n1,2\n", "can't be read as Excel"),
        ("rows.feather", b"a,y\n1,2\n", "can't be read as Arrow"),
        ("rows.parquet", b"", "can't be read as Parquet"),
        ("rows.parquet", b"a,y\n1,2\n", "can't be read as Parquet"),
    ],
)
def test_one_line_says_what_is_wrong_with_a_file(tmp_path, name, content, message) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(ValueError, match=message) as caught:
        gd.load(path, target="y")
    assert "\n" not in str(caught.value)


def test_no_file_and_a_folder(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"no such file: .*rows\.csv"):
        gd.load(tmp_path / "rows.csv", target="y")
    with pytest.raises(ValueError, match="holds no table, such as"):
        gd.load(tmp_path, target="y")


def test_truncated_parquet(tmp_path: Path) -> None:
    whole = io.BytesIO()
    pl.DataFrame({"a": A, "y": B}).write_parquet(whole)
    path = tmp_path / "rows.parquet"
    path.write_bytes(whole.getvalue()[:-20])
    with pytest.raises(ValueError, match="can't be read as Parquet"):
        gd.load(path, target="y")


def test_a_column_that_is_no_number_by_its_type(tmp_path: Path) -> None:
    path = tmp_path / "rows.parquet"
    pl.DataFrame({"pair": [[1, 2]] * N, "y": B}).write_parquet(path)
    with pytest.raises(ValueError, match="column 'pair' holds values of type List"):
        gd.load(path, target="y")


@pytest.mark.parametrize("dtype", [pl.Date, *(pl.Datetime(unit) for unit in ("ms", "us", "ns"))])
def test_days_are_numbers_whatever_their_type(tmp_path: Path, dtype: pl.DataType) -> None:
    days = pl.Series(np.arange(N) - 9).cast(pl.Date)
    path = tmp_path / "rows.parquet"
    hours = [time(18) if i % 2 else time(6) for i in range(N)]
    pl.DataFrame({"day": days.cast(dtype), "hour": hours, "y": B}).write_parquet(path)
    x = np.concatenate([some.x for some in gd.read_rows(path, ["day", "hour"])])
    np.testing.assert_array_equal(x, np.stack([np.arange(N) - 9, np.where(np.arange(N) % 2, 0.75, 0.25)], axis=1))
    np.testing.assert_array_equal(np.sort(everything(gd.load(path, target="y"))[0], axis=0), np.sort(x, axis=0))


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_categories_and_missing_values(tmp_path: Path, ending: str) -> None:
    n = 200
    colours = ["red", "blue", "green", "?"] * (n // 4)
    frame = pl.DataFrame(
        {
            "colour": [*colours[:-1], "mauve"],
            "size": [None if i % 10 == 3 else i / 2 for i in range(n)],
            "name": [f"row {i}" for i in range(n)],
            "flag": [None if i == 7 else i % 2 == 0 for i in range(n)],
            "y": [float(i) for i in range(n)],
        }
    )
    path = tmp_path / f"rows.{ending}"
    frame.write_csv(path) if ending == "csv" else frame.write_parquet(path)
    data = gd.load(path, target="y")
    assert data.features == ("colour", "size", "flag")  # name names rows
    assert data.categories == (("blue", "green", "red"), (), ())  # of mauve there aren't enough
    for part in (data.train, data.val, data.test):
        for (colour, size, flag), y in zip(part.x, part.y.astype(int), strict=True):
            known = {"blue": 0, "green": 1, "red": 2, "?": np.nan}
            np.testing.assert_equal(colour, -1 if y == n - 1 else known[colours[y]])
            np.testing.assert_equal(size, np.nan if y % 10 == 3 else y / 2)
            np.testing.assert_equal(flag, np.nan if y == 7 else y % 2 == 0)
    assert data.columns()["categories"] == [3, 0, 0]
    assert {0, 1} <= set(data.columns()["missing"])
    assert any("colour (3)" in note for note in data.notes)
    assert any("name" in note and "left out" in note for note in data.notes)


def test_a_column_may_say_that_its_numbers_are_categories(tmp_path: Path) -> None:
    path, digits = tmp_path / "rows.parquet", ["1", "2"] * 12 + ["1"]
    types = {"said": pl.Categorical, "listed": pl.Enum(["1", "2"]), "text": pl.String}
    pl.DataFrame({name: pl.Series(digits, dtype=dtype) for name, dtype in types.items()} | {"y": B}).write_parquet(path)
    assert gd.load(path, target="y").categories == (("1", "2"), ("1", "2"), ())


def test_a_table_without_anything_to_learn_from(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    pl.DataFrame({"name": [f"row {i}" for i in range(N)], "y": B}).write_csv(path)
    with pytest.raises(ValueError, match="no column to learn from: in 'name', no value occurs 3 times"):
        gd.load(path, target="y")


def test_columns_are_picked_by_name(table) -> None:
    frame = gd.read_table(table(note=["text"] * N))
    np.testing.assert_array_equal(gd.numeric_rows(frame, ["b", "a"]), np.column_stack([B, A]))
    with pytest.raises(ValueError, match="no columns 'c', 'Notes'; it has "):
        gd.numeric_rows(frame, ["a", "c", "Notes"])


def test_a_long_list_of_columns_is_cut() -> None:
    frame = pl.DataFrame({f"pixel_{column}": [0] for column in range(784)})
    with pytest.raises(ValueError, match=r"it has 'pixel_7'.* and 776 more$"):
        gd.numeric_rows(frame, ["pixel7"])


finite = st.floats(allow_nan=False, allow_infinity=False)


@pytest.mark.parametrize("ending", ["csv", "parquet"])
@settings(deadline=None)
@given(rows=st.lists(st.tuples(finite, st.integers(-(2**53), 2**53), st.booleans()), min_size=1, max_size=20))
def test_numbers_survive_a_file(tmp_path_factory, ending, rows) -> None:
    path = tmp_path_factory.getbasetemp() / f"round.{ending}"
    frame = pl.DataFrame(rows, schema={"f": pl.Float64, "i": pl.Int64, "b": pl.Boolean}, orient="row")
    frame.write_csv(path) if ending == "csv" else frame.write_parquet(path)
    np.testing.assert_array_equal(
        gd.numeric_rows(gd.read_table(path), ["i", "b", "f"]), [[i, b, f] for f, i, b in rows]
    )


def test_text_that_is_nearly_all_distinct_names_no_classes(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("\n".join(["a,price", *[f"{i},about {i}" for i in range(100)]]))
    with pytest.raises(ValueError, match=r"100 different values in 100 rows, such as 'about 0': they are no classes"):
        gd.load(path, target="price")
