"""The doctor's checks of the data and of the result: each names its fault, and is silent on sound data."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import glassnet as gn
from glassnet.inspection.doctor import after, columns, splits, targets
from glassnet.inspection.doctor.finding import Finding
from glassnet.inspection.doctor.linear import linear_outputs
from glassnet.inspection.doctor.patient import Patient
from glassnet.train.metrics import auc_of, ranking

DATA = (*columns.CHECKS, *targets.CHECKS, *splits.CHECKS)


def table(n: int = 900, width: int = 5, classes: bool = False, seed: int = 0) -> gn.Dataset:
    """A sound table: every column tells a part of the target."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, width))
    y = x @ np.linspace(1, 2, width) + 0.5 * np.sin(3 * x[:, 0]) + 0.3 * rng.normal(size=n)
    return gn.Dataset.from_arrays(x, (y > 0).astype(np.int64) if classes else y, seed=seed)


def edited(data: gn.Dataset, edit: Callable[[str, np.ndarray, np.ndarray], None]) -> gn.Dataset:
    """A copy of the data in which `edit` has changed x and y of each part."""
    parts = {}
    for part in ("train", "val", "test"):
        split = getattr(data, part)
        parts[part] = gn.Split(split.x.copy(), split.y.copy())
        edit(part, parts[part].x, parts[part].y)
    return replace(data, **parts)


def patient(data: gn.Dataset, *, raw: bool = False, unit: bool = True, layers: list[gn.Layer] | None = None) -> Patient:
    first = [] if raw else [gn.Standardize(per_feature=data.image_shape is None)]
    hidden = [gn.Dense(data.n_in, 32), gn.ReLU(), gn.Dense(32, data.n_out)] if layers is None else layers
    last = [gn.Unstandardize()] if unit and data.task == "regression" else []
    loss = gn.CrossEntropy() if data.task == "classification" else gn.MSE()
    one = Patient.of(gn.Network([*first, *hidden, *last]), data, loss, gn.Adam(3e-3), 32, 0)
    with np.errstate(all="ignore"):
        one.net.fit_preprocessing(data.train.x, data.train.y)
    return one


def trained(one: Patient, epochs: int = 10, **settings: object) -> Patient:
    net = one.net.copy()
    history = gn.fit(net, one.data, one.loss, one.optimizer, epochs, one.batch_size, restore_best=False, **settings)
    net.fast = False
    return replace(one, net=net, history=history)


def found(one: Patient, checks: tuple = DATA) -> dict[str, Finding]:
    with np.errstate(all="ignore"):
        return {finding.name: finding for check in checks for finding in check(one)}


def alarms(one: Patient, checks: tuple = DATA) -> list[str]:
    return [str(finding) for finding in found(one, checks).values() if finding.severity != "note"]


# Sound data


@pytest.mark.parametrize("name", ["digits", "diabetes", "table", "classes"])
def test_sound_data_raise_no_alarm_before_and_after_training(name: str) -> None:
    data = {"table": table, "classes": lambda: table(classes=True)}.get(name, lambda: gn.load(name))()
    one = patient(data)
    assert alarms(one) == []
    assert alarms(trained(one, 3), after.CHECKS) == []
    assert alarms(trained(one, 12), after.CHECKS) == []


@pytest.mark.usefixtures("published_data")
@pytest.mark.parametrize("name", ["mnist", "california"])
def test_published_splits_raise_no_alarm_within_a_second_or_so(name: str) -> None:
    one = patient(gn.load(name))
    start = time.perf_counter()
    assert alarms(one) == []
    assert time.perf_counter() - start < 3  # 0.3 s on an idle machine
    if name == "california":
        assert alarms(trained(one, 3), after.CHECKS) == []


# Columns


