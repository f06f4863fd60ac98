"""Columns of dates: days since 1970-01-01, whichever file they come from."""

from __future__ import annotations

import datetime
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import glassnet as gn
from glassnet import data as gd
from glassnet import recipes
from glassnet.cli import main
from glassnet.data import dialect, rows
from small_packs import SMALL_PACK

N = 120
ENDINGS = ["csv", "parquet"]


def houses() -> pl.DataFrame:
    """Dates, points in time with a missing one, and a price that both of them decide."""
    rng = np.random.default_rng(0)
    built = rng.integers(-9000, 18000, N)
    sold = pl.Series(rng.integers(0, 20000 * 86400, N) * 10**6).cast(pl.Datetime("us"))
    price = built / 100 + sold.to_physical().to_numpy() / 86400e6
    return pl.DataFrame(
        {
            "area": rng.uniform(40, 200, N),
            "built": pl.Series(built).cast(pl.Date),
            "sold": sold.scatter(7, None),
            "price": price,
        }
    )


def written(frame: pl.DataFrame, path: Path) -> Path:
    frame.write_csv(path) if path.suffix == ".csv" else frame.write_parquet(path)
    return path


def loaded(path: Path, text: Sequence[str | None], target: str = "y") -> gn.Dataset:
    """The dataset of a CSV file with a column "day" that begins with `text`, and then has its last value."""
    days = [*text, *[text[-1]] * (N - len(text))]
    pl.DataFrame({"day": days, "a": np.arange(N), "y": np.arange(N) / 2}).write_csv(path)
    return gd.load(path, target=target)


def in_order(data: gn.Dataset) -> np.ndarray:
    """The rows by column 1, which counts them."""
    x = np.concatenate([data.train.x, data.val.x, data.test.x])
    return x[np.argsort(x[:, 1])]


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("runs")
    for ending in ENDINGS:
        path = written(houses(), folder / f"houses.{ending}")
        recipes.train(recipes.choose(str(path), target="price", changes=SMALL_PACK), folder / ending)
    return {ending: folder / ending for ending in ENDINGS}


