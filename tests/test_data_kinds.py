"""What a column of text holds: numbers, dates, booleans or categories, however they are written."""

from __future__ import annotations

import csv
import datetime
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

import glassnet as gn
from glassnet.data.csv_text import read_text
from glassnet.data.kinds import kind_of_text
from glassnet.data.markers import CERTAIN, LIKELY
from glassnet.data.numbers import Notation, read_numbers
from glassnet.data.schema import Column, as_info, from_info
from glassnet.data.values import values_of
from glassnet.estimators import MLPRegressor

N = 120


def loaded(folder: Path, column: list[str], y: list[str] | None = None) -> gn.Dataset:
    """The dataset of a CSV file with this column, x, and one that counts the rows; the target is y."""
    path = folder / "t.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        y = y or [f"{i}.5" for i in range(len(column))]
        csv.writer(file).writerows([("x", "row", "y"), *zip(column, map(str, range(len(column))), y, strict=True)])
    return gn.load(path, target="y")


def values(data: gn.Dataset) -> np.ndarray:
    x = np.concatenate([data.train.x, data.val.x, data.test.x])
    return x[np.argsort(x[:, -1])][:, 0]


WAYS: dict[str, tuple[Callable[[float], str], str]] = {
    "thousands": (lambda v: f"{v:,.2f}", "1,234.5"),
    "apostrophe": (lambda v: f"{v:,.2f}".replace(",", "'"), "1'234.5"),
    "typographic": (lambda v: f"{v:,.2f}".replace(",", "\u2019"), "1'234.5"),
    "narrow space": (lambda v: f"{v:,.2f}".replace(",", "\u202f"), "1 234.5"),
    "comma": (lambda v: f"{v:.2f}".replace(".", ","), "1.234,5"),
    "German": (lambda v: f"{v:,.2f}".translate({44: ".", 46: ","}), "1.234,5"),
    "French": (lambda v: f"{v:,.2f}".translate({44: "\u00a0", 46: ","}), "1 234,5"),
    "dollars": (lambda v: f"${v:,.2f}".replace("$-", "-$"), "$1,234.5"),
    "francs": (lambda v: f"CHF {v:.2f}", "CHF1234.5"),
    "euros": (lambda v: f"{v:.2f} €", "1234.5€"),
    "percent": (lambda v: f"{v:.2f}%", "1234.5%"),
    "unit": (lambda v: f"{v:.2f} kg", "1234.5 kg"),
    "area": (lambda v: f"{v:.2f}m2", "1234.5 m2"),
    "parentheses": (lambda v: f"({-v:.2f})" if v < 0 else f"{v:.2f}", "1234.5"),
    "minus": (lambda v: f"{v:.2f}".replace("-", "\u2212"), "1234.5"),
    "letters": (lambda v: f"{v / 1e6:.8f}M" if abs(v) > 1e6 else f"{v / 1000:.5f}k", "1234.5k"),
}


@pytest.mark.parametrize("way", WAYS)
def test_numbers_as_people_write_them_are_read_and_it_is_said(tmp_path: Path, way: str) -> None:
    write, example = WAYS[way]
    numbers = np.linspace(-2e6, 2e6, N).round(2)
    data = loaded(tmp_path, [write(v) for v in numbers])
    assert data.schema[0] == Column("x", "number", (), example)
    np.testing.assert_allclose(values(data), numbers, rtol=1e-6)
    assert data.notes[0].startswith(f"x: read as numbers, written like {example}")
    new = pl.Series("x", [write(1234.5), "1234.5", "n/a"])
    np.testing.assert_allclose(values_of(new, data.schema[0]), [1234.5, 1234.5, np.nan])


@given(
    st.lists(st.floats(-1e9, 1e9).map(lambda v: round(v, 2)), min_size=1, max_size=30),
    st.sampled_from([(",", "."), ("'", "."), (" ", "."), (".", ","), (" ", ","), ("", ".")]),
    st.sampled_from(["", "$", "£", "EUR"]),
    st.sampled_from(["", "%", "kg", "km/h", "years old"]),
)
def test_numbers_survive_every_notation(numbers: list[float], marks: tuple[str, str], before: str, after: str) -> None:
    group, point = marks
    text = [f"{before}{v:,.2f} {after}".translate({44: group, 46: point}) for v in numbers]
    read = read_numbers(pl.Series(text), Notation(before, group, point, after).example, strict=True)
    np.testing.assert_allclose(read.to_numpy(), numbers)


