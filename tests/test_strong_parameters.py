"""What estimators' other parameters mean with preset="strong"."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV

import glassnet as gn
from glassnet import recipes
from glassnet.estimators import MLPClassifier, MLPRegressor, parameters, strong
from glassnet.nn import Unstandardize
from strong_tables import DIABETES, IRIS, LEARNS, SMALL, changed, kinds, trained


def test_what_is_given_means_what_it_means() -> None:
    recipe, X = recipes.load("table", changes=["network.rotations=0"]).sized(150), IRIS[0]
    run = trained(MLPClassifier(**SMALL, activation=["tanh"], dropout=[0.3], batch_size=40, learning_rate="cosine"))
    names = [type(layer).__name__ for layer in run.net.layers]
    after = names.index("Tanh")
    assert recipe.network.activation not in names
    assert repr(run.net.layers[after + 1]) == "Dropout(0.3)"
    assert names.count("Dense") == 1
    assert (run.epochs, run.batch_size, type(run.schedule)) == (3, 40, gn.Cosine)

    run = trained(MLPClassifier(**SMALL, activation="identity", dropout=[0.0]))
    assert not {"Dropout", "SiLU", "ReLU"} & {type(layer).__name__ for layer in run.net.layers}

    optimizer = trained(MLPClassifier(**SMALL, learning_rate_init=0.03, beta_1=0.8, epsilon=1e-6)).optimizer
    theirs = recipe.build_optimizer()
    assert (optimizer.lr, optimizer.betas[0], optimizer.eps) == (0.03, 0.8, 1e-6)  # type: ignore[attr-defined]
    assert type(optimizer) is type(theirs)
    assert optimizer.weight_decay == theirs.weight_decay
    assert optimizer.betas[1] == theirs.betas[1]  # type: ignore[attr-defined]

    run = trained(MLPClassifier(**SMALL, alpha=5.0, batch_size=50))
    assert (run.optimizer.weight_decay, run.optimizer.l2) == (0, 5 / 50)

    optimizer = trained(MLPClassifier(**SMALL, solver="sgd", momentum=0.5, learning_rate="invscaling")).optimizer
    assert isinstance(optimizer, gn.SGD)
    assert (optimizer.momentum, optimizer.nesterov, optimizer.clip_norm) == (0.5, True, theirs.clip_norm)
    assert optimizer.lr == pytest.approx(theirs.lr / (3 * len(X) + 1) ** 0.5)

    assert trained(MLPClassifier(**SMALL | {"hidden_layer_sizes": 100})).net.describe()["layers"][-2]["fan_in"] == 100
    assert len(trained(MLPClassifier(**SMALL | {"hidden_layer_sizes": ()})).net.layers) < len(run.net.layers)


def test_a_plain_value_equal_to_the_default_is_left_alone() -> None:
    assert parameters.given(MLPRegressor(hidden_layer_sizes=(100,), alpha=np.float64(1e-4), dropout=0)) == set()
    named = {"hidden_layer_sizes": [100], "learning_rate": gn.OneCycle(), "dropout": np.zeros(1), "loss": "huber"}
    assert parameters.given(MLPRegressor(**named)) == set(named)  # type: ignore[arg-type]


def test_a_default_is_asked_for_by_the_number_next_to_it_or_by_another_name() -> None:
    names = {
        "hidden_layer_sizes": [100],
        "activation": ["relu"],
        "dropout": [0.0],
        "batch_size": 200,
        "learning_rate": gn.Constant(),
    }
    model = MLPClassifier(preset="strong", learning_rate_init=0.00100001, max_iter=201, **names).build(*IRIS)
    for way in ("learning_rate_init=0.001 and", "max_iter=200", "0.00100001 and 201", *map(str, names)):
        assert way in " ".join(str(MLPClassifier.__doc__).split())
    assert parameters.given(model) == {"learning_rate_init", "max_iter", "preset", *names}
    plan = strong.plan(model, model._problem(), 1000, incremental=False)
    training = plan.training
    assert (plan.optimizer.lr, training.epochs, training.batch_size) == (0.00100001, 201, 200)
    assert isinstance(training.schedule, gn.Constant)
    assert "ReLU()" in kinds(model.network_)
    grid = {"learning_rate_init": [1e-5, 0.001, 0.00100001, 0.5]}
    search = GridSearchCV(MLPClassifier(**SMALL), grid, cv=2, scoring="neg_log_loss").fit(*IRIS)
    assert len(set(search.cv_results_["mean_test_score"])) == 4  # 0.001 is the recipe's


@pytest.mark.parametrize("loss", ["squared_error", "absolute_error", "huber", "poisson"])
def test_every_loss(loss: str) -> None:
    X, y = DIABETES[0], DIABETES[1] / 100
    model = MLPRegressor(**LEARNS, loss=loss).fit(X, y)
    names = {"absolute_error": "MAE", "huber": "Huber", "poisson": "Poisson", "squared_error": "MSE"}
    assert names[loss] in repr(strong.objective(model, model._problem(), model.network_, X.dtype).loss.loss)
    assert isinstance(model.network_.layers[-1], Unstandardize) == (loss != "poisson")
    assert model.score(X, y) > 0.3


def test_the_random_state_decides() -> None:
    X, y = IRIS
    p = MLPClassifier(**SMALL).fit(X, y).predict_proba(X)
    np.testing.assert_array_equal(MLPClassifier(**SMALL).fit(X, y).predict_proba(X), p)
    same = SMALL | {"random_state": np.random.RandomState(0)}
    np.testing.assert_array_equal(MLPClassifier(**same).fit(X, y).predict_proba(X), p)
    assert not np.allclose(MLPClassifier(**SMALL | {"random_state": 1}).fit(X, y).predict_proba(X), p)


def test_training_goes_on_to_the_end_unless_told_otherwise(capsys: pytest.CaptureFixture[str]) -> None:
    X, y = IRIS
    model = MLPClassifier(**SMALL | {"max_iter": 30, "learning_rate_init": 1e-6}).fit(X, y)  # and nobody warns
    assert (model.n_iter_, model.best_iter_, model.validation_scores_) == (30, None, None)
    MLPClassifier(**SMALL, verbose=True).fit(X, y)
    assert capsys.readouterr().out.count("Iteration") == 3
    assert clone(model).set_params(n_iter_no_change=2, tol=0.5).fit(X, y).n_iter_ < 10
    stopped = clone(model).set_params(early_stopping=True, n_iter_no_change=3, tol=0.1).fit(X, y)
    assert stopped.n_iter_ < 10
    assert stopped.stopped_
    with pytest.warns(UserWarning, match=r"Maximum iterations \(3\) reached"):
        MLPClassifier(**SMALL, n_iter_no_change=5).fit(X, y)


def test_early_stopping_keeps_the_best_epoch_by_what_the_recipe_monitors(monkeypatch: pytest.MonkeyPatch) -> None:
    X, y = DIABETES
    settings: dict[str, Any] = {
        "preset": "strong",
        "hidden_layer_sizes": [16],
        "max_iter": 12,
        "random_state": 0,
        "learning_rate_init": 0.05,
    }
    rows = {"X_val": X[300:], "y_val": y[300:]}
    for monitor, scoring in (("loss", "loss"), ("r2", "r2"), ("mae", "neg_mean_absolute_error")):
        changed(monkeypatch, f"training.monitor={monitor}")
        model = MLPRegressor(**settings, early_stopping=True).fit(X[:300], y[:300], **rows)
        named = MLPRegressor(**settings, early_stopping=True, scoring=scoring).fit(X[:300], y[:300], **rows)
        np.testing.assert_allclose(model.validation_scores_, named.validation_scores_, rtol=1e-6)
        assert (len(model.validation_scores_), model.best_iter_) == (12, 1 + int(np.argmax(model.validation_scores_)))
        error = {
            "loss": -np.mean((model.predict(X[300:]) - y[300:]) ** 2) / y[:300].var(),
            "r2": model.score(X[300:], y[300:]),
            "mae": -np.abs(model.predict(X[300:]) - y[300:]).mean(),
        }[monitor]
        assert error == pytest.approx(max(model.validation_scores_), rel=1e-4)
    changed(monkeypatch, "training.patience=2")
    model = MLPRegressor(**settings | {"max_iter": 60}, early_stopping=True).fit(X[:300], y[:300], **rows)
    assert model.n_iter_ == model.best_iter_ + 2 < 60
    looking = MLPRegressor(**settings).fit(X[:300], y[:300], **rows)
    np.testing.assert_array_equal(looking.predict(X), MLPRegressor(**settings).fit(X[:300], y[:300]).predict(X))


def test_held_out_rows_take_no_part_in_the_preprocessing() -> None:
    X, y = IRIS
    model = MLPClassifier(**SMALL, early_stopping=True, validation_fraction=0.5).fit(X, y)
    columns = model.network_.layers[0]
    assert len(model.validation_scores_) == 3
    assert not np.allclose(columns.scale, X.std(axis=0), rtol=1e-4)
    np.testing.assert_allclose(MLPClassifier(**SMALL).fit(X, y).network_.layers[0].scale, X.std(axis=0))
    np.testing.assert_allclose(MLPClassifier(**SMALL).build(X, y).network_.layers[0].scale, X.std(axis=0))


@pytest.mark.parametrize(
    ("settings", "X", "error", "message"),
    [
        ({"solver": "lbfgs"}, IRIS[0], ValueError, "a preset takes no solver='lbfgs'"),
        ({}, sparse.csr_array(IRIS[0]), TypeError, "Sparse data was passed for X, but dense data is required"),
        ({"preset": "weak"}, IRIS[0], ValueError, "'preset' parameter"),
        ({"activation": ["relu", "tanh"]}, IRIS[0], ValueError, "activation holds 2 settings, but there are 1 hidden"),
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
        MLPClassifier(**SMALL | settings).fit(X, IRIS[1])
