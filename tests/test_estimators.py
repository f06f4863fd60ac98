"""What the estimators can beyond scikit-learn's, and that they work where scikit-learn's do."""

from __future__ import annotations

import copy
import pickle
import re
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
from scipy import sparse
from sklearn import neural_network
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.datasets import load_breast_cancer, load_diabetes, load_digits, load_iris, make_multilabel_classification
from sklearn.ensemble import VotingRegressor
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.inspection import partial_dependence, permutation_importance
from sklearn.linear_model import Ridge
from sklearn.metrics import balanced_accuracy_score, log_loss, mean_absolute_error
from sklearn.model_selection import GridSearchCV, cross_val_score, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler, scale

import glassnet as gn
from glassnet.estimators import MLPClassifier, MLPRegressor

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

IRIS, DIGITS, CANCER = load_iris(return_X_y=True), load_digits(return_X_y=True), load_breast_cancer(return_X_y=True)
DIABETES = (lambda X, y: (X * 20, (y - y.mean()) / y.std()))(*load_diabetes(return_X_y=True))


def test_dropout_is_in_the_network_and_only_in_training() -> None:
    X, y = DIGITS[0] / 16, DIGITS[1]
    settings: dict[str, Any] = {"max_iter": 20, "random_state": 0}
    one = MLPClassifier((30, 20), dropout=0.3, **settings).fit(X, y)
    each = MLPClassifier((30, 20), dropout=[0.0, 0.5], **settings).fit(X, y)
    again = MLPClassifier((30, 20), dropout=[0.0, 0.5], **settings).fit(X, y)
    assert [layer.rate for layer in one.network_.layers if isinstance(layer, gn.Dropout)] == [0.3, 0.3]
    assert [layer.rate for layer in each.network_.layers if isinstance(layer, gn.Dropout)] == [0.5]
    np.testing.assert_array_equal(each.predict_proba(X), again.predict_proba(X))
    assert each.loss_ > MLPClassifier((30, 20), **settings).fit(X, y).loss_
    assert each.score(X, y) > 0.8


def test_dropout_keeps_a_network_from_learning_noise_by_heart() -> None:
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(60, 40)), rng.integers(2, size=60)
    settings: dict[str, Any] = {"max_iter": 200, "random_state": 0, "tol": 0, "learning_rate_init": 0.01}
    plain, dropped = MLPClassifier(**settings).fit(X, y), MLPClassifier(dropout=0.9, **settings).fit(X, y)
    assert plain.loss_ < 0.01 < 0.1 < dropped.loss_


def test_class_weights_find_the_rare_class() -> None:
    rng = np.random.default_rng(1)
    X = np.concatenate([rng.normal(0, 1, (950, 2)), rng.normal(1.2, 1, (50, 2))])
    y = np.repeat(["common", "rare"], [950, 50])
    settings: dict[str, Any] = {"random_state": 0, "max_iter": 60, "hidden_layer_sizes": 20}
    plain = MLPClassifier(**settings).fit(X, y)
    balanced = MLPClassifier(class_weight="balanced", **settings).fit(X, y)
    by_hand = MLPClassifier(class_weight={"common": 1000 / 1900, "rare": 10.0}, **settings).fit(X, y)
    assert balanced_accuracy_score(y, balanced.predict(X)) > balanced_accuracy_score(y, plain.predict(X)) + 0.1
    np.testing.assert_allclose(balanced.predict_proba(X), by_hand.predict_proba(X), rtol=1e-9)
    with pytest.raises(ValueError, match="class_weight='balanced' needs all rows"):
        MLPClassifier(class_weight="balanced").partial_fit(X, y, classes=["common", "rare"])


def test_a_class_weight_is_a_sample_weight() -> None:
    X, y = IRIS
    one = MLPClassifier(class_weight={0: 1, 1: 2, 2: 5}, random_state=0, max_iter=20).fit(X, y)
    other = MLPClassifier(random_state=0, max_iter=20).fit(X, y, sample_weight=np.array([1.0, 2, 5])[y])
    np.testing.assert_allclose(one.coefs_[0], other.coefs_[0])


