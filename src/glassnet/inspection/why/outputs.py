"""A model's answer as one number for each row: the value, or the probability of one class."""

from __future__ import annotations

import numpy as np

from glassnet.nn import Ensemble, Network
from glassnet.nn.activations import Sigmoid, Softmax, logistic
from glassnet.nn.layer import Array
from glassnet.nn.preprocessing import one_by_one
from glassnet.train.decisions import Decision, answered

LEAST = 1e-12  # a probability that counts as none


def answers(model: Network | Ensemble, x: Array, of: int | None) -> Array:
    """Return the values (N,) of rows x, or with `of` the probabilities of the class of that number."""
    y = model.predict(x) if of is None else model.predict_proba(x)
    return y[:, of or 0].astype(np.float64)


def labels_of(model: Network | Ensemble, x: Array) -> Array:
    """Return the classes (N,) answered for rows x: the likeliest, or those that the model's decision says."""
    return answered(model.predict_proba(x), Decision.read(model.info))


def row_errors(model: Network | Ensemble, x: Array, y: Array, task: str) -> Array:
    """Return the error (N,) of each row: its absolute error, or the negative log of the true class's probability."""
    if task == "regression":
        return np.abs(model.predict(x)[:, 0].astype(np.float64) - y)
    return -np.log(np.maximum(model.predict_proba(x)[np.arange(len(y)), y].astype(np.float64), LEAST))


def members(model: Network | Ensemble) -> list[tuple[float, Network]]:
    """Return copies in double precision of the networks that answer, with their shares. Their gradients may be used."""
    nets = [model] if isinstance(model, Network) else model.networks
    shares = np.ones(1) if isinstance(model, Network) else model.mean().shares
    return [(float(share), net.copy("float64")) for share, net in zip(shares, nets, strict=True)]


def slopes(net: Network, z: Array, of: int | None) -> tuple[Array, Array]:
    """Return the answer (N,) to rows z that have been through the preprocessing, and its gradient (N, width) there."""
    layers = net.layers[net.preprocessing :]
    y = z
    for y in one_by_one(layers, z, net.dtype):  # noqa: B007
        pass
    y = y.copy()
    if of is None:
        answer, dy = y[:, 0], np.zeros_like(y)
        dy[:, 0] = 1
    else:
        answer, dy = _probability(net, y, of)
    for layer in reversed(layers):
        dy = layer.backward(dy)
    return answer, dy.copy()


def _probability(net: Network, y: Array, of: int) -> tuple[Array, Array]:
    """The probability (N,) of a class, from outputs y, and its derivative by them."""
    last = net.layers[-1]
    if y.shape[1] == 1:
        sign = 1.0 if of == 1 else -1.0
        p = y if isinstance(last, Sigmoid) else logistic(y, out=np.empty_like(y))
        dp = np.ones_like(y) if isinstance(last, Sigmoid) else p * (1 - p)
        return (p if of == 1 else 1 - p)[:, 0], sign * dp
    made = isinstance(last, Softmax)
    p = y if made else Softmax().forward(y)
    dp = np.zeros_like(y) if made else -p[:, [of]] * p
    dp[:, of] += 1 if made else p[:, of]
    return p[:, of], dp
