"""The arrays that layers declare, and checks of arrays from elsewhere. No array is used before it is checked.

A layer declares its parameters by `shapes`, and its state by `state` and `state_shapes`. Arrays are named as in a file:
"1.W" is W of layer 1.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from glassnet.nn.layer import Array, Layer, Shape

STATE = np.dtype(np.float64)  # the type of declared state, independent of the network's


def parameter_shapes(layers: Sequence[Layer]) -> dict[str, Shape]:
    """Return the shape of each parameter of these layers."""
    return {f"{i}.{name}": shape for i, layer in enumerate(layers) for name, shape in layer.shapes().items()}


def state_shapes(layers: Sequence[Layer], n_in: int | None) -> dict[str, Shape | None]:
    """Return the shape of each array of state, for layers whose first takes rows of `n_in` values; None: any shape."""
    found: dict[str, Shape | None] = {}
    width = n_in
    for i, layer in enumerate(layers):
        shapes = layer.state_shapes(width)
        found |= {f"{i}.{name}": shapes.get(name) for name in layer.state}
        width = layer.width_out(width)
    return found


def as_declared(layer: Layer, name: str) -> Array:
    """Return an array of a layer's state in the declared type, even if another was set."""
    value: Array = getattr(layer, name)
    return np.asarray(value, STATE) if name in layer.state_shapes(None) else value


def check_array(name: str, array: Array, shape: Shape | None, dtype: np.dtype[Any] | None = None) -> None:
    """Raise ValueError unless an array has this shape, in which None is any size, and is of this type.

    Without a type, any floating-point numbers will do. Without a shape, anything will.
    """
    if shape is None:
        return
    if len(array.shape) != len(shape) or any(n not in (None, m) for n, m in zip(shape, array.shape, strict=True)):
        wanted = ", ".join("any" if n is None else str(n) for n in shape)
        raise ValueError(f"{name} has shape {array.shape}, not ({wanted}{',' * (len(shape) == 1)})")
    if array.dtype.kind != "f" or dtype not in (None, array.dtype):
        raise ValueError(f"{name} holds {array.dtype}, not {dtype or 'floating-point numbers'}")


def check_parameters(layers: Sequence[Layer], arrays: Mapping[str, Array], dtype: np.dtype[Any] | None = None) -> None:
    """Raise ValueError unless the arrays hold every parameter of these layers, of the right shape and type."""
    for name, shape in parameter_shapes(layers).items():
        if name not in arrays:
            raise ValueError(f"{name} is missing")
        check_array(name, arrays[name], shape, dtype)


def check_state(
    layers: Sequence[Layer], n_in: int | None, state: Mapping[str, Array], dtype: np.dtype[Any] | None = None
) -> None:
    """Raise ValueError for an array that no layer declares as its state, or one of another shape or type."""
    shapes = state_shapes(layers, n_in)
    for name, array in state.items():
        if name not in shapes:
            raise ValueError(f"{name} is no array of these layers")
        check_array(name, array, shapes[name], dtype)


def check_whole_state(layers: Sequence[Layer], n_in: int | None, state: Mapping[str, Array]) -> None:
    """Raise ValueError unless this is the whole state of such layers: as declared, and nothing they can't have."""
    check_state(layers, n_in, state, STATE)
    for i, layer in enumerate(layers):
        own = {name: state[f"{i}.{name}"] for name in layer.state if f"{i}.{name}" in state}
        for name in layer.state_shapes(None):
            if name not in own and (own or hasattr(layer, name)):
                raise ValueError(f"{i}.{name} is missing")
        try:
            layer.check_state(own)
        except ValueError as error:
            raise ValueError(f"{i}.{error}") from None


def check_file(layers: Sequence[Layer], n_in: int | None, dtype: np.dtype[Any], arrays: Mapping[str, Array]) -> None:
    """Raise ValueError unless arrays from a file are all those of such layers, and as they declare.

    Parameters must be finite. Names with a slash are passed over, because they belong to others.
    """
    check_parameters(layers, arrays, dtype)
    parameters = parameter_shapes(layers)
    for name in parameters:
        check_finite(name, arrays[name])
    rest = {name: array for name, array in arrays.items() if name not in parameters and "/" not in name}
    check_whole_state(layers, n_in, rest)


def check_finite(name: str, array: Array) -> None:
    """Raise ValueError if a number is NaN or infinite."""
    if not np.isfinite(array).all():
        raise ValueError(f"{name} holds NaN or infinity")