@pytest.mark.parametrize(
    "words",
    [
        ["12A", "7B", "9C"],
        ["2XL", "XL", "L"],
        ["1.2.3", "1.10.0", "2.0.1"],
        ["10-20", "20-30", "30-40"],
        ["079 123 45 67", "079 123 45 68"],
        ["12345-6789", "12345-6780"],
        ["1st", "2nd", "3rd"],
        ["yes", "no"],
        ["1/2", "3/4"],
        ["3 more", "2 less", "none left"],
        ["192.168.0.1", "10.0.0.1"],
        ["12 kg", "900 g"],
    ],
)
def test_what_agrees_on_no_notation_is_categories(tmp_path: Path, words: list[str]) -> None:
    data = loaded(tmp_path, (words * N)[:N])
    assert data.categories[0] == tuple(sorted(words))


@pytest.mark.parametrize("marker", sorted({*CERTAIN, *LIKELY} | {"#N/A", "<NA>", "-NaN", "1.#QNAN", "None", "\\N"}))
def test_a_marker_says_that_a_value_is_missing(tmp_path: Path, marker: str) -> None:
    """However many there are, and whatever the others are."""
    for known, kind in (("1.5", "number"), ("2024-01-31", "date"), ("TRUE", "boolean"), ("red", "category")):
        data = loaded(tmp_path, [marker if i % 5 else known for i in range(N)])
        assert data.schema[0].kind == kind
        assert np.isnan(values(data)).sum() == N * 4 / 5


@pytest.mark.parametrize(
    ("form", "example"),
    [
        ("%Y/%m/%d", "2001/12/31"), ("%m/%d/%Y", "12/31/2001"), ("%d/%m/%Y", "31/12/2001"), ("%d.%m.%Y", "31.12.2001"),
        ("%d-%m-%Y", "31-12-2001"), ("%m/%d/%y", "12/31/01"), ("%d-%b-%Y", "31-Dec-2001"), ("%d %B %Y", "31 Dec 2001"),
        ("%b %d, %Y", "Dec 31, 2001"), ("%d-%b-%y", "31-Dec-01"), ("%Y-%m-%d", ""), ("%m/%d/%Y %H:%M", "12/31/2001"),
        ("%d.%m.%Y %H:%M:%S", "31.12.2001"), ("%m/%d/%Y %I:%M %p", "12/31/2001"), ("%d.%m.%y", "31.12.01"),
        ("%m-%d-%y", "12-31-01"), ("%m.%d.%Y", "12.31.2001"), ("%Y-%b-%d", "2001-Dec-31"), ("%d%b%Y", "31Dec2001"),
        ("%b. %d, %Y", "Dec 31, 2001"), ("%A, %B %d, %Y", "Dec 31, 2001"), ("%dth %B %Y", "31 Dec 2001"),
        ("%a, %d %b %Y %H:%M:%S GMT", "31 Dec 2001"), ("%d.%m.%Y, %H:%M", "31.12.2001"), ("%b %d %Y", "Dec 31, 2001"),
        ("%Y-%m-%d %H:%M:%S UTC", ""), ("%Y-%m-%d %I:%M:%S %p", ""), ("%m/%d/%y %I:%M%p", "12/31/01"),
    ],
)  # fmt: skip
def test_dates_in_one_order_are_dates(tmp_path: Path, form: str, example: str) -> None:
    days = [datetime.datetime(2001, 1, 1, 15, 30) + datetime.timedelta(days=5 * i) for i in range(N)]
    data = loaded(tmp_path, ["NaT" if i == 7 else day.strftime(form) for i, day in enumerate(days)])
    assert data.schema[0] == Column("x", "date", (), example)
    expected = [11323 + 5 * i + (15.5 / 24 if "M" in form else 0) for i in range(N)]
    np.testing.assert_allclose(np.delete(values(data), 7), np.delete(expected, 7))
    assert not any("might be" in note for note in data.notes)


