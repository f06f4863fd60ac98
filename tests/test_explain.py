"""Explanations: importance, dependence, the parts of one answer, the nearest change; with numbers, text and gaps."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

import glassnet as gn
from glassnet import recipes
from glassnet.cli import app
from glassnet.data.schema import Column
from glassnet.inspection.why.columns import association, groups
from glassnet.inspection.why.contributions import contributions
from glassnet.recipes import explaining
from small_packs import LEARNING_PACK, SET_SMALL_PACK

N = 240


def homes(rows: int = N) -> pl.DataFrame:
    """A table of everything: an area and rooms that go together, a district, a date, a column of noise, gaps."""
    rng = np.random.default_rng(0)
    area = rng.uniform(40, 200, rows)
    district = rng.choice(["harbour", "hills", "centre"], rows)
    days = rng.integers(0, 1000, rows)
    worth = {"harbour": 1.0, "hills": 1.6, "centre": 2.0}
    price = 3000 * area * np.array([worth[name] for name in district]) + 100 * days
    return pl.DataFrame(
        {
            "sold": [str(np.datetime64("2020-01-01") + day) for day in days.tolist()],
            "district": district,
            "area": [None if i % 9 == 0 else round(a, 1) for i, a in enumerate(area.tolist())],
            "rooms": np.round(area / 30).astype(int),
            "noise": rng.normal(size=rows).round(3),
            "price": price.round(),
            "dear": np.where(price > 400_000, "yes", "no"),
        }
    )


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Packs for a value and for a class, trained on the table of homes."""
    folder = tmp_path_factory.mktemp("runs")
    homes().write_csv(folder / "homes.csv")
    found = {}
    for target, other in (("price", "dear"), ("dear", "price")):
        recipe = recipes.choose(str(folder / "homes.csv"), target=target, drop=[other], changes=LEARNING_PACK)
        found[target] = folder / target
        recipes.train(recipe, found[target])
    return found


def line(weights: list[float]) -> tuple[gn.Network, gn.Dataset]:
    """A network that is a straight line, and data of that line."""
    x = np.random.default_rng(0).normal(size=(400, len(weights)))
    net = gn.Network([gn.Dense(len(weights), 1)], dtype="float64")
    net.layers[0].W[:, 0] = weights
    return net, gn.Dataset.from_arrays(x, x @ weights)


def test_of_a_straight_line_each_part_is_its_weight_times_the_distance_from_the_background() -> None:
    net, data = line([3.0, -2.0, 0.0])
    explanation = gn.explain(net, data)
    row = explanation.row(data.test.x[0])
    expected = np.array([3.0, -2.0, 0.0]) * (data.test.x[0] - explanation.background.mean(axis=0))
    np.testing.assert_allclose(row.contributions.parts, expected, atol=1e-12)
    assert abs(row.contributions.gap) < 1e-12


def test_what_a_network_does_not_use_has_no_importance_and_a_larger_weight_has_more() -> None:
    net, data = line([3.0, -2.0, 0.0])
    found = {each.columns: each for each in gn.explain(net, data).importance}
    assert found[(0,)].increase > found[(1,)].increase > found[(2,)].increase == 0
    assert found[(0,)].std > 0
    assert len(found[(0,)].each) == 5


def test_the_dependence_of_a_line_is_the_line_and_its_columns_do_not_interact() -> None:
    net, data = line([3.0, -2.0, 1.0])
    explanation = gn.explain(net, data)
    along = explanation.dependence("x0")
    np.testing.assert_allclose(np.diff(along.mean), 3 * np.diff(along.values))
    np.testing.assert_allclose(np.diff(along.rows, axis=1), np.tile(3 * np.diff(along.values), (len(along.rows), 1)))
    assert explanation.interactions[0].strength < 1e-12


class Product(gn.Layer):
    """y = x0 * x1: what no sum of columns can do."""

    def forward(self, x: np.ndarray, training: bool = False) -> np.ndarray:
        self.x = x
        return x[:, :1] * x[:, 1:2]

    def backward(self, dy: np.ndarray) -> np.ndarray:
        return np.concatenate([dy * self.x[:, 1:2], dy * self.x[:, :1], np.zeros_like(self.x[:, 2:])], axis=1)

    def width_out(self, width_in: int | None) -> int:
        return 1


