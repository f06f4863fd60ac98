"""Rotated pairs of columns: which are found, what is added, and that a network with them learns what it couldn't."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import glassnet as gn
from glassnet import recipes
from glassnet.explore import open_subject
from glassnet.nn import interactions as search
from glassnet.nn.interactions import interactions, strong_pairs
from glassnet.recipes import run as run_module
from glassnet.report import compare
from glassnet.train import CSVLog, Training
from small_packs import one_network


def table(rows: int = 3000, width: int = 5) -> tuple[np.ndarray, np.ndarray]:
    """Values that depend on each column alone, and on the second and the last together."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(rows, width)) * 10.0 ** np.arange(width)
    u, v = x[:, 1] / 10, x[:, -1] / 10.0 ** (width - 1)
    return x, np.sin(u) + x[:, 0] ** 2 + np.cos(3 * (u + v)) + 0.1 * rng.normal(size=rows)


def test_the_pair_that_interacts_is_found() -> None:
    x, y = table()
    gains = sorted(interactions(x, y), reverse=True)
    assert gains[0][1:] == (1, 4)
    assert gains[0][0] > 0.05
    assert gains[1][0] < 0.01
    np.testing.assert_allclose(list(interactions(x, y * 1e300)), list(interactions(x, y)))
    assert sorted(interactions(x, (y > 1).astype(np.int64)), reverse=True)[0][1:] == (1, 4)
    unrelated = np.random.default_rng(1).normal(size=len(y))
    assert max(gain for gain, _, _ in interactions(x, unrelated)) < 0


def test_every_target_counts_whatever_its_unit() -> None:
    x, y = table()
    plain = x[:, 0] + x[:, 3]
    two = np.column_stack([y, 1e6 * plain, np.full(len(x), 0.1)])
    gains = sorted(interactions(x, two), reverse=True)
    assert gains[0][1:] == (1, 4)
    assert gains[0][0] > 0.025  # half of it alone
    np.testing.assert_allclose(gains, sorted(interactions(x, two * [1e-9, 1.0, 1.0]), reverse=True))


def test_large_whole_numbers_are_values_and_few_of_them_labels() -> None:
    x, y = table()
    prices = np.round((y - y.min()) / np.ptp(y) * 1e9).astype(np.int64)
    assert strong_pairs(x, prices, 3) == [(1, 4)]
    labels = np.digitize(y, [0, 1])
    np.testing.assert_allclose(list(interactions(x, labels * 500_000_000)), list(interactions(x, labels)))
    net = gn.Network([gn.Rotations(5), gn.Dense(19, 1), gn.Unstandardize()])
    net.fit_preprocessing(x, prices)
    assert np.nonzero(net.layers[0].A[:, 0])[0].tolist() == [1, 4]


def test_of_many_columns_the_strongest_are_paired() -> None:
    x, y = table(2000, 40)
    y = y + x[:, 1] / 10 + x[:, -1] / 10.0**39
    found = list(interactions(x / 10.0 ** np.arange(40), y))
    assert len(found) == 32 * 31 // 2
    assert sorted(found, reverse=True)[0][1:] == (1, 39)


def test_columns_are_turned() -> None:
    x, y = table()
    layer = gn.Rotations(5, angles=4, plain=1)
    rows = np.column_stack([x, y])
    out = gn.Network([layer, gn.Dense(8, 1)], "float64").layers[0].fit(rows, y).forward(rows)
    low, high = np.quantile(x, [0.25, 0.75], axis=0)
    u, v = (x[:, j] / (high - low)[j] for j in (1, 4))
    wanted = np.column_stack([x, (u + v) / np.sqrt(2), (v - u) / np.sqrt(2), y])
    np.testing.assert_allclose(out, wanted, rtol=1e-12)


def test_only_pairs_that_interact_strongly_count() -> None:
    x, y = table()
    assert strong_pairs(x, y, 3) == [(1, 4)]
    x[::5, 1], x[:, 2] = np.nan, np.nan
    assert strong_pairs(x, y, 3) == [(1, 4)]
    assert strong_pairs(x, x[:, 0] + x[:, 3], 3) == []
    assert strong_pairs(*table(60), 3) == []  # too few rows to tell


def test_a_recipe_turns_what_interacts() -> None:
    recipe = recipes.from_dict({"name": "turned", "data": {"source": "my.csv"}, "network": {"rotations": 2}})
    x, y = table()
    mixed = np.column_stack([np.zeros(len(x)), x])
    kinds = [["a", "b"], *[[]] * 5]
    for data, columns in (
        (gn.Dataset.from_arrays(x, y), [1, 4]),
        (gn.Dataset.from_arrays(mixed, y, categories=kinds), [1, 4]),
    ):
        made = recipe.settle(data)
        assert made.pairs == [(1, 4)]
        names = [data.features[len(data.features) - 5 + j] for j in (1, 4)]
        assert made.notes[-1] == f"interact strongly, so rotated copies are added: {names[0]} and {names[1]}"
        made.net.fit_preprocessing(data.train.x)  # without targets: the pairs are known
        turned = next(layer for layer in made.net.layers if isinstance(layer, gn.Rotations))
        assert np.nonzero(turned.A[:, 0])[0].tolist() == columns
    plain = recipe.settle(gn.Dataset.from_arrays(x, x[:, 0] + x[:, 3])).net
    assert not any(isinstance(layer, gn.Rotations) for layer in plain.layers)


