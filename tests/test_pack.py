"""A pack: networks that hold out rows, and the mixture of them."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

import glassnet as gn
from glassnet import recipes
from glassnet.estimators import MLPClassifier, MLPRegressor
from glassnet.nn.mean import Mean
from glassnet.pack import Candidate, Pack, fit_pack
from glassnet.pack.answers import TEMPERATURES, Answers
from glassnet.pack.mixture import STEPS, bagged, greedy

ENDS = (2, 4, 6)
RNG = np.random.default_rng(0)
X = RNG.normal(size=(120, 3))
X[::7, 2] = np.nan
X[:, 1] = RNG.integers(-1, 3, 120)  # -1: another category than the three
TARGETS = {
    "classes": (gn.CrossEntropy(), RNG.permutation(np.arange(120) % 3), 3),
    "flags": (gn.BinaryCrossEntropy(), (X[:, :1] > [0.0, 0.5]).astype(float), 2),
    "values": (gn.MSE(), 1e6 + 100 * np.c_[X[:, 0], X[:, 0] ** 2], 2),
    "distances": (gn.MAE(), 5 * X[:, 0], 1),
    "counts": (gn.Poisson(), np.round(np.exp(X[:, 0])), 1),
}


def kinds(n_out: int, loss: gn.Loss = gn.MSE()) -> list[Candidate]:  # noqa: B008
    def of(name: str, scaled: gn.Preprocessing, dropout: float) -> Candidate:
        first = gn.Columns([0, 3, 0], missing=[2])
        layers = [first, scaled, gn.CategoryEmbedding([3], 2, plain=3), gn.PiecewiseLinear(2, 2, 4, plain=3)]
        layers += [gn.Dense(7, 16), gn.ReLU(), gn.Dropout(dropout), gn.Dense(16, n_out)]
        layers += [gn.Exp()] if isinstance(loss, gn.Poisson) else []
        return Candidate(name, gn.Network(layers), ends=ENDS)

    return [of("plain", gn.QuantileNormalize(noise=1e-3), 0.1), of("robust", gn.RobustScale(), 0.4)]


def fit(kind: str, **more: Any) -> Pack:
    loss, y, n_out = TARGETS[kind]
    return fit_pack(X, y, loss, kinds(n_out, loss), **{"seed": 3, "info": info(kind)} | more)


def info(kind: str) -> dict[str, Any]:
    return {"flags": True} if kind == "flags" else {}


@pytest.fixture(scope="module", params=TARGETS)
def trained(request: pytest.FixtureRequest) -> tuple[str, Pack]:
    return request.param, fit(request.param)


def test_every_network_is_an_ordinary_one_with_a_share(trained) -> None:
    _, pack = trained
    assert all(isinstance(net, gn.Network) for net in pack.ensemble.networks)
    assert np.isclose(sum(pack.ensemble.weights), 1)
    assert len(pack.ensemble.networks) == 4 * len(pack.parts)
    assert pack.ensemble.weights == sorted(pack.ensemble.weights, reverse=True)


def test_the_same_seed_gives_the_same_bits_whatever_the_threads(trained) -> None:
    kind, pack = trained
    again = fit(kind, threads=1)
    np.testing.assert_array_equal(again.ensemble.predict(X), pack.ensemble.predict(X))
    assert again.parts == pack.parts


def test_held_rows_are_half_of_all_and_their_error_is_that_of_their_outputs(trained) -> None:
    kind, pack = trained
    assert len(np.unique(pack.rows)) == 60
    loss, y, _ = TARGETS[kind]
    y, outputs = y[pack.rows], pack.outputs
    if kind in ("values", "distances"):
        scale = TARGETS[kind][1].std(axis=0)
        y, outputs = y / scale, outputs / scale
    assert np.isclose(loss.forward(outputs, y), pack.error, rtol=1e-4)
    assert pack.history["val_loss"][-1] == pack.error


def test_values_stay_within_the_range_of_training_and_a_margin(trained) -> None:
    kind, pack = trained
    if kind in ("values", "distances"):
        targets = TARGETS[kind][1].reshape(120, -1)
        y, low, high = pack.ensemble.predict(1000 * X), targets.min(axis=0), targets.max(axis=0)
        margin = 0.0501 * (high - low)
        assert (y >= low - margin).all()
        assert (y <= high + margin).all()


def test_it_is_saved_and_exported_with_its_weights(trained, tmp_path: Path) -> None:
    import onnxruntime

    _, pack = trained
    pack.ensemble.save(tmp_path / "pack.safetensors")
    np.testing.assert_array_equal(gn.Ensemble.load(tmp_path / "pack.safetensors").predict(X), pack.ensemble.predict(X))
    gn.export(pack.ensemble, tmp_path / "pack.onnx", input_dtype="float64")
    session = onnxruntime.InferenceSession(tmp_path / "pack.onnx")
    np.testing.assert_allclose(session.run(["y"], {"x": X})[0], pack.ensemble.predict(X), rtol=1e-4, atol=1e-4)


def test_rows_that_weigh_nothing_are_as_if_they_were_not_there() -> None:
    wrong = X[:, 0] > 0
    y = np.where(wrong, -1e3, X[:, 0])
    weights = np.where(wrong, 0.0, 1.0)
    pack = fit_pack(X, y, gn.MSE(), kinds(1)[:1], weights=weights)
    assert pack.ensemble.predict(X)[:, 0].min() > -5


@pytest.mark.parametrize("rows", [4, 5, 9])
def test_few_rows_are_enough(rows: int) -> None:
    pack = fit_pack(X[:rows], np.arange(rows) % 2, gn.CrossEntropy(), kinds(2)[:1])
    assert pack.ensemble.predict_proba(X).shape == (120, 2)


def test_fewer_rows_are_refused() -> None:
    with pytest.raises(ValueError, match="at least 4 rows"):
        fit_pack(X[:3], np.arange(3), gn.CrossEntropy(), kinds(3))


@given(st.integers(2, 5), st.integers(0, 1000))
def test_the_greedy_mixture_is_no_worse_than_the_best_choice(k: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    answers = Answers.of(rng.normal(size=30), gn.MSE(), 1)
    choices, rows = rng.normal(size=(k, 30, 1)), np.arange(30)
    counts = greedy(choices, answers, rows)
    mixed = np.tensordot(counts / counts.sum(), choices, 1)
    assert counts.sum() == STEPS
    assert answers.error(mixed, rows) <= min(answers.error(choice, rows) for choice in choices) + 1e-12


@given(st.integers(0, 1000))
def test_a_few_rows_far_out_do_not_decide_the_mixture(seed: int) -> None:
    rng = np.random.default_rng(seed)
    answers, rows = Answers.of(np.append(rng.normal(size=399), 1000.0), gn.MSE(), 1), np.arange(400)
    t = answers.targets
    good = t + 0.01 * rng.normal(size=t.shape)
    good[-1] = 0.0
    lucky = t + 0.1 * rng.normal(size=t.shape)  # worse for all rows but the last
    choices = np.stack([good, lucky])
    assert greedy(choices, answers, rows)[1] == STEPS
    assert 0.2 < bagged(choices, answers, rows)[0] < 0.8  # about half of the halves don't have that row


def test_shares_too_small_to_matter_are_dropped() -> None:
    t = RNG.normal(size=(200, 1))
    choices = np.stack([t, *(t + 5 * RNG.normal(size=(30, *t.shape)))])
    shares = bagged(choices, Answers.of(t, gn.MSE(), 1), np.arange(200))
    np.testing.assert_array_equal(shares, [1, *[0] * 30])


@given(st.integers(1, 4), st.floats(-3, 1), st.integers(0, 1000))
def test_the_temperature_is_the_best_of_those_on_the_list(n_out: int, spread: float, seed: int) -> None:
    rng, rows = np.random.default_rng(seed), np.arange(50)
    outputs = rng.normal(0, 10**spread, (50, n_out))
    flags = rng.random((50, n_out)) < np.minimum(1, np.exp(outputs / 2))
    classes = Answers.of(flags.argmax(axis=1), gn.CrossEntropy(), n_out)
    for answers in (classes, Answers.of(flags, gn.BinaryCrossEntropy(), n_out)):
        errors = answers.doubted(np.stack([answers.answer(outputs, rows, t) for t in TEMPERATURES]), rows)
        best = TEMPERATURES.tolist().index(answers.temperature(outputs, rows))
        assert np.isclose(errors[best], min(errors), rtol=0.01)


@pytest.mark.parametrize("of", ["values", "classes", "logits"])
def test_the_mean_is_that_of_values_or_of_probabilities(of: Any) -> None:
    x, weights = RNG.normal(size=(3, 4, 2)), [1.0, 2.0, 5.0]
    y = Mean(weights, of)(x)
    if of == "values":
        expected = np.average(x, axis=0, weights=weights)
    elif of == "classes":
        y, expected = gn.Softmax().forward(y), np.average([gn.Softmax().forward(each) for each in x], 0, weights)
    else:
        y, expected = 1 / (1 + np.exp(-y)), np.average(1 / (1 + np.exp(-x)), 0, weights)
    np.testing.assert_allclose(y, expected, rtol=1e-12)


@pytest.mark.parametrize(("weights", "fault"), [([1.0], "as many weights"), ([1.0, 0.0], "weights must be")])
def test_weights_that_make_no_sense_are_refused(weights: list[float], fault: str) -> None:
    nets = [gn.Network([gn.Dense(2, 1)]) for _ in range(2)]
    with pytest.raises(ValueError, match=fault):
        gn.Ensemble(nets, "regression", weights)


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the recipe of the preset a small one."""
    load = partial(recipes.load, changes=["network.hidden=[16]", "pack.ends=[2, 4]", "pack.networks=2"])
    monkeypatch.setattr("glassnet.recipes.load", load)


