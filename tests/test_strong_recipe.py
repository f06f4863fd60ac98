"""preset="strong" is the recipe `table`: its network, its training."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.metrics import log_loss

import glassnet as gn
from glassnet import recipes
from glassnet.data import Dataset, Split
from glassnet.estimators import MLPClassifier, MLPRegressor, strong
from strong_tables import DIABETES, IRIS, SMALL, Watcher, changed, houses, kinds, trained

pytestmark = pytest.mark.filterwarnings("ignore:left out:UserWarning")


@pytest.mark.parametrize("task", ["classification", "regression"])
def test_what_is_left_alone_is_as_the_recipe_says(task: str) -> None:
    X, y = IRIS if task == "classification" else DIABETES
    kind = MLPClassifier if task == "classification" else MLPRegressor
    run, recipe = (
        trained(kind(preset="strong", max_iter=1, random_state=0), X, y),
        recipes.load("table", changes=["network.rotations=0"]).sized(len(X)),
    )
    outputs = 3 if task == "classification" else 1
    columns = {"categories": [0] * X.shape[1], "missing": []}
    assert kinds(run.net) == kinds(recipe.build_network(X.shape[1], outputs, task, columns))
    assert (repr(run.optimizer), repr(run.schedule)) == (repr(recipe.build_optimizer()), repr(recipe.build_schedule()))
    assert (run.batch_size, run.net.dtype) == (recipe.training.batch_size, recipe.network.dtype)
    model = kind(preset="strong").build(X, y)
    assert strong.plan(model, model._problem(), len(X), incremental=False).training.epochs == recipe.training.epochs
    table, unused = recipes.load("table"), recipes.from_dict({"name": "default", "data": {"source": "table"}})
    for name in ("replacement", "restore_best"):  # which the preset doesn't read
        assert getattr(table.training, name) == getattr(unused.training, name)
    assert table.augmentation is None


def test_pairs_that_interact_are_turned() -> None:
    u, v = np.random.default_rng(0).normal(size=(2, 1000))
    labels, rows = u * v > 0, np.column_stack([u, np.where(u < -2, np.nan, v)])
    for model, y in ((MLPClassifier, labels), (MLPRegressor, u * v)):
        net = model(preset="strong", max_iter=1, random_state=0).fit(rows, y).network_
        assert "Rotations(2, pairs=[[0, 1]], plain=1)" in kinds(net)


def test_whoever_tunes_the_recipe_tunes_the_preset(monkeypatch: pytest.MonkeyPatch) -> None:
    recipe = changed(
        monkeypatch,
        "network.members=3",
        "network.hidden=[5, 4]",
        "network.normalization=BatchNorm",
        "network.lr_factors=[1, 2, 3]",
        "network.inputs=RobustScale",
        "network.embedding=Periodic",
        "network.embedding.dim=2",
        "network.input_dropout=0.2",
        "optimizer.lr=0.01",
        "optimizer.l2=0.1",
        "loss={name='CrossEntropy', label_smoothing=0.1}",
        "schedule=Cosine",
        "training.epochs=4",
        "training.batch_size=30",
        "training.dropout_schedule=Linear",
        "training.weight_decay_schedule=Cosine",
        "training.monitor=accuracy",
        "training.average={name='EMA', decay=0.9}",
    )
    model = MLPClassifier(preset="strong", random_state=0)
    run, recipe = trained(model), recipe.sized(150)
    assert kinds(run.net) == kinds(recipe.build_network(4, 3, "classification", {"categories": [0] * 4}))
    settings = recipe.build_training()
    for name in ("schedule", "average", "dropout_schedule", "weight_decay_schedule"):
        assert repr(getattr(run, name)) == repr(getattr(settings, name))
    assert (run.epochs, run.batch_size, model.n_iter_) == (4, recipe.training.batch_size, 4)
    assert repr(run.optimizer) == repr(recipe.build_optimizer())
    assert "label_smoothing=0.1" in repr(run.loss.loss)  # type: ignore[attr-defined]
    np.testing.assert_array_equal(run.net.theta, run.mean)
    with pytest.warns(UserWarning, match="larger than sample size"):  # another number of layers has no factors of ours
        model.set_params(hidden_layer_sizes=[6], batch_size=1000).fit(*IRIS)
    assert len(model.coefs_) == 2


def test_layers_that_look_at_targets_and_categories(monkeypatch: pytest.MonkeyPatch) -> None:
    changed(monkeypatch, "network.rotations=1", "network.category_dim=3", "network.inputs=QuantileNormalize")
    rows = np.random.default_rng(0)
    X = pd.concat([houses()[0][["town"]]] * 5, ignore_index=True)
    X[["a", "b", "c"]] = rows.normal(size=(len(X), 3))
    for model, targets in (
        (MLPRegressor(**SMALL), X["a"] * X["c"]),
        (MLPClassifier(**SMALL), np.where(X["a"] * X["c"] > 0, "same", "other")),
    ):
        net = model.fit(X, targets).network_
        assert [type(layer).__name__ for layer in net.layers[:4]] == [
            "Columns",
            "Rotations",
            "QuantileNormalize",
            "CategoryEmbedding",
        ]
        assert (net.layers[1].A.any(axis=1) == [True, False, True]).all()
        assert np.isfinite(model.predict_proba(X) if hasattr(model, "classes_") else model.predict(X)).all()


def test_it_is_the_training_of_gn_fit() -> None:
    X, y = DIABETES
    X = np.where(np.random.default_rng(0).random(X.shape) < 0.1, np.nan, X)
    changes = ["network.rotations=0", "network.dropout=0", "training.epochs=6"]
    n = len(X)
    recipe = recipes.load("table", changes=changes).sized(n)
    model = MLPRegressor(preset="strong", dropout=[0.0] * len(recipe.network.hidden), max_iter=6, batch_size=n)
    recipe.seed = int(np.random.RandomState(7).randint(2**31))
    net = recipe.build_network(10, 1, "regression", {"categories": [0] * 10, "missing": list(range(10))})
    none = Split(X[:0], y[:0])
    data = Dataset("all", Split(X, y), none, none, "regression", (), tuple("abcdefghij"), None, "y")
    history = gn.fit(net, data, gn.MSE(), recipe.build_optimizer(), 6, n, schedule=recipe.build_schedule())
    model.set_params(random_state=7).fit(X, y)
    np.testing.assert_allclose(model.loss_curve_, history["train_loss"], rtol=1e-4)
    np.testing.assert_allclose(model.predict(X), net.predict(X)[:, 0], rtol=1e-3)


@pytest.mark.parametrize("noise", ["dropout", "noise"])
def test_noise_goes_on_where_it_was_after_pickling(noise: str, monkeypatch: pytest.MonkeyPatch) -> None:
    changed(monkeypatch, "network.members=1", "network.dropout=0", f"network.{noise}=0.5")
    one = MLPRegressor(**SMALL).partial_fit(*DIABETES)
    two = pickle.loads(pickle.dumps(one))
    for model in (one, two):
        model.partial_fit(*DIABETES)
    np.testing.assert_array_equal(one.predict(DIABETES[0]), two.predict(DIABETES[0]))


def test_averaged_weights_are_judged_and_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    changed(monkeypatch, "training.average={name='SWA', start=0}", "network.normalization=BatchNorm")
    X, y = IRIS
    model = MLPClassifier(**SMALL | {"max_iter": 6})
    run = trained(model, X[::2], y[::2], X_val=X[1::2], y_val=y[1::2])
    np.testing.assert_array_equal(run.net.theta, run.mean)
    assert model.validation_loss_curve_[-1] == pytest.approx(log_loss(y[1::2], model.predict_proba(X[1::2])), rel=1e-2)
    best = clone(model).set_params(callbacks=None, early_stopping=True)
    best.fit(X[::2], y[::2], X_val=X[1::2], y_val=y[1::2])
    assert log_loss(y[1::2], best.predict_proba(X[1::2])) == pytest.approx(min(best.validation_loss_curve_), rel=1e-5)
    run = Watcher()
    best.set_params(callbacks=[run]).partial_fit(X, y, X_val=X, y_val=y)
    assert run.run.mean is None


@pytest.mark.parametrize("kind", [MLPClassifier, MLPRegressor])
def test_kernels_and_readable_layers_agree(kind: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    X, y = IRIS[0], (IRIS[1] if kind is MLPClassifier else IRIS[0][:, :2] * 1e6)
    weights = np.random.default_rng(0).uniform(0, 2, 150)
    model = kind(**SMALL).fit(X, y, sample_weight=weights)
    monkeypatch.setattr("glassnet.train.step.FastStep.uncovered", lambda *_: "not now")
    other = clone(model).fit(X, y, sample_weight=weights)
    np.testing.assert_allclose(other.loss_curve_, model.loss_curve_, rtol=1e-5)
    np.testing.assert_allclose(other.predict(X), model.predict(X), rtol=1e-4)
