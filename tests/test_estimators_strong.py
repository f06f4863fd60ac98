"""preset="strong": the recipe `table` in one word, for arrays with missing values and for data frames."""

from __future__ import annotations

import copy
import datetime
import pickle
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
from scipy import sparse
from sklearn.base import clone
from sklearn.compose import make_column_transformer
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris, make_multilabel_classification
from sklearn.metrics import log_loss
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.utils.estimator_checks import parametrize_with_checks

import glassnet as gn
from glassnet import recipes
from glassnet.data import Dataset, Split, load
from glassnet.estimators import MLPClassifier, MLPRegressor, strong
from glassnet.export import to_onnx
from glassnet.nn import Unstandardize

IRIS, CANCER, DIABETES = (f(return_X_y=True) for f in (load_iris, load_breast_cancer, load_diabetes))
SMALL: dict[str, Any] = {"preset": "strong", "hidden_layer_sizes": [8], "max_iter": 3, "random_state": 0}
LEARNS: dict[str, Any] = SMALL | {"max_iter": 30, "learning_rate_init": 0.01, "batch_size": 32}  # whatever the recipe

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


# The recipe ----------------------------------------------------------------------------------------------------------


def changed(monkeypatch: pytest.MonkeyPatch, *changes: str) -> recipes.Recipe:
    """Tune the recipe for a test, whose data have no pairs to turn; return it."""
    changes = ("network.rotations=0", *changes)
    monkeypatch.setattr(strong, "load", lambda name: recipes.load(name, changes=changes))
    return recipes.load("table", changes=changes)


class Watcher(gn.Callback):
    def on_start(self, run: gn.Training) -> None:
        self.run = run


def trained(model: Any, X: Any = IRIS[0], y: Any = IRIS[1], **more: Any) -> gn.Training:
    """Fit, and return what the training was asked to do."""
    watcher = Watcher()
    model.set_params(callbacks=[watcher]).fit(X, y, **more)
    return watcher.run


def kinds(net: gn.Network) -> list[str]:
    return [repr(layer) for layer in net.layers]


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
    assert strong.plan(model, len(X), incremental=False).epochs == recipe.training.epochs
    table, unused = recipes.load("table"), recipes.from_dict({"name": "default", "data": {"source": "table"}})
    for name in ("replacement", "restore_best"):  # which the preset doesn't read
        assert getattr(table.training, name) == getattr(unused.training, name)
    assert table.augmentation is None


def test_pairs_that_interact_are_turned() -> None:
    u, v = np.random.default_rng(0).normal(size=(2, 1000))
    labels, rows = u * v > 0, np.column_stack([u, np.where(u < -2, np.nan, v)])
    for model, y in ((MLPClassifier, labels), (MLPRegressor, u * v)):
        net = model(preset="strong", max_iter=1, random_state=0).fit(rows, y).network_
        assert "Rotations(2, plain=1)" in kinds(net)


def test_whoever_tunes_the_recipe_tunes_the_preset(monkeypatch: pytest.MonkeyPatch) -> None:
    recipe = changed(
        monkeypatch, "network.members=3", "network.hidden=[5, 4]", "network.normalization=BatchNorm",
        "network.lr_factors=[1, 2, 3]", "network.inputs=RobustScale", "network.embedding=Periodic",
        "network.embedding.dim=2", "network.input_dropout=0.2", "optimizer.lr=0.01", "optimizer.l2=0.1",
        "loss={name='CrossEntropy', label_smoothing=0.1}", "schedule=Cosine", "training.epochs=4",
        "training.batch_size=30", "training.dropout_schedule=Linear", "training.weight_decay_schedule=Cosine",
        "training.monitor=accuracy", "training.average={name='EMA', decay=0.9}",
    )  # fmt: skip
    model = MLPClassifier(preset="strong", random_state=0)
    run, recipe = trained(model), recipe.sized(150)
    assert kinds(run.net) == kinds(recipe.build_network(4, 3, "classification", {"categories": [0] * 4}))
    settings = recipe.build_training()
    for name in ("schedule", "average", "dropout_schedule", "weight_decay_schedule"):
        assert repr(getattr(run, name)) == repr(settings[name])
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
            "Columns", "Rotations", "QuantileNormalize", "CategoryEmbedding"
        ]  # fmt: skip
        assert (net.layers[1].A.any(axis=1) == [True, False, True]).all()
        assert np.isfinite(model.predict_proba(X) if hasattr(model, "classes_") else model.predict(X)).all()