@pytest.mark.parametrize("estimator", [MLPClassifier, MLPRegressor])
def test_the_estimators_take_frames_with_text_and_gaps(estimator: type, small: None) -> None:
    frame = pl.DataFrame({"a": X[:, 0], "b": [f"k{int(v)}" for v in X[:, 1]], "c": X[:, 2]}).fill_nan(None)
    y = X[:, 0] if estimator is MLPRegressor else np.where(X[:, 0] > 0, "yes", "no")
    model = estimator(preset="strong", random_state=0).fit(frame, y)
    assert isinstance(model.pack_.ensemble, gn.Ensemble)
    assert model.score(frame, y) > 0.1  # after four epochs
    assert model.predict(frame.head(2)).shape == (2,)


def test_the_estimators_say_what_a_pack_would_pass_over() -> None:
    y = X[:, 0]
    with pytest.raises(ValueError, match="dropout itself"):
        MLPRegressor(preset="strong", dropout=0.2).fit(X[:, :1], y)
    assert not hasattr(MLPRegressor(preset="strong"), "partial_fit")
    with pytest.raises(ValueError, match="all rows at once"):
        MLPRegressor(preset="strong").build(X[:, :1], y)


def test_a_single_class_is_answered(small: None) -> None:
    model = MLPClassifier(preset="strong").fit(X[:40, :1], ["only"] * 40)
    assert set(model.predict(X[:, :1])) == {"only"}