def test_a_curve_of_the_validation_loss() -> None:
    X, X_val, y, y_val = train_test_split(DIGITS[0] / 16, DIGITS[1], random_state=0)
    model = MLPClassifier(max_iter=10, random_state=0).fit(X, y, X_val=X_val, y_val=y_val)
    assert len(model.validation_loss_curve_) == len(model.validation_scores_) == 10
    assert model.validation_loss_curve_[-1] == pytest.approx(log_loss(y_val, model.predict_proba(X_val)))
    assert model.validation_scores_[-1] == model.score(X_val, y_val)
    plain = MLPClassifier(max_iter=10, random_state=0).fit(X, y)
    np.testing.assert_array_equal(model.coefs_[0], plain.coefs_[0])  # looking changes nothing
    assert plain.validation_loss_curve_ is None
    stopped = MLPRegressor(early_stopping=True, max_iter=10, random_state=0).fit(*DIABETES)
    assert len(stopped.validation_loss_curve_) == 10


def test_the_best_weights_are_kept_by_any_metric() -> None:
    X, X_val, y, y_val = train_test_split(*DIABETES, random_state=0)
    settings: dict[str, Any] = {"early_stopping": True, "max_iter": 300, "random_state": 0, "learning_rate_init": 0.03}
    given = {"X_val": X_val, "y_val": y_val}
    by_r2 = MLPRegressor(**settings).fit(X, y, **given)
    by_loss = MLPRegressor(scoring="loss", **settings).fit(X, y, **given)
    by_name = MLPRegressor(scoring="neg_mean_absolute_error", **settings).fit(X, y, **given)
    assert by_r2.score(X_val, y_val) == pytest.approx(max(by_r2.validation_scores_), abs=1e-12)
    assert by_loss.validation_loss_curve_[by_loss.best_iter_ - 1] == min(by_loss.validation_loss_curve_)
    assert -mean_absolute_error(y_val, by_name.predict(X_val)) == pytest.approx(max(by_name.validation_scores_))
    own = MLPRegressor(scoring=lambda model, X, y: -abs(model.predict(X)).max(), **settings).fit(X, y, **given)
    assert -abs(own.predict(X_val)).max() == pytest.approx(max(own.validation_scores_))
    assert by_r2.stopped_
    assert by_r2.n_iter_ < 300


def test_the_best_weights_of_all_epochs_without_stopping() -> None:
    model = MLPClassifier(early_stopping=True, n_iter_no_change=np.inf, max_iter=30, random_state=0).fit(*IRIS)
    assert model.n_iter_ == len(model.validation_scores_) == 30
    assert model.validation_scores_[model.best_iter_ - 1] == max(model.validation_scores_)


def test_a_scorer_sees_no_warning_about_names_of_features() -> None:
    X = pd.DataFrame(IRIS[0], columns=["a", "b", "c", "d"])
    model = MLPClassifier(early_stopping=True, scoring="accuracy", max_iter=5, random_state=0).fit(X, IRIS[1])
    assert list(model.feature_names_in_) == ["a", "b", "c", "d"]


class Watcher(gn.Callback):
    def __init__(self, stop_after: int = 1000) -> None:
        self.stop_after, self.steps, self.ended = stop_after, 0, 0

    def on_step(self, run: Any) -> None:
        self.steps += 1

    def on_epoch(self, run: Any) -> None:
        run.stop = len(run.history) >= self.stop_after

    def on_end(self, run: Any) -> None:
        self.ended += 1


def test_callbacks_watch_and_stop() -> None:
    watcher = Watcher(stop_after=4)
    model = MLPClassifier(batch_size=50, callbacks=[watcher]).fit(*IRIS)
    assert (watcher.steps, watcher.ended, model.n_iter_) == (4 * 3, 1, 4)
    assert model.history_.epochs[-1]["train_loss"] == model.loss_
    assert len(model.history_.step_loss) == 12


