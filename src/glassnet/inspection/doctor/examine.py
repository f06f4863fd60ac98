"""The whole examination: the data, the start, a short training, the result."""

from __future__ import annotations

import copy
import math
from dataclasses import replace

import numpy as np

from glassnet.data import Dataset
from glassnet.inspection.doctor import after, columns, splits, start, structure, targets
from glassnet.inspection.doctor.finding import Finding
from glassnet.inspection.doctor.order import ordered
from glassnet.inspection.doctor.patient import Patient
from glassnet.inspection.doctor.watching import Doctor
from glassnet.nn import Loss, Network
from glassnet.optim import Optimizer, Schedule
from glassnet.train import DivergenceError, History, fit
from glassnet.train.fit import check_data

DATA = (*columns.CHECKS, *targets.CHECKS, *splits.CHECKS)
BEFORE = (*structure.CHECKS, *start.CHECKS)


def examine(
    net: Network,
    data: Dataset,
    loss: Loss,
    optimizer: Optimizer,
    *,
    epochs: int = 3,
    batch_size: int = 128,
    seed: int = 0,
    schedule: Schedule | None = None,
    replacement: bool = False,
    trained: tuple[Network, History] | None = None,
) -> list[Finding]:
    """Find faults of a network, its data or its training: the worst first, a cause before its symptoms.

    It looks at the data, at the network before training, at a short training of `epochs` epochs (arguments as for
    `fit`), and at its result. `trained`, a network and its history, is the result of a longer training, used instead.
    All of it works on copies, so net, data and optimizer don't change. An empty list, or one of notes alone, means that
    nothing was found.
    Raises ValueError for arguments that `fit` can't train with at all.
    """
    patient, findings = admit(net, data, loss, optimizer, batch_size, seed)
    if any(finding.name == "nan-values" for finding in findings):
        return ordered(findings)
    doctor = Doctor()
    pupil = patient.net.copy()
    pupil.fast = net.fast
    try:
        with np.errstate(all="ignore"):
            history = fit(
                pupil,
                data,
                patient.loss,
                copy.deepcopy(patient.optimizer),
                epochs,
                batch_size,
                seed=seed,
                schedule=schedule,
                replacement=replacement,
                restore_best=False,
                callbacks=[doctor],
                progress=False,
            )
    except DivergenceError:
        return ordered([*findings, *doctor.findings])
    if history.interrupted:  # a training that was stopped is no evidence
        raise KeyboardInterrupt
    findings += [*doctor.findings, *start.learns_by_heart(patient)]
    return ordered([*findings, *result(patient, *(trained or (pupil, history)))])


def admit(
    net: Network, data: Dataset, loss: Loss, optimizer: Optimizer, batch_size: int = 128, seed: int = 0
) -> tuple[Patient, list[Finding]]:
    """Look at the data and at the network before training; return the patient and the findings."""
    check_data(net, data, loss, validate=False, finite=False)
    patient = Patient.of(net, data, loss, optimizer, batch_size, seed)
    missing = bool(data.categories)
    finite = not (columns.too_large(data.train.x, missing).any() or columns.too_large(data.train.y).any())
    with np.errstate(all="ignore"):
        if finite:
            patient.net.fit_preprocessing(data.train.x, data.train.y)
        findings = [finding for check in (DATA if finite else columns.CHECKS[:1]) for finding in check(patient)]
        if finite:
            findings += [finding for check in BEFORE for finding in check(patient)]
    return patient, findings


def result(patient: Patient, trained: Network, history: History) -> list[Finding]:
    """Look at a trained network and its history."""
    if not math.isfinite(float(np.abs(trained.theta).max(initial=0))):
        return []
    net = trained.copy()
    net.fast = False
    after_training = replace(patient, net=net, history=history)
    with np.errstate(all="ignore"):
        return [finding for check in after.CHECKS for finding in check(after_training)]