def test_held_rows_without_any_weight_are_refused() -> None:
    with pytest.raises(ValueError, match="no row that is held out has a weight"):
        fit("values", weights=np.zeros(120))


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_a_fit_without_a_pack_forgets_it_and_the_other_way_round(small: None) -> None:
    x, y = X[:40, :1], X[:40, 0]
    model = MLPRegressor(preset="strong", random_state=0).fit(x, y)
    assert not hasattr(model, "coefs_")
    model.set_params(preset=None, max_iter=2).fit(x, y)
    assert not hasattr(model, "pack_")
    assert model.predict(x).shape == (40,)
    model.set_params(preset="strong", max_iter=200).fit(x, y)
    assert not hasattr(model, "network_")


def drawn(number: int) -> Candidate:
    candidate = kinds(2)[number % 2]
    return Candidate(f"drawn {number}", candidate.net, gn.AdamW(lr=0.02), ends=ENDS)


def counted(enough: int) -> Any:
    """A draw that ends the training as Ctrl-C does, after so many candidates."""

    def draw(number: int) -> Candidate:
        if number == enough:
            raise KeyboardInterrupt
        return drawn(number)

    return draw


def test_with_more_time_the_mixture_is_no_worse_for_the_rows_held_out() -> None:
    first = fit("values")
    pack = fit("values", time_limit=1e6, draw=counted(4))
    assert len(first.rows) == 60
    assert len(np.unique(pack.rows)) == 120
    errors = pack.history["val_loss"]
    assert errors[: len(first.history)] == first.history["val_loss"]
    assert all(after < before for before, after in pairwise(errors[len(first.history) :]))
    assert pack.history.interrupted


