"""scikit-learn's own way: the rows, the network and its first weights, the loss, the training."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils.validation import validate_data

from glassnet.estimators import parameters
from glassnet.estimators.objective import Objective
from glassnet.estimators.parameters import MLPParameters
from glassnet.estimators.passes import affine
from glassnet.estimators.plan import Plan
from glassnet.estimators.problem import Problem
from glassnet.estimators.tables import TableColumns
from glassnet.nn import Dense, Dropout, Exp, Layer, Network
from glassnet.nn.layer import Array
from glassnet.optim import SGD, Adam, Optimizer
from glassnet.train import Settings

FLOATS = (np.float64, np.float32)


def read(estimator: BaseEstimator, table: TableColumns | None, X: Any, reset: bool) -> tuple[Any, TableColumns | None]:
    """Return rows X to predict as an array or a sparse matrix."""
    return validate_data(estimator, X, accept_sparse=["csr", "csc"], reset=reset), None


def read_both(
    estimator: BaseEstimator, table: TableColumns | None, X: Any, y: Any, reset: bool, values: bool
) -> tuple[Any, Array, TableColumns | None]:
    """Return X as an array or sparse matrix of floats, and y as an array."""
    x, y = validate_data(
        estimator, X, y, accept_sparse=["csr", "csc"], multi_output=True, dtype=FLOATS, reset=reset, y_numeric=values
    )
    return x, y, None


def network(settings: MLPParameters, problem: Problem, x: Any, y: Array, random: Any) -> Network:
    """Make the network for rows x and targets y (N, n_outputs). Weights are drawn as in scikit-learn.

    Uniform in +-sqrt(6 / (fan_in + fan_out)) (Glorot & Bengio 2010, eq. 16), with 2 for 6 before a sigmoid.
    """
    sizes = [x.shape[1], *parameters.hidden_sizes(settings.hidden_layer_sizes), y.shape[1]]
    net = of_sizes(settings, problem, sizes, x.dtype)
    names = parameters.activations(settings.activation, len(sizes) - 2)
    for layer, name in zip(affine(net), [*names, (names or ["relu"])[-1]], strict=True):
        bound = np.sqrt((2 if name == "logistic" else 6) / sum(layer.W.shape))
        layer.W[...] = random.uniform(-bound, bound, layer.W.shape)
        layer.b[...] = random.uniform(-bound, bound, layer.b.shape)
    return net


def of_sizes(settings: MLPParameters, problem: Problem, sizes: list[int], dtype: Any) -> Network:
    """Make a network of these widths, whose outputs are values, counts or logits."""
    hidden = len(sizes) - 2
    names = parameters.activations(settings.activation, hidden)
    rates = parameters.one_for_each(settings.dropout, hidden, "dropout")
    layers: list[Layer] = []
    for i, (fan_in, fan_out) in enumerate(pairwise(sizes)):
        layers.append(Dense(fan_in, fan_out, init="glorot"))
        if i == hidden:
            break
        make = parameters.ACTIVATIONS[names[i]]
        layers += [make()] if make is not None else []
        layers += [Dropout(rates[i])] if rates[i] else []
    if problem.out_activation == "exp":
        layers.append(Exp())
    net = Network(layers, dtype)
    net.info = problem.info | {"features": problem.features or [f"x{i}" for i in range(sizes[0])]}
    return net


def objective(problem: Problem, dtype: Any) -> Objective:
    """Return the objective, on rows of that type."""
    return Objective.of(problem.loss, problem.n_outputs, problem.out_activation, dtype)


def plan(settings: MLPParameters, rows: int, incremental: bool) -> Plan:
    """Return the plan of a training on `rows` rows."""
    rate, epsilon = settings.learning_rate_init, None
    optimizer: Optimizer
    if settings.solver == "sgd":
        optimizer = SGD(rate, nesterov=bool(settings.nesterovs_momentum))
        optimizer.momentum = settings.momentum  # scikit-learn allows 1
    else:
        optimizer, epsilon = Adam(rate, (settings.beta_1, settings.beta_2)), settings.epsilon
    training = Settings(
        epochs=settings.max_iter,
        batch_size=min(200, rows) if isinstance(settings.batch_size, str) else settings.batch_size,
        schedule=parameters.schedule(settings.learning_rate),
    )
    return Plan(optimizer, training, incremental, settings.alpha, epsilon, settings.n_iter_no_change, settings.scoring)