@pytest.mark.parametrize("solver", ["adam", "sgd"])
def test_epochs_that_nobody_looks_into_are_the_same_bits_as_step_by_step(solver: str) -> None:
    weight = np.random.default_rng(0).integers(0, 3, len(IRIS[1])).astype(float)
    weight[:40] = 0  # in the order of the rows, the first batches weigh nothing
    for settings, sample_weight in (
        ({}, None),
        ({"alpha": 0.0, "early_stopping": True}, None),
        ({"shuffle": False}, weight),
    ):
        found = []
        for callbacks in ([], [Watcher()]):
            model = MLPClassifier(
                (9,), batch_size=20, solver=solver, max_iter=6, random_state=0, callbacks=callbacks, **settings
            ).fit(*IRIS, sample_weight=sample_weight)
            found.append((model.network_.theta.tobytes(), model.loss_curve_, model.history_.step_loss))
        assert found[0] == found[1]


def test_progress_and_the_doctor_are_callbacks(capsys: pytest.CaptureFixture[str]) -> None:
    doctor = gn.Doctor()
    MLPClassifier(
        early_stopping=True, max_iter=3, callbacks=[gn.Progress(), doctor], solver="sgd", learning_rate_init=1e-9
    ).fit(DIGITS[0] / 16, DIGITS[1])
    assert re.search(r"epoch 3/3  loss \S+  val score \S+", capsys.readouterr().err)
    assert any("learning" in finding.name for finding in doctor.findings)


def test_scikit_learns_own_callbacks() -> None:
    callback = pytest.importorskip("sklearn.callback")

    class Stop:
        def __init__(self) -> None:
            self.seen: list[float] = []
            self.torn = 0

        def setup(self, estimator: Any, context: Any) -> None:
            assert context.max_subtasks == 50

        def on_fit_task_begin(self, estimator: Any, context: Any) -> None:
            pass

        def on_fit_task_end(self, estimator: Any, context: Any, *, X: Any, y: Any, fitted_estimator: Any) -> bool:
            if context.parent is not None:
                self.seen.append(fitted_estimator.score(X, y))
            return len(self.seen) == 5

        def teardown(self, estimator: Any, context: Any) -> None:
            self.torn += 1

    stop = Stop()
    model = MLPClassifier(max_iter=50, random_state=0).set_callbacks(stop).fit(*IRIS)
    assert model.n_iter_ == len(stop.seen) == 5
    assert stop.seen[-1] == model.score(*IRIS)
    assert stop.torn == 1
    assert isinstance(stop, callback.FitCallback)
    assert not hasattr(pickle.loads(pickle.dumps(model.set_callbacks())), "_skl_callbacks")


def test_an_activation_for_each_layer() -> None:
    model = MLPClassifier((8, 7, 6), ["gelu", "identity", "leaky_relu"], max_iter=5, random_state=0).fit(*IRIS)
    kinds = [type(layer) for layer in model.network_.layers]
    assert kinds == [gn.Dense, gn.GELU, gn.Dense, gn.Dense, gn.LeakyReLU, gn.Dense]
    for name in ("silu", "gelu", "leaky_relu"):
        X, y = scale(IRIS[0]), IRIS[1]
        assert MLPClassifier(activation=name, random_state=0, learning_rate_init=0.01).fit(X, y).score(X, y) > 0.95
    with pytest.raises(ValueError, match="activation holds 2 settings, but there are 3 hidden layers"):
        MLPClassifier((8, 7, 6), ["gelu", "relu"]).fit(*IRIS)
    with pytest.raises(ValueError, match="activation 'swish' is not one of identity, logistic"):
        MLPClassifier(activation=["swish"]).fit(*IRIS)


