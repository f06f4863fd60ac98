"""What every layer is: two methods that mirror each other, and parameters that live in the network's flat vectors."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt

from glassnet.configured import Configured
from glassnet.nn.written import Letter, Unit, Written, fill

Array = npt.NDArray[Any]
Shape = tuple[int | None, ...]  # None: a size that only fitting decides


class Layer(Configured):
    """One step of a network: `forward(x) -> y` keeps what `backward(dy) -> dx` needs.

    Rows are examples: x is (N, width_in), y is (N, width_out), dy = dL/dy, dx = dL/dx for a scalar loss L.
    `backward` belongs to the latest `forward`, and also fills the gradient of each parameter: dW for W.

    A subclass stores its constructor's arguments under their own names (so that it can be saved and copied),
    and lists the names of its trained arrays in `parameters` and of those that merely travel with it in `state`.
    A network reads `lr_factor` and `max_norm` when it is made.

    A layer also describes itself. `sentence` does so in plain words, where {rate} stands for the argument of that name.
    By default it is the first line of the docstring. `formula` is y of one unit as a template, see nn/written.py. A
    layer whose units have different formulas, or one whose formula takes more than a line, defines `written` instead.
    `elementwise` layers compute each value of y from the value of x at its place, so that dx = dy * dy/dx. In a
    network, parameters are views into the network's `theta` and `grad`, and results are written into buffers that the
    next call uses again. On its own, a layer draws float64 parameters when they are first needed, and returns new
    arrays.
    """

    parameters: ClassVar[tuple[str, ...]] = ()
    state: ClassVar[tuple[str, ...]] = ()
    decayed: ClassVar[tuple[str, ...]] = ()  # the parameters that weight decay and L2 act on
    sentence: ClassVar[str] = ""
    formula: ClassVar[str] = ""
    note: ClassVar[str] = ""  # explains a letter of the formula
    elementwise: ClassVar[bool] = False

    lr_factor: float = 1.0  # multiplies the learning rate of the layer's parameters
    max_norm: float | None = None  # the largest norm of each column of the `decayed` parameters
    dtype: np.dtype[Any] = np.dtype(np.float64)
    reuse_buffers = False
    narrow: bool = False  # in training, the terms of its products are rounded to bfloat16
    buffers: dict[str, Array]

    def forward(self, x: Array, training: bool = False) -> Array:
        """Compute y (N, width_out) from x (N, width_in)."""
        raise TypeError(f"{type(self).__name__} has no forward: a layer defines forward and backward")

    def backward(self, dy: Array) -> Array:
        """Fill the parameters' gradients and compute dx (N, width_in) from dy (N, width_out)."""
        raise TypeError(f"{type(self).__name__} has no backward: a layer defines forward and backward")

    def parameter_gradients(self, dy: Array) -> None:
        """Fill the parameters' gradients alone. A network's first layer needs no more.

        A layer whose dx is expensive defines this method, and calls it in `backward`. By default it is `backward`.
        """
        self.backward(dy)

    @property
    def width_in(self) -> int | None:
        """The width of the rows that the layer takes; None if it takes any."""
        return None

    def width_out(self, width_in: int | None) -> int | None:
        """Return the width of y for rows of `width_in` values (None: not known yet)."""
        return width_in

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Return the shape of each parameter."""
        return {}

    def state_shapes(self, width_in: int | None) -> Mapping[str, Shape]:
        """Return the shape of each array in `state`, for rows of `width_in` values (None: not known yet).

        The arrays named here are float64, and a file with anything else is refused. Other arrays may be anything.
        """
        return {}

    def check_state(self, state: Mapping[str, Array]) -> None:
        """Raise ValueError, beginning with the array's name, for state of the right shape that the layer can't have.

        By default, every array that `state_shapes` names must be finite. Nothing is set. Arrays that aren't fitted yet
        are left out.
        """
        for name in self.state_shapes(None):
            if name in state and not np.isfinite(state[name]).all():
                raise ValueError(f"{name} holds NaN or infinity")

    def initialize(self, rng: np.random.Generator) -> None:
        """Fill the parameters with their values before training."""

    def reseed(self, seed: list[int]) -> None:
        """Restart the layer's own random numbers, if it draws any."""

    def side(self) -> Array | None:
        """Return the side of the function's kink on which each unit was in the latest forward; None if it is smooth."""
        return None

    def in_words(self) -> str:
        """Return a sentence that says what the layer does."""
        if self.sentence:
            return self.sentence.format(**self.config())
        return (type(self).__doc__ or type(self).__name__).strip().partition("\n")[0]

    def letters(self, at: Unit) -> Mapping[str, Letter]:
        """Return the letters of `formula` that are not attributes of the layer, for one unit."""
        return {}

    def written(self, at: Unit) -> Written | None:
        """Write the formula of one unit, and the same with its numbers; None if there is no formula."""
        return fill(self.formula, at, self.letters(at), self.note) if self.formula else None

    # The rest holds a layer together. A new layer need not touch it.

    @property
    def size(self) -> int:
        """How many numbers the layer trains."""
        return sum(math.prod(shape) for shape in self.shapes().values())

    def parts(self) -> Iterator[tuple[str, slice]]:
        """Yield the name of each parameter and its place in the layer's part of a flat vector."""
        start = 0
        for name, shape in self.shapes().items():
            stop = start + math.prod(shape)
            yield name, slice(start, stop)
            start = stop

    def bind(self, theta: Array, grad: Array) -> None:
        """Make the parameters and their gradients views into two flat vectors of length `size`."""
        self.dtype = theta.dtype
        shapes = self.shapes()
        for name, part in self.parts():
            setattr(self, name, theta[part].reshape(shapes[name]))
            setattr(self, f"d{name}", grad[part].reshape(shapes[name]))

    def buffer(self, name: str, shape: tuple[int, ...], dtype: npt.DTypeLike | None = None) -> Array:
        """Return an array to write a result into: in a network the same memory at each call, else a new one."""
        dtype = np.dtype(dtype or self.dtype)
        if not self.reuse_buffers:
            return np.empty(shape, dtype)
        buffers = self.__dict__.setdefault("buffers", {})
        kept = buffers.get(name)
        if kept is None or kept.dtype != dtype or kept.shape[1:] != shape[1:] or len(kept) < shape[0]:
            kept = buffers[name] = np.empty(shape, dtype)
        return kept[: shape[0]]

    def __copy__(self) -> Self:
        """A shallow copy sees the same parameters and state, but has memory of its own for a pass."""
        twin = object.__new__(type(self))
        twin.__dict__.update(self.__dict__)
        twin.__dict__.pop("buffers", None)
        return twin

    def __repr__(self) -> str:
        words = []
        for argument in self.arguments().values():
            value = getattr(self, argument.name)
            if argument.default is argument.empty:
                words.append(repr(value))
            elif value != argument.default:
                words.append(f"{argument.name}={value!r}")
        return f"{type(self).__name__}({', '.join(words)})"

    def __getattr__(self, name: str) -> Array:
        # Reached only when a parameter is asked for before a network has bound it: the layer stands on its own.
        if name.startswith("_") or name.removeprefix("d") not in type(self).parameters:
            raise AttributeError(f"{type(self).__name__!r} has no attribute {name!r}")
        self.bind(np.zeros(self.size, self.dtype), np.zeros(self.size, self.dtype))
        self.initialize(np.random.default_rng(0))
        return self.__dict__[name]


def fitted_alike(layers: Sequence[Layer], others: Sequence[Layer]) -> bool:
    """Whether layers have the same settings, and have fitted the same."""
    return list(map(repr, layers)) == list(map(repr, others)) and all(
        np.array_equal(getattr(layer, name), getattr(other, name))
        for layer, other in zip(layers, others, strict=True)
        for name in layer.state
    )
