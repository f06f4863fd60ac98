"""preset="strong": the recipe `table`, in which the parameters that aren't left alone take their places.

The functions are those of plain.py. All numbers come from the recipe.
"""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.utils import check_X_y

from glassnet.data import Dataset, Split
from glassnet.data.checks import blaming
from glassnet.data.dataset import require_squares
from glassnet.data.schema import as_info, names_of
from glassnet.estimators import parameters, tables
from glassnet.estimators.objective import Objective
from glassnet.estimators.plan import Plan
from glassnet.nn import Activation, CrossEntropy, Dropout, Layer, Network
from glassnet.nn.layer import Array
from glassnet.optim import Constant, Optimizer
from glassnet.recipes import Recipe
from glassnet.recipes import load as load_recipe
from glassnet.recipes.stack import build_layers
from glassnet.train.units import training_loss

if TYPE_CHECKING:
    from glassnet.estimators.base import BaseMLP

LOSSES = {"squared_error": "MSE", "absolute_error": "MAE", "huber": "Huber", "poisson": "Poisson"}
SCORINGS = {  # what the recipe monitors, as `scoring` calls it
    None: None, "loss": "loss", "accuracy": None, "r2": None, "mse": "neg_mean_squared_error",
    "rmse": "neg_root_mean_squared_error", "mae": "neg_mean_absolute_error",
}  # fmt: skip
SHARED = inspect.signature(Optimizer).parameters  # arguments of all optimizers


def read(estimator: BaseMLP, X: Any, reset: bool) -> Array:
    """Return rows X, an array or a data frame, as the floats that the network takes."""
    return tables.numbers(estimator, X, reset)


def read_both(estimator: BaseMLP, X: Any, y: Any, reset: bool) -> tuple[Array, Array]:
    """Return rows X as the floats that the network takes, and y as an array."""
    values = estimator._info()["task"] == "regression"
    x = tables.numbers(estimator, X, reset)
    x, y = check_X_y(x, y, multi_output=True, y_numeric=values, estimator=estimator, **tables.CHECKS)
    if values and y.dtype.kind in "biuf":  # text is refused later, as by all estimators
        with blaming("y"):
            require_squares(y)
    return x, y


def given(estimator: BaseMLP) -> set[str]:
    """Return the names of the parameters that have another value than their default."""
    signature = inspect.signature(type(estimator)).parameters.values()
    return {p.name for p in signature if not _same(getattr(estimator, p.name), p.default)}


def _same(value: Any, default: Any) -> bool:
    plain = isinstance(value, tuple) or (np.isscalar(value) and np.isscalar(default))
    return value is default or bool(plain and value == default)


def recipe(estimator: BaseMLP) -> Recipe:
    """Return the recipe with what was given in its place, but for settings of single layers: see `network`."""
    made, own = load_recipe("table"), given(estimator)
    network = made.network
    if "hidden_layer_sizes" in own:
        network.hidden = parameters.hidden_sizes(estimator.hidden_layer_sizes)
        if network.lr_factors is not None and len(network.lr_factors) != len(network.hidden) + 1:
            network.lr_factors = None
    if "dropout" in own:
        network.dropout = 0.0
    if "max_iter" in own:
        made.training.epochs = estimator.max_iter
    if "loss" in own:
        made.loss = LOSSES[estimator.loss]
    elif estimator._info()["task"] == "classification" and estimator.out_activation_ == "logistic":
        made.loss = "BinaryCrossEntropy"
    made.optimizer = _optimizer(estimator, made.optimizer, own)
    return made


