"""What the estimators' parameters may be, and what their words mean."""

from __future__ import annotations

from collections.abc import Callable
from numbers import Integral, Real
from typing import Any

import numpy as np
from sklearn.utils._param_validation import Interval, Options, StrOptions

from glassnet.nn import GELU, Activation, LeakyReLU, ReLU, Sigmoid, SiLU, Tanh
from glassnet.optim import Constant, Cosine, OneCycle, Schedule

# scikit-learn's words first, then those that it doesn't know.
ACTIVATIONS: dict[str, Callable[[], Activation] | None] = {
    "identity": None, "logistic": Sigmoid, "tanh": Tanh, "relu": ReLU, "leaky_relu": LeakyReLU, "gelu": GELU,
    "silu": SiLU,
}  # fmt: skip
SCHEDULES: dict[str, Callable[[], Schedule]] = {"cosine": Cosine, "one_cycle": OneCycle}
NOT_FINITE = (  # in scikit-learn's words
    "Solver produced non-finite parameter weights. The input data may contain large values and need to be preprocessed."
)
RATES = ("constant", "invscaling", "adaptive")  # scikit-learn's own, which only sgd follows

CONSTRAINTS: dict[str, list[Any]] = {  # what scikit-learn says of its own, and of the new ones likewise
    "hidden_layer_sizes": ["array-like", Interval(Integral, 1, None, closed="left")],
    "activation": [StrOptions(set(ACTIVATIONS)), "array-like"],
    "solver": [StrOptions({"lbfgs", "sgd", "adam"})],
    "alpha": [Interval(Real, 0, None, closed="left")],
    "batch_size": [StrOptions({"auto"}), Interval(Integral, 1, None, closed="left")],
    "learning_rate": [StrOptions({*RATES, *SCHEDULES}), Schedule],
    "learning_rate_init": [Interval(Real, 0, None, closed="neither")],
    "power_t": [Interval(Real, 0, None, closed="left")],
    "max_iter": [Interval(Integral, 1, None, closed="left")],
    "shuffle": ["boolean"],
    "random_state": ["random_state"],
    "tol": [Interval(Real, 0, None, closed="left")],
    "verbose": ["verbose"],
    "warm_start": ["boolean"],
    "momentum": [Interval(Real, 0, 1, closed="both")],
    "nesterovs_momentum": ["boolean"],
    "early_stopping": ["boolean"],
    "validation_fraction": [Interval(Real, 0, 1, closed="left")],
    "beta_1": [Interval(Real, 0, 1, closed="left")],
    "beta_2": [Interval(Real, 0, 1, closed="left")],
    "epsilon": [Interval(Real, 0, None, closed="neither")],
    "n_iter_no_change": [Interval(Integral, 1, None, closed="left"), Options(Real, {np.inf})],
    "max_fun": [Interval(Integral, 1, None, closed="left")],
    "dropout": [Interval(Real, 0, 1, closed="left"), "array-like"],
    "scoring": [str, callable, None],
    "keep_optimizer": ["boolean"],
    "callbacks": [list, tuple, None],
    "preset": [StrOptions({"strong"}), None],
}


def hidden_sizes(sizes: Any) -> list[int]:
    """Return the widths of the hidden layers; raise ValueError unless they are whole numbers of at least 1."""
    sizes = [int(size) for size in sizes] if hasattr(sizes, "__iter__") else [int(sizes)]
    if any(size <= 0 for size in sizes):
        raise ValueError(f"hidden_layer_sizes must be > 0, got {sizes}.")
    return sizes


def one_for_each(value: Any, layers: int, what: str) -> list[Any]:
    """Return a setting for each hidden layer: the same for all, or the given ones.

    Raises ValueError if there aren't as many as layers.
    """
    if isinstance(value, str) or not hasattr(value, "__iter__"):
        return [value] * layers
    if len(value) != layers:
        raise ValueError(f"{what} holds {len(value)} settings, but there are {layers} hidden layers: give one for each")
    return list(value)


def activations(value: Any, layers: int) -> list[str]:
    """Return the name of each hidden layer's activation. Raises ValueError for an unknown one."""
    names = one_for_each(value, layers, "activation")
    for name in names:
        if name not in ACTIVATIONS:
            raise ValueError(f"activation {name!r} is not one of {', '.join(ACTIVATIONS)}")
    return names


def schedule(learning_rate: str | Schedule) -> Schedule:
    """Return the schedule that multiplies the learning rate in each step; scikit-learn's own words leave it alone."""
    if isinstance(learning_rate, Schedule):
        return learning_rate
    return SCHEDULES.get(learning_rate, Constant)()