def test_it_is_the_training_of_gn_fit() -> None:
    X, y = DIABETES
    X = np.where(np.random.default_rng(0).random(X.shape) < 0.1, np.nan, X)
    changes = ["network.rotations=0", "network.dropout=0", "training.epochs=6"]
    recipe, n = recipes.load("table", changes=changes), len(X)
    model = MLPRegressor(preset="strong", dropout=[0.0] * len(recipe.network.hidden), max_iter=6, batch_size=n)
    recipe.seed = int(np.random.RandomState(7).randint(2**31))
    net = recipe.build_network(10, 1, "regression", {"categories": [0] * 10, "missing": list(range(10))})
    none = Split(X[:0], y[:0])
    data = Dataset("all", Split(X, y), none, none, "regression", (), tuple("abcdefghij"), None, "y")
    history = gn.fit(net, data, gn.MSE(), recipe.build_optimizer(), 6, n, schedule=recipe.build_schedule())
    model.set_params(random_state=7).fit(X, y)
    np.testing.assert_allclose(model.loss_curve_, history["train_loss"], rtol=1e-4)
    np.testing.assert_allclose(model.predict(X), net.predict(X)[:, 0], rtol=1e-3)


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


# Parameters ----------------------------------------------------------------------------------------------------------


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
    assert strong.given(MLPRegressor(hidden_layer_sizes=(100,), alpha=np.float64(1e-4), dropout=0)) == set()
    named = {"hidden_layer_sizes": [100], "learning_rate": gn.OneCycle(), "dropout": np.zeros(1), "loss": "huber"}
    assert strong.given(MLPRegressor(**named)) == set(named)  # type: ignore[arg-type]


@pytest.mark.parametrize("loss", ["squared_error", "absolute_error", "huber", "poisson"])
def test_every_loss(loss: str) -> None:
    X, y = DIABETES[0], DIABETES[1] / 100
    model = MLPRegressor(**LEARNS, loss=loss).fit(X, y)
    names = {"absolute_error": "MAE", "huber": "Huber", "poisson": "Poisson", "squared_error": "MSE"}
    assert names[loss] in repr(strong.objective(model, X.dtype).loss.loss)
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
    settings: dict[str, Any] = {"preset": "strong", "hidden_layer_sizes": [16], "max_iter": 12, "random_state": 0,
                                "learning_rate_init": 0.05}  # fmt: skip
    rows = {"X_val": X[300:], "y_val": y[300:]}
    for monitor, scoring in (("loss", "loss"), ("r2", "r2"), ("mae", "neg_mean_absolute_error")):
        changed(monkeypatch, f"training.monitor={monitor}")
        model = MLPRegressor(**settings, early_stopping=True).fit(X[:300], y[:300], **rows)
        named = MLPRegressor(**settings, early_stopping=True, scoring=scoring).fit(X[:300], y[:300], **rows)
        np.testing.assert_allclose(model.validation_scores_, named.validation_scores_, rtol=1e-6)
        assert (len(model.validation_scores_), model.best_iter_) == (12, 1 + int(np.argmax(model.validation_scores_)))
        error = {"loss": -np.mean((model.predict(X[300:]) - y[300:]) ** 2) / y[:300].var(),
                 "r2": model.score(X[300:], y[300:]),
                 "mae": -np.abs(model.predict(X[300:]) - y[300:]).mean()}[monitor]  # fmt: skip
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
    ],
)
def test_what_is_refused(settings: dict[str, Any], X: Any, error: Any, message: str) -> None:
    with pytest.raises(error, match=message):
        MLPClassifier(**SMALL | settings).fit(X, IRIS[1])