def _optimizer(estimator: BaseMLP, part: Any, own: set[str]) -> dict[str, Any]:
    """The recipe's optimizer with what was given."""
    made = dict(part) if isinstance(part, dict) else {"name": part}
    if "solver" in own:
        shared = {name: value for name, value in made.items() if name in SHARED}
        made = {"name": "SGD", "nesterov": bool(estimator.nesterovs_momentum), **shared}
    if "learning_rate_init" in own:
        made["lr"] = estimator.learning_rate_init
    if "alpha" in own:
        made |= {"weight_decay": 0.0, "l2": 0.0}
    if "solver" in own:
        return made
    if own & {"beta_1", "beta_2"}:
        betas = zip(("beta_1", "beta_2"), made.get("betas", (0.9, 0.999)), strict=True)
        made["betas"] = [getattr(estimator, name) if name in own else beta for name, beta in betas]
    if "epsilon" in own:
        made["eps"] = estimator.epsilon
    return made


def network(estimator: BaseMLP, x: Array, y: Array) -> Network:
    """Make the network for rows x (N, n_in), some NaN, and targets y (N, n_outputs); nothing is fitted yet."""
    made, own, info = recipe(estimator), given(estimator), estimator._info()
    made.seed = int(estimator._random_state.randint(2**31))
    table = estimator._table or tables.TableColumns.numbers(f"x{i}" for i in range(x.shape[1]))
    rows, none = Split(x, y), Split(x[:0], y[:0])
    features = names_of(table.schema)
    data = Dataset("X", rows, none, none, info["task"], (), tuple(features), None, info["target"], table.schema)
    made = made.sized(len(x))
    layers = build_layers(
        made.network, made.build_loss(info["task"]), data.n_in, y.shape[1], data.columns(), made.strong_pairs(data)
    )
    hidden = len(made.network.hidden)
    names = parameters.activations(estimator.activation, hidden) if "activation" in own else None
    rates = parameters.one_for_each(estimator.dropout, hidden, "dropout") if "dropout" in own else [0.0] * hidden
    net = made.join(_own_layers(layers, names, rates))
    net.info = info | {"features": features} | as_info(table.schema)
    return net


def _own_layers(layers: list[Layer], names: list[str] | None, rates: list[float]) -> list[Layer]:
    """Put the activation of each hidden layer in the recipe's place, if they are given, and dropout after it."""
    made: list[Layer] = []
    hidden = 0
    for layer in layers:
        if not isinstance(layer, Activation) or hidden == len(rates):
            made.append(layer)
            continue
        make = None if names is None else parameters.ACTIVATIONS[names[hidden]]
        if names is None or make is not None:
            made.append(layer if make is None else make())
        if rates[hidden]:
            made.append(Dropout(rates[hidden]))
        hidden += 1
    return made


def objective(estimator: BaseMLP, dtype: Any) -> Objective:
    """Return what is minimised: the recipe's loss, for values in standard units, for members the mean of theirs."""
    loss = recipe(estimator).build_loss(estimator._info()["task"])
    labels = isinstance(loss, CrossEntropy)
    return Objective(training_loss(loss, estimator.network_), np.dtype(np.float64), labels=labels)


def plan(estimator: BaseMLP, rows: int, incremental: bool) -> Plan:
    """Return how to train on so many rows. One epoch alone has no place in a schedule, and its average no use."""
    own, made = given(estimator), recipe(estimator)
    settings = made.sized(rows).build_training()
    optimizer: Any = made.build_optimizer()
    if "solver" in own:
        optimizer.momentum = estimator.momentum  # scikit-learn allows 1
    schedule = Constant() if incremental else settings.schedule
    patience = settings.patience - 1 if estimator.early_stopping and settings.patience else np.inf
    if own & {"tol", "n_iter_no_change"}:
        patience = estimator.n_iter_no_change
    changing = ("average", "dropout_schedule", "weight_decay_schedule")
    return Plan(
        optimizer,
        parameters.schedule(estimator.learning_rate) if "learning_rate" in own else schedule,
        settings.epochs,
        estimator.batch_size if "batch_size" in own else min(settings.batch_size, rows),
        estimator.alpha if "alpha" in own else None,
        epsilon=None,
        patience=patience,
        scoring=estimator.scoring if "scoring" in own else SCORINGS[settings.monitor],
        complete=patience == np.inf,
        **{name: None if incremental else getattr(settings, name) for name in changing},
    )
