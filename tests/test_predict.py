"""Prediction of files of any size: the same answers in pieces as in one, in the input's order, whole or not at all."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

import glassnet as gn
from glassnet import recipes
from glassnet.data import csv_text, dialect, numeric_rows, read_table, rows
from glassnet.data.csv_text import read_text
from glassnet.data.schema import Column
from glassnet.data.written import in_unit
from small_packs import SMALL_PACK

N = 101
ENDINGS = ["csv", "parquet"]


def known(n: int = N) -> pl.DataFrame:
    """A table with columns beside the features, of which some are of a kind that is easily changed on the way."""
    rng = np.random.default_rng(0)
    return pl.DataFrame(
        {
            "id": [f"{i:03d}" for i in range(n)],
            "a": rng.normal(size=n),
            "note": [None if i % 7 == 0 else f'{i}, "so"\nto  say ' for i in range(n)],
            "flag": rng.random(n) > 0.5,
            "city": rng.choice(["Zürich", "Bern", "01"], n),
            "y": rng.choice(["no", "yes"], n),
        }
    )


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A classifier of a table with numbers, booleans and categories."""
    folder = tmp_path_factory.mktemp("run")
    known(300).drop("id", "note").write_csv(folder / "t.csv")
    recipes.train(recipes.choose(str(folder / "t.csv"), target="y", changes=SMALL_PACK), folder / "run")
    return folder / "run"


