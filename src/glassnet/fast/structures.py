"""The structures and functions of c/ for ctypes, the same field by field."""

from __future__ import annotations

from collections.abc import Iterable
from ctypes import CDLL, POINTER, Structure, c_char_p, c_double, c_int64, c_void_p, sizeof
from typing import Any

FORMATS = ("REALS", "BYTES", "DOUBLES", "READY")  # of rows: as given, of these types; or prepared already, real
REALS, BYTES, DOUBLES, READY = range(len(FORMATS))
CHUNK = 4096  # parameters whose squares are summed together
TOGETHER = 4  # features of a layer Folded whose tables are in use at a time
MAX_THREADS = 64  # and one more than can be had
SLICE = 128  # rows that are prepared at a time
PORTION = 4096  # rows that several networks answer at a time


def fields(text: str) -> list[tuple[str, Any]]:
    """Read "int: a b[3]; double: c; pointer: d"."""
    types: dict[str, Any] = {"int": c_int64, "double": c_double, "pointer": c_void_p}
    found: list[tuple[str, Any]] = []
    for kind, _, names in (group.strip().partition(":") for group in text.split(";")):
        for name, _, size in (each.rstrip("]").partition("[") for each in names.split()):
            found.append((name, types[kind] * int(size) if size else types[kind]))
    return found


class CLayer(Structure):
    """Layer in layers.h."""

    _fields_ = fields(
        "int: kind n_in n_out; pointer: groups; int: size[3]; double: constant[2]; pointer: array[3] memory[3];"
        "pointer: x y dy dx; int: key passes"
    )


class CGroup(Structure):
    """Group in optimizers.h."""

    _fields_ = fields("int: begin end columns decayed; double: lr_factor max_norm")


class CLoss(Structure):
    """Loss in losses.h."""

    _fields_ = fields(
        "int: kind n_out; double: constant; pointer: labels targets weights;int: whole; pointer: y dy row"
    )


class COptimizer(Structure):
    """Optimizer in optimizers.h."""

    _fields_ = fields(
        "int: kind fused adding; double: lr momentum weight_decay l2 clip_norm beta1 beta2 eps; int: steps;"
        "double: debias1 debias2;"
        "pointer: theta grad slot1 slot2"
    )


class CProgram(Structure):
    """Program in program.h."""

    _fields_ = [
        ("layers", POINTER(CLayer)),
        *fields("int: n_layers first; pointer: data; int: format width batch; pointer: mean scale"),
        ("loss", CLoss),
        ("optimizer", COptimizer),
        *fields(
            "int: n_parameters n_groups; pointer: groups squares; int: scratch_size; pointer: scratch rows x;"
            "int: m; pointer: out; int: next preparation family n_shared; pointer: twin"
        ),
    ]


class CStep(Structure):
    """Step in preparing.h."""

    _fields_ = fields("int: kind n_in n_out rounded size[3]; pointer: array[6]")


class CPreparation(Structure):
    """Preparation in preparing.h."""

    _fields_ = fields("pointer: steps; int: n_steps n_in n_out most; pointer: memory")


class CInference(Structure):
    """Inference in inference.h."""

    _fields_ = fields("pointer: programs preparations prepared ready; int: n_programs n_preparations n_in")


DECLARATIONS: dict[str, tuple[Any, list[Any]]] = {
    "train": (c_double, [c_void_p, c_void_p, c_void_p, c_void_p, c_int64, c_int64]),
    "train_many": (c_int64, [c_void_p, c_void_p, c_void_p, c_int64, *[c_void_p] * 5, c_int64]),
    "gradient": (c_double, [*[c_void_p] * 4, c_int64, c_int64, c_void_p, c_int64, c_int64]),
    "move_weights": (None, [c_void_p, c_int64]),
    "decaying_squares": (c_double, [c_void_p]),
    "observe": (None, [c_void_p, c_void_p, c_void_p, c_int64, c_int64]),
    "move_mean": (None, [c_void_p, c_void_p, c_double, c_int64]),
    "has_matrix_unit": (c_int64, []),
    "infer": (None, [c_void_p, c_void_p, c_int64, c_int64, c_void_p, c_int64, c_int64]),
    "scratch_size": (c_int64, [c_int64]),
    "prepare": (None, [c_void_p, c_void_p, c_int64, c_int64, c_void_p, c_int64]),
    "distort": (None, [*[c_void_p] * 5, c_int64, c_int64, c_int64, c_void_p, c_void_p]),
    "distortion_memory": (c_int64, [c_int64, c_int64]),
    "built": (c_char_p, []),
}


def layout() -> str:
    """Say what the function `layout` of the library must say."""
    structures = {
        "Layer": CLayer,
        "Group": CGroup,
        "Loss": CLoss,
        "Optimizer": COptimizer,
        "Program": CProgram,
        "Step": CStep,
        "Preparation": CPreparation,
        "Inference": CInference,
    }
    sizes = {name: sizeof(structure) for name, structure in structures.items()}
    constants = {
        "CHUNK": CHUNK,
        "TOGETHER": TOGETHER,
        "MAX_THREADS": MAX_THREADS,
        "SLICE": SLICE,
        "PORTION": PORTION,
        **{name: i for i, name in enumerate(FORMATS)},
    }
    return "; ".join(f"{name} {number}" for name, number in (sizes | constants).items())


class Library(CDLL):
    """The kernels. `numbers` are those of their kinds, by name. `level` says which build it is."""

    numbers: dict[str, int]
    level: str


def declare(library: Library, names: Iterable[str]) -> None:
    """Declare the functions of a library to ctypes, and read the numbers of its kinds.

    Raises ValueError if its structures or constants differ from those here, or if it lacks one of the kinds in `names`.
    """
    library.layout.restype = library.kinds.restype = c_char_p
    for ours, theirs in zip(layout().split("; "), library.layout().decode().split("; "), strict=True):
        if ours != theirs:
            raise ValueError(f"the compiled kernels have {theirs}, where this glassnet has {ours}")
    tables = [table.split() for table in library.kinds().decode().split(";")]
    library.numbers = {name: number for table in tables for number, name in enumerate(table)}
    missing = next((name for name in names if name not in library.numbers), None)
    if missing is not None:
        raise ValueError(f"the compiled kernels have no {missing}")
    for name, (result, arguments) in DECLARATIONS.items():
        function = getattr(library, name)
        function.restype, function.argtypes = result, arguments