def test_the_absolute_error_cares_less_for_outliers() -> None:
    rng = np.random.default_rng(0)
    X = rng.uniform(-1, 1, (300, 1))
    y = 2 * X[:, 0]
    y[::10] += 30
    settings: dict[str, Any] = {"solver": "adam", "max_iter": 300, "random_state": 0, "learning_rate_init": 0.01}
    errors = {
        loss: np.abs(MLPRegressor(loss, **settings).fit(X, y).predict(X) - 2 * X[:, 0]).mean()
        for loss in ("squared_error", "absolute_error", "huber")
    }
    assert errors["absolute_error"] < errors["huber"] < 0.3 < 1 < errors["squared_error"]


def test_a_schedule_moves_the_rate_of_either_solver() -> None:
    for solver in ("sgd", "adam"):
        settings: dict[str, Any] = {"solver": solver, "max_iter": 8, "callbacks": [Watcher()], "batch_size": 50}
        rates = MLPClassifier(learning_rate="one_cycle", **settings).fit(*IRIS).history_.step_lr
        expected = [0.001 * gn.OneCycle()(step, 3, 8) for step in range(24)]
        np.testing.assert_allclose(rates, expected)
        own = MLPClassifier(learning_rate=gn.ExponentialDecay(0.5), **settings).fit(*IRIS).history_.step_lr
        assert own[-1] == pytest.approx(0.001 / 2**7)


def test_partial_fit_with_early_stopping_and_flags() -> None:
    X, Y = make_multilabel_classification(300, random_state=0)
    X, X_val, Y, Y_val = train_test_split(scale(X), Y, random_state=0)
    model = MLPClassifier(
        early_stopping=True, n_iter_no_change=5, scoring="loss", learning_rate_init=0.02, random_state=0
    )
    for _ in range(200):
        model.partial_fit(X, Y, classes=range(Y.shape[1]), X_val=X_val, y_val=Y_val)
        if model.stopped_:
            break
    assert model.stopped_
    assert model.restore_best()
    best = min(model.validation_loss_curve_)
    assert best < model.validation_loss_curve_[-1]
    p = np.clip(model.predict_proba(X_val), 1e-15, 1 - 1e-15)
    assert -(Y_val * np.log(p) + (1 - Y_val) * np.log(1 - p)).sum(axis=1).mean() == pytest.approx(best)


def test_a_warm_start_can_keep_the_optimizer() -> None:
    X, y = IRIS
    settings: dict[str, Any] = {"warm_start": True, "shuffle": False, "batch_size": 150, "random_state": 0}
    whole = MLPClassifier(max_iter=20, **settings).fit(X, y)
    halves = MLPClassifier(max_iter=10, keep_optimizer=True, **settings).fit(X, y).fit(X, y)
    forgetful = MLPClassifier(max_iter=10, **settings).fit(X, y).fit(X, y)
    np.testing.assert_allclose(halves.coefs_[0], whole.coefs_[0], rtol=1e-12)
    assert not np.allclose(forgetful.coefs_[0], whole.coefs_[0], rtol=1e-4)


def test_build_makes_the_network_without_training_it() -> None:
    X, y = IRIS
    built = MLPClassifier(5, random_state=0, warm_start=True, max_iter=4).build(X, y)
    assert [W.shape for W in built.coefs_] == [(4, 5), (5, 3)]
    assert built.predict_proba(X).shape == (150, 3)
    assert built.n_iter_ == 0
    bound = np.sqrt(6 / (4 + 5))
    assert 0.8 * bound < np.abs(built.coefs_[0]).max() <= bound
    before = built.coefs_[0].copy()
    built.partial_fit(X, y)
    assert not np.array_equal(before, built.coefs_[0])


