"""preset="strong" under scikit-learn's checks, and in its users' hands."""

from __future__ import annotations

import copy
import pickle
import warnings
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.base import clone
from sklearn.compose import make_column_transformer
from sklearn.datasets import make_multilabel_classification
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.utils.estimator_checks import parametrize_with_checks

import glassnet as gn
from glassnet import recipes
from glassnet.estimators import MLPClassifier, MLPRegressor
from glassnet.exchange import to_onnx
from small_packs import SMALL_PACK
from strong_tables import CANCER, DIABETES, IRIS, STRONG, N, houses, network

pytestmark = [pytest.mark.filterwarnings("ignore:left out:UserWarning"), pytest.mark.usefixtures("small_preset")]

# Checks of scikit-learn's that can't pass, and why.
FAILS = {
    "check_sample_weight_equivalence_on_dense_data": "batches, dropout and quantiles count rows, whatever they weigh",
    "check_class_weight_classifiers": "it sets max_iter, which the preset decides",
    "check_regressors_train": "it sets alpha, which the preset decides",
}


@parametrize_with_checks(
    [kind(preset="strong") for kind in (MLPClassifier, MLPRegressor)],
    expected_failed_checks=lambda _: FAILS,
)
def test_scikit_learns_checks_of_an_estimator(estimator: Any, check: Any, learning_preset: None) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        check(estimator)


def test_two_classes_have_an_output_each_and_flags_one(learning_preset: None) -> None:
    X, y = CANCER
    two = MLPClassifier(**STRONG).fit(X, np.array(["ill", "well"])[y])
    assert (two.n_outputs_, two.out_activation_, list(two.classes_)) == (2, "softmax", ["ill", "well"])
    assert set(two.predict(X)) == {"ill", "well"}
    np.testing.assert_array_equal(two.predict(X) == "well", two.predict_proba(X)[:, 1] > 0.5)
    X, Y = make_multilabel_classification(200, random_state=0)
    flags = MLPClassifier(**STRONG).fit(X, Y)
    assert (flags.n_outputs_, flags.out_activation_) == (Y.shape[1], "logistic")
    assert flags.predict(X).shape == flags.predict_proba(X).shape == Y.shape
    assert flags.score(X, Y) > 0.4


def test_several_values_each_in_its_own_unit(learning_preset: None) -> None:
    X = DIABETES[0]
    Y = np.stack([X[:, 2] * 1e7, 5 + X[:, 8]], axis=1)
    model = MLPRegressor(**STRONG).fit(X, Y)
    assert model.predict(X).shape == Y.shape
    for j in range(2):
        assert np.corrcoef(model.predict(X)[:, j], Y[:, j])[0, 1] > 0.95
    np.testing.assert_allclose(model.predict(X).mean(axis=0), Y.mean(axis=0), atol=0.2 * Y.std(axis=0).max())


def test_sample_weights_and_class_weights(learning_preset: None) -> None:
    X, y = IRIS
    wrong, weights = np.where(np.arange(150) % 2, y, 0), np.arange(150) % 2.0
    assert MLPClassifier(**STRONG).fit(X, wrong, sample_weight=weights).score(X, y) > 0.9
    assert MLPClassifier(**STRONG).fit(X, wrong).score(X, y) < 0.9
    heavy = MLPClassifier(**STRONG, class_weight={0: 1, 1: 50, 2: 1}).fit(X, y)
    assert (heavy.predict(X) == 1).sum() > 55
    other = MLPClassifier(**STRONG).fit(X, y, sample_weight=np.array([1.0, 50, 1])[y])
    np.testing.assert_allclose(other.predict_proba(X), heavy.predict_proba(X), rtol=1e-5)