def test_nan_is_named_with_part_column_and_rows() -> None:
    def edit(part: str, x: np.ndarray, y: np.ndarray) -> None:
        if part == "train":
            x[7, 2] = np.nan
            x[9, 2] = np.inf
        if part == "test":
            y[3] = np.nan

    finding = next(columns.CHECKS[0](patient(edited(table(), edit))))
    assert (finding.name, finding.severity) == ("nan-values", "error")
    assert finding.where == "train: column 'x2'; test: the target"
    assert "2 of 576 train rows, the first is row 7" in finding.evidence


@pytest.mark.parametrize("dtype", [np.uint8, np.float32, np.float64])
def test_too_large_is_told_in_every_type(dtype: type) -> None:
    ordinary = np.array([0, 1, 200], dtype)
    assert not columns.too_large(ordinary).any()
    if ordinary.dtype.kind == "f":
        assert columns.too_large(np.array([np.inf, np.nan, -np.inf, 1e30], dtype)).tolist() == [True, True, True, False]


def test_a_constant_column_is_a_note_and_constant_pixels_are_none() -> None:
    def edit(part: str, x: np.ndarray, y: np.ndarray) -> None:
        x[:, 1] = 3

    finding = found(patient(edited(table(), edit)))["constant-column"]
    assert (finding.severity, finding.where) == ("note", "column 'x1'")
    assert "constant-column" not in found(patient(gn.load("digits")))

    def black(part: str, x: np.ndarray, y: np.ndarray) -> None:
        x[:, :62] = 0

    assert "64 columns, 62" in found(patient(edited(gn.load("digits"), black)))["constant-column"].evidence


@pytest.mark.parametrize("factor", [1.0, -2.5])
def test_equal_and_mirrored_columns_are_duplicates(factor: float) -> None:
    def edit(part: str, x: np.ndarray, y: np.ndarray) -> None:
        x[:, 4] = factor * x[:, 0] + 7

    finding = found(patient(edited(table(), edit)))["duplicate-column"]
    assert (finding.severity, finding.where) == ("warning", "columns 'x0', 'x4'")


def test_nearly_equal_and_rare_columns_are_no_duplicates() -> None:
    def edit(part: str, x: np.ndarray, y: np.ndarray) -> None:
        x[:, 1] = x[:, 0] + 1e-3 * x[:, 1]
        x[:, 2:4] = 0
        x[:2, 2:4] = 1

    assert "duplicate-column" not in found(patient(edited(table(), edit)))


@pytest.mark.parametrize(("scale", "severity"), [(100.0, "warning"), (1e6, "error"), (1e-6, "error"), (3.0, None)])
def test_scale_is_judged_by_what_reaches_the_first_trained_layer(scale: float, severity: str | None) -> None:
    def edit(part: str, x: np.ndarray, y: np.ndarray) -> None:
        x[:, 3] *= scale

    data = edited(table(), edit)
    finding = found(patient(data, raw=True)).get("unscaled-columns")
    assert (finding and finding.severity) == severity
    assert "unscaled-columns" not in found(patient(data))
    batch_norm = [gn.BatchNorm(5), gn.Dense(5, 8), gn.ReLU(), gn.Dense(8, 1)]
    assert "unscaled-columns" not in found(patient(data, raw=True, layers=batch_norm))


def test_raw_pixels_up_to_255_are_unscaled() -> None:
    def edit(part: str, x: np.ndarray, y: np.ndarray) -> None:
        x *= 15

    finding = found(patient(edited(gn.load("digits"), edit), raw=True))["unscaled-columns"]
    assert finding.severity == "warning"
    assert "per_feature=False" in finding.advice


@pytest.mark.parametrize("value", [300.0, 1e6])
def test_a_typing_error_in_training_and_one_in_the_test_are_extreme(value: float) -> None:
    def typed(part: str, x: np.ndarray, y: np.ndarray) -> None:
        if part == "train":
            x[11, 2] = value

    finding = found(patient(edited(table(), typed)))["extreme-values"]
    assert (finding.severity, finding.where) == ("warning", "column 'x2'")
    assert f"is {value:.4g} in a train row" in finding.evidence

    def later(part: str, x: np.ndarray, y: np.ndarray) -> None:
        if part == "test":
            x[5, 0] = -3000

    finding = found(patient(edited(table(), later)))["extreme-values"]
    assert "column 'x0' is -3000 in a test row" in finding.evidence


