"""Checks of the targets: the targets alone, and a column that gives them away."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from glassnet.data import Split
from glassnet.inspection.doctor.finding import Finding, Severity
from glassnet.inspection.doctor.patient import Patient
from glassnet.inspection.doctor.structure import CALIBRATED
from glassnet.nn import Unstandardize
from glassnet.nn.layer import Array

FEW_VALUES = 20  # as many whole numbers as gn.load takes for classes in a table, see data/table.py
ROWS_PER_VALUE = 5  # rows for each value: then these are few values in many rows
CUT, CUT_ERRORS = 1.3, 3.0  # zeros for each one or minus one: 1 if rounded, 2 if cut; and standard errors
COARSE = 10.0  # standard deviations in units: below, cutting the decimals off loses more than 1/10 of one
MAJORITY, MANY = 0.95, 0.8  # shares of the largest class
RARE = 20  # times smaller than the mean class
FAR, SMALL = 100.0, 0.01  # root mean square and standard deviation of the targets that outputs of unit size don't reach
LEAK, PLAIN_LEAK = 0.98, 0.999  # explained share of the variance, or of the mistakes of guessing
RUNNER_UP = 0.96  # if several columns predict a class this well alone, the problem is easy
LEAK_ROWS = 50  # fewer leave too much to chance


def constant_target(patient: Patient) -> Iterator[Finding]:
    """A target that never changes."""
    train = patient.parts.get("train")
    if train is not None and len(train) > 1 and (train.y == train.y[0]).all():
        yield Finding(
            "constant-target",
            "error",
            f"target {patient.data.target!r}",
            f"all {len(train)} training targets are {train.y[0]:g}" if train.y.ndim == 1 else "all are the same",
            "There is nothing to learn: one constant is right for every training row.",
            "check how the target is read, and how the rows are split: are they sorted by it?",
            "a constant has no variance to explain",
        )


def whole_numbers(patient: Patient) -> Iterator[Finding]:
    """Values to predict that lost their decimals."""
    train = patient.parts.get("train")
    if patient.data.task != "regression" or train is None or not _whole(train):
        return
    values, deviation = np.unique(train.y), float(train.y.std())
    if len(values) == 1:
        return
    others = [name for name, split in patient.parts.items() if not _whole(split)]
    many_rows = len(train) >= ROWS_PER_VALUE * len(values)
    severity: Severity
    if others:
        severity, what = "error", f", those of {' and '.join(others)} are not"
    elif many_rows and (len(values) <= FEW_VALUES or _cut_at_zero(train)):
        severity, what = "warning", ""
    elif deviation < COARSE and many_rows:
        severity, what = "note", ""
    else:
        return
    yield Finding(
        "integer-targets",
        severity,
        f"target {patient.data.target!r}",
        f"all {len(train)} training targets are whole numbers{what}: {len(values)} values in {values[0]:g} to"
        f" {values[-1]:g}, standard deviation {deviation:.3g}",
        "Decimals that were cut off can't be learned: they stay as error, and cutting shifts all targets by"
        " about a half."
        if severity != "note"
        else "If their decimals were cut off, these stay as error.",
        "look where the targets become integers (astype(int), np.trunc, a column's type) and keep their decimals; if"
        " they are classes by nature, use task='classification' with CrossEntropy",
        "rounding to whole numbers adds an error of standard deviation 1/sqrt(12), cutting a mean error of 1/2",
    )


def _whole(split: Split) -> bool:
    return bool((split.y == np.rint(split.y)).all())


def _cut_at_zero(split: Split) -> bool:
    """Whether there are far more zeros than ones and minus ones: cutting decimals off makes -0.9 to 0.9 zero."""
    zeros, beside = int((split.y == 0).sum()), int((np.abs(split.y) == 1).sum()) / 2
    return bool(split.y.min() < -1) and zeros > CUT * beside + CUT_ERRORS * beside**0.5 > 0


def class_shares(patient: Patient) -> Iterator[Finding]:
    """One class that drowns the others."""
    train = patient.parts.get("train")
    if train is None or not _labelled(patient):
        return
    counts = np.bincount(train.y, minlength=len(patient.data.classes))
    there = counts[counts > 0]
    largest, smallest = int(counts.argmax()), int(np.where(counts > 0, counts, len(train)).argmin())
    share = counts[largest] / len(train)
    rare = counts[smallest] * RARE < there.mean()
    if not (share >= MAJORITY or rare or (share >= MANY and len(there) <= 2)):
        return
    yield Finding(
        "class-imbalance",
        "warning" if share >= MAJORITY else "note",
        _name(patient, largest if share >= MANY else smallest),
        f"{counts[largest]} of {len(train)} training rows ({share:.1%}) are {_name(patient, largest)},"
        f" {counts[smallest]} are {_name(patient, smallest)}",
        f"Always answering {_name(patient, largest)} is right in {share:.1%} of rows, and rare classes add little to"
        " the loss.",
        "judge by the recall of each class, not by accuracy alone; collect or repeat rows of the rare classes",
        "Japkowicz & Stephen 2002 (Intelligent Data Analysis 6:429-449); limits " + CALIBRATED,
    )


def missing_class(patient: Patient) -> Iterator[Finding]:
    """A class that is asked for and was never shown."""
    train = patient.parts.get("train")
    if train is None or not _labelled(patient):
        return
    known = np.unique(train.y)
    unknown = {part: split.y[~np.isin(split.y, known)] for part, split in patient.parts.items() if part != "train"}
    missing = sorted({int(label) for labels in unknown.values() for label in labels})
    if missing:
        rows = " and ".join(f"{len(labels)} {name} rows" for name, labels in unknown.items() if len(labels))
        names = ", ".join(_name(patient, label) for label in missing[:4])
        yield Finding(
            "missing-class",
            "error",
            names + (f" and {len(missing) - 4} more" if len(missing) > 4 else ""),
            f"{rows} have a class that none of the {len(train)} training rows has",
            "What was never shown can't be learned: every such row is wrong.",
            "shuffle the rows before they are split (gn.Dataset.from_arrays does), or collect rows of the class",
            "by definition",
        )


def unscaled_target(patient: Patient) -> Iterator[Finding]:
    """Outputs start at about unit size. Targets far from that take a long way."""
    train = patient.parts.get("train")
    if patient.data.task != "regression" or train is None or isinstance(patient.net.layers[-1], Unstandardize):
        return
    y = train.y.reshape(len(train), -1).astype(np.float64)
    size, deviation = float(np.sqrt(np.square(y).mean(axis=0)).max()), float(y.std(axis=0).max())
    if size > FAR or 0 < deviation < SMALL:
        yield Finding(
            "unscaled-target",
            "warning",
            f"target {patient.data.target!r}",
            f"training targets have mean {y.mean():.4g} and standard deviation {deviation:.3g}, the network's outputs"
            " begin at about 1",
            "The loss and its gradient grow with the square of the target's unit: SGD explodes where the unit is large,"
            " and Adam's steps of about lr take long to get there.",
            "gn.Unstandardize() as the last layer: the network then works in standard units",
            "LeCun et al. 1998, Efficient BackProp, section 4.5; limits " + CALIBRATED,
        )


def leak(patient: Patient) -> Iterator[Finding]:
    """One column alone that gives the target away."""
    sample = patient.some(patient.parts["train"]) if "train" in patient.parts else None
    if sample is None or patient.is_image or sample.x.shape[1] < 2 or len(sample) < LEAK_ROWS or sample.y.ndim != 1:
        return
    classes = patient.data.task == "classification"
    if classes and not (_labelled(patient) and len(sample) - np.bincount(sample.y).max() >= LEAK_ROWS / 2):
        return
    told = _told(sample.x, sample.y, classes, patient.seed)
    leaks = np.flatnonzero(told > LEAK)
    leaks = leaks[np.argsort(-told[leaks], kind="stable")]
    others = np.delete(told, leaks)
    if not len(leaks) or len(leaks) > max(1, len(told) // 4):
        return
    if classes and others.max() > RUNNER_UP:
        return
    best = float(told[leaks[0]])
    what = "of what guessing gets wrong" if classes else "of the target's variance"
    yield Finding(
        "target-leak",
        "error" if best > PLAIN_LEAK else "warning",
        patient.columns(leaks.tolist()),
        f"{patient.column(leaks[0])} alone explains {best:.2%} {what}; the next column explains"
        f" {max(0.0, float(others.max())):.1%}",
        "A column that good is often made from the target, or known only after it; the result then says nothing about"
        " rows where the target is really unknown.",
        f"find out how {patient.column(leaks[0])} comes about, and leave it out if it isn't known in time",
        "Kaufman et al. 2012 (ACM TKDD 6(4):15); the variance left by Rice 1984 (Annals of Statistics 12:1215),"
        " eq. 2.4; limits " + CALIBRATED,
    )


def _told(x: Array, y: Array, classes: bool, seed: int) -> Array:
    """The share 0..1 of y (N,) that each column of x (N, width) explains alone, by a smooth curve or a few thresholds.

    Rows are sorted by the column. Neighbours then differ by the noise alone. Values: 1 - mean (y_i+1 - y_i)^2 / 2 var.
    Classes: 1 - the share of neighbours that differ, minus one change per class, over that of the rarer classes.
    """
    shuffled = np.random.default_rng(seed).permutation(len(x))  # equal values in no order
    order = shuffled[np.argsort(x[shuffled], axis=0, kind="stable")]
    in_order = y[order]
    if classes:
        counts = np.bincount(y)
        wrong = (in_order[1:] != in_order[:-1]).sum(axis=0) / 2  # a row among others makes two changes
        return 1 - np.maximum(wrong - np.count_nonzero(counts), 0) / max(len(y) - int(counts.max()), 1)
    variance = float(y.var())
    if variance == 0:
        return np.zeros(x.shape[1])
    return 1 - np.square(np.diff(in_order, axis=0)).mean(axis=0) / (2 * variance)


def _labelled(patient: Patient) -> bool:
    """Whether the targets are labels 0..C-1, one per row."""
    return patient.data.task == "classification" and all(
        split.y.ndim == 1 and split.y.dtype.kind in "iu" and split.y.min() >= 0 for split in patient.parts.values()
    )


def _name(patient: Patient, label: int) -> str:
    names = patient.data.classes
    return f"class {names[label]!r}" if label < len(names) else f"class {label}"


CHECKS = (constant_target, whole_numbers, class_shares, missing_class, unscaled_target, leak)