def test_a_fit_that_fails_leaves_the_last_one_as_it_was() -> None:
    X, y = houses()
    y = np.where(y > y.mean(), "dear", "cheap")
    other, flags = X[["area"]].assign(pool=["deep", "flat"] * (N // 2)), np.arange(N) % 3 == 0
    for model in (MLPClassifier(**STRONG), MLPClassifier((8,), max_iter=3, random_state=0)):
        rows, more = (X, other) if model.preset else (X[["rooms"]], X[["rooms", "garden"]])
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            model.fit(rows, y)
        expected, names = model.predict_proba(rows), list(model.feature_names_in_)
        with pytest.raises(ValueError, match="inconsistent numbers of samples"):
            model.fit(more, flags[:-1])
        with pytest.raises(ValueError, match="Unknown label type"):
            model.fit(more, np.linspace(0, 1, N))
        with pytest.raises(ValueError, match="sample_weight"):
            model.fit(more, flags, sample_weight=[1.0])
        with pytest.raises(ValueError, match=r"feature names should match|needs all rows at once"):
            model.fit(more, flags, X_val=rows, y_val=flags)
        np.testing.assert_array_equal(model.predict_proba(rows), expected)
        assert (list(model.feature_names_in_), list(model.classes_)) == (names, ["cheap", "dear"])


def test_pipelines_searches_and_clones(learning_preset: None) -> None:
    X, y = houses()
    model = MLPRegressor(**STRONG)
    assert cross_val_score(model, X, y, cv=2).mean() > 0.3
    search = GridSearchCV(model, {"loss": ["squared_error", "huber"], "preset": ["strong"]}, cv=2).fit(*DIABETES)
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()
    assert search.best_estimator_.get_params()["preset"] == "strong"
    chosen = make_column_transformer(("passthrough", ["area", "town", "garden"])).set_output(transform="pandas")
    assert make_pipeline(chosen, clone(model)).fit(X, y).predict(X[:2]).shape == (2,)
    assert "preset" in repr(model)


def test_pickles_and_copies() -> None:
    X, y = houses()
    model = MLPRegressor(**STRONG).fit(X, y)
    for other in (pickle.loads(pickle.dumps(model)), copy.deepcopy(model)):
        np.testing.assert_array_equal(other.predict(X), model.predict(X))
        other.pack_.ensemble.networks[0].theta[...] = 0
        assert network(model).theta.any()


def test_saved_and_exported(tmp_path: Path) -> None:
    runtime = pytest.importorskip("onnxruntime")
    X, y = houses()
    value = MLPRegressor(**STRONG).fit(X, y)
    kind = MLPClassifier(**STRONG).fit(X, np.where(y > y.mean(), "dear", "cheap"))
    rows, _ = value._way.read(value, value._table, X, reset=False)
    for model in (value, kind):
        model.save(tmp_path / "model.safetensors")
        model.export(tmp_path / "model.onnx", input_dtype=rows.dtype)
        net = gn.Ensemble.load(tmp_path / "model.safetensors")
        np.testing.assert_array_equal(net.predict(rows), model.pack_.ensemble.predict(rows))
        assert net.info["categories"][2] == ["centre", "harbour", "hills"]
        session = runtime.InferenceSession(tmp_path / "model.onnx")
        names = [output.name for output in session.get_outputs()]
        found = dict(zip(names, session.run(names, {"x": rows}), strict=True))
        np.testing.assert_allclose(found["y"], net.predict(rows), rtol=1e-3, atol=1e-4)
        assert "categories" in session.get_modelmeta().custom_metadata_map
    np.testing.assert_allclose(found["probabilities"], kind.predict_proba(X), atol=1e-4)
    assert (found["label"] == kind.predict(X)).mean() > 0.99
    assert [column.name for column in to_onnx(value.pack_.ensemble).graph.input] == net.info["features"]


@pytest.mark.parametrize("loss", ["squared_error", "absolute_error", "huber", "poisson"])
def test_every_loss(loss: str, learning_preset: None) -> None:
    X, y = DIABETES[0], DIABETES[1] / 100
    model = MLPRegressor(**STRONG, loss=loss).fit(X, y)
    assert (repr(network(model).layers[-1]) == "Exp()") == (loss == "poisson")
    assert model.score(X, y) > 0.3
    answers, truth = model.pack_.outputs, y[model.pack_.rows].reshape(-1, 1)
    kind = {"absolute_error": gn.MAE, "huber": gn.Huber, "poisson": gn.Poisson, "squared_error": gn.MSE}[loss]()
    scale = 1 if loss == "poisson" else y.std()
    assert model.pack_.error == pytest.approx(kind.forward(answers / scale, truth / scale), rel=1e-4)


def test_the_random_state_decides() -> None:
    X, y = IRIS
    p = MLPClassifier(**STRONG).fit(X, y).predict_proba(X)
    np.testing.assert_array_equal(MLPClassifier(**STRONG).fit(X, y).predict_proba(X), p)
    same = STRONG | {"random_state": np.random.RandomState(0)}
    np.testing.assert_array_equal(MLPClassifier(**same).fit(X, y).predict_proba(X), p)
    assert not np.allclose(MLPClassifier(**STRONG | {"random_state": 1}).fit(X, y).predict_proba(X), p)


def test_whoever_tunes_the_recipe_tunes_the_preset(monkeypatch: pytest.MonkeyPatch) -> None:
    changes = [
        *SMALL_PACK,
        "network.hidden=[5, 4]",
        "network.activation=SiLU",
        "network.normalization=LayerNorm",
        "network.inputs=RobustScale",
        "network.embedding=Periodic",
        "network.embedding.dim=3",
        "network.input_dropout=0.2",
        "pack.ends=[1, 3]",
    ]
    monkeypatch.setattr("glassnet.recipes.load", partial(recipes.load, changes=changes))
    model = MLPClassifier(**STRONG).fit(*IRIS)
    recipe = recipes.load("table", changes=changes)
    expected = recipe.build_network(4, 3, "classification", {"categories": [0] * 4, "missing": []})
    assert list(map(repr, network(model).layers)) == list(map(repr, expected.layers))
    assert model.n_iter_ == model.history_["epoch"][-1] <= 2 * 3


@pytest.mark.parametrize("kind", [MLPClassifier, MLPRegressor])
def test_kernels_and_readable_layers_agree(kind: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    X, y = IRIS[0], (IRIS[1] if kind is MLPClassifier else IRIS[0][:, :2] * 1e6)
    weights = np.random.default_rng(0).uniform(0, 2, 150)
    model = kind(**STRONG).fit(X, y, sample_weight=weights)
    monkeypatch.setattr("glassnet.train.step.FastStep.uncovered", lambda *_: "not now")
    other = clone(model).fit(X, y, sample_weight=weights)
    np.testing.assert_allclose(other.history_["val_loss"], model.history_["val_loss"], rtol=1e-4)
    np.testing.assert_allclose(other.predict(X), model.predict(X), rtol=1e-3)


def test_verbose_says_what_the_mixture_consists_of(capsys: pytest.CaptureFixture[str]) -> None:
    model = MLPClassifier(**STRONG, verbose=True).fit(*IRIS)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == len(model.history_)
    assert model.pack_.parts[0] in lines[-1]
    MLPClassifier(**STRONG).fit(*IRIS)
    assert capsys.readouterr().out == ""


def test_the_length_the_rate_and_the_batches_of_the_training_can_be_given() -> None:
    model = MLPClassifier(preset="strong", max_iter=3, learning_rate_init=0.02, batch_size=16, random_state=0)
    pack = model.fit(*IRIS).pack_
    assert all("after 3 epochs" in part for part in pack.parts)
    assert pack.history.epochs[-1]["epoch"] % 3 == 0
    other = MLPClassifier(preset="strong", max_iter=3, learning_rate_init=0.01, batch_size=16, random_state=0)
    assert other.fit(*IRIS).pack_.error != pack.error


@pytest.mark.parametrize(
    ("settings", "X", "error", "message"),
    [
        ({"solver": "lbfgs"}, IRIS[0], ValueError, "preset='strong' decides solver itself: leave the default"),
        ({"alpha": 9, "hidden_layer_sizes": [8]}, IRIS[0], ValueError, "decides alpha, hidden_layer_sizes"),
        ({"callbacks": [gn.Progress()]}, IRIS[0], ValueError, "preset='strong' decides callbacks itself"),
        ({"time_limit": 0}, IRIS[0], ValueError, "'time_limit' parameter"),
        ({"preset": None, "time_limit": 9.0}, IRIS[0], ValueError, "time_limit is for preset='strong'"),
        ({"preset": "weak"}, IRIS[0], ValueError, "'preset' parameter"),
        ({}, sparse.csr_array(IRIS[0]), TypeError, "Sparse data was passed for X, but dense data is required"),
        ({}, np.where(IRIS[0] > 7, np.inf, IRIS[0]), ValueError, "infinity"),
        ({}, pd.DataFrame({"a": [np.inf] * 150}), ValueError, "column 'a', row 0: inf is not a finite number"),
        ({}, pd.DataFrame({"a": [f"n{i}" for i in range(150)]}), ValueError, "X has no column to learn from: in 'a'"),
        ({}, pd.DataFrame(index=range(150)), ValueError, "X has 150 rows and 0 columns"),
        ({}, pd.DataFrame({"a": [[1]] * 150}), ValueError, "column 'a' holds values of type List"),
        ({}, pd.DataFrame({"a": pd.period_range("1990", periods=150)}), ValueError, r"with \.dt\.to_timestamp\(\)"),
    ],
)
def test_what_is_refused(settings: dict[str, Any], X: Any, error: Any, message: str) -> None:
    with pytest.raises(error, match=message):
        MLPClassifier(**STRONG | settings).fit(X, IRIS[1])


def test_rows_to_judge_by_are_refused() -> None:
    with pytest.raises(ValueError, match="it needs all rows at once, and holds some out by itself"):
        MLPClassifier(**STRONG).fit(*IRIS, X_val=IRIS[0], y_val=IRIS[1])


def test_scikit_learns_own_callbacks_are_refused() -> None:
    theirs = pytest.importorskip("sklearn.callback")
    with pytest.raises(ValueError, match="reports to no callbacks"):
        MLPClassifier(**STRONG).set_callbacks(theirs.ProgressBar()).fit(*IRIS)
