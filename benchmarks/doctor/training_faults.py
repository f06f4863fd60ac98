"""Faults that training shows, or what comes of it. Each function makes a healthy plan sick; `variant` is how."""

from __future__ import annotations

import numpy as np
from broken import FirstColumns, Inverse, Log, Root, Signs
from data_faults import kept, parts
from networks import mlp
from plan import Plan
from start_faults import after_first_activation, dense_layers

import glassnet as gn


def learning_rate_high(plan: Plan, variant: int) -> None:
    """Steps are so long that they overshoot."""
    plan.optimizer = (gn.SGD(2.0, momentum=0.9), gn.Adam(1.0), gn.SGD(20.0))[variant]


def diverging(plan: Plan, variant: int) -> None:
    """It diverges, but not to NaN within the few steps that are watched."""
    plan.optimizer = (gn.SGD(10.0), gn.Adam(3.0), gn.SGD(3.0, momentum=0.9))[variant]
    plan.epochs = 3
    plan.batch_size = -(-len(plan.data.train) // (9, 9, 1)[variant])


def learning_rate_low(plan: Plan, variant: int) -> None:
    """Steps are so short that nothing moves."""
    plan.optimizer = (gn.SGD(1e-7, momentum=0.9), gn.Adam(1e-7), gn.AdamW(1e-8))[variant]


def vanishing_gradients(plan: Plan, variant: int) -> None:
    """Ten and more layers of sigmoids: the first layers learn nothing."""
    n_in, out = plan.widths
    plan.replace_trained(mlp([n_in, *[32] * (10, 12, 15)[variant], out], gn.Sigmoid, "glorot"))


def exploding_gradients(plan: Plan, variant: int) -> None:
    """Gradients grow from layer to layer on their way back: large weights in many layers, or 50 of batch norm."""
    n_in, out = plan.widths
    if variant == 2:
        plan.replace_trained(mlp([n_in, *[64] * 12, out], gn.LeakyReLU, "normal(0.35)"))
    else:
        plan.replace_trained(mlp([n_in, *([32] * 50, [24] * 60)[variant], out], norm=gn.BatchNorm))


def saturated_units(plan: Plan, variant: int) -> None:
    """Hidden tanh or sigmoid units start so far out that they are flat."""
    n_in, out = plan.widths
    plan.replace_trained(mlp([n_in, 64, 64, out], gn.Sigmoid if variant == 1 else gn.Tanh, "glorot"))

    def weights(net: gn.Network) -> None:
        for layer in dense_layers(net)[:-1]:
            layer.W[...] *= (10, 30, 100)[variant]

    plan.weights = weights


def penalty_outweighs_data(plan: Plan, variant: int) -> None:
    """L2 or weight decay pulls harder on the weights than the data do."""
    plan.optimizer = (gn.SGD(5e-3, momentum=0.9, l2=1.0), gn.AdamW(3e-3, weight_decay=30), gn.Adam(2e-3, l2=1.0))[
        variant
    ]


def clipped_always(plan: Plan, variant: int) -> None:
    """Every gradient is cut to almost nothing."""
    plan.optimizer = gn.SGD(plan.optimizer.lr, momentum=(0.9, 0.0, 0.9)[variant], clip_norm=(1e-4, 1e-3, 1e-5)[variant])


def momentum_high(plan: Plan, variant: int) -> None:
    """A step is remembered for a thousand more, at a learning rate that suits 0.9."""
    plan.optimizer = gn.SGD(0.02, momentum=(0.999, 0.9995, 0.999)[variant], nesterov=variant == 2)


def heavy_dropout(plan: Plan, variant: int) -> None:
    """Of twenty units or more, one is left."""
    n_in, out = plan.widths
    plan.replace_trained(
        mlp([n_in, *([128, 64], [64, 64, 64], [128, 64])[variant], out], dropout=(0.95, 0.95, 0.98)[variant])
    )


def not_finite(plan: Plan, variant: int) -> None:
    """A layer of one's own takes the logarithm of 0, the root of a negative number, or divides by 0."""
    place, _ = after_first_activation(plan)
    plan.layers[place - 1 : place] = ([gn.ReLU(), Log()], [Root(4.5)], [gn.ReLU(), Inverse()])[variant]


def generalisation_gap(plan: Plan, variant: int) -> None:
    """A large network learns a few rows by heart."""
    plan.data.train = kept(plan.data.train, slice(0, (80, 60, 60)[variant]))
    plan.batch_size, plan.epochs = 16, 60


def modes_disagree(plan: Plan, variant: int) -> None:
    """Batch norm's running statistics never arrive, or are those of the last few rows."""
    for layer in plan.layers:
        if isinstance(layer, gn.BatchNorm):
            layer.momentum = (0.0, 1e-4, 1.0)[variant]
    plan.batch_size = plan.batch_size if variant < 2 else 3


def no_better_than_linear(plan: Plan, variant: int) -> None:
    """A layer of one's own throws most of the input away."""
    n_in, out = plan.widths
    kept_columns = (n_in, n_in // 3, n_in // 4)[variant]
    blind = Signs() if variant == 0 else FirstColumns(n_in, kept_columns)
    plan.replace_trained([blind, *mlp([kept_columns, 64, out])])
    plan.epochs = 15


def overconfident(plan: Plan, variant: int) -> None:
    """A third of the labels are wrong, and learnt by heart."""
    rng = np.random.default_rng(plan.seed)
    for split in parts(plan.data):
        wrong = rng.random(len(split)) < (0.33, 0.25, 0.4)[variant]
        split.y = np.where(wrong, rng.integers(plan.data.n_out, size=len(split)), split.y)
    plan.data.train = kept(plan.data.train, slice(0, 300))
    plan.optimizer, plan.loss, plan.epochs = gn.Adam(3e-3), gn.CrossEntropy(), 60
