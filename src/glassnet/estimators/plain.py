"""What scikit-learn's parameters describe: the rows, the network and its first weights, the loss, the training."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.utils.validation import validate_data

from glassnet.estimators import parameters
from glassnet.estimators.objective import Objective
from glassnet.estimators.passes import affine
from glassnet.estimators.plan import Plan
from glassnet.nn import Dense, Dropout, Exp, Layer, Network
from glassnet.nn.layer import Array
from glassnet.optim import SGD, Adam, Optimizer

if TYPE_CHECKING:
    from glassnet.estimators.base import BaseMLP

FLOATS = (np.float64, np.float32)


def read(estimator: BaseMLP, X: Any, reset: bool) -> Any:
    """Return rows X to predict as an array or a sparse matrix."""
    return validate_data(estimator, X, accept_sparse=["csr", "csc"], reset=reset)


def read_both(estimator: BaseMLP, X: Any, y: Any, reset: bool) -> tuple[Any, Array]:
    """Return X as an array or sparse matrix of floats, and y as an array."""
    x, y = validate_data(
        estimator, X, y, accept_sparse=["csr", "csc"], multi_output=True, dtype=FLOATS, reset=reset,
        y_numeric=estimator._info()["task"] == "regression",
    )  # fmt: skip
    return x, y


def network(estimator: BaseMLP, x: Any, y: Array) -> Network:
    """Make the network for rows x and targets y (N, n_outputs). Weights are drawn as scikit-learn draws them.

    Uniform in +-sqrt(6 / (fan_in + fan_out)) (Glorot & Bengio 2010, eq. 16), with 2 for 6 before a sigmoid.
    """
    sizes = [x.shape[1], *parameters.hidden_sizes(estimator.hidden_layer_sizes), y.shape[1]]
    net = of_sizes(estimator, sizes, x.dtype)
    names = parameters.activations(estimator.activation, len(sizes) - 2)
    for layer, name in zip(affine(net), [*names, (names or ["relu"])[-1]], strict=True):
        bound = np.sqrt((2 if name == "logistic" else 6) / sum(layer.W.shape))
        layer.W[...] = estimator._random_state.uniform(-bound, bound, layer.W.shape)
        layer.b[...] = estimator._random_state.uniform(-bound, bound, layer.b.shape)
    return net


def of_sizes(estimator: BaseMLP, sizes: list[int], dtype: Any) -> Network:
    """Make a network of these widths, whose outputs are values, counts or logits."""
    hidden = len(sizes) - 2
    names = parameters.activations(estimator.activation, hidden)
    rates = parameters.one_for_each(estimator.dropout, hidden, "dropout")
    layers: list[Layer] = []
    for i, (fan_in, fan_out) in enumerate(pairwise(sizes)):
        layers.append(Dense(fan_in, fan_out, init="glorot"))
        if i == hidden:
            break
        make = parameters.ACTIVATIONS[names[i]]
        layers += [make()] if make is not None else []
        layers += [Dropout(rates[i])] if rates[i] else []
    if estimator.out_activation_ == "exp":
        layers.append(Exp())
    net = Network(layers, dtype)
    names = getattr(estimator, "feature_names_in_", [f"x{i}" for i in range(sizes[0])])
    net.info = estimator._info() | {"features": [str(name) for name in names]}
    return net


def objective(estimator: BaseMLP, dtype: Any) -> Objective:
    """Return what is minimised, on rows of that type."""
    return Objective.of(estimator._loss_name(), estimator.n_outputs_, estimator.out_activation_, dtype)


def plan(estimator: BaseMLP, rows: int, incremental: bool) -> Plan:
    """Return how to train on so many rows."""
    rate, epsilon = estimator.learning_rate_init, None
    optimizer: Optimizer
    if estimator.solver == "sgd":
        optimizer = SGD(rate, nesterov=bool(estimator.nesterovs_momentum))
        optimizer.momentum = estimator.momentum  # scikit-learn allows 1
    else:
        optimizer, epsilon = Adam(rate, (estimator.beta_1, estimator.beta_2)), estimator.epsilon
    return Plan(
        optimizer, parameters.schedule(estimator.learning_rate), estimator.max_iter,
        min(200, rows) if estimator.batch_size == "auto" else estimator.batch_size,
        estimator.alpha, epsilon, estimator.n_iter_no_change, estimator.scoring,
    )  # fmt: skip