@pytest.fixture(scope="module")
def values(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A regression on the columns a and b."""
    folder = tmp_path_factory.mktemp("values")
    a, b = np.random.default_rng(0).normal(size=(2, 100))
    pl.DataFrame({"a": a, "b": b, "y": a - b}).write_csv(folder / "t.csv")
    recipes.train(recipes.choose(str(folder / "t.csv"), target="y", changes=SMALL_PACK), folder / "run")
    return folder / "run"


@pytest.fixture(scope="module")
def digits(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("digits") / "run"
    recipes.train(recipes.load("digits", changes=["training.epochs=1", "network.hidden=[4]"]), out)
    return out


@pytest.fixture
def pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    """Read a few rows at a time."""
    monkeypatch.setattr(dialect, "BLOCK", 150)
    monkeypatch.setattr(rows, "CELLS", 40)


def written(table: pl.DataFrame, path: Path) -> Path:
    table.write_csv(path) if path.suffix == ".csv" else table.write_parquet(path)
    return path


def read(path: Path) -> pl.DataFrame:
    return pl.read_csv(path, infer_schema_length=0) if path.suffix == ".csv" else pl.read_parquet(path)


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def assert_alike(some: pl.DataFrame, others: pl.DataFrame) -> None:
    """The same but for the last bits of the network's answers, which depend on how many rows it is given at a time."""
    answers = [name for name in others.columns if name.startswith("p(") or others[name].dtype.is_float()]
    assert some.columns == others.columns
    assert some.drop(answers).equals(others.drop(answers))
    for name in answers:
        np.testing.assert_allclose(some[name].cast(pl.Float64), others[name].cast(pl.Float64), rtol=1e-5, atol=1e-7)


# Pieces --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("source", ENDINGS)
@pytest.mark.parametrize("target", ENDINGS)
def test_pieces_give_what_the_whole_gives(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, source: str, target: str
) -> None:
    table = written(known(), tmp_path / f"t.{source}")
    whole, pieced = tmp_path / f"whole.{target}", tmp_path / f"pieced.{target}"
    recipes.predict_file(run, table, whole)
    monkeypatch.setattr(dialect, "BLOCK", 150)
    monkeypatch.setattr(rows, "CELLS", 40)
    assert len(list(recipes.predictions(run, table))) > 10
    recipes.predict_file(run, table, pieced)
    assert_alike(read(pieced), read(whole))
    assert names(tmp_path) == {table.name, whole.name, pieced.name}

    net = gn.Ensemble.load(run / "model.safetensors")
    codes = [net.info["categories"][2].index(name) for name in known()["city"]]
    p = net.predict_proba(np.column_stack([known()["a"], known()["flag"], codes]))
    shown = read(whole)
    np.testing.assert_allclose(shown.select("p(no)", "p(yes)").cast(pl.Float64), p, rtol=1e-5, atol=1e-7)
    assert shown["prediction"].to_list() == [net.info["classes"][i] for i in p.argmax(axis=1)]


def test_rows_are_predicted_before_the_next_are_read(values: Path, tmp_path: Path, pieces: None) -> None:
    (tmp_path / "t.csv").write_text("a,b\n" + "1,2\n" * 100 + "1,two\n")
    tables = recipes.predictions(values, tmp_path / "t.csv")
    assert next(tables).columns == ["prediction"]
    with pytest.raises(ValueError, match="column 'b', row 101: 'two' is not a number"):
        list(tables)


cells = st.text(alphabet='ab ,"\n\r;é\ufeff', max_size=6)


@settings(deadline=None)
@given(table=st.lists(st.lists(cells, min_size=2, max_size=2), min_size=1, max_size=12), block=st.integers(1, 40))
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_csv_file_in_blocks_of_any_size(
    tmp_path_factory: pytest.TempPathFactory, end: str, table: list[list[str]], block: int
) -> None:
    path = tmp_path_factory.getbasetemp() / "blocks.csv"
    text = io.StringIO()
    csv.writer(text, lineterminator=end, quoting=csv.QUOTE_ALL).writerows([["x", "y"], *table])
    path.write_bytes(text.getvalue().encode())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(dialect, "BLOCK", block)
        found = pl.concat(list(read_text(path)))
    assert found.columns == ["x", "y"]
    assert found.rows() == [tuple(row) for row in table]


def test_blank_lines_and_line_ends_do_not_depend_on_the_blocks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes(b'\xef\xbb\xbf\r\n\r\n"x\r\nx", y\r\n1,2\r\n\r\n\r\n"3\n3",\r\n 5 ,6\r\n\r\n\r\n')
    whole = pl.concat(list(read_text(path)))
    assert whole.columns == ["x\r\nx", "y"]
    assert whole.rows() == [("1", "2"), (None, None), (None, None), ("3\n3", None), (" 5 ", "6")]
    for block in range(1, 50):
        monkeypatch.setattr(dialect, "BLOCK", block)
        assert pl.concat(list(read_text(path))).equals(whole)


def test_a_quotation_mark_that_nothing_closes_takes_little_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dialect, "BLOCK", 100)
    monkeypatch.setattr("glassnet.data.csv_text.LONGEST", 1000)
    path = tmp_path / "t.csv"
    path.write_text('x,y\n1,2\n"3,4\n' + "5,6\n" * 1000)
    read_bytes = 0

    def blocks() -> Iterator[bytes]:
        nonlocal read_bytes
        for block in csv_text._blocks(path, "utf-8"):
            read_bytes += len(block)
            yield block

    with pytest.raises(ValueError, match="check its quotation marks"):
        list(blocks())
    assert read_bytes < 1200
    with pytest.raises(ValueError, match="check its quotation marks: in row 2, one is opened and never closed"):
        list(read_text(path))


# What stands beside the features -------------------------------------------------------------------------------------


@pytest.mark.parametrize("source", ENDINGS)
@pytest.mark.parametrize("target", ENDINGS)
def test_other_columns_are_kept_in_front(run: Path, tmp_path: Path, pieces: None, source: str, target: str) -> None:
    table = written(known(), tmp_path / f"t.{source}")
    recipes.predict_file(run, table, tmp_path / f"out.{target}")
    found = read(tmp_path / f"out.{target}")
    assert found.columns == ["id", "note", "y", "prediction", "p(no)", "p(yes)"]
    assert found.select("id", "note", "y").equals(known().select("id", "note", "y"))
    probability = pl.Float32 if target == "parquet" else pl.String
    assert found.dtypes == [pl.String] * 4 + [probability] * 2


