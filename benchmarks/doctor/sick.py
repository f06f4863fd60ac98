"""The sick cases: each fault on six healthy plans, half of them to tune thresholds by, half held out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import NamedTuple

import data_faults as data
import datasets
import start_faults as start
import training_faults as training
from networks import healthy
from plan import HALVES, Case, Plan

Inflict = Callable[[Plan, int], None]


class Fault(NamedTuple):
    """What is wrong, with whom (data/network/optimizer), and which other findings would be as right."""

    inflict: Inflict
    on: str
    also: tuple[str, ...] = ()
    name: str = ""  # the finding's name if it isn't the function's

    @property
    def kind(self) -> str:
        """The function's name as a slug."""
        return self.inflict.__name__.replace("_", "-")

    @property
    def expected(self) -> tuple[str, ...]:
        """The findings that are right."""
        return (self.name or self.kind, *self.also)


TABLES = (
    "wine/shallow/adam california/deep/sgd friedman/tanh/adamw "
    "breast_cancer/leaky/sgd wages/gelu/adam diabetes/silu/adamw"
)
STANDARD = (
    "friedman/tanh/adamw wine/shallow/adam clusters/deep/sgd "
    "bent/gelu/adamw bikes/silu/adam breast_cancer/batchnorm/sgd"
)
LARGE = (
    "mnist/shallow/sgd california/deep/adamw clusters/tanh/adam "
    "friedman/shallow/sgd digits/gelu/adamw wages/leaky/nesterov"
)
SHIFTED = (
    "california/shallow/adamw moons/tanh/adam friedman/deep/sgd "
    "clusters/gelu/adam wages/silu/adamw bikes/leaky/nesterov"
)
VALUES = (
    "california/shallow/adamw friedman/deep/sgd bikes/tanh/adam diabetes/wide/adamw wages/leaky/sgd bent/shallow/adam"
)
WHOLE = (
    "wages/shallow/adam friedman/deep/sgd bent/tanh/adamw california/leaky/sgd bent/wide/nesterov california/gelu/adamw"
)
MANY = "digits/shallow/sgd clusters/tanh/adamw mnist/deep/adam wine/batchnorm/adam sparse/wide/sgd iris/leaky/adamw"
MANIFOLD = (
    "digits/shallow/sgd clusters/tanh/adamw mnist/deep/adam mnist/shallow/sgd clusters/wide/sgd digits/leaky/adamw"
)
RARE = "moons/shallow/adam skewed/deep/sgd xor/tanh/adamw skewed/leaky/adam moons/gelu/sgd xor/wide/nesterov"
MIXED = (
    "digits/deep/sgd california/silu/adamw mnist/shallow/adam friedman/shallow/sgd xor/tanh/adam bikes/leaky/nesterov"
)
GROWING = (
    "digits/shallow/sgd mnist/shallow/sgd bent/gelu/adam clusters/deep/adamw diabetes/shallow/adam xor/wide/nesterov"
)
RELUS = (
    "digits/deep/sgd california/shallow/adamw mnist/deep/adam "
    "friedman/six-layers/sgd clusters/six-layers/adam bikes/wide/nesterov"
)
CURVED = "xor/shallow/adam friedman/deep/sgd moons/tanh/adamw bikes/gelu/adam mnist/silu/sgd california/wide/adamw"
CLASSES = "digits/shallow/sgd breast_cancer/tanh/adam mnist/deep/adam clusters/silu/adamw xor/wide/adam wine/leaky/sgd"
RANGES = (
    "digits/shallow/sgd friedman/deep/adam california/tanh/sgd bikes/silu/adamw bent/gelu/adam wages/leaky/nesterov"
)
SGDS = "digits/deep/sgd california/silu/sgd mnist/shallow/sgd friedman/shallow/sgd clusters/tanh/sgd bikes/leaky/sgd"
NORMED = (
    "digits/batchnorm/sgd california/batchnorm/adam mnist/batchnorm/adamw "
    "friedman/batchnorm/sgd clusters/batchnorm/adam bikes/batchnorm/sgd"
)
SMALL = (
    "mnist/wide/adam friedman/six-layers/adamw digits/deep/sgd "
    "sparse/wide/adam diabetes/wide/adam bikes/six-layers/adamw"
)
LINEAR = "california/wide/adamw bent/tanh/adam clusters/deep/sgd sparse/shallow/adam digits/gelu/adamw mnist/leaky/sgd"
NOISY = "digits/wide/adam mnist/six-layers/adam clusters/wide/adam sparse/gelu/adam digits/silu/adam clusters/deep/adam"

