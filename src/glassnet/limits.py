"""Limits on files that anybody may have written: their bytes and their depth."""

from __future__ import annotations

import os
import re
from typing import Any

from glassnet.files import regular

JSON_BYTES = 1 << 28  # of a file; the metrics of thousands of classes take some 100 MB
TOML_BYTES = 1 << 18
DEEPEST = 100  # tables and lists in each other


def read_limited(path: str | os.PathLike[str], limit: int) -> bytes:
    """Read a file whole. Raises ValueError if it holds more than `limit` bytes, OSError if it can't be read."""
    with regular(path).open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        if size > limit:
            raise ValueError(f"{os.fspath(path)} holds {size:,} bytes; such files have at most {limit:,}")
        content = file.read(size + 1)
    if len(content) != size:
        raise ValueError(f"{os.fspath(path)} is no regular file, or changed while it was read")
    return content


def read_json(path: str | os.PathLike[str]) -> Any:
    """Read a file of JSON. Raises ValueError, naming the file, if it isn't, OSError if it can't be read."""
    return parse_json(read_limited(path, JSON_BYTES), os.fspath(path))


def read_toml(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Read a file of TOML. Raises ValueError, naming the file, if it isn't, OSError if it can't be read."""
    return parse_toml(read_limited(path, TOML_BYTES), os.fspath(path))


def parse_json(text: str | bytes, name: str) -> Any:
    """Parse JSON, in UTF-8 if it is bytes. Raises ValueError, in one line that begins with `name`."""
    import json

    try:
        text = text if isinstance(text, str) else text.decode("utf-8")
        value = json.loads(text)
        if re.search(r"\\u[dD][89a-fA-F]", text):  # half of a character, unless the other half follows
            json.dumps(value, ensure_ascii=False).encode("utf-8")
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{name} is not valid JSON: {_reason(error)}") from None
    _check_depth(value, name)
    return value


def parse_toml(text: str | bytes, name: str) -> dict[str, Any]:
    """Parse TOML, in UTF-8 if it is bytes. Raises ValueError, in one line that begins with `name`."""
    import tomllib

    try:
        text = text if isinstance(text, str) else text.decode("utf-8")
        if any(part.count(".") > DEEPEST for part in re.split(r"[=,\[\]{}\n]", text)):
            raise RecursionError  # a.b.c and so on: tomllib's time and memory for it grow with the square
        value = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{name} is not valid TOML: {_reason(error)}") from None
    _check_depth(value, name)
    return value


def _reason(error: Exception) -> str:
    if isinstance(error, RecursionError):
        return f"its tables and lists are nested more than {DEEPEST} deep"
    return "it isn't text in UTF-8" if isinstance(error, UnicodeError) else str(error)


def _check_depth(value: Any, name: str) -> None:
    """Raise ValueError for data so deep that comparing, showing or writing them would exceed the recursion limit."""
    level = [value]
    for _ in range(DEEPEST + 1):
        inside = (each.values() if isinstance(each, dict) else each for each in level if isinstance(each, (dict, list)))
        level = [each for values in inside for each in values if isinstance(each, (dict, list))]
        if not level:
            return
    raise ValueError(f"{name}: its tables and lists are nested more than {DEEPEST} deep")
