"""Tables that are read in pieces: the same rows, each once, and trainings as good as in memory."""

from __future__ import annotations

import gc
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

import glassnet as gn
from glassnet import recipes
from glassnet.data.stored import chunks
from glassnet.data.stored.room import read_memory
from glassnet.data.stored.table import load_stored
from glassnet.files import cache_folder
from glassnet.recipes.explaining import open_with_data
from glassnet.train import Checkpoint

ROWS = 6000


def frame(rows: int = ROWS, seed: int = 0) -> pl.DataFrame:
    """Return a table with a number of its own in each row."""
    rng = np.random.default_rng(seed)
    a, b = rng.normal(size=(2, rows))
    kind = rng.choice(["red", "green", "blue"], rows)
    y = np.sin(2 * a) + b + (kind == "red") + 0.1 * rng.normal(size=rows)
    return pl.DataFrame({"id": np.arange(rows, dtype=float), "a": a, "b": b, "kind": kind, "y": y})


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep chunks in a folder of the test, small ones."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr("glassnet.data.stored.table.SAMPLE", 1500)
    monkeypatch.setattr("glassnet.data.stored.table.HELD", 800)


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """Write the table in groups of rows."""
    path = tmp_path / "big.parquet"
    frame().write_parquet(path, row_group_size=1000)
    return path


def read(path: Path, **options: Any) -> gn.Dataset:
    """Load a table in pieces, in chunks of 1000 rows."""
    return gn.load(path, target="y", memory="1KB", **options)


def everything(data: gn.Dataset) -> list[gn.Split]:
    """Return all chunks."""
    assert data.train.stored is not None
    return list(data.train.stored.read_ahead(range(len(data.train.sizes)), lambda rows: rows))


def network(data: gn.Dataset, *, mean: bool = False, **settings: Any) -> gn.Network:
    """Return a small network for a table."""
    columns = gn.Columns(**data.columns())
    hidden = [gn.Dense(6, 32), *([gn.BatchNorm(32)] if mean else []), gn.ReLU()]
    return gn.Network([columns, *hidden, gn.Dense(32, 1), gn.Unstandardize()], seed=1, **settings)


def test_every_row_is_in_one_part_once(table: Path) -> None:
    data = read(table)
    parts = [*everything(data), data.val, data.test]
    ids = np.sort(np.concatenate([part.x[:, 0] for part in parts]))
    np.testing.assert_array_equal(ids, np.arange(ROWS))
    whole = frame()
    for part in parts:
        np.testing.assert_allclose(part.y, whole["y"].to_numpy()[part.x[:, 0].astype(int)])
    assert len(data.train) + len(data.val) + len(data.test) == ROWS
    assert len(data.train.y) == 1500


def test_a_chunk_is_a_random_sample_of_the_table(table: Path) -> None:
    for chunk in everything(read(table)):
        assert abs(chunk.x[:, 0].mean() - ROWS / 2) < ROWS / 20


def test_text_a_folder_and_a_pattern_give_the_rows_of_the_file(table: Path, tmp_path: Path) -> None:
    whole, folder = frame(), tmp_path / "parts"
    folder.mkdir()
    whole[:2500].write_parquet(folder / "1.parquet")
    whole[2500:].write_parquet(folder / "2.parquet")
    whole.write_csv(tmp_path / "big.csv")
    expected = read(table)
    for path in (folder, folder / "*.parquet", tmp_path / "big.csv"):
        found = read(path)
        np.testing.assert_array_equal(found.test.x, expected.test.x)
        assert found.train.sizes == expected.train.sizes
        assert found.schema == expected.schema


@pytest.mark.parametrize("first", ["narrow", "wide"])
def test_files_of_a_folder_may_hold_a_column_in_different_types_of_numbers(tmp_path: Path, first: str) -> None:
    wide = frame().with_columns(day=pl.date(2024, 1, 1), kind=pl.col("kind").cast(pl.Categorical))
    types = {"id": pl.Int32, "a": pl.Float32, "y": pl.Int64, "day": pl.Datetime("us"), "kind": pl.String}
    narrow = wide.cast({"y": pl.Float32}).with_columns(pl.col("y").round()).cast(types)
    (tmp_path / "parts").mkdir()
    for name, part in zip("ab", (narrow, wide) if first == "narrow" else (wide, narrow), strict=True):
        part.write_parquet(tmp_path / "parts" / f"{name}.parquet")
    data = read(tmp_path / "parts", drop=["day"])
    split = [data.val, data.test, *everything(data)]
    assert sum(len(each.y) for each in split) == 2 * ROWS
    total = sum(float(each.y.sum()) for each in split)
    assert total == pytest.approx(float(wide["y"].sum() + narrow["y"].sum()), rel=1e-4)


