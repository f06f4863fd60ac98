"""Rare classes: weights of classes, and decisions by a metric or by costs."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

import glassnet as gn
from glassnet import recipes
from glassnet.recipes.reading import changed
from glassnet.recipes.run import load_data
from glassnet.train.decisions import by_costs, by_metric, curves, read_costs
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


def probabilities(n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    rare = rng.random(n).round(2)
    return np.stack([1 - rare, rare], axis=1), (rng.random(n) < rare**3).astype(np.int64)


@given(st.integers(10, 80), st.integers(0, 2**32 - 1), st.sampled_from(["f1", "balanced_accuracy", "accuracy"]))
def test_no_other_threshold_is_better(n: int, seed: int, metric: str) -> None:
    from sklearn import metrics

    p, y = probabilities(n, seed)
    assume(0 < y.sum() < n)
    classes, score = ("no", "yes"), getattr(metrics, f"{metric}_score")
    decision = by_metric(p, y, metric, classes)
    rarer = int(2 * y.sum() <= n)
    assert decision.positive == classes[rarer]
    ours = score(y == rarer, decision(p) == rarer)
    for t in np.unique([0, *p[:, rarer]]):
        assert ours >= score(y == rarer, p[:, rarer] > t) - 1e-12


@given(st.integers(10, 80), st.integers(0, 2**32 - 1), st.floats(0.1, 9), st.floats(0.1, 9))
def test_no_other_threshold_costs_less(n: int, seed: int, missed: float, called: float) -> None:
    p, y = probabilities(n, seed)
    assume(0 < y.sum() < n)
    costs = read_costs(f"no:yes={called},yes:no={missed}", ("no", "yes"))
    assert costs.tolist() == [[0, called], [missed, 0]]
    ours = costs[y, by_costs(p, y, costs, ("no", "yes"))(p)].sum()
    for t in np.unique([-1, *p[:, 1]]):
        assert ours <= costs[y, (p[:, 1] > t).astype(int)].sum() + 1e-9


@pytest.mark.parametrize(("missed", "said"), [(0.0, "yes is never answered"), (1.0, "probability exceeds 0.5,")])
def test_a_decision_is_said_as_it_is(missed: float, said: str) -> None:
    p, y = np.array([[0.9, 0.1], [0.6, 0.4], [0.4, 0.6]]), np.array([0, 0, 1])
    assert said in str(by_costs(p, y, np.array([[0.0, 1.0], [missed, 0.0]]), ["no", "yes"]))


def test_of_many_classes_the_least_expected_cost_is_answered() -> None:
    p = np.array([[0.5, 0.3, 0.2], [0.2, 0.6, 0.2]])
    assert by_costs(p, p.argmax(axis=1), read_costs("c:a=9, c:b=2", "abc"), "abc")(p).tolist() == [2, 1]


def test_curves_are_those_of_scikit_learn() -> None:
    from sklearn.metrics import auc, roc_auc_score

    p, y = probabilities(150, 0)
    table = pl.DataFrame(curves(p, y, read_costs("no:yes=2", ("no", "yes")), ("no", "yes")))
    assert auc(table["false_positive_rate"], table["recall"]) == pytest.approx(roc_auc_score(y, p[:, 1]))
    row = table.row(table.height // 2, named=True)
    said = p[:, 1] > row["threshold"]
    assert row["precision"] == pytest.approx(y[said].mean())
    assert row["recall"] == pytest.approx(said[y == 1].mean())
    assert row["cost"] == pytest.approx((2 * (said & (y == 0)).sum() + (~said & (y == 1)).sum()) / 150)


@pytest.mark.parametrize("options", [{"metric": "f1"}, {"cost": "yes:no=9"}])
@pytest.mark.parametrize("pack", [False, True])
def test_a_decision_is_kept_with_the_model(table: Path, tmp_path: Path, options: dict[str, str], pack: bool) -> None:
    """It is used by predict, evaluate and an exported model."""
    import onnxruntime

    recipe = recipes.choose(str(table), target="ill", changes=LEARNING_PACK, **options)
    recipe = recipe if pack else changed(replace(recipe, pack=None), {"training.epochs": 30})
    metrics = recipes.train(recipe, tmp_path / "run")
    assert metrics["decision"].startswith("yes is answered if its probability exceeds 0.")
    assert metrics["classes"]["yes"]["recall"] > 0.3
    assert metrics["figures"]["accuracy"]["value"] == pytest.approx(
        np.trace(np.array(metrics["confusion_matrix"])) / np.sum(metrics["confusion_matrix"])
    )
    assert recipes.evaluate_run(tmp_path / "run")["figures"] == metrics["figures"]
    assert all(each.name != "class-never-predicted" for each in recipes.examine_run(tmp_path / "run"))
    again = recipes.evaluate_file(tmp_path / "run", table)
    found = pl.concat(recipes.predictions(tmp_path / "run", table))
    said = found["prediction"] == "yes"
    assert said.sum() == np.array(again["confusion_matrix"])[:, 1].sum()
    assert (said != (found["p(yes)"] > 0.5)).any()
    recipes.export_run(tmp_path / "run", tmp_path / "m.onnx", "float64")
    session = onnxruntime.InferenceSession(tmp_path / "m.onnx")
    x = pl.read_csv(table)["a", "b"].to_numpy()
    labels = session.run(["label"], {"x": x})[0]
    assert (np.asarray(labels) == found["prediction"].to_numpy()).all()
    header = (tmp_path / "run" / "thresholds.csv").read_text().splitlines()[0]
    assert header.startswith("class,threshold,precision,recall,false_positive_rate,f1")


@pytest.mark.parametrize(
    ("options", "target", "fault"),
    [
        ({"metric": "f2"}, "ill", "there is no metric 'f2' to choose a threshold by; there are 'f1'"),
        ({"metric": "f1", "cost": "no:yes=1"}, "ill", "by a metric or by costs: give one of them"),
        ({"cost": "no:maybe=1"}, "ill", "'no:maybe=1' is of no mistake: write TRUE:ANSWER=NUMBER, with no:yes, yes:no"),
        ({"cost": "no:yes=much"}, "ill", "the cost of no:yes is a number of at least 0, not 'much'"),
        ({"cost": "no:yes=0,yes:no=0"}, "ill", "all mistakes cost 0"),
        ({"metric": "f1"}, "a", "a decision is for classes, and the target has values"),
    ],
)
def test_decisions_that_make_no_sense_are_refused_before_training(
    table: Path, options: dict[str, str], target: str, fault: str
) -> None:
    with pytest.raises(ValueError, match=fault):
        load_data(recipes.choose(str(table), target=target, **options))