def test_columns_of_parquet_keep_their_types(values: Path, tmp_path: Path, pieces: None) -> None:
    beside = pl.DataFrame(
        {
            "__index_level_0__": pl.Series(range(N, 0, -1), dtype=pl.UInt16),
            "day": pl.Series(range(N)).cast(pl.Date),
            "kind": pl.Series([f"k{i % 5}" for i in range(N)], dtype=pl.Categorical),
            "tags": [[i, None] for i in range(N)],
            "nothing": pl.Series([None] * N, dtype=pl.Int8),
            "real": np.arange(N) / 3,
        }
    )
    table = beside.with_columns(a=pl.lit(1.5), b=pl.lit(2))
    recipes.predict_file(values, written(table, tmp_path / "t.parquet"), tmp_path / "out.parquet")
    assert pl.read_parquet(tmp_path / "out.parquet").drop("prediction").equals(beside)
    assert pl.read_parquet(tmp_path / "out.parquet").drop("prediction").schema == beside.schema

    with pytest.raises(ValueError, match=r"CSV .*nested data: write a \.parquet file, or leave out the column"):
        recipes.predict_file(values, tmp_path / "t.parquet", tmp_path / "out.csv")
    written(table.drop("tags"), tmp_path / "t.parquet")
    recipes.predict_file(values, tmp_path / "t.parquet", tmp_path / "out.csv")
    found = pl.read_csv(tmp_path / "out.csv")
    assert found["real"].equals(beside["real"])
    assert found["day"].to_list() == beside["day"].cast(pl.String).to_list()


def test_the_index_of_pandas_is_kept(values: Path, tmp_path: Path) -> None:
    pandas = pytest.importorskip("pandas")
    table = pandas.DataFrame({"b": [1.0, 2.0, 3.0], "a": [0.5, 0.25, 0.0]}, index=["c", "a", "b"])
    table.to_csv(tmp_path / "t.csv")
    recipes.predict_file(values, tmp_path / "t.csv", tmp_path / "out.csv")
    found = pandas.read_csv(tmp_path / "out.csv", index_col=0)
    assert list(found.index) == ["c", "a", "b"]
    net = gn.Ensemble.load(values / "model.safetensors")
    np.testing.assert_allclose(found["prediction"], net.predict(table[["a", "b"]].to_numpy())[:, 0], rtol=1e-5)

    pytest.importorskip("pyarrow")
    table.to_parquet(tmp_path / "t.parquet")
    recipes.predict_file(values, tmp_path / "t.parquet", tmp_path / "out.parquet")
    again = pandas.read_parquet(tmp_path / "out.parquet").set_index("__index_level_0__")
    assert list(again.index) == ["c", "a", "b"]
    np.testing.assert_allclose(again["prediction"], found["prediction"], rtol=1e-6)


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_column_with_the_name_of_ours(run: Path, tmp_path: Path, ending: str) -> None:
    for name in ("prediction", "p(yes)"):
        table = written(known().rename({"id": name}), tmp_path / f"t.{ending}")
        with pytest.raises(ValueError, match=r"has a column '.*', as the predictions will: rename it or leave it out"):
            recipes.predict_file(run, table, tmp_path / f"out.{ending}")
    assert names(tmp_path) == {table.name}


# What values mean ----------------------------------------------------------------------------------------------------


def test_values_mean_what_they_mean_in_training(run: Path, tmp_path: Path, pieces: None) -> None:
    plain = "a,flag,city\n1.5,true,Bern\n-2,false,01\n,true,Zürich\n0,,\n,false,Paris\n"
    other = ' a , city,flag\n" 1.5",Bern,TRUE\n-2.0, 01 ,False\nn/a,Zürich,true\n0,?,\nNaN,Genf, false \n'
    (tmp_path / "plain.csv").write_text(plain, encoding="utf-8")
    (tmp_path / "other.csv").write_text(other, encoding="utf-8")
    found = pl.concat(list(recipes.predictions(run, tmp_path / "plain.csv")))
    assert pl.concat(list(recipes.predictions(run, tmp_path / "other.csv"))).equals(found)
    assert found.height == 5
    assert found["p(yes)"].n_unique() == 5


number = st.sampled_from(["1", " -2.5", "1e3 ", "+0", "NA", "?", "", "nan", "12345678901234567890"])
boolean = st.sampled_from(["true", "False ", " TRUE", ""])
word = st.sampled_from(["red", " red", "1", "Red", "n/a", ""])