MOMENTS: dict[str, tuple[Fault, ...]] = {
    "the data": (
        Fault(data.constant_column, TABLES),
        Fault(data.duplicate_column, TABLES),
        Fault(
            data.unscaled_columns,
            "wine/shallow/sgd breast_cancer/tanh/adam california/deep/sgd wages/leaky/adam "
            "mnist/deep/sgd diabetes/silu/adamw",
        ),
        Fault(data.extreme_values, STANDARD),
        Fault(data.nan_values, TABLES),
        Fault(data.shared_rows, LARGE),
        Fault(data.integer_targets, WHOLE),
        Fault(data.class_imbalance, RARE),
        Fault(data.train_test_shift, SHIFTED),
        Fault(data.target_leak, TABLES),
        Fault(data.missing_class, MANY),
        Fault(data.unscaled_target, VALUES),
        Fault(data.shuffled_targets, MIXED, name="no-better-than-constant"),
    ),
    "before training": (
        Fault(start.initial_loss, MIXED),
        Fault(start.wrong_gradient, MIXED),
        Fault(start.mixed_rows, MIXED),
        Fault(start.zero_weights, MIXED),
        Fault(start.vanishing_activations, MIXED, ("vanishing-gradients",)),
        Fault(start.exploding_activations, MIXED, ("exploding-gradients",)),
        Fault(start.dead_relu, RELUS),
        Fault(start.softmax_twice, CLASSES),
        Fault(start.bottleneck, MANIFOLD),
        Fault(start.output_range, RANGES),
        Fault(start.linear_network, CURVED),
        Fault(start.output_bias, MIXED),
    ),
    "during training": (
        Fault(training.learning_rate_high, MIXED),
        Fault(training.learning_rate_low, MIXED),
        Fault(training.vanishing_gradients, MIXED, ("vanishing-activations",)),
        Fault(training.exploding_gradients, MIXED, ("exploding-activations",)),
        Fault(training.saturated_units, MIXED),
        Fault(training.penalty_outweighs_data, MIXED),
        Fault(training.clipped_always, SGDS),
        Fault(training.momentum_high, SGDS),
        Fault(training.heavy_dropout, MIXED),
        Fault(training.not_finite, MIXED),
    ),
    "after training": (
        Fault(training.generalisation_gap, SMALL),
        Fault(training.modes_disagree, NORMED),
        Fault(training.no_better_than_linear, LINEAR),
        Fault(training.overconfident, NOISY, ("generalisation-gap",)),
        Fault(training.diverging, GROWING, name="learning-rate-high"),
    ),
}


def sick(inflict: Inflict, base: str, variant: int, seed: int) -> Plan:
    """A healthy plan, and what is wrong with it."""
    plan = healthy(base, seed)
    inflict(plan, variant)
    return plan


def cases() -> Iterator[Case]:
    """Each fault on each of its six; neighbours have the same variant of it, one in either half."""
    for number, fault in enumerate(fault for faults in MOMENTS.values() for fault in faults):
        for i, base in enumerate(fault.on.split()):
            if not datasets.here(base.split("/")[0]):
                continue
            seed = 1000 + 10 * number + i
            yield Case(
                f"{fault.kind}/{base}",
                fault.kind,
                fault.expected,
                HALVES[i % 2],
                partial(sick, fault.inflict, base, i // 2, seed),
                partial(healthy, base, seed),
            )
