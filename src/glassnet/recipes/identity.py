"""The identity of a run's data: names, numbers of rows, and checksums of every part."""

from __future__ import annotations

import math
import zlib
from collections.abc import Callable, Mapping
from dataclasses import fields
from pathlib import Path
from reprlib import repr as short
from typing import Any, get_args

import numpy as np
from numpy.typing import NDArray

from glassnet.data import Dataset
from glassnet.data.schema import Kind, as_info
from glassnet.nn import Ensemble, Network
from glassnet.nn.ensemble import TASKS
from glassnet.recipes.recipe import Recipe
from glassnet.train.decisions import Decision

KNOWN_BY = (
    "features",
    "classes",
    "target",
    "task",
    "categories",
    "image_shape",
    "image_maximum",
    "rows",
    "test rows",
    "training rows",
    "validation rows",
    "targets",
)


def info_of(data: Dataset) -> dict[str, Any]:
    """Return the network's `info`: the names that prediction needs, and the identity of the data."""
    info: dict[str, Any] = {name: list(getattr(data, name)) for name in ("features", "classes")}
    info |= {"target": data.target, "task": data.task} | as_info(data.schema)
    if data.image_shape is not None:
        info |= {"image_shape": list(data.image_shape), "image_maximum": int(data.train.x.max())}
    parts = {"training": data.train, "validation": data.val, "test": data.test}
    info["rows"] = [len(split) for split in parts.values()]
    info |= {f"{name} rows": checksum(split.x) for name, split in parts.items()}
    return info | {"targets": checksum(*(split.y for split in parts.values()))}


def check_info(net: Network | Ensemble) -> None:
    """Raise ValueError unless a network's `info` has the entries of `info_of` that its rows and outputs need."""
    info = net.info
    fits: dict[str, Callable[[Any], bool]] = {
        "task": lambda task: task in TASKS,
        "target": lambda name: isinstance(name, str),
        "features": lambda names: _names(names) and len(names) in (0, net.n_in),
        "classes": lambda names: (
            _names(names) and len(names) == (0 if info["task"] == "regression" else max(2, net.n_out or 0))
        ),
        "categories": lambda found: isinstance(found, list) and all(map(_names, found)) and as_many(found),
        "kinds": lambda kinds: (
            isinstance(kinds, list) and all(kind in get_args(Kind) for kind in kinds) and as_many(kinds)
        ),
        "notations": lambda found: isinstance(found, dict) and all(isinstance(each, str) for each in found.values()),
        "image_shape": lambda shape: _counts(shape) and len(shape) == 2 and math.prod(shape) == net.n_in,
        "decision": lambda found: _is_decision(found, len(info["classes"])),
        "image_maximum": lambda value: _counts([value]),
    }

    def as_many(found: list[Any]) -> bool:
        return len(found) == len(info["features"])

    needed = {"task", "target", "features", "classes", *(["categories"] if "kinds" in info else [])}
    for name, is_right in fits.items():
        if name not in info and name in needed:
            raise ValueError(f"it doesn't say its {name}")
        if name in info and not is_right(info[name]):
            raise ValueError(f"its {name} can't be {short(info[name])}")


def _is_decision(found: Any, classes: int) -> bool:
    costs = found.get("costs") if isinstance(found, dict) else None
    known = {each.name for each in fields(Decision)}
    if not isinstance(costs, list) or len(costs) != classes or not found.keys() <= known:
        return False
    rows = [row for row in costs if isinstance(row, list) and len(row) == classes]
    return len(rows) == classes and all(isinstance(c, int | float) and math.isfinite(c) for row in rows for c in row)


def _names(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(each, str) for each in value) and len(set(value)) == len(value)


def _counts(value: Any) -> bool:
    return isinstance(value, list) and all(type(each) is int and each > 0 for each in value)


def checksum(*arrays: NDArray[Any]) -> int:
    """Return the CRC-32 of the numbers in arrays, the same on every machine and for any layout in memory."""
    crc = 0
    for array in arrays:
        crc = zlib.crc32(np.ascontiguousarray(array, array.dtype.newbyteorder("<")).data, crc)
    return crc


def difference(one: Mapping[str, Any], other: Mapping[str, Any]) -> str | None:
    """Name the first thing in which the data of two runs differ, if there is one: by their `info_of`, or `info`."""
    return next((name for name in KNOWN_BY if one.get(name) != other.get(name)), None)


def require_same_data(data: Dataset, recipe: Recipe, info: Mapping[str, Any], run: Path) -> None:
    """Raise ValueError, saying what changed, unless data that the recipe names are those that `run` was trained on."""
    changed = difference(info_of(data), info)
    if changed is not None:
        raise ValueError(f"{recipe.data.source} is not what {run} was trained on: its {changed} changed")
