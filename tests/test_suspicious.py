"""Columns that a person would leave out are named before the training, with the way to leave them out."""

from __future__ import annotations

import datetime
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from numpy.typing import NDArray

import glassnet as gn

N = 300


def notes(folder: Path, target: str, y: NDArray[np.generic] | list[str], **columns: object) -> list[str]:
    rng = np.random.default_rng(0)
    frame = pl.DataFrame({"plain": rng.normal(size=N), **columns, target: y})
    frame.write_csv(folder / "t.csv")
    return list(gn.load(folder / "t.csv", target=target).notes)


def values() -> NDArray[np.float64]:
    return np.random.default_rng(1).normal(50, 9, N)


def classes() -> NDArray[np.int64]:
    return np.random.default_rng(1).integers(0, 3, N)


def test_an_id_is_named(tmp_path: Path) -> None:
    found = notes(tmp_path, "y", values(), nr=np.random.default_rng(2).permutation(N) + 7, half=np.arange(N) / 2)
    (line,) = [line for line in found if "id" in line]
    assert line == (
        "nr: its whole numbers differ in 100% of the training rows: if it is an id, leave it out (--drop nr)"
    )


def test_an_id_that_some_rows_lack_is_named(tmp_path: Path) -> None:
    found = notes(tmp_path, "y", values(), nr=[None if i % 7 == 0 else i + 1000 for i in range(N)])
    assert any(line.startswith("nr: its whole numbers differ") for line in found)


@pytest.mark.parametrize("memory", [None, "1GB"])
@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_columns_of_one_value_are_left_out_and_named(tmp_path: Path, memory: str | None, ending: str) -> None:
    day = datetime.date(2024, 1, 2)
    same = {"a": [5] * N, "b": ["same"] * N, "c": [day] * N, "d": [True] * N, "e": [0.5] * N}
    gaps = {"f": ["gone" if i % 9 else None for i in range(N)], "g": [1.5 if i % 9 else None for i in range(N)]}
    frame = pl.DataFrame({"plain": values()[::-1], **same, **gaps, "y": values()})
    path = tmp_path / f"t.{ending}"
    frame.write_csv(path) if ending == "csv" else frame.write_parquet(path)
    data = gn.load(path, target="y", memory=memory)
    assert data.features == ("plain", "f", "g")
    assert "left out, as all training rows have the same value: a, b, c, d, e" in data.notes
    frame.select("a", "y").write_csv(tmp_path / "none.csv")
    with pytest.raises(ValueError, match="no column to learn from: in 'a', all training rows have the same value"):
        gn.load(tmp_path / "none.csv", target="y", memory=memory)


def test_numbers_written_in_two_ways_are_one_value(tmp_path: Path) -> None:
    found = notes(tmp_path, "y", values(), a=["5.0" if i % 2 else "5" for i in range(N)])
    assert "left out, as all training rows have the same value: a" in found


@pytest.mark.parametrize(
    "given",
    [
        lambda y: y * 1.1 + 3,  # another currency
        lambda y: -np.exp(y / 10),  # falls all the time
        lambda y: np.where(np.arange(N) % 4 == 0, np.nan, y),  # where it is known
    ],
)
def test_a_column_that_gives_a_value_away_is_named(tmp_path: Path, given: object) -> None:
    column = pl.Series(given(values())).fill_nan(None)  # type: ignore[operator]
    found = notes(tmp_path, "y", values(), z=column, near=values() + np.random.default_rng(3).normal(size=N))
    assert [line.split(":")[0] for line in found if "gives the target away" in line] == ["z"]


@pytest.mark.parametrize(
    "given",
    [
        lambda y: [f"c{5 * c % 3}" for c in y],  # another name of the class
        lambda y: y * 10 + np.random.default_rng(4).random(N),  # where a number lies
        lambda y: [(7, 3, 5)[c] for c in y],  # a code
        lambda y: [None if c == 0 else "known" for c in np.minimum(y, 1)],
    ],
)
def test_a_column_that_gives_a_class_away_is_named(tmp_path: Path, given: object) -> None:
    y = classes()
    column = pl.Series(given(y))  # type: ignore[operator]
    y = np.minimum(y, 1) if column.null_count() else y
    often = np.where(np.random.default_rng(5).random(N) < 0.9, y, 1)  # useful, and no more
    found = notes(tmp_path, "y", [f"class {c}" for c in y], z=column, often=often)
    assert [line.split(":")[0] for line in found if "gives the target away" in line] == ["z"]


def test_ordinary_tables_are_told_nothing() -> None:
    for name in ("breast_cancer", "iris", "wine"):
        from sklearn import datasets

        from glassnet.data.schema import Column
        from glassnet.data.suspicious import suspicious

        made = getattr(datasets, f"load_{name}")()
        schema = tuple(Column(feature) for feature in made.feature_names)
        assert suspicious(schema, made.data, made.target) == []
