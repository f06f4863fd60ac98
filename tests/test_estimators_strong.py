"""preset="strong" under scikit-learn's checks, and in its users' hands."""

from __future__ import annotations

import copy
import pickle
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.compose import make_column_transformer
from sklearn.datasets import make_multilabel_classification
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.utils.estimator_checks import parametrize_with_checks

import glassnet as gn
from glassnet.estimators import MLPClassifier, MLPRegressor
from glassnet.exchange import to_onnx
from strong_tables import CANCER, DIABETES, IRIS, LEARNS, SMALL, N, Watcher, changed, houses

pytestmark = pytest.mark.filterwarnings("ignore:left out:UserWarning")

# Checks of scikit-learn's that can't pass, and why.
FAILS = {
    "check_sample_weight_equivalence_on_dense_data": "batches, dropout and quantiles count rows, whatever they weigh",
}


@parametrize_with_checks(
    [kind(preset="strong", hidden_layer_sizes=[8], max_iter=10) for kind in (MLPClassifier, MLPRegressor)],
    expected_failed_checks=lambda _: FAILS,
)
def test_scikit_learns_checks_of_an_estimator(estimator: Any, check: Any) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        check(estimator)


def test_two_classes_have_an_output_each_and_flags_one() -> None:
    X, y = CANCER
    two = MLPClassifier(**SMALL).fit(X, np.array(["ill", "well"])[y])
    assert (two.n_outputs_, two.out_activation_, list(two.classes_)) == (2, "softmax", ["ill", "well"])
    assert set(two.predict(X)) == {"ill", "well"}
    np.testing.assert_array_equal(two.predict(X) == "well", two.predict_proba(X)[:, 1] > 0.5)
    X, Y = make_multilabel_classification(200, random_state=0)
    flags = MLPClassifier(**LEARNS).fit(X, Y)
    assert (flags.n_outputs_, flags.out_activation_) == (Y.shape[1], "logistic")
    assert flags.predict(X).shape == flags.predict_proba(X).shape == Y.shape
    assert flags.score(X, Y) > 0.4


def test_several_values_each_in_its_own_unit() -> None:
    X = DIABETES[0]
    Y = np.stack([X[:, 2] * 1e7, 5 + X[:, 8]], axis=1)
    model = MLPRegressor(**LEARNS).fit(X, Y)
    assert model.predict(X).shape == Y.shape
    for j in range(2):
        assert np.corrcoef(model.predict(X)[:, j], Y[:, j])[0, 1] > 0.95
    np.testing.assert_allclose(model.predict(X).mean(axis=0), Y.mean(axis=0), atol=0.2 * Y.std(axis=0).max())


def test_sample_weights_and_class_weights() -> None:
    X, y = IRIS
    wrong, weights = np.where(np.arange(150) % 2, y, 0), np.arange(150) % 2.0
    settings = LEARNS
    assert MLPClassifier(**settings).fit(X, wrong, sample_weight=weights).score(X, y) > 0.9
    assert MLPClassifier(**settings).fit(X, wrong).score(X, y) < 0.9
    heavy = MLPClassifier(**settings, class_weight={0: 1, 1: 50, 2: 1}).fit(X, y)
    assert (heavy.predict(X) == 1).sum() > 55
    other = MLPClassifier(**settings).fit(X, y, sample_weight=np.array([1.0, 50, 1])[y])
    np.testing.assert_allclose(other.predict_proba(X), heavy.predict_proba(X), rtol=1e-5)


