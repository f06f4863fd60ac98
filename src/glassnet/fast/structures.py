"""The structures and functions of c/, as ctypes sees them; field by field the same."""

from __future__ import annotations

import ctypes
from ctypes import POINTER, Structure, c_char_p, c_double, c_int64, c_void_p, sizeof
from typing import Any

from glassnet.nn import (
    GELU,
    BatchNorm,
    CategoryEmbedding,
    Dense,
    Dropout,
    Exp,
    GaussianNoise,
    Layer,
    LayerNorm,
    LeakyReLU,
    MemberHeads,
    MemberMean,
    Members,
    MemberScale,
    Periodic,
    PiecewiseLinear,
    ReLU,
    Sigmoid,
    SiLU,
    Tanh,
)

# Numbered by their order, as the C names are.
LAYERS: list[type[Layer]] = [
    Dense, ReLU, LeakyReLU, Sigmoid, Tanh, GELU, SiLU, Exp, Dropout, BatchNorm, LayerNorm, PiecewiseLinear, Periodic,
    Members, MemberScale, MemberHeads, MemberMean, CategoryEmbedding, GaussianNoise,
]  # fmt: skip
LOSSES = ("labels", "distributions", "binary", "squared", "absolute", "huber", "poisson")
OPTIMIZERS = ("classic", "nesterov", "adam")
FORMATS = ("reals", "bytes", "ready")
MEANS = ("values", "classes", "logits")  # what MemberMean takes the mean of
CHUNK = 4096  # parameters whose squares are summed together
MAX_THREADS = 64  # and one more than can be had


def fields(text: str) -> list[tuple[str, Any]]:
    """Read "int: a b; double: c; pointer: d"."""
    types = {"int": c_int64, "double": c_double, "pointer": c_void_p}
    groups = [group.split(":") for group in text.replace("\n", " ").split(";")]
    return [(name, types[kind.strip()]) for kind, names in groups for name in names.split()]


class CLayer(Structure):
    """Layer in layers.h."""

    _fields_ = fields(
        "int: kind n_in n_out rows w b c k width dim; double: value momentum lr_factor max_norm;"
        "pointer: mean var x y dy dx kept inv_std edges bin below column low scale"
    )


class CGroup(Structure):
    """Group in program.c."""

    _fields_ = fields("int: begin end decayed; double: lr_factor")


class CLoss(Structure):
    """Loss in losses.h."""

    _fields_ = fields("int: kind n_out members; double: value; pointer: targets weights y dy row")


class COptimizer(Structure):
    """Optimizer in optimizers.h."""

    _fields_ = fields(
        "int: kind fused; double: lr momentum weight_decay l2 clip_norm beta1 beta2 eps debias1 debias2;"
        "pointer: theta grad slot1 slot2"
    )


class CProgram(Structure):
    """Program in program.c."""

    _fields_ = [
        ("layers", POINTER(CLayer)),
        *fields("int: n_layers first; pointer: data; int: format width batch; pointer: mean scale"),
        ("loss", CLoss),
        ("optimizer", COptimizer),
        *fields(
            "int: n_parameters n_groups; pointer: groups squares; int: scratch_size; pointer: scratch rows x;"
            "int: m; pointer: out; int: next"
        ),
    ]


DECLARATIONS: dict[str, tuple[Any, list[Any]]] = {
    "train": (c_double, [c_void_p, c_void_p, c_void_p, c_void_p, c_int64, c_int64]),
    "observe": (None, [c_void_p, c_void_p, c_void_p, c_int64, c_int64]),
    "move_mean": (None, [c_void_p, c_void_p, c_double, c_int64]),
    "infer": (None, [c_void_p, c_void_p, c_int64, c_int64, c_void_p, c_int64]),
    "scratch_size": (c_int64, [c_int64]),
    "distort": (None, [*[c_void_p] * 5, c_int64, c_int64, c_int64, c_void_p, c_void_p]),
    "distortion_memory": (c_int64, [c_int64, c_int64]),
}


def layout() -> str:
    """Say what the function `layout` of the library must say, without underscores."""
    structures = {"Layer": CLayer, "Group": CGroup, "Loss": CLoss, "Optimizer": COptimizer, "Program": CProgram}
    sizes = [f"{name} {sizeof(structure)}" for name, structure in structures.items()]
    names = [[layer.__name__ for layer in LAYERS], LOSSES, OPTIMIZERS, FORMATS, MEANS]
    lists = [", ".join(each).upper() for each in names]
    return "; ".join([*sizes, f"CHUNK {CHUNK}", f"MAXTHREADS {MAX_THREADS}", *lists])


def declare(library: ctypes.CDLL) -> None:
    """Tell ctypes the functions of a library. Raises ValueError if its structures or kinds are others than here."""
    library.layout.restype = c_char_p
    said = library.layout().decode().replace("_", "")
    for ours, theirs in zip(layout().split("; "), said.split("; "), strict=True):
        if ours != theirs:
            raise ValueError(f"the compiled kernels have {theirs}, where this glassnet has {ours}")
    for name, (result, arguments) in DECLARATIONS.items():
        function = getattr(library, name)
        function.restype, function.argtypes = result, arguments
