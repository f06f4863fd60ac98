"""A run is judged by rows that it never saw: those of another table, with their target."""

from __future__ import annotations

import gzip
import io
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import glassnet as gn
from glassnet import recipes
from glassnet.data import read_rows
from glassnet.data.schema import from_info
from small_packs import SET_SMALL_PACK, SMALL_PACK


def table(n: int, seed: int) -> pl.DataFrame:
    rng = np.random.default_rng(seed)
    a, b = rng.normal(size=(2, n))
    kind = np.where(a + b > 0, "high", "low")
    return pl.DataFrame({"a": a, "town": rng.choice(["Ulm", "Genf"], n), "b": b, "kind": kind, "value": a - b})


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run for classes, one for values, and another table."""
    folder = tmp_path_factory.mktemp("runs")
    table(200, 0).write_csv(folder / "t.csv")
    for target, drop in (("kind", "value"), ("value", "kind")):
        recipe = recipes.choose(str(folder / "t.csv"), target=target, drop=[drop], changes=SMALL_PACK)
        recipes.train(recipe, folder / target)
    table(50, 1).write_csv(folder / "new.csv", separator=";")
    return folder


def test_classes_are_judged(folder: Path) -> None:
    found, truth = recipes.evaluate_file(folder / "kind", folder / "new.csv"), table(50, 1)["kind"].to_list()
    predicted = pl.concat(list(recipes.predictions(folder / "kind", folder / "new.csv")))["prediction"].to_list()
    assert found["test"]["accuracy"] == pytest.approx(np.mean([p == t for p, t in zip(predicted, truth, strict=True)]))
    share = truth.count("high") / 50
    assert found["baseline"]["accuracy"] == pytest.approx(max(share, 1 - share))
    assert found["classes"]["low"]["rows"] == truth.count("low")
    assert any("semicolons" in note for note in found["notes"])


def test_values_are_judged(folder: Path) -> None:
    found, truth = recipes.evaluate_file(folder / "value", folder / "new.csv"), table(50, 1)["value"].to_numpy()
    _, net = recipes.open_run(folder / "value")
    x = np.concatenate([rows for rows, _ in read_rows(folder / "new.csv", from_info(net.info))])
    error = net.predict(x).ravel() - truth
    assert found["test"]["rmse"] == pytest.approx(np.sqrt(np.mean(error**2)))
    assert found["baseline"]["rmse"] == pytest.approx(truth.std())


def test_rows_without_a_target_are_left_out_and_said(folder: Path, tmp_path: Path) -> None:
    rows = table(50, 1).with_columns(kind=pl.when(pl.int_range(50) < 45).then("kind"))
    rows.write_csv(tmp_path / "some.csv")
    found = recipes.evaluate_file(folder / "kind", tmp_path / "some.csv")
    assert found["data"].endswith("45 rows")
    assert "5 of 50 rows are left out" in found["notes"][0]


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (pl.lit("middle").alias("kind"), "column 'kind': label 'middle' in y.0. isn't among the 2 classes"),
        (pl.lit(None, pl.String).alias("kind"), "no row has a target 'kind'"),
        (pl.lit("x").alias("a"), "column 'a', row 1: 'x' is not a number"),
    ],
)
def test_rows_that_cannot_be_judged_are_one_line(folder: Path, tmp_path: Path, change: pl.Expr, fault: str) -> None:
    table(50, 1).with_columns(change).write_csv(tmp_path / "new.csv")
    with pytest.raises(ValueError, match=fault):
        recipes.evaluate_file(folder / "kind", tmp_path / "new.csv")


def test_a_file_of_a_single_class_and_one_without_the_target(folder: Path, tmp_path: Path) -> None:
    table(50, 1).filter(pl.col("kind") == "low").write_csv(tmp_path / "low.csv")
    assert recipes.evaluate_file(folder / "kind", tmp_path / "low.csv")["classes"]["high"]["rows"] == 0
    table(50, 1).drop("kind").write_csv(tmp_path / "none.csv")
    with pytest.raises(ValueError, match="has no column 'kind'"):
        recipes.evaluate_file(folder / "kind", tmp_path / "none.csv")


def test_the_command(folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    from glassnet.cli import main

    monkeypatch.setattr("sys.argv", ["glassnet", "evaluate", str(folder / "kind"), str(folder / "new.csv")])
    with pytest.raises(SystemExit) as done:
        main()
    printed = capsys.readouterr()
    assert done.value.code == 0
    assert "these rows" in printed.out
    assert "baseline: always the majority class" in printed.out
    assert "separated by semicolons" in printed.err


def test_an_array_of_labels_is_looked_up() -> None:
    assert gn.data.labels.look_up(np.array([2.0, 1.0]), ["1", "2"]).tolist() == [1, 0]


@pytest.mark.parametrize("ending", [".csv", ".csv.gz", ".parquet", ".arrow"])
def test_standard_input_is_a_table_wherever_one_is_named(
    folder: Path, tmp_path: Path, ending: str, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run keeps it, so that it can be evaluated again."""
    from glassnet.cli import main

    rows, file = table(60, 2), tmp_path / f"t{ending}"
    if ending == ".csv.gz":
        file.write_bytes(gzip.compress(rows.write_csv().encode()))
    else:
        {".csv": rows.write_csv, ".parquet": rows.write_parquet, ".arrow": rows.write_ipc}[ending](file)

    def run(*arguments: str, given: bytes, status: int = 0) -> str:
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(given)))
        monkeypatch.setattr("sys.argv", ["glassnet", *arguments])
        with pytest.raises(SystemExit) as done:
            main()
        printed = capfd.readouterr()
        assert done.value.code == status, printed.err
        return printed.out + printed.err

    given = file.read_bytes()
    whole = ["--target", "kind", "--out", str(tmp_path / "run"), *SET_SMALL_PACK]
    assert "rows: train 48" in run("train", "-", *whole, given=given)
    assert recipes.evaluate_run(tmp_path / "run")["recipe"] == "stdin"
    judged = run("evaluate", str(folder / "kind"), "-", given=given)
    assert "standard input: 60 rows" in judged
    assert "these rows" in judged
    assert run("predict", str(folder / "kind"), "-", given=given).count("\n") == 62  # the last says how right they are
    assert "glassnet: standard input: the table has no columns" in run(
        "predict", str(folder / "kind"), "-", given=b"x,y\n1,2\n", status=2
    )
    explain = ["explain", str(folder / "kind"), "--row", "-", "--out", str(tmp_path / "why")]
    assert "standard input, row 20: the answer is" in run(*explain, given=given)
    assert (tmp_path / "why" / "stdin-1.csv").is_file()
    assert "standard input is empty" in run("evaluate", str(folder / "kind"), "-", given=b"", status=2)


@pytest.mark.parametrize("options", [{}, {"folds": 2}])
def test_a_table_that_was_moved_is_found_again_and_remembered(tmp_path: Path, options: dict[str, int]) -> None:
    table(80, 3).write_csv(tmp_path / "old.csv")
    recipe = recipes.choose(str(tmp_path / "old.csv"), target="kind", drop=["value"], changes=SMALL_PACK, **options)
    figures = recipes.train(recipe, tmp_path / "run")["figures"]
    (tmp_path / "old.csv").rename(tmp_path / "new.csv")
    with pytest.raises(FileNotFoundError, match=r"no such file: .*old.csv; if it was moved, .* --data NEW"):
        recipes.evaluate_run(tmp_path / "run")
    table(80, 4).write_csv(tmp_path / "other.csv")
    with pytest.raises(ValueError, match=r"is not what .* was trained on"):
        recipes.evaluate_run(tmp_path / "run", tmp_path / "other.csv")
    assert recipes.evaluate_run(tmp_path / "run", tmp_path / "new.csv")["figures"] == figures
    assert recipes.evaluate_run(tmp_path / "run")["figures"] == figures