def test_nearly_constant_pixels_divided_by_their_deviation_are_extreme() -> None:
    def edit(part: str, x: np.ndarray, y: np.ndarray) -> None:
        x[:, 0] = 0
        x[0, 0] = 1 if part == "train" else 16  # 540 deviations

    data = edited(gn.load("digits"), edit)
    layers = [gn.Dense(64, 8), gn.ReLU(), gn.Dense(8, 10)]
    assert "extreme-values" in found(patient(data, raw=True, layers=[gn.Standardize(), *layers]))
    assert "extreme-values" not in found(patient(data))


def test_quantile_normalisation_cures_scale_and_extremes() -> None:
    def edit(part: str, x: np.ndarray, y: np.ndarray) -> None:
        x[:, 1] *= 1e5
        x[3, 2] = 1e7

    layers = [gn.QuantileNormalize(), gn.Dense(5, 8), gn.ReLU(), gn.Dense(8, 1)]
    assert alarms(patient(edited(table(), edit), raw=True, layers=layers)) == []


# Targets


def test_truncated_targets() -> None:
    def everywhere(part: str, x: np.ndarray, y: np.ndarray) -> None:
        np.trunc(y, out=y)

    assert found(patient(edited(table(), everywhere)))["integer-targets"].severity == "warning"

    def like_the_exercise(part: str, x: np.ndarray, y: np.ndarray) -> None:
        if part != "test":
            np.trunc(y, out=y)

    finding = found(patient(edited(table(), like_the_exercise)))["integer-targets"]
    assert finding.severity == "error"
    assert "those of test are not" in finding.evidence


def test_imbalance_and_a_class_that_training_lacks() -> None:
    def rare(part: str, x: np.ndarray, y: np.ndarray) -> None:
        y[...] = x[:, 0] > 2

    finding = found(patient(edited(table(classes=True), rare)))["class-imbalance"]
    assert (finding.severity, finding.where) == ("warning", "class '0'")

    def fewer(part: str, x: np.ndarray, y: np.ndarray) -> None:
        y[...] = x[:, 0] > 1.2

    assert found(patient(edited(table(classes=True), fewer)))["class-imbalance"].severity == "note"

    def lacking(part: str, x: np.ndarray, y: np.ndarray) -> None:
        if part == "train":
            y[y == 8] = 3

    finding = found(patient(edited(gn.load("digits"), lacking)))["missing-class"]
    assert (finding.severity, finding.where) == ("error", "class '8'")


@pytest.mark.parametrize(("scale", "shift"), [(1e5, 0.0), (1.0, 1e4), (1e-4, 0.0)])
def test_targets_far_from_unit_size_need_unstandardize(scale: float, shift: float) -> None:
    def edit(part: str, x: np.ndarray, y: np.ndarray) -> None:
        y *= scale
        y += shift

    data = edited(table(), edit)
    assert found(patient(data, unit=False))["unscaled-target"].severity == "warning"
    assert "unscaled-target" not in found(patient(data))


@pytest.mark.parametrize("classes", [False, True])
def test_a_column_made_from_the_target_is_a_leak(classes: bool) -> None:
    rng = np.random.default_rng(1)

    def edit(part: str, x: np.ndarray, y: np.ndarray) -> None:
        x[:, 4] = np.exp(0.3 * y) + 1e-3 * rng.normal(size=len(y))

    finding = found(patient(edited(table(classes=classes), edit)))["target-leak"]
    assert (finding.severity, finding.where) == ("error", "column 'x4'")


def test_an_easy_problem_is_no_leak() -> None:
    rng = np.random.default_rng(0)
    y = rng.integers(0, 3, 600)
    assert "target-leak" not in found(patient(gn.Dataset.from_arrays(20.0 * y[:, None] + rng.normal(size=(600, 4)), y)))


