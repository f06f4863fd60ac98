"""The kind of each column of a table, decided once in training and kept with the network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

Kind = Literal["number", "date", "span", "time", "boolean", "category"]


@dataclass(frozen=True)
class Column:
    """A column of a table, with the rule that turns its values into numbers.

    kind: number, date (days since 1970), span and time of the day (days), boolean (0 and 1), or category (its number in
    `categories`, -1 for any other). notation: an example of the numbers or dates in text, such as "$1,234.5" or
    "31.12.2001", or empty if they are plain.
    """

    name: str
    kind: Kind = "number"
    categories: tuple[str, ...] = ()
    notation: str = ""


Schema = tuple[Column, ...]


def names_of(columns: Sequence[Column] | Sequence[str]) -> list[str]:
    """Return the names of columns, which may be given as names alone."""
    return [column if isinstance(column, str) else column.name for column in columns]


def as_info(schema: Sequence[Column]) -> dict[str, Any]:
    """Return a schema for a network's `info`, in types that JSON has."""
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
    """Return the schema from `as_info`, empty if the network wasn't trained on a table."""
    if "kinds" not in info:
        return ()
    notations = info.get("notations", {})
    columns = zip(info["features"], info["kinds"], info["categories"], strict=True)
    return tuple(Column(name, kind, tuple(names), notations.get(name, "")) for name, kind, names in columns)
