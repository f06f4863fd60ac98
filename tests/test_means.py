"""Means of the target by a column's value: no row sees its own target, and a pack takes them where they help."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnxruntime
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import glassnet as gn
from glassnet import recipes
from glassnet.nn.means import repeated
from small_packs import LEARNING_PACK

X = np.array([[1.0, 5.0], [1.0, 5.0], [2.0, 5.0], [2.0, 7.0], [3.0, 7.0]])
Y = np.array([0.0, 3.0, 6.0, 6.0, 10.0])


def test_means_are_drawn_to_the_mean_of_all_and_unknown_values_have_it() -> None:
    layer = gn.TargetMeans(2, [0], [3]).fit_with(X, Y)
    rows = np.array([[1.0, 0], [2.0, 0], [3.0, 0], [4.0, 0], [np.nan, 0]])
    np.testing.assert_allclose(layer.forward(rows)[:, 2], [8 / 3, 17 / 3, 15 / 2, 5, 5])
    np.testing.assert_array_equal(layer.forward(rows)[:, :2], rows)


def test_labels_get_a_mean_for_each_class() -> None:
    layer = gn.TargetMeans(2, [1], [2], values=3).fit_with(X, np.array([0, 1, 1, 2, 2]))
    np.testing.assert_allclose(layer.forward(X[:1])[0, 2:], np.array([1.2, 2.4, 0.4]) / 4)
    assert layer.forward(X)[:, 2:].sum(axis=1) == pytest.approx(1)


@settings(max_examples=30, deadline=None, derandomize=True)
@given(st.integers(0, 10**6), st.integers(1, 3))
def test_no_row_that_is_trained_on_sees_its_own_target(seed: int, values: int) -> None:
    rng = np.random.default_rng(seed)
    x = rng.integers(0, 6, (60, 2)).astype(float)
    y, rows = rng.normal(size=(60, values)), np.sort(rng.permutation(60)[:45])
    sizes = [len(np.unique(column)) for column in x.T]

    def crossed(targets: np.ndarray) -> np.ndarray:
        layer = gn.TargetMeans(2, [0, 1], sizes, values).find_keys(x)
        return layer.crossed(x, targets, rows, np.random.default_rng(7))

    before, other = crossed(y), y.copy()
    held = np.setdiff1d(np.arange(60), rows)
    other[held] += 100
    np.testing.assert_array_equal(crossed(other), before)  # rows that are held out decide nothing
    layer = gn.TargetMeans(2, [0, 1], sizes, values).find_keys(x).fit_means(x[rows], y[rows])
    np.testing.assert_array_equal(before[held], layer.forward(x[held]))
    own = rows[seed % 45]
    centred = y.copy()
    centred[own] += 100
    centred[rows] -= centred[rows].mean(axis=0) - y[rows].mean(axis=0)  # the mean of all may show it, in one of n rows
    shift = (centred - y)[rows[rows != own][0]]
    alike = crossed(centred)[own, 2:].reshape(2, values) - before[own, 2:].reshape(2, values)
    assert (np.abs(alike) <= np.abs(shift) + 1e-9).all()


def test_only_columns_whose_values_say_more_than_their_size_are_found() -> None:
    rng = np.random.default_rng(0)
    shops, noise, age = rng.integers(0, 200, 3000), rng.integers(0, 200, 3000), rng.integers(18, 90, 3000)
    effect = rng.normal(size=200)
    y = effect[shops] + age / 20 + rng.normal(size=3000)
    x = np.c_[shops, noise, age, rng.normal(size=3000), np.arange(3000), shops].astype(float)
    assert repeated(x, y, [0] * 6, 1) == ([0, 5], [200, 200])
    assert repeated(x, y, [200, 200, 0, 0, 0, 9], 1) == ([0, 5], [200, 200])


def table(path: Path) -> Path:
    rng = np.random.default_rng(1)
    shops = rng.integers(0, 150, 1500)
    frame = pl.DataFrame(
        {
            "shop": [f"s{i}" for i in shops],
            "size": rng.normal(size=1500).round(3),
            "sales": (rng.normal(size=150)[shops] * 3 + rng.normal(size=1500)).round(4),
        }
    )
    frame.write_csv(path)
    return path


def test_a_pack_takes_them_where_a_column_has_many_values(tmp_path: Path, without_pictures: None) -> None:
    errors = {}
    for name, changes in (("with", ["network.target_means=true"]), ("without", [])):
        recipe = recipes.choose(str(table(tmp_path / "t.csv")), target="sales", changes=[*LEARNING_PACK, *changes])
        errors[name] = recipes.train(recipe, tmp_path / name)["test"]["rmse"]
    assert errors["with"] < 0.8 * errors["without"]
    model = gn.Ensemble.load(tmp_path / "with" / "model.safetensors")
    assert any(isinstance(net.layers[0], gn.TargetMeans) for net in model.networks)
    assert len(model.info["categories"][0]) > 100  # of which the first 100 have a column of their own
    recipes.export_run(tmp_path / "with", tmp_path / "model.onnx")
    session = onnxruntime.InferenceSession(tmp_path / "model.onnx")
    rows = pl.read_csv(tmp_path / "t.csv").head(50)
    x = {"shop": rows["shop"].to_numpy().astype(object)[:, None], "size": rows["size"].to_numpy()[:, None]}
    (answers,) = recipes.predictions(tmp_path / "with", tmp_path / "t.csv")
    np.testing.assert_allclose(session.run(None, x)[0][:, 0], answers["prediction"][:50], rtol=1e-4, atol=1e-4)


def test_what_makes_no_sense_is_one_line() -> None:
    with pytest.raises(ValueError, match=r"TargetMeans: columns must be of 0 to 1, with a size each, not \[2\]"):
        gn.TargetMeans(2, [2], [3])
    with pytest.raises(ValueError, match="takes means of the targets, too"):
        gn.Network([gn.TargetMeans(2, [0], [3]), gn.Dense(3, 1)]).fit_preprocessing(X)
    with pytest.raises(ValueError, match="is for columns of other values"):
        gn.TargetMeans(2, [0], [4]).fit_with(X, Y)