def test_a_time_that_is_over_at_once_leaves_the_first_cycle() -> None:
    lines: list[str] = []
    pack = fit("values", time_limit=1e-9, draw=drawn, threads=1, tell=lines.append)
    assert len(pack.history) == 1
    assert pack.error < 1.2
    assert pack.parts == ["100% plain after 2 epochs"]
    assert lines[0] == "no time was left for 'robust'"


def test_a_time_that_is_over_waits_for_a_candidate_that_does_not_diverge() -> None:
    bad, good = kinds(2)
    bad = replace(bad, optimizer=gn.SGD(1e30))
    loss, y, _ = TARGETS["values"]
    pack = fit_pack(X, y, loss, [bad, good], seed=3, time_limit=1e-9, threads=1)
    assert pack.parts == ["100% robust after 2 epochs"]


def test_what_no_longer_holds_out_anything_joins_in() -> None:
    y = TARGETS["values"][1]
    pack = fit_pack(X, y, gn.MSE(), kinds(2), time_limit=1e6)  # without a draw it ends by itself
    held = 8 * len(pack.parts)
    assert held < len(pack.ensemble.networks) <= held + 4 * len(pack.parts)


@pytest.mark.parametrize("enough", [0, 2])
def test_training_goes_on_from_a_file_to_the_same_bits(enough: int, tmp_path: Path) -> None:
    file = tmp_path / "pack.safetensors"
    fit("values", time_limit=1e6, draw=counted(enough), checkpoint=file)
    whole = fit("values", time_limit=1e6, draw=counted(3))
    resumed = fit("values", time_limit=1e6, draw=counted(3), checkpoint=file)
    assert resumed.parts == whole.parts
    np.testing.assert_array_equal(resumed.ensemble.predict(X), whole.ensemble.predict(X))
    assert resumed.history["val_loss"] == whole.history["val_loss"]


def test_the_file_of_another_training_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "pack.safetensors"
    fit("values", checkpoint=file)
    with pytest.raises(ValueError, match="was written by another training"):
        fit("values", checkpoint=file, seed=4)


@pytest.mark.parametrize("ends", [(), (4, 2), (2, 2), (0, 1)])
def test_ends_that_make_no_sense_are_refused(ends: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"an end|ends must rise"):
        Candidate("plain", kinds(2)[0].net, ends=ends)


def test_a_candidate_that_diverges_is_left_out() -> None:
    said: list[str] = []
    wild = Candidate("wild", kinds(2)[0].net, gn.SGD(lr=1e30), ends=ENDS)
    pack = fit_pack(X, TARGETS["values"][1], gn.MSE(), [wild, *kinds(2)], tell=said.append)
    assert "'wild' became" in said[0]
    assert not any("wild" in part for part in pack.parts)
    with pytest.raises(gn.DivergenceError):
        fit_pack(X, TARGETS["values"][1], gn.MSE(), [wild])


def test_no_mistake_among_few_rows_is_no_proof_that_there_will_be_none() -> None:
    rng = np.random.default_rng(0)
    targets = rng.integers(0, 3, 300)
    outputs = np.where(targets[:, np.newaxis] == np.arange(3), 9.0, -9.0) + rng.normal(size=(300, 3))
    answers = Answers.of(targets, gn.CrossEntropy(), 3)
    assert answers.temperature(outputs, np.arange(300)) > 1
    rows, noisy = np.arange(300), outputs / 9 + rng.normal(size=(300, 3))  # here mistakes are seen, and decide
    best = min(TEMPERATURES, key=lambda t: answers.error(answers.answer(noisy, rows, t), rows))
    assert answers.temperature(noisy, rows) == pytest.approx(best, rel=0.1)
