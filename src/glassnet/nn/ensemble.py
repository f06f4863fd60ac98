"""An ensemble: several networks that answer together."""

from __future__ import annotations

import os
from collections.abc import Sequence
from reprlib import repr as short
from typing import Any

import numpy as np
import numpy.typing as npt

from glassnet.checks import positive
from glassnet.nn.activations import Sigmoid, Softmax
from glassnet.nn.layer import Array, fitted_alike
from glassnet.nn.mean import Mean
from glassnet.nn.network import Network
from glassnet.nn.preprocessing import Standardize
from glassnet.nn.storage import read_arrays, write_arrays
from glassnet.turns import reading

TASKS = ("classification", "regression")
ABOUT = (  # rows and outputs
    "task",
    "flags",
    "features",
    "categories",
    "kinds",
    "notations",
    "classes",
    "target",
    "image_shape",
    "image_maximum",
)


class Ensemble:
    """Networks that take the same rows and answer together: by the mean of their values, or of their probabilities.

    `weights` says how much of the mean each network is: positive numbers, of any sum; by default all are alike.

    `networks` lists them. Their layers, widths, preprocessing and dtype may differ. `n_in` and `n_out` are the widths
    of a row before and after, as in a network. `dtype` is the most precise of theirs. `info` holds the entries that are
    the same in the `info` of all. `task` is "classification" or "regression". By default it comes from `info`, as in
    the network of a run. If `info` says "flags": True, as in an estimator for several labels of a row, the classes are
    independent of each other, and each output is the logit of one class.

    Raises ValueError if there are no networks, if they don't take the same rows or give the same outputs, or if the
    task is not known; TypeError for an entry that is no network.
    """

    def __init__(
        self, networks: Sequence[Network], task: str | None = None, weights: Sequence[float] | None = None
    ) -> None:
        self.networks: list[Network] = list(networks)
        if not self.networks:
            raise ValueError("an ensemble needs at least one network")
        for i, net in enumerate(self.networks):
            if not isinstance(net, Network):
                raise TypeError(f"network {i} of the ensemble is {net!r}, not a gn.Network")
        first = self.networks[0]
        said = first.info.get("task")
        task = said if task is None else task
        if task is None:
            raise ValueError("the networks don't name their task: give task='classification' or 'regression'")
        if task not in TASKS or said not in (None, task):
            raise ValueError(f"task must be {' or '.join(TASKS) if said is None else said}, not {task!r}")
        for i, net in enumerate(self.networks[1:], 1):
            for (what, ours), theirs in zip(_facts(first, task).items(), _facts(net, task).values(), strict=True):
                if ours != theirs:
                    raise ValueError(
                        f"the networks of an ensemble take the same rows and give the same outputs, but {what} of"
                        f" network 0 is {short(ours)}, that of network {i} {short(theirs)}"
                    )
        self.weights: list[float] | None = None if weights is None else [positive(w, "weights") for w in weights]
        if self.weights is not None and len(self.weights) != len(self.networks):
            raise ValueError(f"{len(self.networks)} networks need as many weights, not {len(self.weights)}")
        self.n_in: int | None = first.n_in
        self.n_out: int | None = first.n_out
        self.dtype: np.dtype[Any] = np.result_type(*(net.dtype for net in self.networks))
        shared = {
            name: value
            for name, value in first.info.items()
            if all(net.info.get(name) == value for net in self.networks)
        }
        self.info: dict[str, Any] = shared | {"task": task}
        self.compiled: list[Any] = []  # what the engine keeps with the networks

    @classmethod
    def joined(cls, models: Sequence[Network | Ensemble]) -> Ensemble:
        """Return the ensemble in which each of the models has the same share, whatever it consists of."""
        networks: list[Network] = []
        weights: list[float] = []
        for model in models:
            each = [model] if isinstance(model, Network) else model.networks
            own = model.weights if isinstance(model, Ensemble) and model.weights else [1.0] * len(each)
            networks += each
            weights += [weight / sum(own) for weight in own]
        return cls(networks, weights=None if len(networks) == len(models) else weights)

    def predict(self, x: npt.ArrayLike) -> Array:
        """Compute the outputs (N, n_out) of rows x (N, n_in): values, or the scores of classes.

        Values are the mean of the networks' values. The softmax of the scores is the mean of the networks'
        probabilities. (For a single output and for flags, it is the sigmoid.) If the networks end in Softmax or
        Sigmoid, the scores are this mean itself.
        """
        return self.mean()(self._outputs(x))

    def _outputs(self, x: npt.ArrayLike) -> Array:
        """The outputs (networks, N, n_out) of each network."""
        first = self.networks[0]
        if first.engine is not None and all(net.fast for net in self.networks):
            with reading(*self.networks):
                outputs = first.engine.predict(self.networks, self.compiled, first.as_rows(x))
            if outputs is not None:
                return outputs
        return np.stack(self._one_by_one(x))

    def _one_by_one(self, x: npt.ArrayLike) -> list[Array]:
        """The outputs of each network. Networks with equal preprocessing share its result: it may cost the most."""
        outputs: list[Array] = []
        known: list[tuple[Network, Array]] = []
        for net in self.networks:
            if all(isinstance(layer, Standardize) for layer in net.layers[: net.preprocessing]):  # costs nothing
                outputs.append(net.predict(x))
                continue
            prepared = next((rows for other, rows in known if _prepares_alike(net, other)), None)
            if prepared is None:
                prepared = net.prepare(x)
                known.append((net, prepared))
            outputs.append(net.predict_prepared(prepared))
        return outputs

    def predict_proba(self, x: npt.ArrayLike) -> Array:
        """Compute class probabilities (N, classes): the mean of the networks'. For flags they don't sum to 1."""
        return self.networks[0].probabilities(self.predict(x))

    def mean(self) -> Mean:
        """Return the mean that answers, of the networks' outputs."""
        weights = [1.0] * len(self.networks) if self.weights is None else self.weights
        if self.info["task"] == "regression" or isinstance(self.networks[0].layers[-1], (Softmax, Sigmoid)):
            return Mean(weights, "values")
        return Mean(weights, "logits" if self.n_out == 1 or self.info.get("flags") else "classes")

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write all networks and `info` to one safetensors file, atomically."""
        arrays = {f"{i}/{name}": array for i, net in enumerate(self.networks) for name, array in net.arrays().items()}
        described = [net.describe() for net in self.networks]
        write_arrays(path, arrays, {"networks": described, "weights": self.weights, "info": self.info})

    def export(
        self,
        path: str | os.PathLike[str],
        *,
        outputs: str | None = None,
        classes: npt.ArrayLike | None = None,
        input_dtype: npt.DTypeLike | None = None,
    ) -> None:
        """Write the ensemble to an ONNX file, atomically. See `glassnet.export`, which does it."""
        from glassnet.exchange import export

        export(self, path, outputs=outputs, classes=classes, input_dtype=input_dtype)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Ensemble:
        """Read an ensemble that `save` wrote. Import your own layers first.

        Raises ValueError if the file is anything else, or damaged.
        """
        arrays, header = read_arrays(path)
        if "networks" not in header:
            raise ValueError(f"{os.fspath(path)} holds no ensemble: a network is read with gn.Network.load")
        return cls._restored(path, header, arrays)

    @classmethod
    def _restored(cls, path: str | os.PathLike[str], header: dict[str, Any], arrays: dict[str, Array]) -> Ensemble:
        """Build the ensemble that `save` wrote; raise ValueError, naming the file, if it fails."""
        described = header["networks"] if isinstance(header["networks"], list) else []
        parts: dict[str, dict[str, Array]] = {str(i): {} for i in range(len(described))}
        for name, array in arrays.items() if parts else ():
            index, _, own = name.partition("/")
            if index not in parts:
                raise ValueError(f"{os.fspath(path)} holds {name}, which is of none of its {len(parts)} networks")
            parts[index][own] = array
        networks = [Network._restored(path, *each) for each in zip(described, parts.values(), strict=True)]
        try:
            ensemble = cls(networks, header["info"]["task"], header.get("weights"))
            ensemble.info = header["info"]
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(f"{os.fspath(path)} holds no ensemble that this glassnet can build: {error}") from None
        return ensemble

    def __getstate__(self) -> dict[str, Any]:
        return vars(self) | {"compiled": []}

    def __repr__(self) -> str:
        return f"Ensemble([{', '.join(map(repr, self.networks))}])"


def leading(net: Network | Ensemble) -> Network:
    """Return the network itself, or the one with the largest share of an ensemble's answer, the first of several."""
    if isinstance(net, Network):
        return net
    return net.networks[0 if net.weights is None else int(np.argmax(net.weights))]


def load_model(path: str | os.PathLike[str]) -> Network | Ensemble:
    """Read the network or the ensemble in a file. Raises ValueError if it holds anything else, or is damaged."""
    arrays, header = read_arrays(path)
    if "networks" in header:
        return Ensemble._restored(path, header, arrays)
    return Network._restored(path, header.get("network", {}), arrays)


def _prepares_alike(net: Network, other: Network) -> bool:
    """Whether two networks have equal preprocessing."""
    layers, others = net.layers[: net.preprocessing], other.layers[: other.preprocessing]
    return net.dtype == other.dtype and fitted_alike(layers, others)


def _facts(net: Network, task: str) -> dict[str, Any]:
    """What all networks of an ensemble must have in common."""
    last = net.layers[-1]
    facts: dict[str, Any] = {name: net.info.get(name) for name in ABOUT} | {"n_in": net.n_in, "n_out": net.n_out}
    if task == "classification":
        facts["last layer"] = type(last).__name__ if isinstance(last, (Softmax, Sigmoid)) else "one that gives scores"
    return facts
