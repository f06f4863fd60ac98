"""preset="strong" trains the recipe `table`. A parameter that differs from its default overrides the recipe.

The functions are those of plain.py. All numbers come from the recipe.
"""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils import check_X_y

from glassnet.data import Dataset, Split
from glassnet.data.checks import blaming
from glassnet.data.dataset import require_squares
from glassnet.data.schema import as_info, names_of
from glassnet.estimators import parameters, tables
from glassnet.estimators.objective import Objective
from glassnet.estimators.parameters import MLPParameters
from glassnet.estimators.plan import Plan
from glassnet.estimators.problem import Problem
from glassnet.nn import Activation, CrossEntropy, Dropout, Layer, Network
from glassnet.nn.layer import Array
from glassnet.optim import Optimizer
from glassnet.recipes import Recipe
from glassnet.recipes import load as load_recipe
from glassnet.recipes.stack import build_layers
from glassnet.train import Settings
from glassnet.train.units import training_loss

LOSSES = {"squared_error": "MSE", "absolute_error": "MAE", "huber": "Huber", "poisson": "Poisson"}
SCORINGS: dict[str | None, str | None] = {  # the metric that the recipe monitors, as `scoring` calls it
    None: None,
    "loss": "loss",
    "accuracy": None,
    "r2": None,
    "mse": "neg_mean_squared_error",
    "rmse": "neg_root_mean_squared_error",
    "mae": "neg_mean_absolute_error",
}
SHARED = inspect.signature(Optimizer).parameters  # arguments of all optimizers


def read(
    estimator: BaseEstimator, table: tables.TableColumns | None, X: Any, reset: bool
) -> tuple[Array, tables.TableColumns | None]:
    """Return rows X, an array or a data frame, as the floats that the network takes, and the table of a frame."""
    return tables.numbers(estimator, table, X, reset)


def read_both(
    estimator: BaseEstimator, table: tables.TableColumns | None, X: Any, y: Any, reset: bool, values: bool
) -> tuple[Array, Array, tables.TableColumns | None]:
    """Return rows X as the floats that the network takes, y as an array, and the table of a frame."""
    x, table = tables.numbers(estimator, table, X, reset)
    x, y = check_X_y(x, y, multi_output=True, y_numeric=values, estimator=estimator, **tables.CHECKS)
    if values and y.dtype.kind in "biuf":  # text is refused later, as in all estimators
        with blaming("y"):
            require_squares(y)
    return x, y, table


def recipe(settings: MLPParameters, problem: Problem) -> Recipe:
    """Return the recipe with the given parameters in it, except settings of single layers: see `network`."""
    made, own = load_recipe("table"), parameters.given(settings)
    network = made.network
    if "hidden_layer_sizes" in own:
        network.hidden = parameters.hidden_sizes(settings.hidden_layer_sizes)
        if network.lr_factors is not None and len(network.lr_factors) != len(network.hidden) + 1:
            network.lr_factors = None
    if "dropout" in own:
        network.dropout = 0.0
    if "max_iter" in own:
        made.training.epochs = settings.max_iter
    if "loss" in own:
        made.loss = LOSSES[problem.loss]
    elif problem.task == "classification" and problem.out_activation == "logistic":
        made.loss = "BinaryCrossEntropy"
    made.optimizer = _optimizer(settings, made.optimizer, own)
    return made


def _optimizer(settings: MLPParameters, part: Any, own: set[str]) -> dict[str, Any]:
    """The recipe's optimizer with the given parameters."""
    made = dict(part) if isinstance(part, dict) else {"name": part}
    if "solver" in own:
        shared = {name: value for name, value in made.items() if name in SHARED}
        made = {"name": "SGD", "nesterov": bool(settings.nesterovs_momentum), **shared}
    if "learning_rate_init" in own:
        made["lr"] = settings.learning_rate_init
    if "alpha" in own:
        made |= {"weight_decay": 0.0, "l2": 0.0}
    if "solver" in own:
        return made
    if own & {"beta_1", "beta_2"}:
        betas = zip(("beta_1", "beta_2"), made.get("betas", (0.9, 0.999)), strict=True)
        made["betas"] = [getattr(settings, name) if name in own else beta for name, beta in betas]
    if "epsilon" in own:
        made["eps"] = settings.epsilon
    return made


def network(settings: MLPParameters, problem: Problem, x: Array, y: Array, random: Any) -> Network:
    """Make the network, not yet fitted, for rows x (N, n_in), some NaN, and targets y (N, n_outputs)."""
    made, own = recipe(settings, problem), parameters.given(settings)
    made.seed = int(random.randint(2**31))
    table = problem.table or tables.TableColumns.numbers(f"x{i}" for i in range(x.shape[1]))
    rows, none = Split(x, y), Split(x[:0], y[:0])
    features = names_of(table.schema)
    data = Dataset("X", rows, none, none, problem.task, (), tuple(features), None, problem.info["target"], table.schema)
    made = made.sized(len(x))
    layers = build_layers(
        made.network, made.build_loss(problem.task), data.n_in, y.shape[1], data.columns(), made.strong_pairs(data)
    )
    hidden = len(made.network.hidden)
    names = parameters.activations(settings.activation, hidden) if "activation" in own else None
    rates = parameters.one_for_each(settings.dropout, hidden, "dropout") if "dropout" in own else [0.0] * hidden
    net = made.join(_own_layers(layers, names, rates))
    net.info = problem.info | {"features": features} | as_info(table.schema)
    return net


def _own_layers(layers: list[Layer], names: list[str] | None, rates: list[float]) -> list[Layer]:
    """Replace the recipe's activation of each hidden layer, if they are given, and put dropout after it."""
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


def objective(settings: MLPParameters, problem: Problem, net: Network, dtype: Any) -> Objective:
    """Return the objective: the recipe's loss, for values in standard units, for members the mean of theirs."""
    loss = recipe(settings, problem).build_loss(problem.task)
    labels = isinstance(loss, CrossEntropy)
    return Objective(training_loss(loss, net), np.dtype(np.float64), labels=labels)


def plan(settings: MLPParameters, problem: Problem, rows: int, incremental: bool) -> Plan:
    """Return the plan of a training on a number of rows. One epoch alone needs no schedule and no average."""
    own, made = parameters.given(settings), recipe(settings, problem)
    training = made.sized(rows).build_training()
    optimizer: Any = made.build_optimizer()
    if "solver" in own:
        optimizer.momentum = settings.momentum  # scikit-learn allows 1
    patience = training.patience - 1 if settings.early_stopping and training.patience else np.inf
    if own & {"tol", "n_iter_no_change"}:
        patience = settings.n_iter_no_change
    scoring = settings.scoring if "scoring" in own else SCORINGS[training.monitor]
    if "batch_size" in own and not isinstance(settings.batch_size, str):
        training.batch_size = settings.batch_size
    else:
        training.batch_size = min(training.batch_size, rows)
    if incremental:
        training = Settings(epochs=training.epochs, batch_size=training.batch_size)
    if "learning_rate" in own:
        training.schedule = parameters.schedule(settings.learning_rate)
    alpha = settings.alpha if "alpha" in own else None
    return Plan(optimizer, training, incremental, alpha, None, patience, scoring, complete=patience == np.inf)
