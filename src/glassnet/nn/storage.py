"""Arrays as files: safetensors, with JSON and a checksum in its header. No pickle is ever read."""

from __future__ import annotations

import json
import os
import zlib
from typing import Any

import numpy as np

from glassnet.extras import need
from glassnet.files import regular, replacing
from glassnet.limits import parse_json
from glassnet.nn.layer import Array


def write_arrays(path: str | os.PathLike[str], arrays: dict[str, Array], header: dict[str, Any]) -> None:
    """Write named arrays and a header that JSON can hold to one safetensors file, atomically."""
    need("core", "safetensors")
    from safetensors.numpy import save

    whole = {name: np.ascontiguousarray(array) for name, array in arrays.items()}
    # One entry, because safetensors writes several in no fixed order: equal networks make equal files.
    metadata = {"glassnet": json.dumps({"crc32": _checksum(whole, header), **header})}
    # Through our own file object: a full disk is then an OSError like any other.
    with replacing(path) as part, part.open("wb") as file:
        file.write(save(whole, metadata=metadata))


def read_arrays(path: str | os.PathLike[str]) -> tuple[dict[str, Array], dict[str, Any]]:
    """Read a file of `write_arrays`. Raises ValueError if it is anything else, truncated or damaged."""
    need("core", "safetensors")
    from safetensors import SafetensorError, safe_open

    with regular(path).open("rb"):  # a missing or unreadable file is an OSError with its name
        pass
    try:
        with safe_open(path, framework="numpy") as file:
            header = parse_json((file.metadata() or {})["glassnet"], "its header")
            if not isinstance(header, dict):
                raise ValueError("its header is no table")
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  not a dict
        if header.pop("crc32") != _checksum(arrays, header):
            raise ValueError("its checksum is wrong")
        return arrays, header
    # safetensors raises a TypeError or AttributeError for a type that NumPy hasn't.
    except (SafetensorError, KeyError, ValueError, TypeError, AttributeError) as error:
        raise ValueError(f"{os.fspath(path)} is not a file that glassnet wrote, or it is damaged ({error})") from None


def _checksum(arrays: dict[str, Array], header: dict[str, Any]) -> int:
    """CRC-32 of the header and of every array: its name, type, shape and bytes."""
    crc = zlib.crc32(json.dumps(header).encode())
    for name, array in sorted(arrays.items()):
        crc = zlib.crc32(f"{name} {array.dtype} {array.shape}".encode(), crc)
        crc = zlib.crc32(np.ascontiguousarray(array).data, crc)
    return crc