@settings(deadline=None)
@given(table=st.lists(st.tuples(number, boolean, word), min_size=1, max_size=20), block=st.integers(1, 60))
def test_rows_are_what_training_reads(
    tmp_path_factory: pytest.TempPathFactory, table: list[tuple[str, ...]], block: int
) -> None:
    path = tmp_path_factory.getbasetemp() / "rows.csv"
    path.write_text("\n".join(["x,y,z", *map(",".join, table), "0,true,red"]) + "\n")
    columns = [Column("z", "category", ("1", "red")), Column("y", "boolean"), Column("x")]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(dialect, "BLOCK", block)
        found = np.concatenate([x for x, _ in rows.read_rows(path, columns)])
    np.testing.assert_array_equal(found, numeric_rows(read_table(path), columns))


@pytest.mark.parametrize(
    ("row", "fault"),
    [
        ("one,true,Bern", "column 'a', row 51: 'one' is not a number"),
        ("inf,true,Bern", "column 'a', row 51: inf is not a finite number"),
        ("true,true,Bern", "column 'a', row 51: 'true' is not a number"),
        ("1,1,Bern", "column 'flag', row 51: '1' is neither true nor false, as the others in training"),
        ("1,yes,Bern", "column 'flag', row 51: 'yes' is neither true nor false"),
        ("1,true,Bern,2", "can't be read as CSV: row 51 has 4 values, the header 3 names"),
        ('1,true,"Bern', "check its quotation marks"),
        ("1,true,Be\0rn", "isn't text"),
    ],
)
@pytest.mark.parametrize("target", ENDINGS)
@pytest.mark.parametrize("pieced", [False, True])
def test_an_error_in_a_late_row_leaves_nothing(
    run: Path, tmp_path: Path, request: pytest.FixtureRequest, row: str, fault: str, target: str, pieced: bool
) -> None:
    if pieced:
        request.getfixturevalue("pieces")
    (tmp_path / "t.csv").write_text("a,flag,city\n,,\n" + "1,true,Bern\n" * 49 + row + "\n2,false,Bern\n")
    out = tmp_path / f"out.{target}"
    out.write_text("as before")
    with pytest.raises(ValueError, match=fault):
        recipes.predict_file(run, tmp_path / "t.csv", out)
    assert out.read_text() == "as before"
    assert names(tmp_path) == {"t.csv", out.name}


@pytest.mark.parametrize("pieced", [False, True])
@pytest.mark.parametrize(
    ("value", "fault"),
    [(np.inf, "inf is not a finite number"), (-np.inf, "-inf is not a finite number")],
)
def test_rows_of_parquet_are_counted_in_the_file(
    values: Path, tmp_path: Path, request: pytest.FixtureRequest, pieced: bool, value: float | None, fault: str
) -> None:
    if pieced:
        request.getfixturevalue("pieces")
    table = pl.DataFrame({"a": [1.0] * N, "b": [2.0] * 70 + [value] + [2.0] * (N - 71)})
    with pytest.raises(ValueError, match=f"column 'b', row 71: {fault}"):
        recipes.predict_file(values, written(table, tmp_path / "t.parquet"), tmp_path / "out.parquet")
    assert names(tmp_path) == {"t.parquet"}


# Arrays --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["<f8", ">f4", "f2", "i1", "?"])
@pytest.mark.parametrize("order", ["C", "F"])
def test_an_array(values: Path, tmp_path: Path, pieces: None, kind: str, order: str) -> None:
    x = np.asarray(np.random.default_rng(0).normal(size=(N, 2)) * 3, dtype=kind, order=order)
    np.save(tmp_path / "x.npy", x)
    recipes.predict_file(values, tmp_path / "x.npy", tmp_path / "out.parquet")
    found = pl.read_parquet(tmp_path / "out.parquet")
    assert found.columns == ["prediction"]
    expected = gn.Ensemble.load(values / "model.safetensors").predict(x.astype(np.float64))[:, 0]
    np.testing.assert_allclose(found["prediction"], expected, rtol=1e-4, atol=1e-6)


