"""A fitted MLPClassifier or MLPRegressor of scikit-learn as a network."""

from __future__ import annotations

from typing import Any

from glassnet.nn import Dense, Exp, Layer, Network, ReLU, Sigmoid, Tanh

ACTIVATIONS: dict[str, type[Layer] | None] = {"identity": None, "logistic": Sigmoid, "tanh": Tanh, "relu": ReLU}


def from_sklearn(mlp: Any) -> Network:
    """Return a network with the weights of a fitted MLPClassifier or MLPRegressor, in the type of its weights.

    It gives a classifier's logits, of which `predict_proba` makes the same as scikit-learn's (if a row may have several
    labels, their probabilities), or a regressor's values. `info` holds task, classes and features, for `save` and
    `export`.

    Raises ValueError if it isn't fitted, or is none of the two.
    """
    if not hasattr(mlp, "hidden_layer_sizes"):
        raise ValueError(f"an MLPClassifier or MLPRegressor is expected, not {type(mlp).__name__}")
    if not hasattr(mlp, "coefs_"):
        raise ValueError(f"this {type(mlp).__name__} isn't fitted: call its fit first")
    if mlp.activation not in ACTIVATIONS:
        raise ValueError(f"activation must be one of {', '.join(ACTIVATIONS)}, not {mlp.activation!r}")
    activation = ACTIVATIONS[mlp.activation]
    layers: list[Layer] = []
    for W in mlp.coefs_:
        layers.append(Dense(*W.shape))
        if activation is not None:
            layers.append(activation())
    if activation is not None:
        layers.pop()  # after the last Dense
    flags = mlp.out_activation_ == "logistic" and mlp.n_outputs_ > 1
    if flags:
        layers.append(Sigmoid())
    if mlp.out_activation_ == "exp":
        layers.append(Exp())
    net = Network(layers, dtype=mlp.coefs_[0].dtype)
    dense = [layer for layer in net.layers if isinstance(layer, Dense)]
    for layer, W, b in zip(dense, mlp.coefs_, mlp.intercepts_, strict=True):
        layer.W[...], layer.b[...] = W, b
    net.info = {"task": "regression", "features": [str(name) for name in getattr(mlp, "feature_names_in_", ())]}
    if hasattr(mlp, "classes_"):
        net.info |= {"task": "classification", "classes": [str(name) for name in mlp.classes_]}
    if flags:
        net.info["flags"] = True
    return net