# Parts


@pytest.mark.parametrize("rows", [8, 60])
def test_rows_of_the_test_that_training_has_too(rows: int) -> None:
    data = gn.load("digits")
    test = gn.Split(data.test.x.copy(), data.test.y.copy())
    test.x[:rows], test.y[:rows] = data.train.x[:rows], data.train.y[:rows]
    finding = found(patient(replace(data, test=test)))["shared-rows"]
    assert finding.severity == "error"
    assert finding.where == "test: rows 0, 1, 2, 3, ..."
    assert f"{rows} of 359 test rows are training rows too" in finding.evidence


def test_natural_twins_are_no_shared_rows() -> None:
    rng = np.random.default_rng(0)
    x = rng.integers(0, 3, (900, 4)).astype(float)
    assert "shared-rows" not in found(patient(gn.Dataset.from_arrays(x, (x[:, 0] > x[:, 1]).astype(int))))


@pytest.mark.parametrize("shift", [1.0, 3.0])
def test_a_shifted_column_is_seen_by_distance_and_classifier(shift: float) -> None:
    def edit(part: str, x: np.ndarray, y: np.ndarray) -> None:
        if part == "test":
            x[:, 2] += shift

    finding = found(patient(edited(table(), edit)))["train-test-shift"]
    assert finding.severity == ("error" if shift > 2 else "warning")
    assert finding.where.startswith("test: column 'x2'")
    assert "AUC" in finding.evidence


def test_a_shift_that_no_column_shows_is_seen_by_the_classifier() -> None:
    def edit(part: str, x: np.ndarray, y: np.ndarray) -> None:
        x[:, 1] = x[:, 0] + 0.1 * x[:, 1]
        if part == "test":  # the columns keep their distributions, and lose their dependence
            np.random.default_rng(0).shuffle(x[:, 1])

    rng = np.random.default_rng(0)
    x = rng.normal(size=(4000, 3))
    data = edited(gn.Dataset.from_arrays(x, x.sum(axis=1)), edit)
    assert "no column alone" in found(patient(data))["train-test-shift"].where


def test_rows_sorted_by_the_target_before_splitting() -> None:
    data = table()
    order = np.argsort(np.concatenate([data.train.y, data.val.y, data.test.y]), kind="stable")
    x = np.concatenate([data.train.x, data.val.x, data.test.x])[order]
    y = np.concatenate([data.train.y, data.val.y, data.test.y])[order]
    ends = [len(data.train), len(data.train) + len(data.val)]
    train, val, test = map(gn.Split, np.split(x, ends), np.split(y, ends))
    finding = found(patient(replace(data, train=train, val=val, test=test)))["train-test-shift"]
    assert finding.severity == "error"
    assert "target 'target' D = 1.00" in finding.evidence


def test_ks_distance_is_scipys() -> None:
    from scipy.stats import ks_2samp

    rng = np.random.default_rng(0)
    for a, b in ((rng.normal(size=50), rng.normal(1, 1, 80)), (rng.integers(0, 4, 99), rng.integers(1, 6, 70))):
        assert splits.ks_distance(a, b) == pytest.approx(ks_2samp(a, b).statistic, abs=1e-12)


def test_auc_is_scikit_learns_and_its_error_that_of_chance() -> None:
    from sklearn.metrics import roc_auc_score

    rng = np.random.default_rng(0)
    a, b = np.round(rng.normal(0.5, 1, 60), 1), np.round(rng.normal(size=90), 1)
    truth = np.repeat([1, 0], [60, 90])
    assert auc_of(a, b)[0] == pytest.approx(roc_auc_score(truth, np.concatenate([a, b])))
    by_chance = [auc_of(rng.normal(size=60), rng.normal(size=90)) for _ in range(400)]
    assert np.std([auc for auc, _ in by_chance]) == pytest.approx(by_chance[0][1], rel=0.15)
    p, y = rng.dirichlet([1, 2, 3], 90), rng.integers(0, 3, 90)
    assert ranking(p, y)[0] == pytest.approx(roc_auc_score(y, p, multi_class="ovr"))
    assert np.isnan(ranking(p, np.zeros(90, int))[0])