# Rows ----------------------------------------------------------------------------------------------------------------

N = 240
TOWNS = np.array(["harbour", "centre", "hills", None], object)


def houses(rows: int = N) -> tuple[pd.DataFrame, np.ndarray]:
    """A table with everything: numbers, categories as text, as such and as numbers, booleans, days, missing values."""
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({
        "area": rng.uniform(40, 200, rows), "rooms": rng.integers(1, 6, rows),
        "town": TOWNS[rng.integers(4, size=rows)],
        "heating": pd.Categorical(rng.choice(["gas", "oil"], rows)), "zone": pd.Categorical(rng.integers(3, size=rows)),
        "garden": rng.random(rows) < 0.5, "name": [f"house {i}" for i in range(rows)],
        "built": pd.Timestamp("2000-01-01") + pd.to_timedelta(rng.integers(9000, size=rows), unit="D"),
    })  # fmt: skip
    worth = 2 * frame["area"] * frame["town"].map({"harbour": 1, "centre": 2}).fillna(0.5)
    worth = worth + 100 * frame["garden"] + 80.0 * frame["zone"].cat.codes
    frame["pool"] = pd.array(rng.choice(np.array([True, False, None]), rows), "boolean")
    frame.loc[rng.random(rows) < 0.2, "area"] = np.nan
    return frame, worth.to_numpy()


def to_polars(frame: pd.DataFrame) -> pl.DataFrame:
    columns = {name: [None if value is pd.NA or value is pd.NaT or value != value else value
                      for value in frame[name].tolist()] for name in frame}  # fmt: skip
    schema = {"heating": pl.Categorical, "zone": pl.Enum(["0", "1", "2"]), "garden": pl.Boolean, "pool": pl.Boolean}
    columns["zone"] = list(map(str, columns["zone"]))
    return pl.DataFrame(columns, schema_overrides=schema | {"built": pl.Datetime("us")})


def test_a_data_frame_of_pandas_or_polars() -> None:
    X, y = houses()
    model = MLPRegressor(**LEARNS).fit(X, y)
    info = dict(zip(model.network_.info["features"], model.network_.info["categories"], strict=True))
    assert {name: list(names) for name, names in info.items()} == {
        "area": [], "rooms": [], "town": ["centre", "harbour", "hills"], "heating": ["gas", "oil"],
        "zone": ["0", "1", "2"], "garden": [], "built": [], "pool": [],
    }  # fmt: skip
    assert list(model.feature_names_in_) == list(X)
    assert model.n_features_in_ == X.shape[1]
    assert model.network_.layers[0].missing == [0, 2, 7]
    assert model.score(X, y) > 0.8
    other = MLPRegressor(**LEARNS).fit(to_polars(X), pl.Series(y))
    np.testing.assert_array_equal(other.predict(to_polars(X)), model.predict(X))
    np.testing.assert_array_equal(model.predict(to_polars(X)), model.predict(X))


def test_columns_are_what_glassnet_train_takes_them_for(tmp_path: Path) -> None:
    X, y = houses()
    to_polars(X).with_columns(price=pl.Series(y)).write_parquet(tmp_path / "houses.parquet")
    data = load(tmp_path / "houses.parquet", target="price")
    net = MLPRegressor(**SMALL).build(X, y).network_
    assert tuple(net.info["features"]) == data.features
    assert tuple(map(tuple, net.info["categories"])) == data.categories
    columns = data.columns()
    assert (net.layers[0].categories, net.layers[0].missing) == (columns["categories"], columns["missing"])


