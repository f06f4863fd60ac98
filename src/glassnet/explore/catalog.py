"""What the library can build in a page, as JSON: described by its own classes, so that the page has no list of its own.

Widths, bounds, shapes and first values are found by asking the classes: they are built with numbers that tell what
becomes of them.
"""

from __future__ import annotations

import ctypes
import inspect
import math
from functools import cache
from typing import Any

import numpy as np

from glassnet.configured import Configured
from glassnet.fast.kernels import KERNELS, LOSSES, OPTIMIZERS, Kernel
from glassnet.fast.structures import FORMATS, CGroup, CLayer, CLoss, COptimizer, CProgram
from glassnet.inspection.doctor import course
from glassnet.inspection.doctor.looking import FLAT
from glassnet.inspection.doctor.record import ROWS_OF_A_LOOK
from glassnet.nn import (
    CategoryEmbedding,
    GaussianNoise,
    Layer,
    Loss,
    Noise,
    Periodic,
    PiecewiseLinear,
    Poisson,
)
from glassnet.nn.initializers import INITIALIZERS
from glassnet.nn.randomness import INITIAL_WEIGHTS, MASKS, ORDER
from glassnet.optim import Optimizer, schedules

N_IN, N_OUT, ROWS = 7, 11, 13  # widths and a number of rows that are recognised again
TRIED = (-1.0, 0.0, 0.25, 1.0, 2.0)  # numbers that an argument takes or refuses
WITHOUT: dict[type[Configured], str] = {  # what has kernels, but not in a page
    PiecewiseLinear: "its bins are fitted to columns",
    Periodic: "it is for columns of a table",
    CategoryEmbedding: "it is for categories of a table",
    GaussianNoise: "Python draws its random numbers before each step",
    Poisson: "it is for counts, behind Exp",
}


@cache
def catalog() -> dict[str, Any]:
    """Return layers, losses, optimizers, schedules and initializers, and the structures that the kernels read."""
    return {
        "layers": {cls.__name__: _layer(cls, kernel) for cls, kernel in KERNELS.items() if cls not in WITHOUT},
        "losses": {cls.__name__: _loss(cls, constant) for cls, constant in LOSSES.items() if cls not in WITHOUT},
        "optimizers": {cls.__name__: _optimizer(cls) for cls in OPTIMIZERS},
        "schedules": {cls.__name__: _described(cls) for cls in schedules.Schedule.__subclasses__()},
        "initializers": {name: _variance(name) for name in INITIALIZERS},
        "structures": {name: fields(each) for name, each in STRUCTURES.items()},
        "formats": {name: i for i, name in enumerate(FORMATS)},
        "streams": {"weights": INITIAL_WEIGHTS, "masks": MASKS, "order": ORDER},
        "doctor": _doctor(),
    }


# For overfitting on the chart: the test loss is so many times its least, the training loss is such a share of it, and
# the least was so many epochs ago. It is for few points and a training that goes on, where the library's check of the
# generalisation gap waits for the end and for rows enough.
RISEN, BELOW, WAITED = 1.2, 0.7, 10


def _doctor() -> dict[str, Any]:
    """The thresholds of what the page finds in a training."""
    names = ("DEAD", "SATURATED", "STILL", "ENOUGH", "EXPLODED", "SWING", "LITTLE")
    return {
        **{name: getattr(course, name) for name in names},
        "ROWS": ROWS_OF_A_LOOK,
        "FLAT": {cls.__name__: list(ends) for cls, ends in FLAT.items()},
        "RISEN": RISEN,
        "BELOW": BELOW,
        "WAITED": WAITED,
    }


STRUCTURES: dict[str, type[ctypes.Structure]] = {
    "Layer": CLayer,
    "Group": CGroup,
    "Loss": CLoss,
    "Optimizer": COptimizer,
    "Program": CProgram,
}


def fields(structure: type[ctypes.Structure]) -> list[list[Any]]:
    """The name of each field, its kind (int, double, pointer or another structure), and how many of them there are."""
    names: dict[Any, str] = {ctypes.c_int64: "int", ctypes.c_double: "double"}
    names |= {each: name for name, each in STRUCTURES.items()}
    found = []
    for name, kind, *_ in structure._fields_:
        one, count = (kind._type_, kind._length_) if issubclass(kind, ctypes.Array) else (kind, 1)
        found.append([name, names.get(one, "pointer"), count])
    return found


def _layer(cls: type[Layer], kernel: Kernel) -> dict[str, Any]:
    layer = _made(cls)
    arguments = cls.arguments()
    asked: list[tuple[int, ...]] = []

    def ask(*shape: int, **_: Any) -> int:
        asked.append(shape)
        return 0

    kernel.memory(layer, ask, ROWS, N_OUT)
    assert all(math.prod(shape) <= ROWS * N_OUT for shape in asked), cls  # the page gives so many numbers to each
    width_in = next((name for name in arguments if layer.width_in == N_IN == getattr(layer, name)), None)
    width_out = next((n for n in arguments if layer.width_out(N_IN) == N_OUT == getattr(layer, n)), None)
    constants = [layer.amount] if isinstance(layer, Noise) else list(kernel.constants)
    return _described(cls, skipped=(width_in, width_out)) | {
        "width_in": width_in,
        "width_out": width_out,
        "parameters": {name: _parameter(layer, name, shape) for name, shape in layer.shapes().items()},
        "state": {name: float(getattr(layer, name)[0]) for name in kernel.moved},
        "sizes": [name if name in arguments else int(getattr(layer, name)) for name in kernel.sizes],
        "constants": constants,
        "memory": len(asked),
        "noise": isinstance(layer, Noise),
        "words": cls.sentence or (inspect.getdoc(cls) or "").partition("\n")[0],
    }


