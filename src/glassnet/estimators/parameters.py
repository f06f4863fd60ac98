"""The allowed values of the estimators' parameters, and the meaning of their words."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import KW_ONLY, dataclass, field, fields
from numbers import Integral, Real
from typing import Any

import numpy as np
from sklearn.utils._param_validation import Interval, Options, StrOptions

from glassnet.nn import GELU, Activation, LeakyReLU, ReLU, Sigmoid, SiLU, Tanh
from glassnet.optim import Constant, Cosine, OneCycle, Schedule

# scikit-learn's words first, then the additional ones.
ACTIVATIONS: dict[str, Callable[[], Activation] | None] = {
    "identity": None,
    "logistic": Sigmoid,
    "tanh": Tanh,
    "relu": ReLU,
    "leaky_relu": LeakyReLU,
    "gelu": GELU,
    "silu": SiLU,
}
SCHEDULES: dict[str, Callable[[], Schedule]] = {"cosine": Cosine, "one_cycle": OneCycle}
NOT_FINITE = (  # in scikit-learn's words
    "Solver produced non-finite parameter weights. The input data may contain large values and need to be preprocessed."
)
RATES = ("constant", "invscaling", "adaptive")  # scikit-learn's own, which only sgd follows


def may_be(*allowed: Any) -> dict[str, Any]:
    """Return the values that scikit-learn allows for a parameter, by its field."""
    return {"allowed": [*allowed]}


@dataclass(eq=False, repr=False)
class MLPParameters:
    """The parameters of both estimators: scikit-learn's own, with its allowed values, and then the additional ones.

    scikit-learn finds them in the signature of the constructor, which is made of these lines.
    """

    hidden_layer_sizes: Any = field(
        default=(100,), metadata=may_be("array-like", Interval(Integral, 1, None, closed="left"))
    )
    activation: Any = field(default="relu", metadata=may_be(StrOptions(set(ACTIVATIONS)), "array-like"))
    _: KW_ONLY
    solver: str = field(default="adam", metadata=may_be(StrOptions({"lbfgs", "sgd", "adam"})))
    alpha: float = field(default=0.0001, metadata=may_be(Interval(Real, 0, None, closed="left")))
    batch_size: int | str = field(
        default="auto", metadata=may_be(StrOptions({"auto"}), Interval(Integral, 1, None, closed="left"))
    )
    learning_rate: Any = field(default="constant", metadata=may_be(StrOptions({*RATES, *SCHEDULES}), Schedule))
    learning_rate_init: float = field(default=0.001, metadata=may_be(Interval(Real, 0, None, closed="neither")))
    power_t: float = field(default=0.5, metadata=may_be(Interval(Real, 0, None, closed="left")))
    max_iter: int = field(default=200, metadata=may_be(Interval(Integral, 1, None, closed="left")))
    shuffle: bool = field(default=True, metadata=may_be("boolean"))
    random_state: Any = field(default=None, metadata=may_be("random_state"))
    tol: float = field(default=1e-4, metadata=may_be(Interval(Real, 0, None, closed="left")))
    verbose: bool | int = field(default=False, metadata=may_be("verbose"))
    warm_start: bool = field(default=False, metadata=may_be("boolean"))
    momentum: float = field(default=0.9, metadata=may_be(Interval(Real, 0, 1, closed="both")))
    nesterovs_momentum: bool = field(default=True, metadata=may_be("boolean"))
    early_stopping: bool = field(default=False, metadata=may_be("boolean"))
    validation_fraction: float = field(default=0.1, metadata=may_be(Interval(Real, 0, 1, closed="left")))
    beta_1: float = field(default=0.9, metadata=may_be(Interval(Real, 0, 1, closed="left")))
    beta_2: float = field(default=0.999, metadata=may_be(Interval(Real, 0, 1, closed="left")))
    epsilon: float = field(default=1e-8, metadata=may_be(Interval(Real, 0, None, closed="neither")))
    n_iter_no_change: float = field(
        default=10, metadata=may_be(Interval(Integral, 1, None, closed="left"), Options(Real, {np.inf}))
    )
    max_fun: int = field(default=15000, metadata=may_be(Interval(Integral, 1, None, closed="left")))
    dropout: Any = field(default=0.0, metadata=may_be(Interval(Real, 0, 1, closed="left"), "array-like"))
    scoring: Any = field(default=None, metadata=may_be(str, callable, None))
    keep_optimizer: bool = field(default=False, metadata=may_be("boolean"))
    callbacks: Any = field(default=None, metadata=may_be(list, tuple, None))
    preset: str | None = field(default=None, metadata=may_be(StrOptions({"strong"}), None))
    time_limit: float | None = field(default=None, metadata=may_be(Interval(Real, 0, None, closed="neither"), None))


@dataclass(eq=False, repr=False)
class ClassifierParameters(MLPParameters):
    """The parameters of the classifier."""

    _: KW_ONLY
    class_weight: Any = field(default=None, metadata=may_be(StrOptions({"balanced"}), dict, None))


@dataclass(eq=False, repr=False)
class _Loss:
    """The base after MLPParameters, and so before them in the signature: scikit-learn has `loss` first."""

    loss: str = field(
        default="squared_error", metadata=may_be(StrOptions({"squared_error", "poisson", "absolute_error", "huber"}))
    )


@dataclass(eq=False, repr=False)
class RegressorParameters(MLPParameters, _Loss):
    """The parameters of the regressor."""


def constraints(kind: type[MLPParameters]) -> dict[str, list[Any]]:
    """Return the allowed values of each parameter, in scikit-learn's form."""
    return {each.name: each.metadata["allowed"] for each in fields(kind)}


def given(settings: MLPParameters) -> set[str]:
    """Return the names of the parameters that have another value than their default."""
    return {each.name for each in fields(settings) if not _same(getattr(settings, each.name), each.default)}


def _same(value: Any, default: Any) -> bool:
    plain = isinstance(value, tuple) or (np.isscalar(value) and np.isscalar(default))
    return value is default or bool(plain and value == default)


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
    """Return the schedule that multiplies the learning rate in each step. scikit-learn's own words leave it alone."""
    if isinstance(learning_rate, Schedule):
        return learning_rate
    return SCHEDULES.get(learning_rate, Constant)()
