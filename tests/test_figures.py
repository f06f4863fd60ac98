"""The figures by which people decide: as scikit-learn computes them, with intervals that hold what they promise."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from glassnet import recipes
from glassnet.nn.activations import Softmax
from glassnet.train import figures as f
from glassnet.train.figures import ClassFigures, ValueFigures, figures, resampled
from small_packs import SMALL_PACK


def probabilities(n: int, classes: int, seed: int, digits: int = 2) -> tuple[np.ndarray, np.ndarray]:
    """Rounded, so that rows tie."""
    rng = np.random.default_rng(seed)
    z = rng.normal(size=(n, classes)).round(digits)
    return Softmax().forward(z), (z + rng.gumbel(size=z.shape)).argmax(axis=1)


def point(measured: ClassFigures | ValueFigures, weights: np.ndarray | None = None) -> dict[str, float]:
    weights = np.ones(len(measured)) if weights is None else weights
    return {name: value[0] for name, value in measured(weights[None].astype(float)).items()}


@given(st.integers(2, 5), st.integers(0, 2), st.integers(0, 2**32 - 1))
def test_figures_of_classes_are_those_of_scikit_learn(classes: int, digits: int, seed: int) -> None:
    from sklearn import metrics

    p, y = probabilities(60, classes, seed, digits)
    y[:classes] = np.arange(classes)
    weights = np.random.default_rng(seed).integers(0, 4, 60)
    weights[:classes] = 1
    found, names, sure = point(ClassFigures(p, y), weights), np.arange(classes), p.argmax(axis=1)
    w = {"sample_weight": weights}
    one = {True: (y == 1, p[:, 1]), False: (y[:, None] == names, p)}[classes == 2]
    assert found == pytest.approx(
        {
            "roc_auc": metrics.roc_auc_score(*one, **w),
            "average_precision": metrics.average_precision_score(*one, **w),
            "log_loss": metrics.log_loss(y, p, labels=names, **w),
            "brier": metrics.brier_score_loss(y, p[:, 1] if classes == 2 else p, labels=names, **w),
            "f1_macro": metrics.f1_score(y, sure, average="macro", **w),
            "balanced_accuracy": metrics.balanced_accuracy_score(y, sure, **w),
            "accuracy": metrics.accuracy_score(y, sure, **w),
            "calibration_error": found["calibration_error"],
        }
    )


@given(st.integers(1, 40), st.integers(0, 2**32 - 1))
def test_figures_of_values_are_those_of_scikit_learn(n: int, seed: int) -> None:
    from sklearn import metrics

    rng = np.random.default_rng(seed)
    t, weights = rng.normal(100, 30, n), rng.integers(1, 4, n)
    y = t + rng.normal(size=n)
    w = {"sample_weight": weights}
    bounds = y[:, np.newaxis] + rng.normal(size=(n, 2))
    found = point(ValueFigures(y, t, bounds), weights)
    levels = zip((0.05, 0.95), bounds.T, strict=True)
    assert found == pytest.approx(
        {
            "mae": metrics.mean_absolute_error(t, y, **w),
            "rmse": metrics.root_mean_squared_error(t, y, **w),
            "r2": metrics.r2_score(t, y, **w) if n > 1 else np.nan,
            "mape": metrics.mean_absolute_percentage_error(t, y, **w),
            "median_absolute_error": np.median(np.repeat(np.abs(t - y), weights)),
            "pinball": np.mean([metrics.mean_pinball_loss(t, bound, alpha=q, **w) for q, bound in levels]),
        },
        nan_ok=True,
        rel=1e-6,
    )


def test_the_calibration_error_is_what_bins_of_confidence_say() -> None:
    p = np.array([[0.9, 0.1]] * 10 + [[0.4, 0.6]] * 10)
    y = np.array([0] * 8 + [1] * 2 + [1] * 3 + [0] * 7)
    assert point(ClassFigures(p, y))["calibration_error"] == pytest.approx((0.1 + 0.3) / 2)


@given(st.integers(1, 300), st.integers(0, 300))
def test_the_shares_of_the_classes_are_calibrated_without_a_trace_of_rounding(yes: int, no: int) -> None:
    y = np.repeat([1, 0], [yes, no])
    p = np.tile([1 - y.mean(), y.mean()], (len(y), 1))
    assert point(ClassFigures(p, y))["calibration_error"] == 0


def test_intervals_hold_the_truth_as_often_as_they_say() -> None:
    """Of 200 samples; the truth is the figure of 200,000 rows. The bounds are four standard errors of the count."""
    p, y = probabilities(200_000, 3, 0)
    true = point(ClassFigures(p, y))
    inside = dict.fromkeys(true, 0)
    for i in range(200):
        rows = slice(i * 400, i * 400 + 400)
        some = ClassFigures(p[rows], y[rows])
        for name, found in figures(some, some, seed=i).items():
            assert found.low <= found.value <= found.high
            inside[name] += found.low <= true[name] <= found.high
    del inside["calibration_error"]  # it is larger for few rows
    assert all(178 <= count <= 200 for count in inside.values()), inside


def test_many_rows_are_resampled_in_part_for_the_same_interval(monkeypatch: pytest.MonkeyPatch) -> None:
    p, y = probabilities(4000, 3, 0)
    whole = figures(ClassFigures(p, y), ClassFigures(p, y))
    monkeypatch.setattr(f, "CELLS", 3000)
    part = figures(ClassFigures(p, y), ClassFigures(p, y))
    for name in ("roc_auc", "log_loss", "accuracy"):
        assert part[name].value == whole[name].value
        widths = [each[name].high - each[name].low for each in (part, whole)]
        assert widths[0] == pytest.approx(widths[1], rel=0.25)


def test_two_answers_are_resampled_by_the_same_rows() -> None:
    """So their difference is known better than each."""
    rng = np.random.default_rng(0)
    t = rng.normal(size=500)
    y = t + rng.normal(size=500)
    one, other = (resampled(ValueFigures(each, t))["mae"] for each in (y, y + 0.01 * rng.normal(size=500)))
    assert (one - other).std() < 0.1 * one.std()
    assert np.array_equal(one, resampled(ValueFigures(y, t))["mae"])


def test_figures_that_rows_do_not_tell_are_nan() -> None:
    p, y = probabilities(30, 3, 0)
    found = figures(ClassFigures(p, np.zeros_like(y)), ClassFigures(p, np.zeros_like(y)))
    assert np.isnan(found["roc_auc"]).all()
    assert np.isfinite(found["log_loss"]).all()
    values = figures(ValueFigures(np.ones(9), np.zeros(9)), ValueFigures(np.zeros(9), np.zeros(9)))
    assert np.isnan(values["mape"].value)
    assert np.isnan(values["r2"].value)
    assert values["mae"] == (1, 1, 1, 0)
    with pytest.raises(ValueError, match="there are no rows"):
        figures(ClassFigures(p[:0], y[:0]), ClassFigures(p[:0], y[:0]))


@pytest.mark.parametrize("target", ["kind", "value"])
def test_a_run_and_another_table_are_judged_beside_the_baseline(
    tmp_path: Path, target: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from glassnet.cli import main

    rng = np.random.default_rng(0)
    a = rng.normal(size=200)
    pl.DataFrame({"a": a, "kind": np.where(a > 1, "rare", "often"), "value": a + 3}).write_csv(tmp_path / "t.csv")
    drop = {"kind": "value", "value": "kind"}[target]
    recipe = recipes.choose(str(tmp_path / "t.csv"), target=target, drop=[drop], changes=SMALL_PACK)
    metrics = recipes.train(recipe, tmp_path / "run")
    assert json.loads((tmp_path / "run" / "metrics.json").read_text())["figures"].keys() == metrics["figures"].keys()
    name = "accuracy" if target == "kind" else "mae"
    assert metrics["figures"][name]["value"] == pytest.approx(metrics["test"][name])
    assert metrics["figures"][name]["baseline"] == pytest.approx(metrics["baseline"][name])
    monkeypatch.setattr("sys.argv", ["glassnet", "evaluate", str(tmp_path / "run"), str(tmp_path / "t.csv"), "--json"])
    with pytest.raises(SystemExit):
        main()
    found = json.loads(capsys.readouterr().out)["figures"]
    assert found.keys() == metrics["figures"].keys()
    if target == "kind":
        assert found["roc_auc"]["baseline"] == 0.5
