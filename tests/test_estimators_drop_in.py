"""The estimators are scikit-learn's: its checks, its own tests of its MLP, and its numbers, step for step."""

from __future__ import annotations

import importlib.util
import sys
import types
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sklearn
from scipy import sparse
from sklearn import neural_network
from sklearn.datasets import (
    load_breast_cancer,
    load_diabetes,
    load_digits,
    load_iris,
    make_multilabel_classification,
    make_regression,
)
from sklearn.exceptions import ConvergenceWarning
from sklearn.preprocessing import StandardScaler, scale
from sklearn.utils.estimator_checks import parametrize_with_checks

from glassnet import estimators
from glassnet.estimators import MLPClassifier, MLPRegressor

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

# scikit-learn's own tests that can't be run on another class, and why.
PRIVATE = {"test_gradient": "calls _loss_grad_lbfgs with scikit-learn's lists of activations, deltas and gradients"}


@parametrize_with_checks([MLPClassifier(max_iter=100), MLPRegressor(max_iter=100)])
def test_scikit_learns_checks_of_an_estimator(estimator: Any, check: Any) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        check(estimator)


def scikit_learns_own_tests() -> types.ModuleType:
    """The tests that scikit-learn ships for its MLP, with our classes in the place of its own."""
    package = importlib.util.find_spec("sklearn.neural_network.tests")
    assert package is not None
    assert package.submodule_search_locations is not None
    path = Path(package.submodule_search_locations[0]) / "test_mlp.py"
    source = path.read_text(encoding="utf-8")
    theirs = "from sklearn.neural_network import MLPClassifier, MLPRegressor"
    assert source.count(theirs) == 1
    module = types.ModuleType("scikit_learns_own_tests")
    sys.modules[module.__name__] = module
    exec(
        compile(source.replace(theirs, "from glassnet.estimators import MLPClassifier, MLPRegressor"), path, "exec"),
        vars(module),
    )
    return module


def _collect() -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, test in vars(scikit_learns_own_tests()).items():
        if name.startswith("test_"):
            mark = pytest.mark.skip(reason=PRIVATE[name]) if name in PRIVATE else pytest.mark.filterwarnings("default")
            found[f"test_own_{name.removeprefix('test_')}"] = mark(test)
    return found


globals().update(_collect())


@pytest.fixture(params=[0, 42])
def global_random_seed(request: pytest.FixtureRequest) -> int:
    return int(request.param)


IRIS, DIGITS, CANCER = load_iris(return_X_y=True), load_digits(return_X_y=True), load_breast_cancer(return_X_y=True)
DIABETES = load_diabetes(return_X_y=True)
FLAGS = make_multilabel_classification(200, random_state=0)
VALUES = make_regression(200, 5, n_targets=3, random_state=0)
COUNTS = scale(DIABETES[0]), np.rint(DIABETES[1] / 30)
CASES: dict[str, tuple[str, tuple[Any, Any], dict[str, Any]]] = {
    "three classes": ("MLPClassifier", IRIS, {}),
    "two classes": ("MLPClassifier", (scale(CANCER[0]), CANCER[1]), {"hidden_layer_sizes": (20, 10)}),
    "text": ("MLPClassifier", (IRIS[0], np.array(["a", "b", "c"])[IRIS[1]]), {"activation": "tanh"}),
    "flags": ("MLPClassifier", FLAGS, {"activation": "logistic"}),
    "one value": ("MLPRegressor", DIABETES, {}),
    "three values": ("MLPRegressor", VALUES, {"hidden_layer_sizes": 7, "batch_size": 33}),
    "counts": ("MLPRegressor", COUNTS, {"loss": "poisson", "activation": "tanh"}),
    "identity": ("MLPRegressor", DIABETES, {"activation": "identity", "hidden_layer_sizes": [3, 4]}),
    "sgd": ("MLPClassifier", (DIGITS[0] / 16, DIGITS[1]), {"solver": "sgd", "learning_rate_init": 0.1}),
    "invscaling": ("MLPClassifier", IRIS, {"solver": "sgd", "learning_rate": "invscaling", "alpha": 1.0}),
    "adaptive": ("MLPClassifier", IRIS, {"solver": "sgd", "learning_rate": "adaptive", "tol": 0.1, "max_iter": 60}),
    "plain momentum": ("MLPClassifier", IRIS, {"solver": "sgd", "nesterovs_momentum": False, "momentum": 0.5}),
    "momentum of 1": ("MLPClassifier", IRIS, {"solver": "sgd", "momentum": 1.0, "learning_rate_init": 1e-4}),
    "not shuffled": ("MLPClassifier", IRIS, {"shuffle": False, "batch_size": 17}),
    "other betas": ("MLPClassifier", IRIS, {"beta_1": 0.5, "beta_2": 0.9, "epsilon": 1e-3}),
    "early stopping": ("MLPClassifier", (DIGITS[0] / 16, DIGITS[1]), {"early_stopping": True, "n_iter_no_change": 3}),
    "early stopping, two": ("MLPClassifier", (scale(CANCER[0]), CANCER[1]), {"early_stopping": True}),
    "early stopping, value": ("MLPRegressor", DIABETES, {"early_stopping": True, "validation_fraction": 0.3}),
    "converged": ("MLPClassifier", IRIS, {"tol": 0.05, "n_iter_no_change": 2, "max_iter": 300}),
    "lbfgs": ("MLPClassifier", IRIS, {"solver": "lbfgs"}),
    "lbfgs, value": ("MLPRegressor", DIABETES, {"solver": "lbfgs", "activation": "tanh", "alpha": 0.1}),
    "lbfgs, flags": ("MLPClassifier", FLAGS, {"solver": "lbfgs", "activation": "tanh"}),
    "lbfgs, counts": ("MLPRegressor", COUNTS, {"solver": "lbfgs", "loss": "poisson"}),
}
WEIGHTED = [name for name in CASES if "," not in name]


