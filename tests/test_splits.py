"""Splits of tables that are honest: the same classes in all parts, later rows, other groups, and folds."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

import glassnet as gn
from glassnet import recipes
from glassnet.data.splits import SplitPlan, split_table
from glassnet.nn import Ensemble
from glassnet.pack.pack import _folds_of
from glassnet.report import write_report
from small_packs import SET_SMALL_PACK, SMALL_PACK, one_network

N = 200
PARTS = ("train", "val", "test")


def table(folder: Path, n: int = N) -> Path:
    """With a row number, by which rows are known again."""
    rng = np.random.default_rng(0)
    a = rng.normal(size=n)
    frame = {
        "row": np.arange(n) + 0.5,
        "a": a,
        "kind": np.where(a + rng.normal(size=n) > 1.5, "rare", "often"),
        "value": 3 * a + rng.normal(size=n),
        "customer": rng.integers(0, 30, n).astype(str),
        "day": (np.datetime64("2024-01-01") + rng.integers(0, 90, n)).astype(str),
    }
    pl.DataFrame(frame).write_csv(folder / "t.csv")
    return folder / "t.csv"


def rows(data: gn.Dataset) -> dict[str, list[int]]:
    return {part: [int(row) for row in getattr(data, part).x[:, data.features.index("row")]] for part in PARTS}


@given(st.lists(st.integers(0, 4), min_size=10, max_size=300), st.integers(0, 2**32 - 1), st.sampled_from([None, 2, 5]))
def test_every_class_has_its_share_in_every_part(labels: list[int], seed: int, folds: int | None) -> None:
    y = np.array(labels)
    parts, blocks = split_table(SplitPlan(folds=folds, seed=seed), y, True, None)
    assert blocks is None
    assert sorted(np.concatenate(parts)) == list(range(len(y)))
    test = 0.2 if folds is None else 1 / folds
    for part, share in zip(parts, (1 - test - 0.16, 0.16, test), strict=True):
        for c in np.unique(y):
            expected = share * (y == c).sum() if folds is None or part is parts[2] else None
            assert expected is None or abs((y[part] == c).sum() - expected) <= 2
    if folds is None:
        assert (len(parts[1]), len(parts[2])) == (round(0.16 * len(y)), round(0.2 * len(y)))


def test_the_future_is_tested(tmp_path: Path) -> None:
    data = gn.load(table(tmp_path), target="value", drop=["kind"], split="time", by="day")
    days = pl.read_csv(tmp_path / "t.csv")["day"].to_numpy()
    train, val, test = (days[rows(data)[part]] for part in PARTS)
    assert train.max() < val.min() <= val.max() < test.min()
    assert abs(len(test) - 0.2 * N) < 10
    assert "split by time, day: rows of the test part are later than all others" in data.notes
    assert "day" in data.features
    blocks = data.without_validation().train.blocks
    assert blocks is not None
    assert len(blocks) == len(train) + len(val)
    assert len(np.unique(blocks)) == 8


def test_groups_do_not_straddle_parts(tmp_path: Path) -> None:
    data = gn.load(table(tmp_path), target="kind", drop=["value"], split="group", by="customer")
    customers = pl.read_csv(tmp_path / "t.csv")["customer"].to_numpy()
    found = [set(customers[rows(data)[part]]) for part in PARTS]
    assert sum(map(len, found)) == len(set(customers))
    assert abs(len(data.test) - 0.2 * N) < 15
    assert "customer" not in data.features
    blocks = data.without_validation().train.blocks
    for held in _folds_of(blocks, 0):  # by which a pack holds rows out
        assert not set(blocks[held]) & set(np.delete(blocks, held))


@pytest.mark.parametrize("options", [{}, {"split": "group", "by": "customer"}])
def test_each_row_is_tested_in_one_fold(tmp_path: Path, options: dict[str, Any]) -> None:
    path = table(tmp_path)
    datasets = [gn.load(path, target="kind", folds=5, fold=fold, **options) for fold in range(5)]
    assert sorted(row for data in datasets for row in rows(data)["test"]) == list(range(N))
    assert len({data.schema for data in datasets}) == 1  # so that their networks can answer together
    for data in datasets:
        assert sorted(row for part in rows(data).values() for row in part) == list(range(N))


@pytest.mark.parametrize(
    ("options", "fault"),
    [
        ({"split": "later"}, "one of 'time', 'group', not 'later'"),
        ({"split": "time"}, "a split by time needs the column, data.by"),
        ({"by": "day"}, "data.by='day' needs data.split"),
        ({"split": "time", "by": "customers"}, "the table has no column 'customers'"),
        ({"split": "time", "by": "kind"}, "column 'kind' holds categories, and a split by time needs dates"),
        ({"split": "group", "by": "kind"}, "column 'kind' has 2 groups, and at least 3 are needed"),
        ({"split": "time", "by": "value"}, "'value' is the target"),
        ({"split": "time", "by": "day", "folds": 3}, "folds by time would train on what comes later"),
        ({"folds": 1}, "there are two folds or more, not 1"),
        ({"folds": 3, "fold": 3}, "there is no fold 3 of 3"),
        ({"fold": 1}, "a fold needs their number"),
    ],
)
def test_splits_that_cannot_be_made_are_one_line(tmp_path: Path, options: dict[str, Any], fault: str) -> None:
    with pytest.raises(ValueError, match=fault):
        gn.load(table(tmp_path), target="value", **options)


@pytest.mark.parametrize("target", ["kind", "value"])
def test_folds_give_cross_validated_figures_and_an_ensemble(tmp_path: Path, target: str) -> None:
    drop = {"kind": "value", "value": "kind"}[target]
    recipe = recipes.choose(str(table(tmp_path)), target=target, drop=["row", drop], folds=3, changes=SMALL_PACK)
    metrics, out = recipes.train(recipe, tmp_path / "run"), tmp_path / "run"
    members = [json.loads((out / f"member-{fold}" / "metrics.json").read_text()) for fold in range(3)]
    name = {"kind": "log_loss", "value": "rmse"}[target]
    values = [each["figures"][name]["value"] for each in members]
    assert metrics["folds"][name]["mean"] == pytest.approx(np.mean(values))
    assert metrics["folds"][name]["standard_error"] == pytest.approx(np.std(values, ddof=1) / 3**0.5)
    pooled = np.mean([v**2 for v in values]) ** 0.5 if target == "value" else np.mean(values)
    assert metrics["figures"][name]["value"] == pytest.approx(pooled, rel=0.02)  # folds differ by a row
    if target == "value":
        pinball = [each["figures"]["pinball"]["value"] for each in members]
        assert metrics["folds"]["pinball"]["mean"] == pytest.approx(np.mean(pinball))
        assert metrics["figures"]["pinball"]["value"] == pytest.approx(np.mean(pinball), rel=0.02)
    assert recipes.evaluate_run(out)["figures"] == metrics["figures"]
    assert isinstance(Ensemble.load(out / "model.safetensors"), Ensemble)
    tables = list(recipes.predictions(out, tmp_path / "t.csv"))
    assert sum(each.height for each in tables) == N
    page = write_report(out).read_text()
    assert "mean of the folds" in page
    assert f"{N:,} test rows" in page
    assert "glassnet report" in page
    with pytest.raises(ValueError, match="is of folds: other models are compared with one"):
        write_report(out, others=True)
    with pytest.raises(ValueError, match="an ensemble of the networks of 3 folds: name one of them, such as"):
        recipes.Finished.read(out)
    with pytest.raises(ValueError, match="3 folds: name one of them"):  # each has learned from the others' test rows
        recipes.open_with_data(out)


def test_folds_of_one_network_each_go_on_where_they_were_stopped(tmp_path: Path) -> None:
    recipe = one_network(table(tmp_path), "kind", "data.folds=2", 'data.drop=["value", "row"]')
    recipes.train(recipe, tmp_path / "run")
    again = tmp_path / "run" / "member-1" / "metrics.json"
    before = json.loads((tmp_path / "run" / "metrics.json").read_text())
    again.unlink()
    (tmp_path / "run" / "metrics.json").unlink()
    found = recipes.train(recipe, tmp_path / "run", resume=True)
    assert found["figures"] == before["figures"]


def test_the_command_cross_validates(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from glassnet.cli import main

    words = ["train", str(table(tmp_path)), "--target", "kind", "--folds", "2", "--out", str(tmp_path / "run")]
    monkeypatch.setattr("sys.argv", ["glassnet", *words, *SET_SMALL_PACK])
    with pytest.raises(SystemExit) as done:
        main()
    printed = capsys.readouterr()
    assert done.value.code == 0, printed.err
    assert "200 rows in 2 folds" in printed.out
    assert "standard error" in printed.out
    assert "the networks of all folds answer together" in printed.out