def test_a_product_is_found_as_the_strongest_interaction() -> None:
    x = np.random.default_rng(0).normal(size=(400, 3))
    data = gn.Dataset.from_arrays(x, x[:, 0] * x[:, 1])
    strongest = gn.explain(gn.Network([Product()], dtype="float64"), data).interactions[0]
    assert set(strongest.columns) == {0, 1}
    assert strongest.strength > 0.9


def test_local_effects_follow_rows_that_exist_where_columns_go_together() -> None:
    # The answer is wild where x0 and x1 differ, and no row does: the mean over such rows is led astray.
    rng = np.random.default_rng(0)
    first = rng.uniform(-1, 1, 500)
    x = np.column_stack([first, first + rng.normal(0, 0.01, 500)])
    net = gn.Network([gn.Dense(2, 3), gn.ReLU(), gn.Dense(3, 1)], dtype="float64")
    net.layers[0].W[...] = [[1, 50, -50], [0, -50, 50]]
    net.layers[0].b[...] = [1, -15, -15]
    net.layers[2].W[...] = [[1], [1], [1]]
    explanation = gn.explain(net, gn.Dataset.from_arrays(x, x[:, 0]))
    assert explanation.groups == [(0, 1)]
    found = explanation.dependence("x0")
    slope = np.diff(found.local) / np.diff(found.edges)
    np.testing.assert_allclose(slope, 1, atol=0.05)
    assert np.abs(np.diff(found.mean) / np.diff(found.values)).max() > 5


@pytest.mark.parametrize("target", ["price", "dear"])
def test_the_parts_of_an_answer_of_a_pack_add_up_to_it(runs: dict[str, Path], target: str) -> None:
    net, data = recipes.open_with_data(runs[target])
    explanation = gn.explain(net, data)
    usual = np.ptp(net.predict(data.test.x)) if target == "price" else 1
    for x in data.test.x[:5]:
        parts = explanation.row(x).contributions
        assert abs(parts.parts.sum() - (parts.answer - parts.background)) == pytest.approx(abs(parts.gap), abs=1e-9)
        assert abs(parts.gap) < 0.02 * usual


def test_a_column_that_no_answer_follows_contributes_nothing_and_a_category_does(runs: dict[str, Path]) -> None:
    net, data = recipes.open_with_data(runs["price"])
    explanation = gn.explain(net, data)
    parts = np.abs([explanation.row(x).contributions.parts for x in data.test.x[:5]]).mean(axis=0)
    by_name = dict(zip(data.features, parts, strict=True))
    assert by_name["district"] > 5 * by_name["noise"]


def test_rotated_columns_share_their_parts_without_a_gap() -> None:
    x = np.random.default_rng(0).normal(size=(300, 4))
    layers = [gn.Rotations(4, [(0, 1)]), gn.QuantileNormalize(), gn.Dense(18, 16), gn.ReLU(), gn.Dense(16, 1)]
    net = gn.Network(layers, dtype="float64")
    net.fit_preprocessing(x)
    found = contributions(net, x[0], x[100:130], None)
    assert abs(found.gap) < 0.01 * abs(found.answer - found.background) + 0.01
    assert (np.abs(found.parts) > 0).all()


@settings(max_examples=25, deadline=None)
@given(st.integers(2, 5), st.integers(0, 1000), st.booleans())
def test_parts_of_probabilities_add_up_for_any_number_of_classes(classes: int, seed: int, missing: bool) -> None:
    rng = np.random.default_rng(seed)
    x = np.column_stack([rng.normal(size=60), rng.integers(0, 3, 60)])
    if missing:
        x[::5, 0] = np.nan
    marks = [0] if missing else []
    net = gn.Network(
        [gn.Columns([0, 3], marks), gn.Dense(4 + len(marks), 8), gn.Tanh(), gn.Dense(8, classes)], seed=seed
    )
    net.info["task"] = "classification"
    net.fit_preprocessing(x)
    model = gn.Ensemble([net, net.copy()])
    sums = np.zeros(2)
    for of in range(classes):
        found = contributions(model, x[5], x[10:20], of)
        assert abs(found.gap) < 0.01
        sums += found.parts
    np.testing.assert_allclose(sums, 0, atol=0.02)  # what one class gains, others lose