def both(name: str, **more: Any) -> tuple[Any, Any, tuple[Any, Any]]:
    kind, data, settings = CASES[name]
    settings = {"max_iter": 15, "random_state": 3} | settings | more
    theirs, ours = getattr(neural_network, kind)(**settings), getattr(estimators, kind)(**settings)
    return theirs, ours, data


def assert_same(theirs: Any, ours: Any, rtol: float = 1e-9) -> None:
    for a, b in zip(theirs.coefs_ + theirs.intercepts_, ours.coefs_ + ours.intercepts_, strict=True):
        np.testing.assert_allclose(b, a, rtol=rtol, atol=rtol * np.abs(a).max())
    names = ("n_iter_", "n_layers_", "n_outputs_", "out_activation_", "best_validation_score_", "_no_improvement_count")
    for name in names if hasattr(theirs, "loss_curve_") else names[:4]:
        assert getattr(ours, name) == getattr(theirs, name), name
    for name in ("loss_", "best_loss_", "loss_curve_", "validation_scores_") if hasattr(theirs, "loss_curve_") else ():
        wanted = getattr(theirs, name)
        assert (wanted is None) == (getattr(ours, name) is None)
        if wanted is not None:
            np.testing.assert_allclose(getattr(ours, name), wanted, rtol=rtol)


@pytest.mark.parametrize("fast", [True, False])
@pytest.mark.parametrize("name", CASES)
def test_the_same_random_state_gives_the_same_weights(name: str, fast: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if not fast:
        monkeypatch.setattr("glassnet.train.step.FastStep.uncovered", lambda *_: "not now")
    theirs, ours, (X, y) = both(name)
    theirs.fit(X, y)
    ours.fit(X, y)
    assert_same(theirs, ours, rtol=1e-5 if "lbfgs" in name else 1e-9)
    np.testing.assert_allclose(ours.score(X, y), theirs.score(X, y), rtol=1e-6)
    for method in ("predict_proba", "predict_log_proba"):
        if hasattr(theirs, method):
            np.testing.assert_allclose(getattr(ours, method)(X), getattr(theirs, method)(X), rtol=1e-5, atol=1e-7)
    assert ours.predict(X).dtype == theirs.predict(X).dtype


@pytest.mark.skipif(tuple(map(int, sklearn.__version__.split(".")[:2])) < (1, 7), reason="sample_weight came with 1.7")
@pytest.mark.parametrize("name", WEIGHTED)
def test_sample_weights_too(name: str) -> None:
    theirs, ours, (X, y) = both(name)
    weights = np.random.default_rng(0).uniform(0, 3, len(X))
    assert_same(theirs.fit(X, y, sample_weight=weights), ours.fit(X, y, sample_weight=weights))


@pytest.mark.parametrize("name", ["three classes", "two classes", "flags", "one value", "sgd", "lbfgs"])
def test_sparse_rows_and_warm_starts_too(name: str) -> None:
    theirs, ours, (X, y) = both(name, warm_start=True)
    X = sparse.csr_array(X)
    for _ in range(2):
        assert_same(theirs.fit(X, y), ours.fit(X, y), rtol=1e-5 if name == "lbfgs" else 1e-8)
    np.testing.assert_allclose(ours.score(X, y), ours.score(X.toarray(), y))


@pytest.mark.parametrize("name", ["three classes", "flags", "one value", "sgd", "invscaling"])
def test_partial_fit_too(name: str) -> None:
    theirs, ours, (X, y) = both(name)
    more = {} if name == "one value" else {"classes": np.arange(y.shape[1]) if y.ndim == 2 else np.unique(y)}
    for _ in range(5):
        for rows in np.array_split(np.random.default_rng(0).permutation(len(X)), 3):
            theirs.partial_fit(X[rows], y[rows], **more)
            ours.partial_fit(X[rows], y[rows], **more)
    assert_same(theirs, ours)


def test_single_precision_is_as_close_as_single_precision_can_be() -> None:
    theirs, ours, (X, y) = both("three classes")
    X = StandardScaler().fit_transform(X).astype(np.float32)
    assert_same(theirs.fit(X, y), ours.fit(X, y), rtol=1e-4)
    assert ours.coefs_[0].dtype == ours.predict_proba(X).dtype == np.float32


@pytest.mark.parametrize(
    "bad",
    [
        {"alpha": -1},
        {"hidden_layer_sizes": (3, 0)},
        {"solver": "newton"},
        {"activation": "step"},
        {"max_iter": 0},
        {"learning_rate": "fast"},
        {"beta_1": 1.0},
        {"batch_size": 0},
        {"tol": -1.0},
    ],
    ids=str,
)
def test_the_same_errors(bad: dict[str, Any]) -> None:
    for kind in (neural_network.MLPClassifier, MLPClassifier):
        with pytest.raises(ValueError, match=next(iter(bad))):
            kind(**bad).fit(*IRIS)


def test_the_same_parameters_with_the_same_defaults_in_the_same_order() -> None:
    for kind in ("MLPClassifier", "MLPRegressor"):
        theirs, ours = getattr(neural_network, kind)().get_params(), getattr(estimators, kind)().get_params()
        assert {name: ours[name] for name in theirs} == theirs
        signatures = [getattr(room, kind).__init__.__code__.co_varnames for room in (neural_network, estimators)]
        assert signatures[1][: len(signatures[0])] == signatures[0]


def test_warns_of_too_few_iterations_as_scikit_learn_does() -> None:
    with pytest.warns(ConvergenceWarning, match=r"Maximum iterations \(2\) reached"):
        MLPClassifier(max_iter=2).fit(*IRIS)