@pytest.fixture
def pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a few rows be read at a time."""
    monkeypatch.setattr(dialect, "BLOCK", 200)
    monkeypatch.setattr(rows, "MOST", 5)


def predicted(run: Path, path: Path) -> np.ndarray:
    return pl.concat([table.select("prediction") for table in recipes.predictions(run, path)])["prediction"].to_numpy()


# Training ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("ending", ENDINGS)
def test_csv_and_parquet_are_one_dataset(tmp_path: Path, ending: str) -> None:
    data = gd.load(written(houses(), tmp_path / f"houses.{ending}"), target="price")
    same = gd.load(written(houses(), tmp_path / "houses.parquet"), target="price")
    assert data.features == ("area", "built", "sold")
    assert data.dates == ("built", "sold")
    assert data.notes[:2] == ("numbers: 1 columns", "dates: built, sold")
    for part in ("train", "val", "test"):
        np.testing.assert_array_equal(getattr(data, part).x, getattr(same, part).x)
    assert sum(np.isnan(split.x).sum() for split in (data.train, data.val, data.test)) == 1


@pytest.mark.parametrize(
    ("text", "days"),
    [
        ("1970-01-02", 1),
        ("1969-12-31", -1),
        ("2000-02-29", 11016),
        (" 1970-01-02 ", 1),
        ("1970-01-02 12:00", 1.5),
        ("1970-01-02 12:00:00", 1.5),
        ("1970-01-02T12:00:00", 1.5),
        ("1970-01-02T12:00", 1.5),
        ("1970-01-02 06:00:00.000000", 1.25),
        ("1970-01-02T06:00:00.000000000", 1.25),
        ("1970-01-02T06:00:00Z", 1.25),
        ("1970-01-02T06:00Z", 1.25),
        ("1970-01-02 06:00:00+06:00", 1),
        ("1970-01-02T06:00:00.000000-0600", 1.5),
    ],
)
def test_what_is_a_date(tmp_path: Path, text: str, days: float) -> None:
    data = loaded(tmp_path / "t.csv", ["1970-01-05", text])
    assert data.dates == ("day",)
    np.testing.assert_array_equal(in_order(data)[:, 0], [4] + [days] * (N - 1))


@pytest.mark.parametrize(
    "text",
    ["2003-02-30", "2003-13-01", "2003-3-1", "2003-03", "12:30", "soon",
     "2003-03-10 25:00", "2003-03-10 or so", "2003-03-10 12:30 or so", "12003-03-10"],
)  # fmt: skip
def test_what_is_text(tmp_path: Path, text: str) -> None:
    """One value that is no date is enough."""
    data = loaded(tmp_path / "t.csv", [text] * 20 + ["2003-03-10"])
    assert not data.dates
    assert set(data.categories[0]) == {text, "2003-03-10"}


@pytest.mark.parametrize("text", ["03-02-01", "10-03-2003", "2003/03/10"])
def test_dates_that_are_not_written_alike_are_an_error(tmp_path: Path, text: str) -> None:
    fault = f"column 'day' holds dates that aren't written alike, such as .*'{text}'.*--drop day"
    for texts in ([text] * 20 + ["2003-03-10"], [text, "2003-03-10"]):
        with pytest.raises(ValueError, match=fault):
            loaded(tmp_path / "t.csv", texts)


def test_whole_numbers_stay_numbers(tmp_path: Path) -> None:
    data = loaded(tmp_path / "t.csv", [str(20030310 + i % 20) for i in range(N)])
    assert not data.dates
    assert not any("date" in note for note in data.notes)
    assert in_order(data)[0, 0] == 20030310


def test_missing_dates_stay_missing(tmp_path: Path) -> None:
    data = loaded(tmp_path / "t.csv", [None, "?", "n/a", "1970-01-02"])
    np.testing.assert_array_equal(in_order(data)[:, 0], [np.nan] * 3 + [1] * (N - 3))
    assert any(note.startswith("missing values: day (") for note in data.notes)
    assert "dates: day" in data.notes


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_target_of_dates_is_a_value_in_days(tmp_path: Path, ending: str) -> None:
    data = gd.load(written(houses().drop("sold"), tmp_path / f"t.{ending}"), target="built")
    assert data.task == "regression"
    y = np.concatenate([data.train.y, data.val.y, data.test.y])
    np.testing.assert_array_equal(np.sort(y), np.sort(houses()["built"].to_physical().to_numpy()))
    assert not data.dates


# Prediction ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_run_predicts_from_both_files(runs: dict[str, Path], tmp_path: Path, pieces: None, ending: str) -> None:
    run = runs[ending]
    frame = houses()
    expected = predicted(run, written(frame, tmp_path / "t.parquet"))
    assert len(set(expected)) > N / 2
    np.testing.assert_array_equal(predicted(run, written(frame, tmp_path / "t.csv")), expected)
    as_text = frame.with_columns(pl.col("built", "sold").cast(pl.String))
    np.testing.assert_array_equal(predicted(run, written(as_text, tmp_path / "text.parquet")), expected)
    assert gn.Ensemble.load(runs["csv"] / "model.safetensors").info["dates"] == ["built", "sold"]


@pytest.mark.parametrize("row", [1, 50])
@pytest.mark.parametrize("value", ["soon", "20030310", "true", "12.5", "2003-02-30"])
def test_a_value_that_is_no_date(runs: dict[str, Path], tmp_path: Path, pieces: None, row: int, value: str) -> None:
    days = houses()["built"].cast(pl.String).scatter(row - 1, value)
    path = written(houses().with_columns(days), tmp_path / "t.csv")
    with pytest.raises(ValueError, match=f"column 'built', row {row}: '{value}' is not a date, .* 2003-03-10 ") as one:
        recipes.predict_file(runs["parquet"], path, tmp_path / "out.csv")
    assert "\n" not in str(one.value)
    assert not (tmp_path / "out.csv").exists()


def test_missing_dates_in_prediction(runs: dict[str, Path], tmp_path: Path, pieces: None) -> None:
    """The first pieces hold nothing else."""
    head = pl.int_range(pl.len()) < 30
    frame = houses().with_columns(sold=pl.when(~head).then("sold"))
    expected = predicted(runs["csv"], written(frame, tmp_path / "t.parquet"))
    np.testing.assert_array_equal(predicted(runs["csv"], written(frame, tmp_path / "t.csv")), expected)


def test_a_date_is_no_number(tmp_path: Path) -> None:
    path = written(houses().select("area", "price"), tmp_path / "t.csv")
    recipes.train(recipes.choose(str(path), target="price", changes=SMALL_PACK), tmp_path / "run")
    written(pl.DataFrame({"area": ["2003-03-10"] * 3}), path)
    with pytest.raises(ValueError, match="column 'area', row 1: '2003-03-10' is not a number"):
        predicted(tmp_path / "run", path)


def test_training_says_what_are_dates(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    path = written(houses(), tmp_path / "houses.csv")
    changes = [part for change in SMALL_PACK for part in ("--set", change)]
    for command in (["train", str(path), "--target", "price", "--out", "run", *changes], ["evaluate", "run"]):
        monkeypatch.setattr(sys, "argv", ["glassnet", *command])
        with pytest.raises(SystemExit) as done:
            main()
        assert not done.value.code
        printed = capsys.readouterr().out
        assert ("\ndates: built, sold\n" in printed) == (command[0] == "train")


def test_onnx_takes_days(runs: dict[str, Path], tmp_path: Path) -> None:
    pytest.importorskip("onnx")
    onnxruntime = pytest.importorskip("onnxruntime")
    net = gn.Ensemble.load(runs["csv"] / "model.safetensors")
    gn.export(net, tmp_path / "net.onnx", input_dtype="float64")
    session = onnxruntime.InferenceSession(tmp_path / "net.onnx")
    since = datetime.datetime(1970, 1, 1)
    x = [[a, (b - since.date()).days, (s - since).total_seconds() / 86400] for a, b, s, _ in houses()[8:].rows()]
    (y,) = session.run(None, {"x": np.array(x)})
    expected = predicted(runs["csv"], written(houses()[8:], tmp_path / "t.csv"))
    np.testing.assert_allclose(y[:, 0], expected, rtol=1e-4)
    assert session.get_modelmeta().custom_metadata_map["dates"] == '["built", "sold"]'


def test_a_network_sees_the_place_of_a_date_in_its_cycles(tmp_path: Path) -> None:
    days = [datetime.datetime(2024, 1, 1) + datetime.timedelta(days=i) for i in range(60)]
    at = [day + datetime.timedelta(hours=6) for day in days]
    frame = pl.DataFrame({"day": [day.date() for day in days], "at": at, "y": range(60)})
    frame.write_csv(tmp_path / "days.csv")
    columns = gn.load(tmp_path / "days.csv", target="y").columns()
    month, year = 365.2425 / 12, 365.2425
    day = [(0, 7.0), (0, month), (0, year)]
    assert columns["cycles"] == [*day, (1, 7.0), (1, month), (1, year), (1, 1.0)]
