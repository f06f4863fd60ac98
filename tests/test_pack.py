"""A pack: networks that hold out rows, and the mixture of them."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

import glassnet as gn
from glassnet.estimators import MLPClassifier, MLPRegressor
from glassnet.nn.members import WeightedMean
from glassnet.pack import CANDIDATES, fit_pack
from glassnet.pack.answers import Answers, greedy

SHORT = tuple(replace(candidate, ends=(2, 4, 6), width=16) for candidate in CANDIDATES)
RNG = np.random.default_rng(0)
X = RNG.normal(size=(120, 3))
X[::7, 2] = np.nan
X[:, 1] = RNG.integers(-1, 3, 120)  # -1: another category than the three
COLUMNS = {"categories": [0, 3, 0], "missing": [2]}
TARGETS = {
    "classes": np.eye(3)[RNG.permutation(np.arange(120) % 3)],
    "flags": (X[:, :1] > [0.0, 0.5]).astype(float),
    "values": 1e6 + 100 * np.c_[X[:, 0], X[:, 0] ** 2],
}


@pytest.fixture(scope="module", params=TARGETS)
def trained(request: pytest.FixtureRequest) -> tuple[str, gn.Ensemble, object]:
    kind = request.param
    info = {"flags": True} if kind == "flags" else {}
    return kind, fit_pack(X, TARGETS[kind], kind, COLUMNS, info=info, candidates=SHORT, seed=3), info


def test_every_network_is_an_ordinary_one_with_a_share(trained) -> None:
    _, pack, _ = trained
    assert all(isinstance(net, gn.Network) for net in pack.ensemble.networks)
    assert np.isclose(sum(pack.ensemble.weights), 1)
    assert len(pack.ensemble.networks) == 4 * len(pack.parts)


def test_the_same_seed_gives_the_same_bits_whatever_the_threads(trained) -> None:
    kind, pack, info = trained
    again = fit_pack(X, TARGETS[kind], kind, COLUMNS, info=info, candidates=SHORT, seed=3, threads=1)
    np.testing.assert_array_equal(again.ensemble.predict(X), pack.ensemble.predict(X))
    assert again.parts == pack.parts


def test_held_rows_are_half_of_all_and_their_error_is_that_of_their_outputs(trained) -> None:
    kind, pack, _ = trained
    assert len(np.unique(pack.rows)) == 60
    y, outputs = TARGETS[kind][pack.rows], pack.outputs
    if kind == "classes":
        error = gn.CrossEntropy().forward(outputs, y.argmax(axis=1))
    elif kind == "flags":
        error = gn.BinaryCrossEntropy().forward(outputs, y)
    else:
        error = np.mean(((outputs - y) / TARGETS[kind].std(axis=0)) ** 2)
    assert np.isclose(error, pack.error, rtol=1e-4)


def test_values_stay_within_the_range_of_training_and_a_margin(trained) -> None:
    kind, pack, _ = trained
    if kind == "values":
        y, low, high = pack.ensemble.predict(1000 * X), TARGETS[kind].min(axis=0), TARGETS[kind].max(axis=0)
        margin = 0.0501 * (high - low)
        assert (y >= low - margin).all()
        assert (y <= high + margin).all()


def test_it_is_saved_and_exported_with_its_weights(trained, tmp_path: Path) -> None:
    import onnxruntime

    _, pack, _ = trained
    pack.ensemble.save(tmp_path / "pack.safetensors")
    np.testing.assert_array_equal(gn.Ensemble.load(tmp_path / "pack.safetensors").predict(X), pack.ensemble.predict(X))
    gn.export(pack.ensemble, tmp_path / "pack.onnx", input_dtype="float64")
    session = onnxruntime.InferenceSession(tmp_path / "pack.onnx")
    np.testing.assert_allclose(session.run(["y"], {"x": X})[0], pack.ensemble.predict(X), rtol=1e-4, atol=1e-4)


def test_rows_that_weigh_nothing_are_as_if_they_were_not_there() -> None:
    wrong = X[:, 0] > 0
    y = np.where(wrong, -1e3, X[:, 0])[:, np.newaxis]
    weights = np.where(wrong, 1e-9, 1.0)
    pack = fit_pack(X, y, "values", COLUMNS, weights=weights, candidates=SHORT[:1])
    assert pack.ensemble.predict(X)[:, 0].min() > -500


@pytest.mark.parametrize("rows", [4, 5, 9])
def test_few_rows_are_enough(rows: int) -> None:
    pack = fit_pack(X[:rows, :1], np.eye(2)[np.arange(rows) % 2], "classes", candidates=SHORT[:1])
    assert pack.ensemble.predict_proba(X[:, :1]).shape == (120, 2)


def test_fewer_rows_are_refused() -> None:
    with pytest.raises(ValueError, match="at least 4 rows"):
        fit_pack(X[:3, :1], np.eye(3), "classes")


@given(st.integers(2, 5), st.integers(0, 1000))
def test_the_greedy_mixture_is_no_worse_than_the_best_choice(k: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    answers = Answers.of(rng.normal(size=(30, 1)), "values")
    choices, rows = rng.normal(size=(k, 30, 1)), np.arange(30)
    counts = greedy(choices, answers, rows)
    mixed = np.tensordot(counts / counts.sum(), choices, 1)
    assert counts.sum() == 30
    assert answers.error(mixed, rows) <= min(answers.error(choice, rows) for choice in choices) + 1e-12


@pytest.mark.parametrize("of", ["values", "classes", "logits"])
def test_equal_weights_give_the_plain_mean(of: str) -> None:
    x = RNG.normal(size=(12, 3)).astype(np.float32)
    plain = gn.MemberMean(4, of)
    np.testing.assert_allclose(WeightedMean([2.0] * 4, of).forward(x), plain.forward(x), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(("weights", "fault"), [([1.0], "as many weights"), ([1.0, 0.0], "weights must be")])
def test_weights_that_make_no_sense_are_refused(weights: list[float], fault: str) -> None:
    nets = [gn.Network([gn.Dense(2, 1)]) for _ in range(2)]
    with pytest.raises(ValueError, match=fault):
        gn.Ensemble(nets, "regression", weights)


@pytest.mark.parametrize("estimator", [MLPClassifier, MLPRegressor])
def test_the_estimators_take_frames_with_text_and_gaps(estimator: type, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("glassnet.estimators.packed.fit_pack", partial(fit_pack, candidates=SHORT))
    frame = pl.DataFrame({"a": X[:, 0], "b": [f"k{int(v)}" for v in X[:, 1]], "c": X[:, 2]}).fill_nan(None)
    y = X[:, 0] if estimator is MLPRegressor else np.where(X[:, 0] > 0, "yes", "no")
    model = estimator(preset="pack", random_state=0).fit(frame, y)
    assert isinstance(model.pack_.ensemble, gn.Ensemble)
    assert model.score(frame, y) > 0.1  # after six epochs
    assert model.predict(frame.head(2)).shape == (2,)


def test_the_estimators_say_what_a_pack_would_pass_over() -> None:
    y = X[:, 0]
    with pytest.raises(ValueError, match="dropout itself"):
        MLPRegressor(preset="pack", dropout=0.2).fit(X[:, :1], y)
    with pytest.raises(ValueError, match="all rows at once"):
        MLPRegressor(preset="pack").partial_fit(X[:, :1], y)
    with pytest.raises(ValueError, match="all rows at once"):
        MLPRegressor(preset="pack").build(X[:, :1], y)


def test_a_single_class_is_answered() -> None:
    model = MLPClassifier(preset="pack").fit(X[:40, :1], ["only"] * 40)
    assert set(model.predict(X[:, :1])) == {"only"}


def test_held_rows_without_any_weight_are_refused() -> None:
    with pytest.raises(ValueError, match="no row that is held out has a weight"):
        fit_pack(X, TARGETS["values"], "values", COLUMNS, weights=np.zeros(120), candidates=SHORT)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_a_fit_without_a_pack_forgets_it_and_the_other_way_round() -> None:
    x, y = X[:40, :1], X[:40, 0]
    model = MLPRegressor(preset="pack", random_state=0).fit(x, y)
    assert not hasattr(model, "coefs_")
    model.set_params(preset=None, max_iter=2).fit(x, y)
    assert not hasattr(model, "pack_")
    assert model.predict(x).shape == (40,)
    model.set_params(preset="pack", max_iter=200).fit(x, y)
    assert not hasattr(model, "network_")