def test_an_array_of_pictures(digits: Path, tmp_path: Path) -> None:
    x = gn.load("digits").test.x
    np.save(tmp_path / "flat.npy", x)
    np.save(tmp_path / "square.npy", x.reshape(-1, 8, 8))
    flat, square = (pl.concat(list(recipes.predictions(digits, tmp_path / f"{n}.npy"))) for n in ("flat", "square"))
    assert flat.equals(square)
    np.testing.assert_allclose(
        flat.drop("prediction"), gn.Network.load(digits / "model.safetensors").predict_proba(x), rtol=1e-4, atol=1e-6
    )


@pytest.mark.parametrize(
    ("array", "fault"),
    [
        (np.zeros((5, 3)), r"is an array of float64, \(5, 3\); numbers of shape \(N, 2\) are needed"),
        (np.zeros(2), r"is an array of float64, \(2,\); numbers of shape \(N, 2\) are needed"),
        (np.float64(1), r"is an array of float64, \(\); numbers of shape"),
        (np.zeros((0, 2)), "has no rows"),
        (np.zeros((5, 2), complex), "is an array of complex128"),
        (np.full((5, 2), "1"), "is an array of <U1"),
        (np.full((5, 2), None), r"can't be read as an array of numbers \(.*objects"),
        (np.array([[1.0, 2]] * 60 + [[1, np.inf]]), "column 'b', row 61: inf is not a finite number"),
        (b"", "can't be read as an array of numbers"),
        (b"a,b\n1,2\n", "can't be read as an array of numbers"),
        (
            b"\x93NUMPY\x01\x00v\x00{'descr': '<f8', 'fortran_order': False, 'shape': (9, 2), }"
            + b" " * 58
            + b"\n1234",
            "can't be read as an array of numbers",
        ),
    ],
)
def test_an_array_that_can_not_be_predicted(
    values: Path, tmp_path: Path, pieces: None, array: object, fault: str
) -> None:
    path = tmp_path / "x.npy"
    path.write_bytes(array) if isinstance(array, bytes) else np.save(path, array)
    with pytest.raises(ValueError, match=fault) as caught:
        recipes.predict_file(values, path, tmp_path / "out.csv")
    assert "\n" not in str(caught.value)
    assert names(tmp_path) == {"x.npy"}


