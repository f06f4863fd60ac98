"""Checks of the result: a trained network beside constants, a linear model, and its own training rows."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from glassnet.inspection.digits import digits
from glassnet.inspection.doctor.finding import Finding
from glassnet.inspection.doctor.held import (
    FEWEST,
    errors,
    held,
    lead,
    losses,
    measure,
    measured,
    together,
)
from glassnet.inspection.doctor.linear import linear_outputs
from glassnet.inspection.doctor.patient import Patient
from glassnet.inspection.doctor.structure import CALIBRATED
from glassnet.nn import BatchNorm
from glassnet.nn.layer import Array
from glassnet.nn.noise import silenced
from glassnet.train.decisions import Decision, answered
from glassnet.train.units import training_loss

# Standard errors of the covariance of outputs and targets: on held-out rows, and on training rows at the beginning.
TOGETHER, NOT_YET = 2.5, 1.5
BEHIND = -2.0  # standard errors of the lead over the constant
LEARNING = 0.05  # share by which the loss of the last epoch is below the first's while training gets somewhere
WORSE, WORSE_ERRORS, LONG = 0.2, 3.0, 10  # than the linear model: of the constant's error, standard errors; in epochs
GAP, GAP_ERRORS, GAP_RATIO = 0.15, 4.0, 5.0  # of accuracy or variance; standard errors; between squared errors
MODES = 2.0, 0.1  # the loss in inference mode: more than twice that in training mode, by this share of the constant's
BATCHES = 0.5  # share of the constant's loss by which training mode may be the worse one: so uneven are small batches
BINS, MISCALIBRATED, PROBABLE_ROWS = 15, 0.1, 100  # Guo et al. 2017 use 15 bins
HARDEST = 5
RARE, ROWS_OF_CLASS = 0.5, 3  # of an equal share of the training rows; rows of a class that say anything about it


def no_better_than_constant(patient: Patient) -> Iterator[Finding]:
    """A network that has learned nothing that holds for other rows."""
    seen = held(patient)
    if seen is None or (seen.split.y == seen.split.y[0]).all():
        return
    train = patient.sample
    outputs = patient.net.predict(train.x)
    ours = errors(patient, seen.outputs, seen.split)
    theirs = errors(patient, patient.constant(len(ours)), seen.split)
    agreement = together(seen.outputs, seen.split.y)
    if agreement >= TOGETHER:
        long = patient.history is not None and len(patient.history) >= LONG
        if not (long and lead(ours, theirs)[1] < BEHIND):
            return
    elif together(outputs, train.y) < NOT_YET and _still_learning(patient):
        return
    train_error = float(errors(patient, outputs, train).mean())
    train_constant = float(errors(patient, patient.constant(len(train)), train).mean())
    simplest = "the training mean" if patient.loss.task == "regression" else "the commonest class"
    yield Finding(
        "no-better-than-constant",
        "error",
        seen.name,
        f"{measure(patient)} on {len(ours)} {seen.name} rows {measured(patient, ours)}, that of {simplest}"
        f" {measured(patient, theirs)} (on training rows {measured(patient, train_error)} and"
        f" {measured(patient, train_constant)}); outputs and targets covary by {agreement:.1f} standard errors",
        "The network has learned nothing that holds for other rows."
        + (" It has learned its training rows by heart at most." if train_error < 0.9 * train_constant else ""),
        "check that x and y belong together row by row (were they sorted or shuffled apart?), then that the network can"
        " learn 16 rows by heart, then another learning rate",
        f"gn.baseline; less than {TOGETHER} standard errors, {CALIBRATED}",
    )


def _still_learning(patient: Patient) -> bool:
    """Whether the loss of training was falling to the end."""
    course = patient.history["train_loss"] if patient.history is not None and len(patient.history) else []
    if len(course) < 2:
        steps = patient.history.step_loss if patient.history is not None else []
        third = len(steps) // 3
        course = [float(np.mean(steps[:third])), float(np.mean(steps[-third:]))] if third else []
    return len(course) >= 2 and course[-1] < (1 - LEARNING) * course[0] and course[-1] < course[-2]


def never_predicted(patient: Patient) -> Iterator[Finding]:
    """A rare class that no row is answered with."""
    seen, train = held(patient), patient.sample
    if seen is None or patient.loss.task != "classification" or seen.split.y.ndim > 1 or train.y.ndim > 1:
        return
    classes, answers = patient.data.n_out, _classes_of(patient, seen.outputs)
    counts = np.bincount(train.y, minlength=classes)
    rows, said = np.bincount(seen.split.y, minlength=classes), np.bincount(answers, minlength=classes)
    rare = (counts > 0) & (counts < RARE / classes * len(train)) & (said == 0)
    if (few := rare & (rows < ROWS_OF_CLASS)).any():  # then its training rows must say so, too
        rare &= ~few | (np.bincount(_classes_of(patient, patient.net.predict(train.x)), minlength=classes) == 0)
    rare &= counts + rows >= ROWS_OF_CLASS
    if not rare.any():
        return
    names = [f"class {patient.data.classes[i]!r}" for i in np.flatnonzero(rare)]
    right = float((answers == seen.split.y).mean())
    yield Finding(
        "class-never-predicted",
        "warning",
        ", ".join(names[:4]) + (f" and {len(names) - 4} more" if names[4:] else ""),
        f"no {seen.name} row is answered so, though {rows[rare].sum()} of {len(answers)} are, and so are"
        f" {counts[rare].sum()} of {len(train)} training rows; the accuracy is {right:.1%} all the same",
        "Where a class is rare, it is likely that another one is likelier for every row: accuracy is high without it.",
        "answer with the class wherever predict_proba gives it more than its share of the training rows, or than the"
        " costs of both mistakes say; repeat its rows, or collect more; judge by its recall and the log loss",
        "Elkan 2001, The Foundations of Cost-Sensitive Learning (IJCAI), section 2; fewer training rows than half of an"
        " equal share",
    )


def no_better_than_linear(patient: Patient) -> Iterator[Finding]:
    """A network that a linear model matches."""
    seen = held(patient)
    answers = None if seen is None else linear_outputs(patient, seen.split.x)
    if seen is None or answers is None:
        return
    ours = errors(patient, seen.outputs, seen.split)
    # Logistic regression scores all classes; a network with one output scores the second of two.
    theirs = (
        errors(patient, answers, seen.split)
        if patient.loss.task == "regression"
        else (answers.argmax(axis=1) != seen.split.y).astype(np.float64)
    )
    epochs = len(patient.history) if patient.history is not None else 0
    ahead, certainty = lead(ours, theirs)
    if epochs < LONG or not ahead <= 0:
        return
    constant = errors(patient, patient.constant(len(seen.split)), seen.split)
    clearly = -ahead > WORSE * constant.mean() and certainty < -WORSE_ERRORS
    yield Finding(
        "no-better-than-linear",
        "warning" if clearly else "note",
        seen.name,
        f"{measure(patient)} on {len(seen.split)} {seen.name} rows {measured(patient, ours)} after {epochs} epochs,"
        f" that of a linear model {measured(patient, theirs)}",
        "The hidden layers bring nothing: either the problem is linear, or the network is held back.",
        "train longer, then more units, another learning rate, less dropout and decay; if nothing helps, use the linear"
        " model: it is simpler",
        "ridge or logistic regression on at most 4096 training rows; limits " + CALIBRATED,
    )


def generalisation_gap(patient: Patient) -> Iterator[Finding]:
    """Training rows known far better than others."""
    seen = held(patient)
    if seen is None:
        return
    train = patient.sample
    ours, theirs = errors(patient, patient.net.predict(train.x), train), errors(patient, seen.outputs, seen.split)
    if len(train) < FEWEST or not np.isfinite(ours).all():
        return
    gap = float(theirs.mean() - ours.mean())
    error = math.sqrt(ours.var() / len(ours) + theirs.var() / len(theirs))
    scale = float(seen.split.y.var()) if patient.loss.task == "regression" else 1.0
    ratio = GAP_RATIO if patient.loss.task == "regression" else 1.0
    if not (gap > GAP * scale and gap > GAP_ERRORS * error and theirs.mean() > ratio * ours.mean()):
        return
    course = patient.history.columns().get("val_loss", []) if patient.history is not None else []
    best = int(np.argmin(course)) + 1 if course else 0
    rising = f"; the validation loss was least in epoch {best} of {len(course)}" if best < len(course) else ""
    yield Finding(
        "generalisation-gap",
        "warning",
        f"train and {seen.name}",
        f"{measure(patient)} {measured(patient, ours)} on training rows, {measured(patient, theirs)} on {seen.name}"
        f" rows{rising}",
        "The network has learned its training rows by heart, including their chance.",
        "more training rows; or dropout 0.2 to 0.5, weight_decay, fewer units, fewer epochs (patience=5)",
        f"a gap beyond {GAP} of all and {GAP_ERRORS:g} standard errors, {CALIBRATED}",
    )


def modes_disagree(patient: Patient) -> Iterator[Finding]:
    """Batch norm's running statistics against the batches' own."""
    if not any(isinstance(layer, BatchNorm) for layer in patient.net.layers):
        return
    net, loss, train = patient.net.copy(), training_loss(patient.loss, patient.net), patient.sample
    size = min(patient.batch_size, len(train))
    order = np.random.default_rng(patient.seed).permutation(len(train))[: max(1, len(train) // size) * size]
    batches = order.reshape(-1, size)[: max(1, 1024 // size)]  # whole ones
    rows = batches.ravel()
    inference = loss.forward(net.predict(train.x[rows]), train.y[rows])
    with silenced(net.layers):
        training = float(np.mean([loss.forward(net.forward(train.x[b], training=True), train.y[b]) for b in batches]))
    plain = loss.forward(patient.constant(len(rows)), train.y[rows])
    if not (inference > MODES[0] * training + MODES[1] * plain or training > inference + BATCHES * plain):
        return
    yield Finding(
        "modes-disagree",
        "error" if training < plain <= inference else "warning",
        "BatchNorm layers",
        f"the loss of the same {len(rows)} training rows is {training:.3g} in training mode, by the statistics of"
        f" batches of {size}, and {inference:.3g} in inference mode, by the running ones; a constant's is {plain:.3g}",
        "Training adapts the weights to one set of statistics, predictions use another.",
        "larger batches (32 or more), BatchNorm(momentum=0.1), more steps before looking; LayerNorm has no such modes",
        "Ioffe 2017, Batch Renormalization (arXiv:1702.03275), section 1; limits " + CALIBRATED,
    )


def overconfident(patient: Patient) -> Iterator[Finding]:
    """Probabilities larger than the share of answers that are right."""
    seen = held(patient)
    if (
        seen is None
        or patient.loss.task != "classification"
        or len(seen.split) < PROBABLE_ROWS
        or seen.split.y.ndim > 1
    ):
        return
    p = patient.net.predict_proba(seen.split.x)
    confidence, right = p.max(axis=1).astype(np.float64), p.argmax(axis=1) == seen.split.y
    bins = np.minimum((confidence * BINS).astype(int), BINS - 1)
    ece = float(np.abs(np.bincount(bins, right - confidence, minlength=BINS)).sum() / len(p))
    if ece > MISCALIBRATED and confidence.mean() > right.mean():
        yield Finding(
            "overconfident",
            "note",
            seen.name,
            f"on {len(p)} {seen.name} rows the mean confidence is {confidence.mean():.1%}, the accuracy"
            f" {right.mean():.1%}; expected calibration error {ece:.3f} in {BINS} bins",
            "Where the network says 95%, it is right less often: thresholds and costs computed by it are off.",
            "CrossEntropy(label_smoothing=0.1), fewer epochs, or weight_decay",
            "Guo et al. 2017 (arXiv:1706.04599), equation 3; limit " + CALIBRATED,
        )


def _classes_of(patient: Patient, outputs: Array) -> Array:
    """The classes (N,) that are answered: the likeliest, or those that the network's decision says."""
    return answered(patient.net.probabilities(outputs), Decision.read(patient.net.info))


