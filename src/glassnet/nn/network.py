"""A network: layers in a row, whose parameters and gradients are two flat vectors."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from copy import copy
from itertools import islice, takewhile
from reprlib import repr as short
from textwrap import shorten
from typing import Any, ClassVar, Protocol

import numpy as np
import numpy.typing as npt

from glassnet.checks import count, positive_int
from glassnet.memory import aligned_zeros
from glassnet.nn import declared
from glassnet.nn.activations import Sigmoid, Softmax, logistic
from glassnet.nn.described import DTYPES, described_layers
from glassnet.nn.groups import Group, groups
from glassnet.nn.layer import Array, Layer
from glassnet.nn.preprocessing import Fitted, Preprocessing, Unstandardize, one_by_one
from glassnet.nn.randomness import INITIAL_WEIGHTS, MASKS
from glassnet.nn.storage import read_arrays, write_arrays
from glassnet.nn.widths import check_widths
from glassnet.nn.written import brief
from glassnet.turns import reading

ROWS_AT_ONCE = 1024  # rows that inference works on at a time: enough for the matrix products, little memory


class Engine(Protocol):
    """Computes the layers' numbers, except for rounding, faster. nn/ knows none: the package sets `Network.engine`."""

    def predict(self, nets: Sequence[Network], compiled: list[Any], x: Array, prepared: bool = False) -> Array | None:
        """Return the outputs (networks, N, n_out) of rows x in inference mode.

        None if the engine doesn't cover one of the networks. compiled: what it keeps with them. prepared: whether x has
        been through the preprocessing.
        """

    def prepare(self, net: Network, x: Array) -> Array | None:
        """Return rows x after the preprocessing; None if the engine doesn't cover this network."""

    def describe(self, net: Network) -> str:
        """Say in a few words what computes the network. If it isn't the engine, say why."""