@pytest.mark.parametrize(
    ("texts", "first", "question"),
    [
        ("{1:02d}/{2:02d}/2024", {"day-first": "2024-02-01", "month-first": "2024-01-02"}, "12/31/2001 or 31/12/2001"),
        ("{0}-{1:02d}-{2:02d}", {"year-first": "2013-01-02", "day-first": "2002-01-13"}, "31-12-01 or 01-12-31"),
    ],
)
def test_dates_whose_order_no_value_shows_are_a_question(
    tmp_path: Path, texts: str, first: dict[str, str], question: str
) -> None:
    """The recipe answers it; so it is also for a target."""
    column = [texts.format(i % 9 + 13, i % 12 + 1, i % 11 + 2) for i in range(N)]
    with pytest.raises(ValueError, match=rf"column 'x': .* may be written like {question}.*--set data.dates=") as error:
        loaded(tmp_path, column)
    assert all(f"data.dates={order}" in str(error.value) for order in first)
    pl.DataFrame({"x": column, "y": [i % 7 + 0.5 for i in range(N)]}).write_csv(tmp_path / "d.csv")
    for order, day in first.items():
        data = gn.load(tmp_path / "d.csv", target="y", dates=order)
        days = np.datetime64(day) - np.datetime64("1970-01-01")
        assert days.astype(int) in data.train.x[:, 0].tolist() + data.val.x[:, 0].tolist() + data.test.x[:, 0].tolist()
        with pytest.raises(ValueError, match="column 'x'"):
            gn.load(tmp_path / "d.csv", target="x")
        assert gn.load(tmp_path / "d.csv", target="x", dates=order).task == "regression"
    with pytest.raises(ValueError, match="dates is one of 'day-first'"):
        gn.load(tmp_path / "d.csv", target="y", dates="last")


def test_dates_that_mean_the_same_in_every_order_are_no_question(tmp_path: Path) -> None:
    data = loaded(tmp_path, [f"{i % 12 + 1:02d}/{i % 12 + 1:02d}/2024" for i in range(N)])
    assert data.schema[0].kind == "date"


@pytest.mark.parametrize("written", ["1{}_000", "~1{}", "No. 1{}", "1{}.-", "7x10^1{}", "1{}-", "2021 W1{}", "$(1{})"])
def test_numbers_and_dates_in_a_way_that_is_not_known_are_named(tmp_path: Path, written: str) -> None:
    """So is an id: nobody else can tell them apart."""
    data = loaded(tmp_path, [written.format(f"{i:03}") for i in range(N)])
    assert "x: taken for names, such as" in data.notes[0]
    assert "write numbers as 1234.5 and dates as 2001-12-31 if they are such" in data.notes[0]
    assert any(note.endswith(": x") for note in data.notes)


def test_times_of_the_day(tmp_path: Path) -> None:
    for hours, half in (24, ""), (12, " AM"):
        data = loaded(tmp_path, [f"{(i % hours) or hours % 24}:{i % 60:02d}{half}" for i in range(N)])
        assert data.schema[0].kind == "time"
        np.testing.assert_allclose(values(data)[:3], [0, 61 / 1440, 122 / 1440])


@pytest.mark.parametrize(
    ("good", "bad", "fault"),
    [
        (lambda i: f"{i / 4}", "many", "'many' is not a number"),
        (lambda i: f"{i} kg", "12 g", "'12 g' is not a number, .* most are written like 1234.5 kg"),
        (lambda i: f"2024-{i % 12 + 1:02d}-01", "2024-13-01", "'2024-13-01' is not a date"),
        (lambda i: f"{i % 28 + 1}.2.2024", "30.2.2024", "'30.2.2024' is not a date"),
        (lambda i: str(i % 2 == 0), "maybe", "'maybe' is neither true nor false"),
    ],
)
def test_a_slip_is_an_error_that_names_it(tmp_path: Path, good: Callable[[int], str], bad: str, fault: str) -> None:
    with pytest.raises(ValueError, match=rf"column 'x', row 8: {fault}.*leave the column out \(--drop x\)") as error:
        loaded(tmp_path, [bad if i == 7 else good(i) for i in range(N)])
    assert "\n" not in str(error.value)


