"""The parts of benchmarks/suite.py: what it measures, keeps and compares. Nothing is fitted here."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

sys.path.append(str(Path(__file__).parents[1] / "benchmarks"))

import suite
from tables import comparing, fetching, figures, losses, prepare, results, sources
from tables.comparing import Board
from tables.kinds import Fit, Kind

TABLE = sources.Table("some", "y", "classification", "A", "")


def some(rows=200):
    x = np.arange(rows)
    return pd.DataFrame({"x": x, "y": np.where(x % 4, "b", "a")})


def test_the_calibration_error_is_that_of_the_definition():
    sure, right = np.array([0.95, 0.95, 0.6, 0.6]), np.array([True, False, True, True])
    assert figures.calibration_error(sure, right) == pytest.approx((2 * 0.45 + 2 * 0.4) / 4)
    assert figures.calibration_error(np.ones(3), np.ones(3, bool)) == 0


def test_a_class_that_was_sure_and_wrong_costs_a_limited_loss():
    found, each = figures.of_classes(np.array([[1.0, 0.0], [1.0, 0.0]]), np.array([0, 1]))
    assert each[1] == pytest.approx(-np.log(figures.SMALLEST), rel=1e-4)
    assert found["accuracy"] == 0.5
    assert found["auc"] == 0.5


def test_inner_splits_never_see_a_test_row():
    for state in sources.SPLITS:
        outer, inner = (sources.split(TABLE, some(), state, inner=inner) for inner in (False, True))
        assert not set(outer.x_test["x"]) & (set(inner.x["x"]) | set(inner.x_test["x"]))
        assert set(inner.x["x"]) | set(inner.x_test["x"]) == set(outer.x["x"])


def test_a_limit_of_rows_takes_the_first_training_rows_and_leaves_the_others_as_they_are():
    whole, limited = (sources.split(TABLE, some(), 0, rows) for rows in (None, 50))
    assert limited.x["x"].tolist() == whole.x["x"].tolist()[:50]
    assert limited.x_test.equals(whole.x_test)


def test_classes_keep_their_shares_in_every_part():
    rows = sources.split(TABLE, some(), 1)
    assert rows.y.mean() == rows.y_test.mean() == 0.75
    assert rows.classes == 2


def test_a_digest_tells_tables_apart_but_not_how_numbers_are_written():
    table = pd.DataFrame({"a": [1, 2], "b": ["x", None]})
    assert sources.digest(table) == sources.digest(table.assign(a=[1.0, 2.0 + 1e-13]))
    assert sources.digest(table) != sources.digest(table.assign(a=[1.0, 2.00001]))
    assert sources.digest(table) != sources.digest(table.rename(columns={"a": "A"}))


def test_columns_become_numbers_and_words():
    frame = pd.DataFrame(
        {"number": ["1", "2.5"], "day": ["12/31/2000", None], "yes": [True, False], "word": ["a", None], "n": [1, 2]}
    )
    made = prepare.plain(frame)
    assert prepare.categories(made) == ["word"]
    assert made["number"].tolist() == [1, 2.5]
    assert made.loc[0, ["day", "day month", "day day_of_week", "day day"]].tolist() == [365, 12, 6, 31]
    assert made.loc[1, "word"] is None


def test_levels_that_no_training_row_has_are_missing():
    levels = prepare.Levels().fit(pd.DataFrame({"word": ["a", "b"]}))
    made = levels.transform(pd.DataFrame({"word": ["b", "c", None]}))["word"]
    assert made.isna().tolist() == [False, True, True]
    assert made.cat.categories.tolist() == ["a", "b"]


def test_results_are_kept_one_line_each_and_replaced(tmp_path):
    file = tmp_path / "results.json"
    first, second = Fit("t", 0, "CatBoost"), Fit("t", 0, "glassnet", 3200, True)
    for fit, error in ((first, 1.0), (second, 1 / 3), (first, 2.0)):
        results.keep(fit, {"error": error}, file)
    assert results.load(file) == {first: {"error": 2.0}, second: {"error": 0.333333}}
    assert len(file.read_text(encoding="utf-8").splitlines()) == 4


def test_ratios_are_of_the_splits_that_both_have_and_of_one_kind():
    records = {
        Fit("t", 0, "ours"): {"error": 2.0},
        Fit("t", 1, "ours"): {"error": 9.0},
        Fit("t", 2, "ours"): {"failed": "no"},
        Fit("t", 0, "theirs"): {"error": 4.0},
        Fit("t", 2, "theirs"): {"error": 4.0},
        Fit("t", 1, "theirs", 3200): {"error": 1.0},
    }
    assert Board(records).ratios(["t", "other"], "ours", "theirs") == {"t": 0.5}
    assert Board(records, Kind(3200)).ratios(["t"], "ours", "theirs") == {}
    assert Board(records).ranks(["t"], ["theirs", "ours", "nobody"]) == {"theirs": 1.5, "ours": 1.5}  # one failed


def test_no_table_counts_for_more_than_its_clipped_ratio():
    found = comparing.summary({"far": 0.01, "near": 1.0, "bad": 3.0})
    assert found.mean == pytest.approx((0.7 * 1.0 * 1.4) ** (1 / 3))
    assert found.worst == (3.0, "bad")
    assert (found.median, found.better, found.tables) == (1.0, 1, 3)
    assert found.interval[0] <= found.mean <= found.interval[1]


def test_a_ratio_is_as_sure_as_the_rows_say_together(tmp_path):
    file, fit = tmp_path / "losses.npz", Fit("t", 0, "CatBoost")
    theirs = np.random.default_rng(0).exponential(size=500) * 1e6
    assert losses.spread(fit, theirs, file) is None
    losses.keep(fit, theirs, file)
    assert losses.spread(fit, 2 * theirs, file) == pytest.approx(0, abs=1e-4)
    assert losses.spread(fit, theirs[::-1], file) > 0.01


def test_part_b_needs_a_reason_to_be_looked_at(tmp_path, monkeypatch):
    monkeypatch.setattr(results, "load", dict)
    asked = {"tables": ["telco"], "contenders": ["glassnet"], "splits": [0], "limit": 1}
    left = {"part": None, "anew": None, "alone": False, "look": None, "ingredients": False}
    arguments = argparse.Namespace(**asked, **left)
    with pytest.raises(SystemExit, match="for a decision alone"):
        suite.run(arguments, Kind())


def test_every_table_that_is_not_bundled_has_a_source():
    tables = sources.tables()
    assert fetching.SOURCES.keys() == {name for name, table in tables.items() if table.part != "bundled"}
    assert all(bool(table.digest) == (table.part != "bundled") for table in tables.values())


def test_tables_are_made_of_what_their_sources_hold():
    row = ["A11"] * 20
    german = fetching.SOURCES["german"][1](lambda names: pd.DataFrame([[*row, 1], [*row, 2]], columns=names))
    assert german["risk"].tolist() == ["good", "bad"]
    rows = pd.DataFrame({"Class": ["much"] * 10 + ["few"] * 9, "hail": ["0", None] * 9 + ["1"]})
    soybean = fetching.SOURCES["soybean"][1](lambda dtype: rows)
    assert soybean["hail"].iloc[0] == "v0"
    assert soybean["hail"].isna().sum() == 5
    assert set(soybean["Class"]) == {"much"}