def test_weights_set_by_hand_are_used() -> None:
    X, y = IRIS
    model = MLPClassifier(5, random_state=0, max_iter=3).fit(X, y)
    model.coefs_[0][...] = 0  # in place
    model.coefs_[1] = np.zeros((5, 3))  # another array
    model.intercepts_[1] = np.array([0.0, 1.0, 0.0])
    assert set(model.predict(X)) == {1}
    assert model.network_.layers[-1].b.tolist() == [0, 1, 0]
    assert model.coefs_[1] is model.network_.layers[-1].W
    model.coefs_, model.intercepts_ = [np.zeros((4, 2)), np.zeros((2, 3))], [np.zeros(2), np.eye(3)[2]]  # other shapes
    assert set(model.predict(X)) == {2}


def test_pickles_copies_and_clones() -> None:
    X, y = DIGITS[0] / 16, DIGITS[1]
    model = MLPClassifier(max_iter=5, random_state=0, learning_rate=gn.OneCycle(0.2)).fit(X, y)
    data = pickle.dumps(model)
    assert len(data) < 3.5 * model.network_.theta.nbytes  # weights once, and the two moments of the optimizer
    for other in (pickle.loads(data), copy.deepcopy(model)):
        np.testing.assert_array_equal(other.predict_proba(X), model.predict_proba(X))
        other.partial_fit(X, y)
        assert not np.array_equal(other.coefs_[0], model.coefs_[0])
        assert other.coefs_[0] is other.network_.layers[0].W
    fresh = clone(model)
    with pytest.raises(NotFittedError):
        fresh.predict(X)
    assert fresh.get_params()["learning_rate"].warmup == 0.2


def test_data_frames_of_pandas_and_polars() -> None:
    X, y = IRIS
    names = ["a", "b", "c", "d"]
    plain = MLPClassifier(max_iter=5, random_state=0).fit(X, y)
    for make in (pd.DataFrame, pl.DataFrame):
        frame = make({name: X[:, i] for i, name in enumerate(names)})
        labels = pd.Series(y) if make is pd.DataFrame else pl.Series("y", y)
        model = MLPClassifier(max_iter=5, random_state=0).fit(frame, labels)
        assert list(model.feature_names_in_) == names
        assert model.network_.info["features"] == names
        np.testing.assert_array_equal(model.predict(frame), plain.predict(X))
        with pytest.raises(ValueError, match="feature names should match"):
            model.predict(frame[["b", "a", "c", "d"]])


def test_the_network_is_an_ordinary_network(tmp_path: Any) -> None:
    X, y = IRIS
    model = MLPClassifier(max_iter=20, random_state=0).fit(X, y)
    model.save(tmp_path / "model.safetensors")
    net = gn.Network.load(tmp_path / "model.safetensors")
    np.testing.assert_allclose(net.predict_proba(X), model.predict_proba(X), rtol=1e-12)
    assert net.info["task"] == "classification"
    assert net.info["classes"] == ["0", "1", "2"]
    assert net.info["features"] == ["x0", "x1", "x2", "x3"]
    assert gn.gradcheck(model.network_, X[:8], y[:8], gn.CrossEntropy()).passed


def test_a_diverging_fit_says_so() -> None:
    X, y = IRIS
    settings: dict[str, Any] = {"solver": "sgd", "learning_rate_init": 1e6, "random_state": 0, "max_iter": 50}
    with pytest.raises(ValueError, match="Solver produced non-finite parameter weights"):
        MLPRegressor(activation="identity", **settings).fit(X, y)


def test_a_batch_of_rows_without_weight_teaches_nothing() -> None:
    X, y = IRIS
    weights = np.zeros(150)
    weights[:50] = 1
    model = MLPClassifier(shuffle=False, batch_size=50, max_iter=3, random_state=0, learning_rate_init=0.1)
    model.fit(X, y, sample_weight=weights)
    assert np.isfinite(model.loss_)
    assert set(model.predict(X[:50])) == {0}


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("preset", [None, "strong"])
@pytest.mark.parametrize("dtype", [str, object])
def test_a_regressor_of_text_is_told_of_the_classifier(preset: str | None, dtype: type, small_preset: None) -> None:
    X, y = IRIS[0][:4], np.array([["1", "a"], ["2", "b"]] * 2, dtype)
    for targets in (y[:, 1], y):
        with pytest.raises(ValueError, match="y holds 'a': a regressor needs numbers; for classes take MLPClassifier"):
            MLPRegressor(preset=preset).fit(X, targets)
    assert np.isfinite(MLPRegressor(preset=preset).fit(X, y[:, 0]).predict(X)).all()