def test_of_many_classes_a_row_is_explained_by_its_own_answer_unless_one_is_named() -> None:
    x = np.random.default_rng(0).normal(size=(300, 2))
    data = gn.Dataset.from_arrays(x, np.digitize(x[:, 0], [-0.5, 0.5]), classes=["low", "middle", "high"])
    net = gn.Network([gn.Dense(2, 3)])
    row = gn.explain(net, data).row([2.0, 0.0])
    assert row.to_dict()["of"] == f"p({row.label})"
    assert gn.explain(net, data, of="middle").row([2.0, 0.0]).to_dict()["of"] == "p(middle)"


def test_the_nearest_change_leads_to_another_class(runs: dict[str, Path]) -> None:
    net, data = recipes.open_with_data(runs["dear"])
    explanation = gn.explain(net, data)
    found = 0
    for x in data.test.x[:8]:
        row = explanation.row(x)
        for change in row.changes:
            changed = x.copy()
            changed[change.column] = change.value
            assert data.classes[int(net.predict_proba(changed[None])[0].argmax())] != row.label
            assert data.classes[change.label or 0] != row.label
            found += 1
        assert [each.distance for each in row.changes] == sorted(each.distance for each in row.changes)
    assert found


def test_the_nearest_change_of_a_line_is_the_smallest_that_is_enough() -> None:
    net, data = line([3.0, -2.0, 0.0])
    data.test.y[...] += 1.5  # the mean error
    row = gn.explain(net, data).row(np.zeros(3))
    assert [each.column for each in row.changes] == [0, 1]
    assert abs(row.changes[0].value) == pytest.approx(0.5, abs=0.03)
    assert abs(row.changes[1].value) == pytest.approx(0.75, abs=0.03)


def test_columns_go_together_whatever_their_kinds_are() -> None:
    rng = np.random.default_rng(0)
    size = rng.normal(size=400)
    name = np.digitize(size, [-0.5, 0.5]).astype(float)
    x = np.column_stack([size, np.exp(size), name, (name + 1) % 3, rng.normal(size=400), rng.integers(0, 3, 400)])
    x[::7, 0] = np.nan
    kinds = ["number", "number", "category", "category", "number", "category"]
    columns = [Column(f"c{j}", kind, ("a", "b", "c") * (kind == "category")) for j, kind in enumerate(kinds)]  # type: ignore[arg-type]
    together = association(x, columns)
    assert together[0, 1] > 0.99
    assert together[2, 3] > 0.99
    assert together[0, 2] > 0.8
    assert together[:4, 4:].max() < 0.2
    assert sorted(map(sorted, groups(together))) == [[0, 1, 2, 3], [4], [5]]


def read(path: Path) -> list[list[str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file))


def test_the_command_prints_an_explanation_and_writes_tables_and_pictures(runs: dict[str, Path]) -> None:
    shown = CliRunner().invoke(app, ["explain", str(runs["price"]), "--format", "svg"])
    assert shown.exit_code == 0, shown.output
    assert "area + rooms go together" in shown.output.replace("rooms + area", "area + rooms")
    assert "sold: the mean of price goes from" in shown.output
    assert "e+0" not in shown.output
    folder = runs["price"] / "explain"
    rows = read(folder / "importance.csv")
    assert {row[0] for row in rows[1:]} >= {"sold", "district", "area", "rooms", "noise"}
    written = {row[1] for row in read(folder / "dependence.csv")}
    assert {"harbour", "missing"} <= written
    assert any(value.startswith("2020-") for value in written)
    for name in ("importance", "dependence-district", "dependence-sold"):
        assert (folder / f"{name}.svg").read_text(encoding="utf-8").startswith("<?xml")