def hardest_rows(patient: Patient) -> Iterator[Finding]:
    """The rows with the largest loss, which include wrong labels."""
    name = next((name for name in ("val", "test") if name in patient.parts), None)
    if name is None:
        return
    split = patient.parts[name]
    outputs = patient.net.predict(split.x)
    loss = losses(patient, outputs, split)
    if not np.isfinite(loss).all():
        return
    worst = np.argsort(-loss, kind="stable")[:HARDEST]
    names = patient.data.classes
    rows = []
    for i in worst:
        target, answer = split.y[i], outputs[i]
        if patient.loss.task == "regression" or target.ndim:
            shown = digits(target, answer - target)
            told = f"target {_numbers(target, shown)}, prediction {_numbers(answer, shown)}"
        else:
            label = int(_classes_of(patient, answer[None])[0])
            told = f"target {names[target]!r}, prediction {names[label]!r}"
        rows.append(f"row {i}: {told}, loss {loss[i]:.3g}")
    yield Finding(
        "hardest-rows",
        "note",
        f"rows {', '.join(str(i) for i in worst)} of the {name} part, counted from 0",
        f"{'; '.join(rows)} (mean loss {loss.mean():.3g})",
        "Wrong labels, typing errors and rows of another kind show here first.",
        f"look at them (data.{name}.x[{worst[0]}]; or glassnet trace RUN --part {name} --row {worst[0]}), and repair or"
        " explain what is odd",
        f"the {HARDEST} largest losses of the {name} part",
    )


def _numbers(values: Array, digits: int) -> str:
    """Numbers with so many digits, large ones in full: 1,054,200 and not 1.0542e+06."""
    whole = np.atleast_1d(values).tolist()
    return ", ".join(f"{v:,.0f}" if 10**digits <= abs(v) < 1e15 else f"{v:.{digits}g}" for v in whole)


CHECKS = (
    modes_disagree,
    no_better_than_constant,
    never_predicted,
    no_better_than_linear,
    generalisation_gap,
    overconfident,
    hardest_rows,
)