def test_partial_fit_goes_on_at_a_constant_rate() -> None:
    X = houses()[0]
    town, rest = X["town"].fillna("none").to_numpy(), X.drop(columns="town")
    watcher = Watcher()
    model = MLPClassifier(**SMALL, callbacks=[watcher])
    for _ in range(12):
        for part in np.array_split(np.arange(N), 3):
            model.partial_fit(rest.iloc[part], town[part], classes=["centre", "harbour", "hills", "none"])
            assert set(model.history_.step_lr) == {model._optimizer.optimizer.lr}
    assert model.loss_curve_[-1] < model.loss_curve_[0]
    first = MLPClassifier(**SMALL).build(rest.iloc[: N // 3], town[: N // 3])
    np.testing.assert_array_equal(model.network_.layers[0].median, first.network_.layers[0].median)
    given = MLPClassifier(**SMALL, learning_rate="cosine", callbacks=[watcher]).partial_fit(*IRIS, classes=[0, 1, 2])
    assert given.history_.step_lr[-1] < given.history_.step_lr[0]


def test_a_warm_start_keeps_the_preprocessing_and_begins_the_schedule_again() -> None:
    X, y = houses()
    model = MLPRegressor(**SMALL, warm_start=True, keep_optimizer=True).fit(X[:200], y[:200])
    edges, loss, rates = model.network_.layers[0].median, model.loss_, None
    for _ in range(3):
        model.set_params(callbacks=[Watcher()]).fit(X[:200], y[:200])
        assert rates is None or rates == model.history_.step_lr
        rates = model.history_.step_lr
    assert model.network_.layers[0].median is edges
    assert model.loss_ < loss
    assert model.n_iter_ == 3


def test_a_fit_that_fails_leaves_the_last_one_as_it_was() -> None:
    X, y = houses()
    y = np.where(y > y.mean(), "dear", "cheap")
    other, flags = X[["area"]].assign(pool=["deep", "flat"] * (N // 2)), np.arange(N) % 3 == 0
    for model in (MLPClassifier(**SMALL), MLPClassifier((8,), max_iter=3, random_state=0)):
        rows, more = (X, other) if model.preset else (X[["rooms"]], X[["rooms", "garden"]])
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            model.fit(rows, y)
        expected, names = model.predict_proba(rows), list(model.feature_names_in_)
        with pytest.raises(ValueError, match="inconsistent numbers of samples"):
            model.fit(more, flags[:-1])
        with pytest.raises(ValueError, match="inconsistent numbers of samples"):
            model.build(more, flags[:-1])
        with pytest.raises(ValueError, match="Unknown label type"):
            model.fit(more, np.linspace(0, 1, N))
        with pytest.raises(ValueError, match="sample_weight"):
            model.fit(more, flags, sample_weight=[1.0])
        with pytest.raises(ValueError, match="feature names should match"):
            model.fit(more, flags, X_val=rows, y_val=flags)
        np.testing.assert_array_equal(model.predict_proba(rows), expected)
        assert (list(model.feature_names_in_), list(model.classes_)) == (names, ["cheap", "dear"])


def test_pipelines_searches_and_clones() -> None:
    X, y = houses()
    model = MLPRegressor(**LEARNS)
    assert cross_val_score(model, X, y, cv=2).mean() > 0.3
    search = GridSearchCV(model, {"hidden_layer_sizes": [[4], [8, 8]], "preset": ["strong"]}, cv=2).fit(X, y)
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()
    assert search.best_estimator_.get_params()["preset"] == "strong"
    chosen = make_column_transformer(("passthrough", ["area", "town", "garden"])).set_output(transform="pandas")
    assert make_pipeline(chosen, clone(model)).fit(X, y).predict(X[:2]).shape == (2,)
    assert "preset" in repr(model)


def test_pickles_and_copies() -> None:
    X, y = houses()
    model = MLPRegressor(**SMALL).fit(X, y)
    for other in (pickle.loads(pickle.dumps(model)), copy.deepcopy(model)):
        np.testing.assert_array_equal(other.predict(X), model.predict(X))
        assert other.coefs_[0] is next(layer for layer in other.network_.layers if isinstance(layer, gn.Dense)).W
        other.partial_fit(X, y)
        assert not np.array_equal(other.coefs_[0], model.coefs_[0])


def test_coefs_are_the_weights_of_the_affine_layers(monkeypatch: pytest.MonkeyPatch) -> None:
    changed(monkeypatch, "network.members=5", "network.embedding.dim=2")
    model = MLPClassifier(**SMALL | {"hidden_layer_sizes": [8, 6]}).fit(*IRIS)
    assert [W.shape for W in model.coefs_] == [(8, 8), (8, 6), (5, 6, 3)]
    assert [b.shape for b in model.intercepts_] == [(8,), (6,), (5, 3)]
    assert model.n_layers_ == 4
    model.intercepts_[-1] = np.tile([0.0, 100.0, 0.0], (5, 1))
    assert set(model.predict(IRIS[0])) == {1}
    model.coefs_[0] = np.zeros((4, 3))
    with pytest.raises(ValueError, match="coefs_ have other shapes than the preset's network"):
        model.predict(IRIS[0])


def test_scorers_and_callbacks_see_rows_of_numbers() -> None:
    X, y = houses()
    seen = []

    def scorer(model: Any, X: Any, y: Any) -> float:
        seen.append(X.shape)
        return model.score(X, y)

    MLPRegressor(**SMALL, early_stopping=True, scoring=scorer).fit(X, y)
    assert set(seen) == {(24, 8)}  # without the column that is left out
    MLPClassifier(**SMALL, callbacks=[gn.Doctor()]).fit(X, y > y.mean())


def test_scikit_learns_own_callbacks() -> None:
    pytest.importorskip("sklearn.callback")

    class Look:
        def __init__(self) -> None:
            self.seen: list[float] = []

        def setup(self, estimator: Any, context: Any) -> None:
            pass

        def on_fit_task_begin(self, estimator: Any, context: Any) -> None:
            pass

        def on_fit_task_end(self, estimator: Any, context: Any, *, X: Any, y: Any, fitted_estimator: Any) -> None:
            if context.parent is not None:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")  # the rows are an array, without names
                    self.seen.append(fitted_estimator.score(X, y))

        def teardown(self, estimator: Any, context: Any) -> None:
            pass

    X, y = houses()
    look = Look()
    model = MLPRegressor(**SMALL).set_callbacks(look).fit(X, y)
    assert len(look.seen) == 3
    assert look.seen[-1] == pytest.approx(model.score(X, y))


def test_saved_and_exported(tmp_path: Path) -> None:
    runtime = pytest.importorskip("onnxruntime")
    X, y = houses()
    value = MLPRegressor(**SMALL).fit(X, y)
    kind = MLPClassifier(**SMALL).fit(X, np.where(y > y.mean(), "dear", "cheap"))
    rows, _ = value._way.read(value, value._table, X, reset=False)
    for model in (value, kind):
        model.save(tmp_path / "model.safetensors")
        model.export(tmp_path / "model.onnx")
        net = gn.Network.load(tmp_path / "model.safetensors")
        np.testing.assert_allclose(net.predict(rows), model.network_.predict(rows), rtol=1e-6)
        assert net.info["categories"][2] == ["centre", "harbour", "hills"]
        session = runtime.InferenceSession(tmp_path / "model.onnx")
        names = [output.name for output in session.get_outputs()]
        found = dict(zip(names, session.run(names, {"x": rows}), strict=True))
        np.testing.assert_allclose(found["y"], model.network_.predict(rows), rtol=1e-3, atol=1e-4)
        assert "categories" in session.get_modelmeta().custom_metadata_map
    np.testing.assert_allclose(found["probabilities"], kind.predict_proba(X), atol=1e-4)
    assert (found["label"] == kind.predict(X)).mean() > 0.99
    assert to_onnx(value.network_).graph.input[0].name == "x"
