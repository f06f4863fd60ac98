"""Predictions for files of any size: the same whatever is read together, in order, with what stands beside."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pytest
from PIL import Image

from glassnet import recipes
from glassnet.cli import main
from glassnet.data import csv_text, rows

QUICK = ["training.epochs=2", "network.hidden=[8]", "network.members=1"]


@pytest.fixture(scope="module")
def table() -> pl.DataFrame:
    rng = np.random.default_rng(0)
    n = 300
    return pl.DataFrame(
        {
            "id": [f"row {i}, Å" for i in range(n)],
            "a": rng.normal(size=n),
            "kind": [None if i % 17 == 0 else "xyz"[i % 3] for i in range(n)],
            "b": [None if i % 13 == 0 else float(i % 7) for i in range(n)],
            "open": [i % 2 == 0 for i in range(n)],
            "price": rng.normal(size=n) + np.arange(n) % 3,
        }
    )


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory, table: pl.DataFrame) -> Path:
    """A run on the table without its id: numbers, categories, booleans, missing values."""
    folder = tmp_path_factory.mktemp("run")
    table.drop("id").write_csv(folder / "train.csv")
    recipe = recipes.choose(str(folder / "train.csv"), target="price", changes=QUICK)
    recipes.train(recipe, folder / "run")
    return folder / "run"


@pytest.fixture(scope="module")
def digits(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("digits")
    recipes.train(recipes.load("digits", changes=["training.epochs=10", "network.hidden=[32]"]), folder / "run")
    return folder / "run"


def predicted(run: Path, path: Path, out: Path) -> pl.DataFrame:
    recipes.predict_file(run, path, out)
    return pl.read_parquet(out) if out.suffix == ".parquet" else pl.read_csv(out)


@pytest.mark.parametrize("ending", ["csv", "parquet"])
@pytest.mark.parametrize("out", ["csv", "parquet"])
def test_what_is_read_together_makes_no_difference(
    ending: str, out: str, run: Path, table: pl.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / f"table.{ending}"
    (table.write_csv if ending == "csv" else table.write_parquet)(path)
    whole = predicted(run, path, tmp_path / f"whole.{out}")
    monkeypatch.setattr(csv_text, "BLOCK", 500)
    monkeypatch.setattr(rows, "CELLS", 60)
    pieces = predicted(run, path, tmp_path / f"pieces.{out}")
    assert whole.columns == ["id", "price", "prediction"]
    assert whole["id"].to_list() == table["id"].to_list()
    assert pieces.drop("prediction").equals(whole.drop("prediction"))
    np.testing.assert_allclose(pieces["prediction"], whole["prediction"], rtol=1e-5)
    assert sum(1 for _ in recipes.predictions(run, path)) > 5


def test_prediction_means_what_training_means(run: Path, table: pl.DataFrame, tmp_path: Path) -> None:
    table.write_csv(tmp_path / "plain.csv")
    text = (tmp_path / "plain.csv").read_text()
    first, *lines = text.splitlines()
    spaced = [", ".join(line.rsplit(",", 4)) for line in lines]
    (tmp_path / "spaced.csv").write_text("\n".join([first, *spaced]) + "\n\n")
    reordered = table.select("open", "price", "b", "kind", "id", "a").with_columns(pl.col("b").cast(pl.String))
    reordered.with_columns(pl.col("b").fill_null("N/A")).write_csv(tmp_path / "reordered.csv")
    table.write_parquet(tmp_path / "table.parquet")
    wanted = predicted(run, tmp_path / "plain.csv", tmp_path / "out.parquet")["prediction"]
    for name in ("spaced.csv", "reordered.csv", "table.parquet"):
        found = predicted(run, tmp_path / name, tmp_path / "out.parquet")["prediction"]
        np.testing.assert_allclose(found, wanted, rtol=1e-6, err_msg=name)


def test_an_index_of_pandas_is_kept(run: Path, table: pl.DataFrame, tmp_path: Path) -> None:
    frame = pd.DataFrame(table.drop("id").to_dict(as_series=False), index=[f"i{i}" for i in range(len(table))])
    frame.to_csv(tmp_path / "table.csv")
    recipes.predict_file(run, tmp_path / "table.csv", tmp_path / "out.csv")
    found = pd.read_csv(tmp_path / "out.csv", index_col=0)
    assert list(found.columns) == ["price", "prediction"]
    assert list(found.index) == list(frame.index)


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_an_error_names_the_row_of_the_file_and_leaves_nothing(
    ending: str, run: Path, table: pl.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(csv_text, "BLOCK", 500)
    monkeypatch.setattr(rows, "CELLS", 60)
    wrong = table.with_columns(a=pl.col("a").cast(pl.String))
    wrong[247, "a"] = "12,5"
    path = tmp_path / f"table.{ending}"
    (wrong.write_csv if ending == "csv" else wrong.write_parquet)(path)
    for out in ("out.csv", "out.parquet"):
        (tmp_path / out).write_text("before")
        with pytest.raises(ValueError, match="column 'a', row 248: '12,5' is not a number"):
            recipes.predict_file(run, path, tmp_path / out)
        assert (tmp_path / out).read_text() == "before"
    assert sorted(file.name for file in tmp_path.iterdir()) == ["out.csv", "out.parquet", path.name]


def test_rows_with_quoted_line_ends(run: Path, table: pl.DataFrame, tmp_path: Path, monkeypatch) -> None:
    table.with_columns(id=pl.col("id") + '\n"quoted", ' + pl.lit("é" * 40)).write_csv(tmp_path / "table.csv")
    whole = predicted(run, tmp_path / "table.csv", tmp_path / "out.parquet")
    monkeypatch.setattr(csv_text, "BLOCK", 97)
    assert predicted(run, tmp_path / "table.csv", tmp_path / "out.parquet")["id"].equals(whole["id"])
    assert whole["id"][299].startswith('row 299, Å\n"quoted", é')


def test_an_array(run: Path, table: pl.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    codes = {None: np.nan, "x": 0, "y": 1, "z": 2}
    columns = [table["a"], [codes[k] for k in table["kind"]], table["b"].fill_null(np.nan), table["open"].cast(int)]
    np.save(tmp_path / "rows.npy", np.column_stack(columns))
    table.write_parquet(tmp_path / "table.parquet")
    monkeypatch.setattr(rows, "CELLS", 60)
    found = predicted(run, tmp_path / "rows.npy", tmp_path / "out.parquet")
    wanted = predicted(run, tmp_path / "table.parquet", tmp_path / "wanted.parquet")
    np.testing.assert_allclose(found["prediction"], wanted["prediction"], rtol=1e-5)
    np.save(tmp_path / "objects.npy", np.array([{}, {}], dtype=object))
    with pytest.raises(ValueError, match=r"objects.npy can't be read as an array of numbers"):
        recipes.predict_file(run, tmp_path / "objects.npy")


def test_a_folder_of_pictures(digits: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from sklearn.datasets import load_digits

    folder = tmp_path / "pictures"
    folder.mkdir()
    images = load_digits().images[:12]
    for i, image in enumerate(images):
        Image.fromarray(np.uint8(image / 16 * 255)).save(folder / f"digit-{i}.png")
    (folder / "notes.txt").write_text("no picture")
    found = predicted(digits, folder, tmp_path / "out.csv")
    assert found["file"].to_list() == [f"digit-{i}.png" for i in range(12)]
    assert (found["prediction"].to_numpy() == load_digits().target[:12]).mean() > 0.8
    np.testing.assert_allclose(found.select(pl.selectors.starts_with("p(")).sum_horizontal(), 1, atol=1e-5)
    recipes.predict_file(digits, folder / "digit-3.png")
    assert capsys.readouterr().out.splitlines()[1].startswith("3,")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["table.csv", "--out", "table.csv"], "table.csv is the file that is read: name another to write"),
        (["table.csv", "--out", "out.xlsx"], "out.xlsx: predictions are written to a .csv or a .parquet file"),
        (["none.csv"], "none.csv"),
        (["short.csv"], "the table has no columns 'kind', 'b'; it has"),
        (["clash.csv"], "clash.csv has a column 'prediction', as the predictions will: rename it or leave it out"),
        (["empty.csv"], "empty.csv has a header but no rows"),
        (["wide.npy"], "numbers of shape (N, 4) are needed"),
        (["."], "this run was trained on a table"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_bad_input_is_one_line(
    arguments: list[str], message: str, run: Path, table: pl.DataFrame, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    table.write_csv(tmp_path / "table.csv")
    table.drop("b", "kind").write_csv(tmp_path / "short.csv")
    table.rename({"id": "prediction"}).write_csv(tmp_path / "clash.csv")
    table.head(0).write_csv(tmp_path / "empty.csv")
    np.save(tmp_path / "wide.npy", np.zeros((3, 7)))
    before = sorted(tmp_path.iterdir())
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["glassnet", "predict", str(run), *arguments])
    with pytest.raises(SystemExit) as stopped:
        main()
    error = capsys.readouterr().err
    assert stopped.value.code == 2
    assert message in error
    assert error.count("\n") == 1
    assert sorted(tmp_path.iterdir()) == before


def test_a_dropped_column_is_no_input_and_stands_beside_the_predictions(
    table: pl.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    table.with_columns(id=pl.int_range(pl.len())).write_csv(tmp_path / "table.csv")
    monkeypatch.chdir(tmp_path)
    command = ["glassnet", "train", "table.csv", "--target", "price", "--drop", "id", "--out", "run"]
    monkeypatch.setattr(sys, "argv", [*command, *(f"--set={change}" for change in QUICK)])
    with pytest.raises(SystemExit) as stopped:
        main()
    assert not stopped.value.code
    found = predicted(tmp_path / "run", tmp_path / "table.csv", tmp_path / "out.csv")
    assert found.columns == ["id", "price", "prediction"]
    monkeypatch.setattr(sys, "argv", [*command[:-4], "--drop", "key"])
    with pytest.raises(SystemExit):
        main()
    assert "the table has no column 'key'" in capsys.readouterr().err