def _parameter(layer: Layer, name: str, shape: tuple[int, ...]) -> dict[str, Any]:
    """Its shape in words, whether it decays, and its first value; None: it is drawn by the initializer."""
    first = getattr(layer, name)
    known = {N_IN: "width_in", N_OUT: "width_out"}
    return {
        "shape": [known[n] for n in shape],
        "decayed": name in layer.decayed,
        "first": float(first.flat[0]) if (first == first.flat[0]).all() else None,
    }


def _loss(cls: type[Loss], constant: str | None) -> dict[str, Any]:
    return _described(cls) | {"task": cls.task, "constant": constant}


def _optimizer(cls: type[Optimizer]) -> dict[str, Any]:
    """The C field of each argument, and the rule: by the flag that chooses it, if there is one."""
    optimizer, fields, c = _made(cls), {}, COptimizer()
    rule = OPTIMIZERS[cls](optimizer, c)
    for name in optimizer.arguments():
        value = getattr(optimizer, name)
        for i, part in enumerate(value if isinstance(value, tuple) else (value,)):
            same = [field for field, kind in COptimizer._fields_ if kind is ctypes.c_double and field == name]
            same = same or [field for field, _ in COptimizer._fields_ if field.startswith("beta") and name == "betas"]
            if same and not isinstance(part, bool):
                fields[same[i]] = [name, i] if isinstance(value, tuple) else [name]
    flags = [name for name in optimizer.arguments() if isinstance(getattr(optimizer, name), bool)]
    rules = {}
    for flag in flags:
        rules[flag] = OPTIMIZERS[cls](_made(cls, **{flag: True}), COptimizer())
    return _described(cls) | {"rule": rule, "rules": rules, "fields": fields, "slots": len(cls.slots)}


def _described(cls: type[Configured], skipped: tuple[str | None, ...] = ()) -> dict[str, Any]:
    """The first line of the docstring, and the arguments but for those in `skipped`."""
    arguments = [_argument(cls, p) for name, p in cls.arguments().items() if name not in skipped]
    return {"doc": (inspect.getdoc(cls) or "").partition("\n")[0], "arguments": arguments}


def _argument(cls: type[Configured], p: inspect.Parameter) -> dict[str, Any]:
    """Its name, default, kind, and the numbers that it may be: those of `above` and `below` are none of them."""
    default = getattr(_made(cls), p.name)
    found: dict[str, Any] = {"name": p.name, "default": default, "required": p.default is p.empty}
    if isinstance(default, bool):
        return found | {"kind": "flag"}
    if isinstance(default, str):
        return found | {"kind": "choice", "choices": list(INITIALIZERS)}
    if isinstance(default, tuple):
        return found | {"kind": "pair", "low": 0, "below": 1, "optional": False}
    taken = {value: _takes(cls, p.name, value) for value in TRIED}
    if not taken[-1.0]:
        found["low" if taken[0.0] else "above"] = 0
    if not taken[2.0]:
        found["high" if taken[1.0] else "below"] = 1
    return found | {"kind": "number", "optional": _takes(cls, p.name, None)}


def _takes(cls: type[Configured], name: str, value: float | None) -> bool:
    try:
        _made(cls, **{name: value})
    except ValueError:
        return False
    return True


def _made(cls: type[Any], **given: Any) -> Any:
    """Build one: whole numbers without a default are the two widths, and others a tenth."""
    values: dict[str, Any] = {}
    for name, p in cls.arguments().items():
        if name in given or p.default is not p.empty:
            continue
        for value in (N_IN, N_OUT) if p.annotation == "int" and issubclass(cls, Layer) else (0.1,):
            if value not in values.values():
                values[name] = value
                break
    return cls(**values | given)


def _variance(name: str) -> list[float]:
    """1 / std^2 of an initializer as [a, b]: a * fan_in + b * fan_out. No numbers: all weights are 0."""

    class Ones:
        def standard_normal(self, out: Any, dtype: Any) -> None:
            out[...] = 1

    def inverse(fan_in: int, fan_out: int) -> float:
        W = np.zeros((fan_in, fan_out))
        INITIALIZERS[name](W, Ones())  # type: ignore[arg-type]
        return float(W[0, 0]) and 1 / float(W[0, 0]) ** 2

    one = inverse(1, 1)
    found = [round(inverse(2, 1) - one, 9), round(inverse(1, 2) - one, 9)]
    return found if one else []