def test_lbfgs_takes_no_dropout() -> None:
    with pytest.raises(ValueError, match="solver='lbfgs' takes no dropout"):
        MLPClassifier(solver="lbfgs", dropout=0.1).fit(*IRIS)


def test_x_val_wants_y_val() -> None:
    with pytest.raises(ValueError, match="X_val and y_val go together"):
        MLPClassifier().fit(*IRIS, X_val=IRIS[0])


def test_pipelines_searches_and_cross_validation_in_two_processes() -> None:
    X, y = DIGITS[0], DIGITS[1]
    model = make_pipeline(StandardScaler(), MLPClassifier(max_iter=10, random_state=0))
    theirs = make_pipeline(StandardScaler(), neural_network.MLPClassifier(max_iter=10, random_state=0))
    scores = cross_val_score(model, X, y, n_jobs=2, cv=3)
    np.testing.assert_allclose(scores, cross_val_score(theirs, X, y, cv=3), atol=1e-3)
    search = GridSearchCV(
        model, {"mlpclassifier__alpha": [1e-4, 1.0], "mlpclassifier__activation": ["relu", "silu"]}, n_jobs=2, cv=2
    ).fit(X, y)
    assert search.best_score_ > 0.8
    assert search.best_params_["mlpclassifier__activation"] in ("relu", "silu")


def test_workers_of_joblib_use_a_thread_each() -> None:
    from joblib import Parallel, delayed

    from glassnet.fast.threads import available

    counts = Parallel(n_jobs=2)(delayed(available)() for _ in range(4))
    assert all(count * 2 <= max(2, available()) for count in counts)


def test_voting_importance_dependence_and_calibration() -> None:
    X, y = DIABETES
    model = MLPRegressor(solver="lbfgs", hidden_layer_sizes=5, max_iter=50, random_state=0).fit(X, y)
    voting = VotingRegressor([("network", model), ("linear", Ridge())]).fit(X, y)
    assert voting.score(X, y) > 0.4
    importance = permutation_importance(model, X, y, n_repeats=3, random_state=0).importances_mean
    assert importance.argmax() in (2, 8)  # body mass index or s5, as any model of these data says
    assert partial_dependence(model, X, [2], grid_resolution=5)["average"].shape == (1, 5)
    classifier = MLPClassifier(max_iter=50, random_state=0)
    calibrated = CalibratedClassifierCV(classifier, cv=2).fit(scale(CANCER[0]), CANCER[1])
    assert calibrated.score(scale(CANCER[0]), CANCER[1]) > 0.95


def test_sparse_rows_are_never_made_dense(monkeypatch: pytest.MonkeyPatch) -> None:
    dense = sparse.csr_array.toarray
    few = lambda x, *_, **__: dense(x) if x.shape[1] < 100 else pytest.fail("made dense")  # noqa: E731
    monkeypatch.setattr(sparse.csr_array, "toarray", few)
    X = sparse.csr_array(sparse.random(200, 5000, density=0.01, random_state=0))
    y = np.arange(200) % 2
    model = MLPClassifier(10, max_iter=30, random_state=0, early_stopping=True, learning_rate_init=0.01).fit(X, y)
    assert model.predict_proba(X).shape == (200, 2)


def test_convergence_warnings_point_at_the_call() -> None:
    with pytest.warns(ConvergenceWarning) as caught:
        MLPClassifier(max_iter=2).fit(*IRIS)
    assert caught[0].filename == __file__