def test_a_column_of_numbers_in_one_file_of_a_folder_and_of_text_in_another_is_one_error(tmp_path: Path) -> None:
    frame(40).write_parquet(tmp_path / "a.parquet")
    frame(40).cast({"a": pl.String}).write_parquet(tmp_path / "b.parquet")
    with pytest.raises(ValueError, match=r"b.parquet: column 'a' is of type String, and of type Float64 in the files"):
        read(tmp_path)
    (tmp_path / "b.parquet").unlink()
    frame(40).write_csv(tmp_path / "b.csv")
    with pytest.raises(ValueError, match=r"b.csv: column 'id' is of type String"):
        read(tmp_path)


def test_a_class_that_no_row_of_the_sample_has_is_known(tmp_path: Path) -> None:
    names = np.array(["yes", "no"])[np.arange(ROWS) % 2].astype(object)
    names[4321] = "rare"
    frame().with_columns(y=pl.Series(names, dtype=pl.String)).write_parquet(tmp_path / "classes.parquet")
    data = read(tmp_path / "classes.parquet")
    assert data.classes == ("no", "rare", "yes")
    assert sum((part.y == 1).sum() for part in (*everything(data), data.val, data.test)) == 1


def test_rows_without_a_target_are_left_out_and_said(tmp_path: Path) -> None:
    frame().with_columns(y=pl.when(pl.col("id") % 3 > 0).then("y")).write_parquet(tmp_path / "gaps.parquet")
    data = read(tmp_path / "gaps.parquet")
    assert sum(len(part) for part in (*everything(data), data.val, data.test)) == ROWS * 2 / 3
    assert any("2,000 rows are left out" in note for note in data.notes)


def test_both_ways_train_as_well(table: Path) -> None:
    errors = []
    for load in (read, lambda path, seed: gn.load(path, target="y", seed=seed)):
        scores = []
        for seed in range(3):
            data = load(table, seed=seed)
            net = network(data)
            gn.fit(net, data, gn.MSE(), gn.AdamW(lr=0.01), epochs=8, batch_size=64, seed=seed)
            scores.append(gn.evaluate(net, data.test, gn.MSE())["rmse"])
        errors.append(np.mean(scores))
    assert errors[0] == pytest.approx(errors[1], rel=0.15)
    assert errors[0] < 0.3


@pytest.mark.parametrize("mean", [False, True])
def test_training_goes_on_to_the_same_bits(table: Path, tmp_path: Path, mean: bool) -> None:
    def train(data: gn.Dataset, **settings: Any) -> gn.Network:
        net = network(data, mean=mean)
        average = gn.EMA(0.9) if mean else None
        gn.fit(net, data, gn.MSE(), gn.AdamW(lr=0.01), epochs=3, batch_size=64, average=average, **settings)
        return net

    class Stop(gn.Callback):
        def on_epoch(self, run: Any) -> None:
            run.stop = len(run.history) == 1

    kept = tmp_path / "checkpoint.safetensors"
    expected = train(read(table)).theta
    train(read(table), callbacks=[Checkpoint(kept), Stop()])
    np.testing.assert_array_equal(train(read(table), resume=kept).theta, expected)


def test_the_readable_step_takes_chunks_too(table: Path) -> None:
    thetas = []
    for fast in (True, False):
        data = read(table)
        net = network(data, dtype="float64", fast=fast)
        gn.fit(net, data, gn.MSE(), gn.SGD(lr=0.01), epochs=1, batch_size=64)
        thetas.append(net.theta)
    np.testing.assert_allclose(thetas[0], thetas[1], rtol=1e-9, atol=1e-12)


def test_chunks_are_removed_with_the_data_unless_a_cache_keeps_them(table: Path, tmp_path: Path) -> None:
    data = read(table)
    everything(data)
    cache = tmp_path / "cache" / "glassnet"
    assert len(list(cache.iterdir())) == 1
    del data
    gc.collect()
    assert not list(cache.iterdir())
    first = everything(read(table, cache=tmp_path / "kept"))
    kept = list((tmp_path / "kept").iterdir())
    again = everything(read(table, cache=tmp_path / "kept"))
    assert list((tmp_path / "kept").iterdir()) == kept
    assert len(kept) == 1
    np.testing.assert_array_equal(again[0].x, first[0].x)