# The result


@pytest.mark.parametrize("name", ["digits", "table"])
def test_shuffled_targets_are_no_better_than_a_constant(name: str) -> None:
    rng = np.random.default_rng(0)

    def edit(part: str, x: np.ndarray, y: np.ndarray) -> None:
        rng.shuffle(y)

    one = trained(patient(edited(table() if name == "table" else gn.load(name), edit)), 15)
    assert found(one, after.CHECKS)["no-better-than-constant"].severity == "error"


def test_a_network_that_has_barely_begun_is_not_blamed() -> None:
    one = patient(table(), unit=False)
    one.optimizer = gn.SGD(lr=2e-4)
    assert "no-better-than-constant" not in found(trained(one, 3), after.CHECKS)


def test_a_network_that_never_moved_is_blamed() -> None:
    one = patient(gn.load("digits"))
    one.net.theta[...] = 0
    assert "no-better-than-constant" in found(trained(one, 3), after.CHECKS)


def test_a_hampered_network_is_worse_than_a_linear_one() -> None:
    one = patient(table(), layers=[gn.Dense(5, 32), gn.ReLU(), gn.Dropout(0.9), gn.Dense(32, 1)])
    one.optimizer = gn.SGD(lr=1e-3)
    finding = found(trained(one, 10), after.CHECKS)["no-better-than-linear"]
    assert finding.severity == "warning"
    assert "after 10 epochs" in finding.evidence


def test_the_linear_models_are_as_good_as_scikit_learns() -> None:
    from sklearn.linear_model import LogisticRegression, Ridge

    data = gn.load("diabetes")
    ours = after.linear_outputs(patient(data), data.val.x)[:, 0]
    mean, std = data.train.x.mean(axis=0), data.train.x.std(axis=0)
    ridge = Ridge(alpha=1e-3 * len(data.train)).fit((data.train.x - mean) / std, data.train.y)
    assert ours == pytest.approx(ridge.predict((data.val.x - mean) / std), rel=1e-9)

    data = gn.load("digits")
    ours = (after.linear_outputs(patient(data), data.val.x).argmax(axis=1) == data.val.y).mean()
    theirs = LogisticRegression(tol=1e-2).fit(data.train.x / 16, data.train.y).score(data.val.x / 16, data.val.y)
    assert ours > theirs - 0.02


def test_rows_known_by_heart_leave_a_gap() -> None:
    data = gn.load("digits")
    few = replace(data, train=gn.Split(data.train.x[:60], data.train.y[:60]))
    finding = found(trained(patient(few), 60), after.CHECKS)["generalisation-gap"]
    assert finding.severity == "warning"
    assert "100.0% on training rows" in finding.evidence


def test_running_statistics_that_never_move_make_the_modes_disagree() -> None:
    def layers(momentum: float) -> list[gn.Layer]:
        return [gn.Dense(64, 32), gn.BatchNorm(32, momentum=momentum), gn.ReLU(), gn.Dropout(0.3), gn.Dense(32, 10)]

    data = gn.load("digits")
    names = [found(trained(patient(data, raw=True, layers=layers(m)), 6), after.CHECKS) for m in (0.1, 1e-6)]
    assert "modes-disagree" not in names[0]
    assert "BatchNorm" in names[1]["modes-disagree"].where


def test_certainty_beyond_accuracy_is_a_note() -> None:
    rng = np.random.default_rng(0)

    def noisy(part: str, x: np.ndarray, y: np.ndarray) -> None:
        wrong = rng.random(len(y)) < 0.25
        y[wrong] = 1 - y[wrong]

    layers = [gn.Dense(5, 256), gn.ReLU(), gn.Dense(256, 2)]
    finding = found(trained(patient(edited(table(classes=True), noisy), layers=layers), 60), after.CHECKS)
    assert finding["overconfident"].severity == "note"