def test_the_command_explains_a_row_and_the_rows_of_a_file(runs: dict[str, Path], tmp_path: Path) -> None:
    homes(3).write_csv(tmp_path / "new.csv")
    out = tmp_path / "out"
    told = CliRunner().invoke(app, ["explain", str(runs["dear"]), "--row", "2", "--out", str(out)])
    assert told.exit_code == 0, told.output
    assert "mean answer to 64 training rows" in told.output
    assert sorted(path.name for path in out.iterdir()) == ["row-2.csv", "row-2.png"]
    place = re.search(r"test row 2 \(line (\d+) of homes\.csv, price (\S+)\)", told.output)
    assert place is not None, told.output
    row = gn.load(runs["dear"].parent / "homes.csv", target="dear", drop=["price"]).test.rows[2]
    assert int(place[1]) == row + 2  # after the header, from 1
    assert place[2] == str(homes()["price"][int(row)])
    shown = CliRunner().invoke(app, ["explain", str(runs["dear"]), "--row", str(tmp_path / "new.csv"), "--json"])
    found = json.loads(shown.stdout)
    assert len(found) == 3
    assert {each["column"] for each in found[0]["contributions"]} == {"sold", "district", "area", "rooms", "noise"}
    total = sum(each["contribution"] for each in found[0]["contributions"]) + found[0]["background"]
    assert total == pytest.approx(found[0]["answer"] + found[0]["gap"])


def test_everything_is_json(runs: dict[str, Path]) -> None:
    shown = CliRunner().invoke(app, ["explain", str(runs["price"]), "--json"])
    found = json.loads(shown.stdout)
    assert found["importance"][0]["increase"] > 0
    assert len(found["dependence"]) == 5


def test_a_column_is_not_judged_by_a_training_that_was_stopped(
    runs: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(explaining, "train", lambda *_: {"interrupted": True})
    with pytest.raises(KeyboardInterrupt):
        recipes.without_column(runs["price"], "area")


def test_a_column_is_judged_by_a_training_without_it(tmp_path: Path) -> None:
    homes().write_csv(tmp_path / "homes.csv")
    train = [
        "train",
        str(tmp_path / "homes.csv"),
        "--target",
        "price",
        "--drop",
        "dear",
        "--out",
        str(tmp_path / "run"),
    ]
    assert CliRunner().invoke(app, [*train, *SET_SMALL_PACK]).exit_code == 0
    shown = CliRunner().invoke(app, ["explain", str(tmp_path / "run"), "--without", "area", "--json"])
    (found,) = json.loads(shown.stdout)
    assert found["column"] == "area"
    assert found["increase"] == pytest.approx(found["after"] - found["before"])
    wrong = CliRunner().invoke(app, ["explain", str(tmp_path / "run"), "--without", "size"])
    assert "trained on no column 'size'" in str(wrong.exception)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--row", "9999"], "there is no row 9999"),
        (["--part", "all"], "part is train, val or test"),
        (["--class", "yes"], "there is no class to name"),
        (["--row", "nowhere.csv"], "nowhere.csv"),
        (["--format", "pdf"], "'pdf' is not one of 'png', 'svg'"),
    ],
)
def test_a_wrong_word_gets_one_line(runs: dict[str, Path], words: list[str], said: str) -> None:
    shown = CliRunner().invoke(app, ["explain", str(runs["price"]), *words])
    assert shown.exit_code
    assert said in shown.output + str(shown.exception)


def test_parts_agree_with_the_permutation_explainer_of_shap(runs: dict[str, Path]) -> None:
    shap = pytest.importorskip("shap")
    net, data = recipes.open_with_data(runs["price"])
    explanation = gn.explain(net, data)
    explainer = shap.explainers.Permutation(lambda x: net.predict(x)[:, 0], explanation.background, seed=0)
    rows = data.test.x[:10]
    theirs = explainer(rows, silent=True).values
    ours = np.array([explanation.row(x).contributions.parts for x in rows])
    assert np.corrcoef(ours.ravel(), theirs.ravel())[0, 1] > 0.97
