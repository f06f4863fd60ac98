"""By what a run knows its data again: names, numbers of rows, and checksums of every part."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from glassnet.data import Dataset
from glassnet.data.schema import as_info
from glassnet.nn import Ensemble, Network
from glassnet.recipes.recipe import Recipe

KNOWN_BY = (
    "features", "classes", "target", "task", "categories", "image_shape", "image_maximum", "rows",
    "test rows", "training rows", "validation rows", "targets",
)  # fmt: skip


def names_of(data: Dataset) -> dict[str, Any]:
    """Return what goes with the weights: names, which prediction needs, and by what to know the data again."""
    info: dict[str, Any] = {name: list(getattr(data, name)) for name in ("features", "classes")}
    info |= {"target": data.target, "task": data.task} | as_info(data.schema)
    if data.image_shape is not None:
        info |= {"image_shape": list(data.image_shape), "image_maximum": int(data.train.x.max())}
    parts = {"training": data.train, "validation": data.val, "test": data.test}
    info["rows"] = [len(split) for split in parts.values()]
    info |= {f"{name} rows": checksum(split.x) for name, split in parts.items()}
    return info | {"targets": checksum(*(split.y for split in parts.values()))}


def checksum(*arrays: NDArray[Any]) -> int:
    """Return the CRC-32 of the numbers in arrays, the same on every machine, however they lie in memory."""
    crc = 0
    for array in arrays:
        crc = zlib.crc32(np.ascontiguousarray(array, array.dtype.newbyteorder("<")).data, crc)
    return crc


def difference(one: Mapping[str, Any], other: Mapping[str, Any]) -> str | None:
    """Name the first thing in which the data of two runs differ, if there is one: by their `names_of`, or `info`."""
    return next((name for name in KNOWN_BY if one.get(name) != other.get(name)), None)


def require_same_data(data: Dataset, recipe: Recipe, net: Network | Ensemble, run: Path) -> None:
    """Raise ValueError, saying what changed, unless data that the recipe names are those that `run` was trained on."""
    changed = difference(names_of(data), net.info)
    if changed is not None:
        raise ValueError(f"{recipe.data.source} is not what {run} was trained on: its {changed} changed")