def test_a_wrong_label_is_among_the_hardest_rows() -> None:
    data = gn.load("digits")
    val = gn.Split(data.val.x.copy(), data.val.y.copy())
    row = int(np.flatnonzero(val.y == 0)[3])
    val.y[row] = 1
    finding = found(trained(patient(replace(data, val=val)), 10), after.CHECKS)["hardest-rows"]
    assert f"row {row}: target '1', prediction '0'" in finding.evidence


# Whatever the data


@st.composite
def small_datasets(draw: st.DrawFn) -> gn.Dataset:
    width = draw(st.integers(1, 3))
    task = draw(st.sampled_from(["classification", "regression"]))
    kind = draw(st.sampled_from(["uint8", "float32", "float64", "constant", "nan"]))
    rng = np.random.default_rng(draw(st.integers(0, 99)))
    parts = []
    for n in (draw(st.integers(1, 60)), draw(st.integers(0, 60)), draw(st.integers(0, 60))):
        x = rng.normal(size=(n, width)) * 10.0 ** draw(st.integers(-6, 6))
        if kind == "constant":
            x[...] = 5
        if kind == "nan" and n:
            x[rng.integers(n), 0] = np.nan
        x = rng.integers(0, 256, (n, width)).astype(np.uint8) if kind == "uint8" else x
        x = x.astype(np.float32) if kind == "float32" else x
        y = rng.integers(0, draw(st.integers(1, 3)), n)
        parts.append(gn.Split(x, y if task == "classification" else y * rng.choice([0.5, 1e5])))
    names = ("a", "b", "c")
    shape = (1, width) if kind == "uint8" else None
    classes = names if task == "classification" else ()
    return gn.Dataset("small", *parts, task, classes, names[:width], shape, "y")  # type: ignore[arg-type]


@settings(max_examples=60, deadline=None)
@given(data=small_datasets(), raw=st.booleans())
def test_no_check_ever_fails(data: gn.Dataset, raw: bool) -> None:
    one = patient(data, raw=raw)
    found(one)
    if all(np.isfinite(getattr(data, part).x).all() for part in ("train", "val", "test")):
        layers = [gn.Dense(data.n_in, 4), gn.BatchNorm(4), gn.ReLU(), gn.Dense(4, data.n_out)]
        with suppress(gn.DivergenceError):
            found(trained(patient(data, raw=raw, layers=layers), 2), after.CHECKS)


def test_missing_values_that_the_network_takes_are_no_fault() -> None:
    rng = np.random.default_rng(0)
    x = np.column_stack([rng.normal(size=(400, 2)), rng.integers(0, 3, 400)])
    y = x[:, 0] + (x[:, 2] == 1)
    x[rng.random(400) < 0.1, 0] = np.nan
    x[rng.random(400) < 0.1, 2] = np.nan
    data = gn.Dataset.from_arrays(x, y, categories=[(), (), ("a", "b", "c")])
    layers = [
        gn.Columns(**data.columns()),
        gn.PiecewiseLinear(2, 4, bins=8, plain=5),
        gn.Dense(13, 16),
        gn.ReLU(),
        gn.Dense(16, 1),
        gn.Unstandardize(),
    ]
    findings = gn.examine(gn.Network(layers), data, gn.MSE(), gn.AdamW(3e-3), epochs=3, batch_size=32)
    assert not [str(finding) for finding in findings if finding.severity == "error"]
    findings = gn.examine(gn.Network([gn.Dense(3, 1)]), replace(data, schema=()), gn.MSE(), gn.SGD(0.01))
    assert "nan-values" in {finding.name for finding in findings}


