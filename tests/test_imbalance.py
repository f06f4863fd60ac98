"""Rare classes: weights of classes, and decisions by a metric or by costs."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import glassnet as gn
from glassnet import recipes
from glassnet.recipes.run import load_data
from small_packs import LEARNING_PACK, one_network

N = 600


@pytest.fixture
def table(tmp_path: Path) -> Path:
    rng = np.random.default_rng(0)
    a = rng.normal(size=N)
    rare = a + 1.5 * rng.normal(size=N) > 2.6
    pl.DataFrame({"a": a, "b": rng.normal(size=N), "ill": np.where(rare, "yes", "no")}).write_csv(tmp_path / "t.csv")
    return tmp_path / "t.csv"


@pytest.mark.parametrize("fast", [False, True])
def test_weights_of_rows_multiply_their_losses(fast: bool) -> None:
    rng = np.random.default_rng(0)
    data = gn.Dataset.from_arrays(rng.normal(size=(64, 3)), rng.integers(0, 2, 64))
    data.train.weights = rng.random(len(data.train))
    trained, by_hand = (gn.Network([gn.Dense(3, 2)], "float64", seed=0, fast=each) for each in (fast, False))
    gn.fit(trained, data, gn.CrossEntropy(), gn.SGD(lr=0.5), epochs=1, batch_size=len(data.train))
    loss = gn.CrossEntropy()
    loss.forward(by_hand.forward(data.train.x, training=True), data.train.y, data.train.weights)
    by_hand.backward(loss.backward())
    np.testing.assert_allclose(trained.theta, by_hand.theta - 0.5 * by_hand.grad, rtol=1e-9)


@pytest.mark.parametrize("pack", [False, True])
def test_weights_of_classes_find_a_rare_class(table: Path, tmp_path: Path, pack: bool) -> None:
    recipe = recipes.choose(str(table), target="ill", changes=LEARNING_PACK)
    recipe = recipe if pack else one_network(table, "ill", "training.epochs=30", "training.monitor=loss")
    recall = []
    for i, loss in enumerate(
        (None, {"class_weight": "balanced"}, {"name": "CrossEntropy", "class_weight": {"yes": 30}})
    ):
        found = recipes.train(replace(recipe, loss=loss), tmp_path / str(i))
        recall.append(found["classes"]["yes"]["recall"])
    assert recall[0] < recall[1] <= recall[2]


def test_balanced_classes_have_the_same_weight_together(table: Path) -> None:
    data = load_data(one_network(table, "ill", "loss.class_weight=balanced"))
    assert data.train.weights is not None
    sums = np.bincount(data.train.y, data.train.weights)
    assert sums == pytest.approx([len(data.train) / 2] * 2)


@pytest.mark.parametrize(
    ("target", "weight", "fault"),
    [
        ("ill", '{"perhaps"=2}', "loss.class_weight: there is no class 'perhaps'; there are 'no', 'yes'"),
        ("ill", "{yes=0}", "loss.class_weight.yes must be a number above 0"),
        ("ill", "even", 'loss.class_weight is "balanced" or a table of classes'),
        ("a", "balanced", "loss.class_weight: the target has values, and no classes"),
    ],
)
def test_weights_that_make_no_sense_are_one_line(table: Path, target: str, weight: str, fault: str) -> None:
    with pytest.raises(ValueError, match=fault):
        load_data(one_network(table, target, f"loss.class_weight={weight}"))