class Network:
    """Layers in a row: the output of one is the input of the next.

    `theta` and `grad` are contiguous vectors (n_parameters,) of all parameters and their gradients, layer after layer.
    A layer's W, b, dW, db are views into them. `dtype` is "float32" or "float64". "bfloat16" is float32 as well, but
    rounds the terms of Dense layers' products in training. `precision` is the name of the three. `seed` draws the
    initial weights and the noise of training, so equal arguments make equal networks. `n_in` and `n_out` are the widths
    of a row before and after (n_in is None until fitting decides it). `info` holds anything else that should be saved
    with the weights, such as the names of features and classes. It may hold anything that JSON can.

    `fast` lets an engine (glassnet.fast) train and predict if it covers the network. It gives the same numbers, except
    for rounding, and leaves `grad` alone in training. fast=False keeps to the readable layers. `threads` limits the
    threads of the engine, as OMP_NUM_THREADS and the like do. Neither is saved. Both may be set at any time.

    Values between the layers are of the network's type. Preprocessing takes rows of any type. A last Unstandardize
    gives float64.

    Any number of threads may predict with a network at once. While one thread trains it, as `gn.fit` does, predict,
    copy, save and another training raise RuntimeError in all other threads.

    Raises TypeError for an entry that is no layer, ValueError for layers whose widths don't fit or another dtype.
    """

    engine: ClassVar[Engine | None] = None

    n_in: int | None
    n_out: int | None
    theta: Array
    grad: Array

    def __init__(
        self,
        layers: Sequence[Layer],
        dtype: npt.DTypeLike = "float32",
        seed: int = 0,
        *,
        fast: bool = True,
        threads: int | None = None,
    ) -> None:
        self.layers: list[Layer] = list(layers)
        self.fast = fast
        self.threads: int | None = None if threads is None else positive_int(threads, "threads")
        self.compiled: list[Any] = []  # what the engine keeps with the network
        self.spare: list[list[dict[str, Array]]] = []  # buffers of the layers that no prediction uses at present
        try:
            self.precision: str = "bfloat16" if str(dtype) == "bfloat16" else np.dtype(dtype).name
        except TypeError:
            self.precision = repr(dtype)
        if self.precision not in DTYPES:
            raise ValueError(f"dtype must be float32, float64 or bfloat16, not {self.precision}")
        self.dtype: np.dtype[Any] = DTYPES[self.precision]
        self.seed: int = int(seed)
        self.info: dict[str, Any] = {}
        self.n_in, self.n_out = check_widths(self.layers)
        self._bind()
        rng = np.random.default_rng([self.seed, INITIAL_WEIGHTS])
        for layer in self.layers:
            layer.initialize(rng)
        self.reseed(seed)

    def forward(self, x: npt.ArrayLike, training: bool = False) -> Array:
        """Compute the outputs (N, n_out) of rows x (N, n_in), in an array of their own.

        With training=True, noise is drawn, and batch norm uses the batch's statistics.
        Raises ValueError, naming both shapes and the layer, for rows of another width.
        """
        *_, y = self.outputs(x, training)
        return y.copy()  # the buffer it lies in will be written again

    def outputs(self, x: npt.ArrayLike, training: bool = False) -> Iterator[Array]:
        """Yield the output (N, its width) of each layer in turn for rows x (N, n_in), often in a buffer."""
        return one_by_one(self.layers, self.as_input(x), self.dtype, training)

    def backward(self, dy: Array, input_gradient: bool = True) -> Array | None:
        """Fill `grad` from dy = dL/dy (N, n_out) of the latest `forward`; return dL/dx (N, n_in).

        Training needs no dL/dx: with input_gradient=False the pass stops at the first layer that has parameters,
        which saves its largest product, and returns None.
        """
        if input_gradient:
            for layer in reversed(self.layers):
                dy = layer.backward(dy)
            return dy.copy()
        first = next((i for i, layer in enumerate(self.layers) if layer.size), 0)
        for layer in reversed(self.layers[first + 1 :]):
            dy = layer.backward(dy)
        self.layers[first].parameter_gradients(dy)
        return None

    def predict(self, x: npt.ArrayLike) -> Array:
        """Compute the outputs (N, n_out) in inference mode: the scores of classes, or values.

        Raises RuntimeError if another thread trains the network meanwhile.
        """
        return self._predict(self.as_input(x), 0)

    def prepare(self, x: npt.ArrayLike) -> Array:
        """Return rows x after the preprocessing layers (N, their width): what `predict_prepared` takes."""
        x = self.as_input(x)
        if self.fast and self.engine is not None:
            prepared = self.engine.prepare(self, x)
            if prepared is not None:
                return prepared
        layers = [copy(layer) for layer in self.layers[: self.preprocessing]]  # this call's own: layers write into them
        return self._passed(layers, x)

    def predict_prepared(self, x: Array) -> Array:
        """Do the same as `predict` for rows that have been through the preprocessing."""
        return self._predict(x, self.preprocessing)

    def _predict(self, x: Array, first: int) -> Array:
        """Predict from the first layer, or from the first after preprocessing."""
        with reading(self):
            if self.fast and self.engine is not None:
                outputs = self.engine.predict([self], self.compiled, x, prepared=first > 0)
                if outputs is not None:
                    y: Array = outputs[0]
                    return y
            layers = [copy(layer) for layer in self.layers]  # this call's own: layers write into them
            for layer, buffers in zip(layers, self._unused_buffers(), strict=True):
                layer.buffers = buffers
            y = self._passed(layers[first:], x)
            self.spare.append([layer.buffers for layer in layers])
        return y

    def _passed(self, layers: Sequence[Layer], x: Array) -> Array:
        """Pass rows through layers, some at a time."""
        if not layers:
            return x
        parts = []
        for start in range(0, max(1, len(x)), ROWS_AT_ONCE):
            *_, y = one_by_one(layers, x[start : start + ROWS_AT_ONCE], self.dtype)
            parts.append(y.copy())
        return parts[0] if len(parts) == 1 else np.concatenate(parts)

    @property
    def preprocessing(self) -> int:
        """How many layers of preprocessing there are."""
        return sum(1 for _ in takewhile(lambda layer: isinstance(layer, Preprocessing), self.layers))

    def _unused_buffers(self) -> list[dict[str, Array]]:
        """The buffers of an earlier prediction, or new ones, for each layer."""
        try:
            spare = self.spare.pop()
        except IndexError:
            spare = []
        return spare if len(spare) == len(self.layers) else [{} for _ in self.layers]

    def predict_proba(self, x: npt.ArrayLike) -> Array:
        """Compute class probabilities (N, classes) in inference mode."""
        return self.probabilities(self.predict(x))

    def probabilities(self, y: Array) -> Array:
        """Turn outputs (N, n_out) into class probabilities (N, classes): a softmax, if no layer has made it.

        A single output is the logit (or, after a last Sigmoid, the probability) of the second of two classes. The same
        holds for each output if `info` says "flags": True, as in an estimator for several labels of a row.
        """
        last = self.layers[-1]
        flags = self.info.get("flags")
        if flags or y.shape[1] == 1:
            p = y if isinstance(last, Sigmoid) else logistic(y, out=np.empty_like(y))
            return p if flags else np.concatenate([1 - p, p], axis=1)
        return y if isinstance(last, Softmax) else Softmax().forward(y)

    def fit_preprocessing(self, x: Array, y: Array | None = None) -> None:
        """Fit the layers that aren't fitted yet: leading ones to rows x (N, n_in), a last Unstandardize to y."""
        for i, layer in enumerate(self.layers):
            if not isinstance(layer, Fitted) or isinstance(layer, Unstandardize):
                break
            if not layer.fitted:
                *_, seen = self.as_input(x), *islice(self.outputs(x), i)
                layer.fit_with(seen, y)
        if isinstance(last := self.layers[-1], Unstandardize) and not last.fitted and y is not None:
            last.fit(y)

    def as_input(self, x: npt.ArrayLike) -> Array:
        """Return x as the array that the first layer takes; raise ValueError if it can't be one."""
        x = self.as_rows(x)
        return x if isinstance(self.layers[0], Preprocessing) else x.astype(self.dtype, copy=False)

    def as_rows(self, x: npt.ArrayLike) -> Array:
        """Return x as an array of its own type; raise ValueError if the first layer can't take it."""
        x = np.asarray(x)
        if x.ndim != 2 or (self.n_in is not None and x.shape[1] != self.n_in):
            width = "any number of" if self.n_in is None else self.n_in
            first = next((layer for layer in self.layers if layer.size), self.layers[0])
            raise ValueError(f"{first!r} takes an array of shape (N, {width}), not one of shape {x.shape}")
        if x.dtype.kind not in "buif":
            raise ValueError(f"the network takes numbers, not an array of {x.dtype}")
        return x

    def reseed(self, *seed: int) -> None:
        """Restart the random numbers that layers draw in training: the same seed gives the same noise again."""
        for i, layer in enumerate(self.layers):
            layer.reseed([*seed, MASKS + i])

    def named_parameters(self) -> Iterator[tuple[str, Array, Array]]:
        """Yield the name, such as "1.W", the value and the gradient of each parameter, in the order of theta."""
        for i, layer in enumerate(self.layers):
            for name in layer.parameters:
                yield f"{i}.{name}", getattr(layer, name), getattr(layer, f"d{name}")

    def state(self) -> dict[str, Array]:
        """The fitted arrays that are saved with theta but not trained, by name such as "0.mean"."""
        return {
            f"{i}.{name}": declared.as_declared(layer, name)
            for i, layer in enumerate(self.layers)
            for name in layer.state
            if hasattr(layer, name)
        }

    def set_state(self, state: dict[str, Array]) -> None:
        """Take copies of what `state` returned, or of some of it.

        Raises ValueError for a name that no layer has in its `state`, or for an array that isn't as it declares.
        """
        declared.check_state(self.layers, self.n_in, state)
        for key, value in state.items():
            index, _, name = key.partition(".")
            setattr(self.layers[int(index)], name, value.copy())

    def arrays(self) -> dict[str, Array]:
        """All that the network has learned, by name: parameters, such as "1.W", and state."""
        return {name: value for name, value, _ in self.named_parameters()} | self.state()

    def set_arrays(self, arrays: dict[str, Array]) -> None:
        """Take copies of what `arrays` returned. Names with a slash, which others may add, are passed over.

        Raises ValueError for a parameter that is missing, a name that no layer has, or an array that isn't as its
        layer declares. Nothing is set then.
        """
        declared.check_parameters(self.layers, arrays)
        parameters = {name: value for name, value, _ in self.named_parameters()}
        self.set_state({name: a for name, a in arrays.items() if name not in parameters and "/" not in name})
        for name, value in parameters.items():
            value[...] = arrays[name]

    def copy(self, dtype: npt.DTypeLike | None = None) -> Network:
        """Return an equal network that shares nothing with this one, in another dtype if one is given."""
        other = object.__new__(Network)
        with reading(self):
            other.__setstate__({**self.__getstate__(), "dtype": dtype or self.precision})
        return other

    def summary(self) -> None:
        """Print a table of layers, parameter shapes and parameter counts, and the engine that computes them."""
        rows = [("", "layer", "shapes", "parameters")]
        for i, layer in enumerate(self.layers):
            shapes = ", ".join(f"{name} {shape}" for name, shape in layer.shapes().items())
            rows.append((str(i), brief(repr(layer)), shapes, f"{layer.size:,}"))
        rows.append(("", "total", self.precision, f"{self.theta.size:,}"))
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        for index, name, shapes, size in rows:
            print(f"{index:>{widths[0]}}  {name:<{widths[1]}}  {shapes:<{widths[2]}}  {size:>{widths[3]}}")
        print(f"computed by {self.engine.describe(self) if self.fast and self.engine else 'NumPy'}")

    def describe(self) -> dict[str, Any]:
        """Describe the network without its numbers, as JSON can hold it."""
        layers = [{"type": type(layer).__name__, **layer.config()} for layer in self.layers]
        return {"layers": layers, "dtype": self.precision, "seed": self.seed, "info": self.info}

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write layers, weights, preprocessing and `info` to one safetensors file, atomically."""
        with reading(self):
            write_arrays(path, self.arrays(), {"network": self.describe()})

    def export(
        self,
        path: str | os.PathLike[str],
        *,
        outputs: str | None = None,
        classes: npt.ArrayLike | None = None,
        input_dtype: npt.DTypeLike | None = None,
    ) -> None:
        """Write the network to an ONNX file, atomically. See `glassnet.export`, which does it."""
        from glassnet.exchange import export

        export(self, path, outputs=outputs, classes=classes, input_dtype=input_dtype)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Network:
        """Read a network that `save` wrote, or the one in a checkpoint. Import your own layers first.

        Raises ValueError if the file is anything else, or damaged.
        """
        arrays, header = read_arrays(path)
        if "networks" in header:
            raise ValueError(f"{os.fspath(path)} holds an ensemble: read it with gn.Ensemble.load")
        return cls._restored(path, header.get("network", {}), arrays)

    @classmethod
    def _restored(cls, path: str | os.PathLike[str], description: dict[str, Any], arrays: dict[str, Array]) -> Network:
        """Build the network of a description and its numbers; raise ValueError, naming the file, if it fails."""
        try:
            layers, precision = described_layers(description, arrays)
            net = cls(layers, precision, count(description["seed"], "seed"))
            declared.check_file(net.layers, net.n_in, net.dtype, arrays)
            net.set_arrays(arrays)
            net.info = description["info"]
            if not isinstance(net.info, dict):
                raise ValueError(f"its info is {short(net.info)}")
        except KeyError as error:
            fault = f"it has no {error}"
        except Exception as error:  # a layer may raise anything for arguments that were never its own
            fault = str(error)
        else:
            return net
        fault = shorten(fault, 500, placeholder="...")
        raise ValueError(f"{os.fspath(path)} holds no network that this glassnet can build: {fault}")

    def __repr__(self) -> str:
        layers = ", ".join(map(repr, self.layers))
        return f"Network([{layers}], dtype={self.precision!r}, seed={self.seed})"

    def __deepcopy__(self, memo: dict[int, Any]) -> Network:
        return self.copy()

    def __getstate__(self) -> dict[str, Any]:
        layers = [(type(layer), layer.config()) for layer in self.layers]
        settings = {name: getattr(self, name) for name in ("seed", "fast", "threads", "info")}
        return {"layers": layers, "dtype": self.precision, **settings, "arrays": self.arrays()}

    def __setstate__(self, saved: dict[str, Any]) -> None:
        settings = {name: saved[name] for name in ("dtype", "seed", "fast", "threads")}
        Network.__init__(self, [make(**config) for make, config in saved["layers"]], **settings)
        self.info = dict(saved["info"])
        self.set_arrays(saved["arrays"])

    def _bind(self) -> None:
        """Make theta and grad, and every parameter a view into them."""
        size = (sum(layer.size for layer in self.layers),)
        self.theta, self.grad = aligned_zeros(size, self.dtype), aligned_zeros(size, self.dtype)
        self.groups: list[Group] = groups(self.layers)  # how each part of theta moves
        self.decayed: list[slice] = [group.part for group in self.groups if group.decayed]
        start = 0
        for layer in self.layers:
            part = slice(start, start + layer.size)
            layer.bind(self.theta[part], self.grad[part])
            layer.reuse_buffers = True
            layer.narrow = self.precision == "bfloat16"
            start = part.stop