def test_an_array_has_no_categories(run: Path, tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", np.zeros((5, 3)))
    with pytest.raises(ValueError, match=r"holds numbers, but column 'city' is one of categories: give a \.csv"):
        recipes.predict_file(run, tmp_path / "x.npy")


# Pictures ------------------------------------------------------------------------------------------------------------


def test_a_folder_of_pictures(digits: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows, "CELLS", 130)  # two pictures at a time
    data = gn.load("digits")
    folder = tmp_path / "pictures"
    folder.mkdir()
    for name, x in zip(["10.png", "9.PNG", "b2.png", "b10.png", "b02.png"], data.test.x[:5], strict=True):
        Image.fromarray(np.rint(x.reshape(8, 8) * (255 / 16)).astype(np.uint8)).save(folder / name)
    (folder / "readme.txt").write_text("no picture")
    (folder / "more").mkdir()
    recipes.predict_file(digits, folder, tmp_path / "out.csv")
    found = pl.read_csv(tmp_path / "out.csv", infer_schema_length=0)
    assert found["file"].to_list() == ["9.PNG", "10.png", "b02.png", "b2.png", "b10.png"]
    net = gn.Network.load(digits / "model.safetensors")
    labels = net.predict(data.test.x[[1, 0, 4, 2, 3]]).argmax(axis=1)
    assert found["prediction"].to_list() == [data.classes[label] for label in labels]
    (one,) = recipes.predictions(digits, folder / "9.PNG")
    assert one.columns == ["prediction", *(f"p({name})" for name in data.classes)]

    (folder / "11.png").write_bytes(b"\x89PNG\r\n\x1a\n and no more")
    with pytest.raises(ValueError, match=r"11\.png can't be read as an image"):
        recipes.predict_file(digits, folder, tmp_path / "out.parquet")
    assert names(tmp_path) == {"pictures", "out.csv"}


# Where it is written -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("ending", [".txt", ".csv.gz", "", ".xlsx"])
def test_another_ending_is_refused(values: Path, tmp_path: Path, ending: str) -> None:
    (tmp_path / "t.csv").write_text("a,b\n1,2\n")
    with pytest.raises(ValueError, match=r"predictions are written to a \.csv or a \.parquet file"):
        recipes.predict_file(values, tmp_path / "t.csv", tmp_path / f"out{ending}")
    assert names(tmp_path) == {"t.csv"}


@pytest.mark.parametrize("ending", ENDINGS)
def test_the_input_is_not_overwritten(values: Path, tmp_path: Path, ending: str) -> None:
    table = written(pl.DataFrame({"a": [1.0], "b": [2.0]}), tmp_path / f"t.{ending}")
    (tmp_path / f"link.{ending}").symlink_to(table)
    before = table.read_bytes()
    for out in (table, tmp_path / f"link.{ending}"):
        with pytest.raises(ValueError, match="is the file that is read: name another to write"):
            recipes.predict_file(values, table, out)
    assert table.read_bytes() == before


def test_standard_output_is_csv(run: Path, tmp_path: Path, pieces: None, capsys: pytest.CaptureFixture[str]) -> None:
    table = written(known(), tmp_path / "t.parquet")
    recipes.predict_file(run, table, tmp_path / "out.csv")
    recipes.predict_file(run, table)
    assert capsys.readouterr().out == (tmp_path / "out.csv").read_text(encoding="utf-8")


def test_a_parquet_file_is_read_by_others(run: Path, tmp_path: Path, pieces: None) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    recipes.predict_file(run, written(known(), tmp_path / "t.csv"), tmp_path / "out.parquet")
    assert parquet.read_table(tmp_path / "out.parquet").column("id").to_pylist() == known()["id"].to_list()


def test_a_dropped_column_is_no_input_and_stands_in_front(tmp_path: Path) -> None:
    path = written(known().with_columns(id=pl.int_range(N)), tmp_path / "t.csv")
    recipe = recipes.choose(str(path), target="y", drop=["id", "note"], changes=SMALL_PACK)
    recipes.train(recipe, tmp_path / "run")
    assert recipes.open_run(tmp_path / "run")[1].info["features"] == ["a", "flag", "city"]
    table = pl.concat(recipes.predictions(tmp_path / "run", path))
    assert table.columns[:3] == ["id", "note", "y"]
    with pytest.raises(ValueError, match="the table has no column 'key'"):
        recipes.train(recipes.choose(str(path), target="y", drop=["key"], changes=SMALL_PACK), tmp_path / "other")


def test_a_file_that_has_the_target_is_judged_in_a_line(
    run: Path, values: Path, tmp_path: Path, pieces: None, capsys: pytest.CaptureFixture[str]
) -> None:
    table = known(40).with_columns(y=pl.Series([*known(40)["y"][:-2], None, "maybe"]))
    for trained, frame, name in ((run, table, "classes"), (values, pl.read_csv(values.parent / "t.csv"), "values")):
        for ending in ("csv", "parquet"):
            file = tmp_path / f"{name}.{ending}"
            written(frame, file)
            recipes.predict_file(trained, file, tmp_path / "out.parquet")
            (said,) = [line for line in capsys.readouterr().err.splitlines() if "has the target" in line]
            found = read(tmp_path / "out.parquet")
            if name == "classes":
                right = (found["prediction"] == frame["y"])[:38].mean()
                assert said.startswith(f"glassnet: the file has the target y: accuracy {right:.4f} over 38 rows (")
            else:
                missed = found["prediction"].to_numpy() - frame["y"].to_numpy()
                rmse, mae = np.sqrt(np.mean(missed**2)), np.abs(missed).mean()
                figures = f"rmse {in_unit(rmse, rmse)}, mae {in_unit(mae, rmse)}"
                assert said.startswith(f"glassnet: the file has the target y: {figures} over 100")
    recipes.predict_file(run, written(table.drop("y"), tmp_path / "new.csv"), tmp_path / "out.csv")
    assert "target" not in capsys.readouterr().err
