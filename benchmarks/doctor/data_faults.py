"""Faults of the data. Each function makes a healthy plan sick; `variant` 0, 1, 2 is how."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from plan import Plan

import glassnet as gn


def parts(data: gn.Dataset) -> tuple[gn.Split, gn.Split, gn.Split]:
    """All three."""
    return data.train, data.val, data.test


def kept(split: gn.Split, rows: NDArray[Any] | slice) -> gn.Split:
    """Some rows of a split."""
    return gn.Split(split.x[rows], split.y[rows])


def constant_column(plan: Plan, variant: int) -> None:
    """One column (or two) never changes."""
    for split in parts(plan.data):
        split.x[:, 1 : 2 + variant % 2] = (3.7, 0.0, -1e3)[variant]


def duplicate_column(plan: Plan, variant: int) -> None:
    """The last column is the first one: the same, turned round, in another unit."""
    factor, shift = ((1.0, 0.0), (-2.0, 1.0), (1000.0, 0.0))[variant]
    for split in parts(plan.data):
        split.x[:, -1] = factor * split.x[:, 0] + shift


def unscaled_columns(plan: Plan, variant: int) -> None:
    """Columns of wildly different scale, or pixels of 0..255, reach the first Dense as they are."""
    plan.layers = plan.layers[1:]


def extreme_values(plan: Plan, variant: int) -> None:
    """A mistyped value squeezes its column; or comes up later; or a column is constant but for rounding."""
    train, val, test = parts(plan.data)
    mean, std = train.x[:, 0].mean(), train.x[:, 0].std()
    if variant == 0:
        train.x[:2, 0] = mean + 1e6 * std
    elif variant == 1:
        val.x[:3, 0] = test.x[:3, 0] = mean + 1e4 * std
    else:
        rng = np.random.default_rng(plan.seed)
        for split in (train, val, test):
            split.x[:, 0] = 1 + 1e-6 * rng.normal(size=len(split))
        val.x[::20, 0] = test.x[::20, 0] = 1.01


def nan_values(plan: Plan, variant: int) -> None:
    """Measurements are missing, and nobody said so."""
    train, val, _ = parts(plan.data)
    if variant == 0:
        train.x[::50, 1] = np.nan
    elif variant == 1:
        val.x[3:6, 0] = np.nan
    else:
        train.x[7, -1] = np.inf


def shared_rows(plan: Plan, variant: int) -> None:
    """Rows that are tested were trained on: half of the test, all of the validation, a tenth of the test."""
    train, val, test = parts(plan.data)
    tested, count = ((test, len(test) // 2), (val, len(val)), (test, len(test) // 10))[variant]
    tested.x[:count], tested.y[:count] = train.x[:count], train.y[:count]


def integer_targets(plan: Plan, variant: int) -> None:
    """Targets were cut to whole numbers: those trained on, validated on too, or all."""
    for split in parts(plan.data)[: variant + 1]:
        split.y = np.trunc(split.y)


def class_imbalance(plan: Plan, variant: int) -> None:
    """One class has 97% of the rows or more."""
    for name, split in zip(("train", "val", "test"), parts(plan.data), strict=True):
        rare = np.flatnonzero(split.y != 0)
        common = np.flatnonzero(split.y == 0)
        few = rare[: max(3, round((0.03, 0.02, 0.01)[variant] * len(common)))]
        setattr(plan.data, name, kept(split, np.sort(np.concatenate([common, few]))))


def train_test_shift(plan: Plan, variant: int) -> None:
    """The split follows a sorted table; some sensors were changed; one column is in another unit afterwards."""
    data = plan.data
    if variant == 0:
        x, y = (np.concatenate([getattr(split, name) for split in parts(data)]) for name in ("x", "y"))
        order = np.argsort(x[:, 0], kind="stable")
        cuts = np.cumsum([len(data.train), len(data.val)])
        for name, rows in zip(("train", "val", "test"), np.split(order, cuts), strict=True):
            setattr(data, name, gn.Split(x[rows], y[rows]))
        return
    std = data.train.x.std(axis=0)
    for split in (data.val, data.test):
        if variant == 1:
            split.x[:, :3] += std[:3]
        else:
            split.x[:, 0] = 2.54 * split.x[:, 0] + 0.3 * std[0]


def target_leak(plan: Plan, variant: int) -> None:
    """A column is made of the target: as it is, by a curve, or in another unit."""
    rng = np.random.default_rng(plan.seed)
    mean, std = plan.data.train.y.mean(), plan.data.train.y.std()
    for split in parts(plan.data):
        known = (split.y - mean) / std + 0.005 * rng.normal(size=len(split))
        split.x[:, 0] = (known, np.exp(known), 7 - 300 * known)[variant]


def missing_class(plan: Plan, variant: int) -> None:
    """A class that is asked for later never comes in training."""
    train = plan.data.train
    plan.data.train = kept(train, train.y != variant)


def unscaled_target(plan: Plan, variant: int) -> None:
    """Prices in dollars: targets of some 100,000, which the network must answer as they are."""
    for split in parts(plan.data):
        split.y = split.y * (1e5, 1e4, 1e6)[variant]
    plan.layers = [layer for layer in plan.layers if not isinstance(layer, gn.Unstandardize)]


def shuffled_targets(plan: Plan, variant: int) -> None:
    """Rows and targets got out of step: there is nothing to learn."""
    rng = np.random.default_rng(plan.seed)
    for split in parts(plan.data):
        split.y = rng.permutation(split.y)