def test_a_word_that_repeats_beside_many_numbers_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"'unknown' is not a number.* \(12 such values\): correct it, empty it if it"):
        loaded(tmp_path, ["unknown" if i % 10 == 0 else f"{i}.5" for i in range(N)])


@pytest.mark.parametrize(
    ("text", "categories"),
    [
        ([["1", "2", "3", "more"][i % 4] for i in range(N)], ("1", "2", "3", "more")),
        ([["TRUE", "FALSE", "maybe"][i % 3] for i in range(N)], ("FALSE", "TRUE", "maybe")),
        ([f"PC {i}" if i % 4 == 0 else str(i * 7) for i in range(N)], None),
        ([f"{i}b" if i % 5 == 0 else str(i // 8) for i in range(N)], tuple(sorted(map(str, range(15))))),
    ],
)
@pytest.mark.filterwarnings("always::UserWarning")
def test_text_that_mostly_looks_like_numbers_is_categories_with_a_note(
    tmp_path: Path, text: list[str], categories: tuple[str, ...] | None, small_preset: None
) -> None:
    data = loaded(tmp_path, text)
    assert data.notes[0].startswith("x: taken for categories: ")
    assert any("left out, as no value occurs 3 times" in note for note in data.notes) == (categories is None)
    assert set(data.categories[0]) <= set(categories or ())
    X = pd.DataFrame({"x": text, "row": range(N)})
    with pytest.warns(UserWarning, match="x: taken for categories: "):
        model = MLPRegressor(preset="strong").fit(X, range(N))
    if categories:
        assert tuple(model.pack_.ensemble.info["categories"][0]) == categories


def test_a_column_without_a_value_is_left_out_with_the_reason(tmp_path: Path) -> None:
    for nothing in ("", "NA"):
        data = loaded(tmp_path, [nothing] * N)
        assert data.features == ("row",)
        assert "left out, as there is no value in the training rows: x" in data.notes
    (tmp_path / "t.csv").write_text("x,y\n" + "".join(f",{i}.5\n" for i in range(N)))
    with pytest.raises(ValueError, match="has no column to learn from: in 'x', there is no value in the training rows"):
        gn.load(tmp_path / "t.csv", target="y")


@pytest.mark.parametrize(
    ("y", "task"),
    [
        ([i % 15 for i in range(15)], "regression"),
        ([i % 3 for i in range(150)], "classification"),
        ([i % 2 for i in range(12)], "classification"),
        ([i % 18 for i in range(60)], "regression"),
        (np.random.default_rng(0).poisson(4, 300).tolist(), "regression"),
        ([i % 20 for i in range(400)], "classification"),
        ([10**20 + i % 2 for i in range(60)], "regression"),
    ],
)
def test_whole_numbers_are_classes_if_each_has_rows_enough(tmp_path: Path, y: list[int], task: str) -> None:
    data = loaded(tmp_path, ["1"] * len(y), list(map(str, y)))
    assert data.task == task
    other = {"classification": "regression", "regression": "classification"}[task]
    assert any(f"--set data.task={other}" in note for note in data.notes) == (max(y) < 2**53)


def test_rows_without_a_target_are_left_out_and_counted(tmp_path: Path) -> None:
    data = loaded(tmp_path, [f"{i}.25" for i in range(N)], ["" if i % 5 == 2 else f"{i}.5" for i in range(N)])
    assert sum(map(len, (data.train, data.val, data.test))) == N * 4 / 5
    np.testing.assert_array_equal(data.train.y, data.train.x[:, 0] + 0.25)
    assert data.notes[0] == "24 of 120 rows are left out: the target y is missing in them"
    classes = loaded(tmp_path, ["1"] * N, ["none", "some", "NA"] * (N // 3))
    assert classes.classes == ("none", "some")


def test_targets_that_cannot_be_learned_are_named(tmp_path: Path) -> None:
    assert "target y: all its values are 5.5, so" in loaded(tmp_path, [str(i) for i in range(N)], ["5.5"] * N).notes[0]
    for exponent in (300, -300):
        with pytest.raises(ValueError, match="have squares that float64 can't hold: write them in another unit"):
            loaded(tmp_path, [str(i) for i in range(N)], [f"{i + 0.5}e{exponent}" for i in range(N)])


@pytest.mark.parametrize("target", ["y", "0.25", "3"])
def test_a_table_that_seems_to_have_no_header_says_so(tmp_path: Path, target: str) -> None:
    path = tmp_path / "t.csv"
    path.write_text("".join(f"{3 - i},{i}.5,{i * 2}.25\n" for i in range(60)))
    try:
        said = gn.load(path, target=target).notes[0]
    except ValueError as error:
        said = str(error)
    assert "'3' is a number: if the file has no header, put a line of names" in said
    for first in ("2020-01-31,b", "red,b", "$1,b", "TRUE,b"):
        for beside in (True, False):  # a column that holds something to learn from
            lines = (f"{first[:-1]}{'ab'[i % 2]},{i if beside else 1}\n" for i in range(60))
            path.write_text(f"{first},nr\n{first},7\n{first},7\n" + "".join(lines))
            try:
                said = gn.load(path, target="b").notes[0]
            except ValueError as error:
                said = str(error)
            assert "is like the values below it: if the file has no header, put" in said
    path.write_text("label,0,1,2\n" + "a,1,2,3\nb,3,2,1\n" * 20)
    assert not any("header" in note for note in gn.load(path, target="label").notes)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ('a,b\n1,5" wide\n' + "2,x\n" * 50_000, "in row 1, one stands inside a value"),
        ('a,b\n1,x\n2,"5" wide\n' + "2,x\n" * 50_000, "in row 2, one stands inside a value"),
        ("a,b\n" + "2,x\n" * 20_000 + '2,"x\n' + "2,x\n" * 30_000, "in row 20001, one is opened and never closed"),
        ('a,"b\n' + "2,x\n" * 50_000, "in the header, one is opened and never closed"),
    ],
)
def test_a_quotation_mark_out_of_place_is_named_by_its_row(tmp_path: Path, text: str, fault: str) -> None:
    (tmp_path / "t.csv").write_text(text)
    with pytest.raises(ValueError, match=f"can't be read as CSV: check its quotation marks: {fault}"):
        list(read_text(tmp_path / "t.csv"))


@given(st.lists(st.lists(st.text("ab\",\n '", min_size=1), min_size=2, max_size=2), min_size=1, max_size=20))
def test_what_a_csv_writer_quotes_is_read_as_it_was(tmp_path_factory: pytest.TempPathFactory, rows: list) -> None:
    path = tmp_path_factory.getbasetemp() / "quoted.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file, quoting=csv.QUOTE_ALL).writerows([("x", "y"), *rows])
    assert [list(row) for row in pl.concat(list(read_text(path))).rows()] == rows


@pytest.mark.parametrize("dtype", [pl.Int128, pl.UInt64, pl.Decimal(20, 2), pl.Float32, pl.UInt8])
def test_numbers_of_every_type_are_numbers(dtype: pl.DataType) -> None:
    np.testing.assert_array_equal(values_of(pl.Series("x", [1, None, 3]).cast(dtype), Column("x")), [1, np.nan, 3])


def test_a_schema_survives_the_info_of_a_network() -> None:
    schema = (
        Column("a"),
        Column("b", "number", (), "$1,234.5"),
        Column("c", "category", ("x", "y")),
        Column("d", "date", (), "31.12.2001"),
        Column("e", "boolean"),
    )
    info = {"features": [column.name for column in schema]} | as_info(schema)
    assert info["dates"] == ["d"]
    assert from_info(info) == schema


@pytest.mark.parametrize("factor", [1e300, 1e-300, 5e-320])
def test_columns_of_any_size_are_learned_from(factor: float) -> None:
    x = np.random.default_rng(0).normal(size=(50, 2))
    layer = gn.Columns([0, 0]).fit(x * factor)
    np.testing.assert_allclose(layer.forward(x * factor), gn.Columns([0, 0]).fit(x).forward(x), rtol=0.01, atol=1e-3)


def test_a_column_of_nothing_but_markers_has_no_kind() -> None:
    assert kind_of_text(pl.Series(["NA", "", None])) is None
