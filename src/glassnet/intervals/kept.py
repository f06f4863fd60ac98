"""The file that keeps intervals, or sets of classes."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

from glassnet.intervals.classes import ClassSets
from glassnet.intervals.conformal import PERCENT
from glassnet.intervals.values import LEVELS, ValueIntervals
from glassnet.nn import Ensemble, Network
from glassnet.nn.layer import Array
from glassnet.nn.storage import read_arrays, write_arrays

FACTS = ("scale", "low", "high")


def write_intervals(path: str | os.PathLike[str], found: ValueIntervals | ClassSets) -> None:
    """Write intervals to a safetensors file, atomically."""
    if isinstance(found, ClassSets):
        write_arrays(path, {"least": found.least}, {"intervals": "classes"})
        return
    networks = [found.before, *found.nets.networks]
    arrays = {f"{i}/{name}": array for i, net in enumerate(networks) for name, array in net.arrays().items()}
    about = {name: getattr(found, name) for name in FACTS}
    described = {"intervals": "values", "networks": [net.describe() for net in networks]}
    write_arrays(path, arrays | {"constant": found.constant, "rules": found.rules}, described | about)


def read_intervals(path: str | os.PathLike[str]) -> ValueIntervals | ClassSets:
    """Read what `write_intervals` wrote. Raises ValueError for another file, or a damaged one."""
    arrays, header = read_arrays(path)
    try:
        if header["intervals"] == "classes":
            return ClassSets(_shaped(arrays["least"], (len(PERCENT), arrays["least"].shape[-1])))
        parts: list[dict[str, Array]] = [{} for _ in header["networks"]]
        for name, array in arrays.items():
            index, slash, own = name.partition("/")
            if slash:
                parts[int(index)][own] = array
        before, *nets = (Network._restored(path, *each) for each in zip(header["networks"], parts, strict=True))
        scale, low, high = (float(header[name]) for name in FACTS)
        constant, rules = _shaped(arrays["constant"], (len(LEVELS),)), _shaped(arrays["rules"], (len(PERCENT), 3))
        return ValueIntervals(before, Ensemble(nets, "regression"), scale, constant, rules, low, high)
    except (KeyError, IndexError, TypeError, ValueError) as error:
        raise ValueError(f"{Path(path)} holds no intervals that this glassnet can read: {error}") from None


def _shaped(array: Array, shape: tuple[int, ...]) -> Array:
    if array.shape != shape or not np.isfinite(array).all():
        raise ValueError(f"an array isn't of shape {shape}, or holds NaN")
    return array