def test_pairs_are_looked_for_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_module, "draw", lambda *_: None)
    x, y = table(300)
    rows = [",".join(map(str, [*row, value])) for row, value in zip(x.tolist(), y.tolist(), strict=True)]
    (tmp_path / "map.csv").write_text("\n".join(["a,b,c,d,e,target", *rows]) + "\n")
    looked: list[int] = []
    monkeypatch.setattr(search, "interactions", lambda x, y: looked.append(1) or interactions(x, y))
    recipes.train(one_network(tmp_path / "map.csv", "target", "network.rotations=1"), tmp_path / "run")
    assert len(looked) == 1


def test_pairs_may_be_given() -> None:
    x, y = table()
    given, found = gn.Rotations(5, [(1, 4)]), gn.Rotations(5)
    np.testing.assert_array_equal(given.fit(x).A, found.fit(x, y).A)
    assert gn.Network([given, gn.Dense(19, 1)]).describe()["layers"][0]["pairs"] == [[1, 4]]
    for wrong in ([[1, 1]], [[0, 5]], [[0, -1]], [[0, 1, 2]], [3], "ab", [[0.5, 1]], [[True, 2]]):
        with pytest.raises(ValueError, match="pairs must each be two different columns from 0 to 4, not"):
            gn.Rotations(5, wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize(("first", "second"), [(0.3, 0.45), (0.45, 0.35), (0.3, 0.3)])
@pytest.mark.parametrize("rows", [128, 4000])
def test_two_columns_of_0_and_1_that_are_mostly_0(rows: int, first: float, second: float) -> None:
    rng = np.random.default_rng(0)
    x = np.column_stack([rng.normal(size=rows), rng.random((rows, 2)) < (first, second)])
    y = (x[:, 1] != x[:, 2]).astype(np.int64)
    assert strong_pairs(x, y, 3) == [(1, 2)]
    assert strong_pairs(1 - x, y, 3) == [(1, 2)]


def test_a_run_keeps_the_recipe_as_it_was_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_module, "draw", lambda *_: None)
    x, y = table(1600)
    for name, target in (("turned", y), ("plain", x[:, 0])):
        rows = [f"{','.join(map(str, row))},{value}" for row, value in zip(x.tolist(), target.tolist(), strict=True)]
        (tmp_path / f"{name}.csv").write_text("\n".join(["a,b,c,d,e,target", *rows]) + "\n")
    recipe = one_network(tmp_path / "turned.csv", "target", "network.rotations=3", "training.epochs=4")
    run = tmp_path / "run"
    recipes.train(recipe, run)
    assert recipes.load(run / "recipe.toml") == recipe
    net = gn.Network.load(run / "model.safetensors")
    assert [layer.pairs for layer in net.layers if isinstance(layer, gn.Rotations)] == [[[1, 4]]]
    assert recipes.gradcheck(recipes.load(run / "recipe.toml"), rows=2, entries=2).passed
    recipes.evaluate_run(run)
    assert open_subject(str(run)).recipe == recipe

    recipe.data.source = str(tmp_path / "plain.csv")
    recipes.train(recipe, tmp_path / "other")
    assert list(compare([run, tmp_path / "other"]).settings) == ["data.source"]

    class Full(CSVLog):
        def on_epoch(self, run: Training) -> None:
            if len(run.history) == 3:
                raise OSError("No space left on device")

    again = tmp_path / "again"
    monkeypatch.setattr(run_module, "CSVLog", Full)
    with pytest.raises(OSError, match="go on with --resume"):
        recipes.train(recipes.load(run / "recipe.toml"), again)
    monkeypatch.setattr(run_module, "CSVLog", CSVLog)
    recipes.train(recipes.load(again / "recipe.toml"), again, resume=True)
    np.testing.assert_array_equal(gn.Network.load(again / "model.safetensors").theta, net.theta)


def test_constant_columns_and_a_single_one() -> None:
    x, y = np.ones((20, 2)), np.arange(20.0)
    assert np.isfinite(gn.Rotations(2).fit(x, y).A).all()
    assert gn.Rotations(1).fit(x[:, :1], y).A.shape == (1, 0)
    assert gn.Rotations(3, pairs=9).added == 3 * 14


def test_a_sum_of_embeddings_alone_cannot_see_two_columns_together(tmp_path: Path) -> None:
    x, y = table()
    data = gn.Dataset.from_arrays(x, y)
    losses = {}
    for pairs in (0, 1):
        first = [gn.Rotations(5, pairs)] if pairs else []
        width = first[0].width_out(None) if first else 5
        embedding = gn.PiecewiseLinear(width, 1, bins=32)
        layers = [*first, gn.QuantileNormalize(), embedding, gn.Dense(width, 1), gn.Unstandardize()]
        net = gn.Network(layers)
        gn.fit(net, data, gn.MSE(), gn.AdamW(lr=0.02), epochs=30, schedule=gn.OneCycle())
        losses[pairs] = gn.evaluate(net, data.test, gn.MSE())["mse"]
    assert losses[0] > 0.4  # the variance of the cosine is a half
    assert losses[1] < 0.5 * losses[0]
    net.save(tmp_path / "net.safetensors")
    again = gn.Network.load(tmp_path / "net.safetensors")
    np.testing.assert_array_equal(again.predict(x), net.predict(x))


def test_targets_are_needed() -> None:
    net = gn.Network([gn.Rotations(2), gn.Dense(16, 1)])
    with pytest.raises(ValueError, match=r"looks for pairs by the targets, too: call net\.fit_preprocessing\(x, y\)"):
        net.fit_preprocessing(np.eye(2))
    with pytest.raises(ValueError, match="pairs must be a whole number of at least 1"):
        gn.Rotations(2, pairs=0)