def odd_table(classes: bool, n: int = 600) -> gn.Dataset:
    """Numbers and categories, a third of both missing; the target goes by which category it is, not by its number."""
    rng = np.random.default_rng(3)
    x = np.column_stack([rng.normal(size=n), rng.integers(0, 4, n), rng.normal(size=n)]).astype(float)
    y = np.array([3.0, -3.0, 3.0, -3.0])[x[:, 1].astype(int)] + x[:, 0]
    known = rng.random((n, 2)) < 0.67
    x[:, :2] = np.where(known, x[:, :2], np.nan)
    y = np.where(known[:, 0], y, y - np.nan_to_num(x[:, 0]))
    return gn.Dataset.from_arrays(
        x, (y > 0).astype(int) if classes else y, categories=[(), ("a", "b", "c", "d"), ()], seed=1
    )


@pytest.mark.parametrize("classes", [False, True])
def test_the_linear_model_sees_categories_and_missing_values_as_a_network_does(classes: bool) -> None:
    data = odd_table(classes)
    loss = gn.CrossEntropy() if classes else gn.MSE()
    net = gn.Network([gn.Columns(**data.columns()), gn.Dense(8, data.n_out)])
    seen = Patient.of(net, data, loss, gn.Adam(1e-3), 32, 0)
    assert len(seen.parts["train"]) == len(data.train)
    answers = linear_outputs(seen, data.test.x)
    assert answers is not None
    if classes:
        assert (answers.argmax(axis=1) == data.test.y).mean() > 0.75
    else:
        assert 1 - np.square(answers[:, 0] - data.test.y).mean() / data.test.y.var() > 0.5


@pytest.mark.parametrize("width", [1, 3])
def test_a_column_without_a_value_is_named_and_if_there_is_no_other_an_error(width: int) -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(300, width))
    x[:, 0] = np.nan
    data = gn.Dataset.from_arrays(x, rng.normal(size=300), categories=[()] * width, features=list("abc"[:width]))
    net = gn.Network([gn.Columns(**data.columns()), gn.Dense(width + 1, 1), gn.Unstandardize()])
    findings = gn.examine(net, data, gn.MSE(), gn.Adam(1e-3), epochs=1)
    found = [(each.where, each.severity) for each in findings if each.name == "empty-column"]
    assert found == [("column 'a'", "error" if width == 1 else "warning")]


def test_an_empty_column_that_reading_a_table_left_out_is_named(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("a,none,y\n" + "".join(f"{i},,{i}.5\n" for i in range(60)))
    data = gn.load(path, target="y")
    net = gn.Network([gn.Columns(**data.columns()), gn.Dense(1, 1), gn.Unstandardize()])
    findings = gn.examine(net, data, gn.MSE(), gn.Adam(1e-3), epochs=1)
    found = [(each.where, each.severity) for each in findings if each.name == "empty-column"]
    assert found == [("column 'none'", "warning")]


@pytest.mark.parametrize("rows", [800, 3000])
def test_a_rare_class_that_is_never_predicted_is_a_warning(rows: int) -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(rows, 4))
    y = (x[:, 0] + rng.normal(size=rows) > 3.1).astype(int)  # about 1.5%
    data = gn.Dataset.from_arrays(x, y, classes=("no", "yes"))
    net = gn.Network([gn.Standardize(), gn.Dense(4, 16), gn.ReLU(), gn.Dense(16, 2)])
    found = gn.examine(net, data, gn.CrossEntropy(), gn.Adam(3e-3), epochs=4, batch_size=32)
    warned = [finding for finding in found if finding.name == "class-never-predicted"]
    assert [(finding.severity, finding.where) for finding in warned] == [("warning", "class 'yes'")]
    assert "predict_proba" in warned[0].advice
    net.info["decision"] = {"costs": [[0, 0.02], [0.98, 0]], "by": "f1", "positive": "yes", "threshold": 0.02}
    found = gn.examine(net, data, gn.CrossEntropy(), gn.Adam(3e-3), epochs=4, batch_size=32)
    assert not any(finding.name == "class-never-predicted" for finding in found)
