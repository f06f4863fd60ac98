"""What each column of a table holds: decided once, in training, and kept with the network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

Kind = Literal["number", "date", "span", "time", "boolean", "category"]


@dataclass(frozen=True)
class Column:
    """A column of a table, and how its values become numbers.

    kind: number, date (days since 1970), span and time of the day (days), boolean (0 and 1), or category (its number
    in `categories`, -1 for any other). notation: how numbers and dates are written in text, by an example, such as
    "$1,234.5" or "31.12.2001"; empty, if plainly.
    """

    name: str
    kind: Kind = "number"
    categories: tuple[str, ...] = ()
    notation: str = ""


Schema = tuple[Column, ...]


def names_of(columns: Sequence[Column] | Sequence[str]) -> list[str]:
    """Return the names of columns, of which names may be all that is known."""
    return [column if isinstance(column, str) else column.name for column in columns]


def as_info(schema: Sequence[Column]) -> dict[str, Any]:
    """Return what a network's `info` keeps of a schema, in types that JSON has."""
    info: dict[str, Any] = {
        "categories": [list(column.categories) for column in schema],
        "kinds": [column.kind for column in schema],
    }
    if dates := [column.name for column in schema if column.kind == "date"]:
        info["dates"] = dates
    if notations := {column.name: column.notation for column in schema if column.notation}:
        info["notations"] = notations
    return info if schema else {}


def from_info(info: Mapping[str, Any]) -> Schema:
    """Return the schema that `as_info` keeps; empty, if the network wasn't trained on a table."""
    if "kinds" not in info:
        return ()
    notations = info.get("notations", {})
    columns = zip(info["features"], info["kinds"], info["categories"], strict=True)
    return tuple(Column(name, kind, tuple(names), notations.get(name, "")) for name, kind, names in columns)