def test_rows_one_at_a_time_with_values_that_are_new_or_missing() -> None:
    X, y = houses()
    model = MLPRegressor(**SMALL).fit(X, y)
    np.testing.assert_allclose([model.predict(X[i : i + 1])[0] for i in range(9)], model.predict(X[:9]), rtol=1e-6)
    row = X[3:4].astype(object)
    new, other = (row.assign(town=[town], heating=["coal"], zone=[9]) for town in ("moon", "mars"))
    assert np.isfinite(model.predict(new)).all()
    np.testing.assert_array_equal(model.predict(new), model.predict(other))
    assert model.predict(new) != model.predict(row.assign(town="centre", heating="coal", zone=9))
    for none in (None, np.nan, pd.NA):
        empty = pd.DataFrame({name: [none] for name in X})
        np.testing.assert_array_equal(model.predict(empty), model.predict(pd.DataFrame({name: [None] for name in X})))
    np.testing.assert_array_equal(model.predict(to_polars(X)[:1].clear(1)), model.predict(empty))  # polars, all null
    area = X["area"].median()
    known = X[3:4].assign(rooms=np.nan, built=datetime.datetime(2010, 1, 1))
    np.testing.assert_allclose(
        model.predict(known), model.predict(known.assign(rooms=X["rooms"].median())), rtol=1e-6
    )  # no row of training lacked it: the median alone
    assert model.predict(X[3:4].assign(area=np.nan)) != model.predict(X[3:4].assign(area=area))  # marked


def test_names_and_order_of_columns_are_checked() -> None:
    X, y = houses()
    model = MLPRegressor(**SMALL).fit(X, y)
    with pytest.raises(ValueError, match="feature names should match"):
        model.predict(X[X.columns[::-1]])
    with pytest.raises(ValueError, match="feature names should match"):
        model.predict(X.drop(columns="name"))
    with pytest.raises(ValueError, match="X must be a data frame, as in fit: 'town', 'heating', 'zone', 'name' held"):
        model.predict(X.to_numpy())
    numbered = X.set_axis(range(X.shape[1]), axis=1)
    again = MLPRegressor(**SMALL).fit(numbered, y)
    np.testing.assert_array_equal(again.predict(numbered), model.predict(X))
    assert again.network_.info["features"][2] == "x2"
    with pytest.raises(ValueError, match="column 'rooms', row 1: 'many' is not a number"):
        model.predict(X[:2].assign(rooms=["2", "many"]))


def test_text_that_is_numbers_and_objects() -> None:
    text = np.array(["1.5", "2", "NA", "4"] * 10, object)
    objects = np.array([3, None, 2.5, 1] * 10, object)
    flags = np.array([True, None, False, True] * 10, object)
    mixed = np.array(["a", 1, None, "a"] * 10, object)
    X = pd.DataFrame({"text": text, "objects": objects, "flags": flags, "mixed": mixed})
    net = MLPRegressor(**SMALL).fit(X, np.arange(40.0)).network_
    assert [list(names) for names in net.info["categories"]] == [[], [], [], ["1", "a"]]
    assert net.layers[0].missing == [0, 1, 2, 3]
    np.testing.assert_array_equal(net.layers[0].median[:3], [2, 2.5, 1])


def test_categories_alone() -> None:
    town = pl.DataFrame({"town": TOWNS[np.arange(80) % 4], "side": ["left", "right"] * 40})
    model = MLPClassifier(**LEARNS).fit(town, np.arange(80) % 4 == 3)
    assert model.score(town, np.arange(80) % 4 == 3) == 1


def test_numbers_some_missing() -> None:
    X, y = CANCER
    holes = np.where(np.random.default_rng(0).random(X.shape) < 0.1, np.nan, X)
    model = MLPClassifier(**LEARNS).fit(holes, y)
    assert model.score(holes, y) > 0.95
    assert model.score(pd.DataFrame(holes), y) == model.score(holes, y)
    whole = MLPClassifier(**SMALL).fit(X, y)  # in which nothing lacked
    filled = np.where(np.isnan(holes), np.median(X, axis=0), holes)
    np.testing.assert_allclose(whole.predict_proba(holes), whole.predict_proba(filled), atol=1e-6)
    for dtype in (np.float32, np.float64):
        assert whole.predict_proba(X.astype(dtype)).dtype == dtype
        np.testing.assert_allclose(whole.predict_proba(X).sum(axis=1), 1, rtol=1e-12)


# What scikit-learn's users do ----------------------------------------------------------------------------------------


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
    rows = value._way.read(value, X, reset=False)
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