def test_a_full_disk_is_one_error_and_nothing_is_left(
    table: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Full:
        f_bavail, f_frsize = 1, 1

    monkeypatch.setattr(chunks.os, "statvfs", lambda _: Full)
    with pytest.raises(OSError, match="name another disk with --cache"):
        everything(read(table))
    assert not list((tmp_path / "cache" / "glassnet").iterdir())


def test_a_bad_value_beyond_the_sample_is_named_by_column_and_row(tmp_path: Path) -> None:
    text = frame().select(pl.all().cast(pl.String))
    text[5432, "a"] = "oops"
    text.write_csv(tmp_path / "bad.csv")
    with pytest.raises(ValueError, match=r"'a'.*row 5433"):
        everything(load_stored(tmp_path / "bad.csv", target="y", memory="1KB", seed=3))


def test_amounts_of_memory_are_read() -> None:
    assert [read_memory(each) for each in ("4GB", "500 mb", "1.5G", "64KiB")] == [4e9, 5e8, 1.5e9, 64e3]
    with pytest.raises(ValueError, match="an amount such as 4GB"):
        read_memory("much")


def test_a_pack_trains_on_chunks_and_its_run_is_evaluated_again(table: Path, tmp_path: Path) -> None:
    from glassnet import recipes

    changes = ["data.memory=1KB", "pack.ends=[1]", "network.hidden=[8]", "pack.candidates={plain={}}"]
    recipe = recipes.choose(str(table), target="y", changes=changes)
    found = recipes.train(recipe, tmp_path / "run")
    again = recipes.evaluate_run(tmp_path / "run")
    assert found["test"] == again["test"]
    assert found["test"]["rmse"] < found["baseline"]["rmse"]


def test_a_folder_and_a_pattern_train_from_the_terminal_by_the_folders_name(table: Path, tmp_path: Path) -> None:
    folder = tmp_path / "parts"
    folder.mkdir()
    (folder / "one.parquet").write_bytes(table.read_bytes())
    for source in (folder, folder / "*.parquet"):
        recipe = recipes.choose(str(source), target="y")
        assert recipe.name == "parts"
        assert recipe.data.source == str(source)
    with pytest.raises(ValueError, match="there is no recipe"):
        recipes.choose(str(folder))


def test_an_array_is_a_table_of_columns_x0_x1(tmp_path: Path) -> None:
    rows = np.random.default_rng(0).normal(size=(600, 4))
    for name, array in (("c.npy", rows), ("f.npy", np.asfortranarray(rows.astype(np.float32)))):
        np.save(tmp_path / name, array)
        data = gn.load(tmp_path / name, target="x2")
        assert data.features == ("x0", "x1", "x3")
        assert len(data.train) + len(data.val) + len(data.test) == 600
        far = np.abs(data.test.x[:, :1] - rows[:, 0]).min(axis=1)
        assert far.max() < 1e-6
    np.save(tmp_path / "cube.npy", np.zeros((3, 3, 3)))
    with pytest.raises(ValueError, match=r"numbers of shape \(N, columns\) are needed"):
        gn.load(tmp_path / "cube.npy", target="x0")


def test_chunks_may_come_from_an_iterator(table: Path) -> None:
    whole = frame()
    x, y = whole.select("a", "b").to_numpy(), whole["y"].to_numpy()
    parts = [slice(start, start + 700) for start in range(0, len(y), 700)]
    cache = cache_folder()
    before = set(cache.iterdir()) if cache.is_dir() else set()
    data = gn.load(((x[part], y[part]) for part in parts), memory="1MB")
    assert data.features == ("x0", "x1")
    assert data.target == "y"
    net = gn.Network([gn.Standardize(), gn.Dense(2, 4), gn.ReLU(), gn.Dense(4, 1), gn.Unstandardize()])
    gn.fit(net, data, gn.MSE(), gn.SGD(lr=0.01), epochs=1)
    assert sum(data.train.stored.sizes) == len(data.train)
    frames = gn.load((whole[part] for part in parts), target="y", memory="1MB")
    assert frames.schema == read(table).schema
    del data, frames
    gc.collect()
    assert set(cache.iterdir()) == before


@pytest.mark.parametrize(
    ("chunks", "error", "fault"),
    [
        ([], ValueError, "there are no chunks"),
        ([1.5], TypeError, "a chunk is a data frame, or a pair of arrays"),
        ([(np.zeros((3, 2)), np.zeros(2))], ValueError, r"x of shape \(3, 2\) and y of \(2,\)"),
    ],
)
def test_chunks_of_another_kind_are_refused(chunks: list[Any], error: type[Exception], fault: str) -> None:
    with pytest.raises(error, match=fault):
        gn.load(iter(chunks))


@pytest.mark.parametrize("settings", [["pack.ends=[1]", "pack.candidates={plain={}}"], None])
def test_class_weights_count_in_every_chunk(tmp_path: Path, settings: list[str] | None) -> None:
    path = tmp_path / "rare.parquet"
    rare = frame()["y"] + 2 * np.random.default_rng(1).normal(size=ROWS) > 3.5
    frame().with_columns(y=pl.Series(np.where(rare, "yes", "no"))).drop("id").write_parquet(path)
    share = []
    for weight in (1, 20):
        changes = ["data.memory=1KB", "network.hidden=[8]", f"loss.class_weight={{yes={weight}.0}}"]
        recipe = recipes.choose(str(path), target="y", changes=[*changes, *(settings or [])])
        if settings is None:
            recipe = replace(recipe, pack=None, training=replace(recipe.training, epochs=3))
        out = tmp_path / f"run {weight}"
        recipes.train(recipe, out)
        net, data = open_with_data(out)
        share.append((net.predict(data.test.x).argmax(axis=1) == 1).mean())
    assert share[1] > share[0] + 0.1
