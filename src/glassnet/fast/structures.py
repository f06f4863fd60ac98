"""The structures and functions of c/, as ctypes sees them; field by field the same."""

from __future__ import annotations

from ctypes import POINTER, Structure, c_double, c_int64, c_void_p
from typing import Any


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
