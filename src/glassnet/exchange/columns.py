"""The columns of a table as inputs of their own, of text where the table has text, so that a row goes in as it is."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from glassnet.data import dates
from glassnet.data.markers import MARKERS
from glassnet.data.schema import Column, from_info

if TYPE_CHECKING:
    from onnx import OperatorSetIdProto

    from glassnet.exchange.graph import Graph

OPSET, IR = 20, 9  # of 2023: the first to split text
ML = "ai.onnx.ml"  # the domain of LabelEncoder
TEXT = np.dtype(object)
WORDS = {
    "number": "a number, NaN if it is missing",
    "span": "days, NaN if it is missing",
    "category": "text, empty if it is missing",
    "boolean": "true or false, empty if it is missing",
    "time": "a time of the day, like 18:30 or 18:30:05, empty if it is missing",
    "date": "a date, like {}, empty if it is missing",
}
CLOCK = r"\d\d?:\d\d(:\d\d(\.\d*)?)?"
TRUTH = {"false": "0", "true": "1"}
FORMS = (str.lower, str.upper, str.capitalize)
MISSING = [*dict.fromkeys(form(mark) for mark in MARKERS for form in FORMS)]
WRONG = "not as in training"  # is no number, so that a runtime refuses to make one of it
NUMERIC = re.compile(r"%([Ymd])(\D)%([Ymd])\2%([Ymd])")  # a notation of dates without names and two-digit years


def opsets() -> list[OperatorSetIdProto]:
    """Return the operators that `write_columns` needs."""
    from onnx import helper

    return [helper.make_opsetid("", OPSET), helper.make_opsetid(ML, 2)]


def columns_of(info: Mapping[str, Any]) -> tuple[Column, ...]:
    """Return the columns that a network was trained on, or none if they are all numbers."""
    schema = from_info(info)
    return () if all(column.kind == "number" for column in schema) else schema


def write_columns(graph: Graph, schema: tuple[Column, ...]) -> str:
    """Declare an input (N, 1) for each column, and return the rows x (N, width) in float64 that they are coded to."""
    graph.place = "columns"
    return graph.add("Concat", *(_coded(graph, column) for column in schema), axis=1)


def _coded(graph: Graph, column: Column) -> str:
    """A column as `data.values.values_of` codes it: (N, 1), float64."""
    kind = np.dtype(np.float64) if column.kind in ("number", "span") else TEXT
    date = _notation(column)
    x = graph.input(column.name, kind, ["N", 1], WORDS[column.kind].format(f"{date.like} or {date.like} 12:30:00"))
    if column.kind == "category":
        return _looked_up(graph, x, _places(column.categories), -1.0)
    if column.kind == "boolean":
        return _boolean(graph, x)
    if column.kind == "date":
        return _unless_missing(graph, x, date.like, lambda known: _date(graph, known, date))
    if column.kind == "time":
        return _unless_missing(graph, x, "0:00", lambda known: _clock(graph, _checked(graph, known, CLOCK)))
    return x


def _unless_missing(graph: Graph, x: str, filled: str, read: Callable[[str], str]) -> str:
    """Read text as numbers, of which NaN stands for marks of missing values. They are filled in before."""
    missing = graph.add("Equal", _looked_up(graph, x, {}, 0.0, missing=1.0), 1.0)
    return graph.add("Where", missing, math.nan, read(graph.add("Where", missing, _text(graph, filled), x)))


class DateForm(NamedTuple):
    """How dates are written: an example, the mark between its parts, and their order, such as "Ymd"."""

    like: str = "2001-12-31"
    mark: str = "-"
    order: str = "Ymd"


def _notation(column: Column) -> DateForm:
    """How the dates of a column are written: as in the table, but by ISO 8601 for names and two-digit years."""
    found = NUMERIC.fullmatch(dates.FORMATS.get(column.notation, ""))
    return DateForm(column.notation, found[2], found[1] + found[3] + found[4]) if found else DateForm()


def _places(categories: tuple[str, ...]) -> dict[str, float]:
    """The number of each category. A whole number may be written as a float, too."""
    own = {name: float(place) for place, name in reversed(list(enumerate(categories)))}
    return {f"{name}.0": place for name, place in own.items() if name.lstrip("+-").isdecimal()} | own


def _looked_up(graph: Graph, x: str, table: dict[str, float], other: float, missing: float = math.nan) -> str:
    """The number of each text, `missing` for a mark of a missing value, `other` for any other text."""
    table = dict.fromkeys(MISSING, missing) | table
    keys, values = list(table), list(table.values())
    found = graph.add("LabelEncoder", x, domain=ML, keys_strings=keys, values_floats=values, default_float=other)
    graph.types[found] = np.dtype(np.float32)
    return graph.cast(found, np.float64)


def _boolean(graph: Graph, x: str) -> str:
    """1 for true, 0 for false, in any case."""
    numbers = dict.fromkeys(MISSING, "nan") | {form(word): n for word, n in TRUTH.items() for form in FORMS}
    keys, values = list(numbers), list(numbers.values())
    found = graph.add("LabelEncoder", x, domain=ML, keys_strings=keys, values_strings=values, default_string=WRONG)
    return graph.cast(found, np.float64)


def _checked(graph: Graph, x: str, pattern: str) -> str:
    """Return text that has the form of the pattern. Other text becomes what the next cast to a number refuses."""
    fits = graph.add("RegexFullMatch", x, pattern=pattern)
    return graph.add("Where", fits, x, _text(graph, WRONG))


def _date(graph: Graph, x: str, written: DateForm) -> str:
    """Days since 1970 of text like 2003-03-10 or 2003-03-10 12:30:00, or with a T between date and time.

    A year is counted from March on, so that the day that some years have more is its last (Hinnant 2021,
    https://howardhinnant.github.io/date_algorithms.html#days_from_civil).
    """
    day = r"\d+" + re.escape(written.mark) + r"\d+" + re.escape(written.mark) + r"\d+"
    x = _checked(graph, x, rf"{day}([ T]{CLOCK})?")
    before, behind = _split(graph, x, "T", 2)
    day, time = _split(graph, before, " ", 2)
    time = graph.add("Where", graph.add("Equal", time, _text(graph, "")), behind, time)
    parts = zip(written.order, _split(graph, day, written.mark, 3), strict=True)
    year, date, month = (_number(graph, part) for _, part in sorted(parts))  # of Y, d, m
    late = graph.cast(graph.add("Greater", month, 2.0), np.float64)
    year = graph.add("Sub", graph.add("Add", year, late), 1.0)
    month = graph.add("Add", graph.add("Sub", month, graph.add("Mul", late, 12.0)), 9.0)
    days = graph.add("Floor", graph.add("Div", graph.add("Add", graph.add("Mul", month, 153.0), 2.0), 5.0))
    for years, sign in ((1, "Add"), (4, "Add"), (100, "Sub"), (400, "Add")):
        leap = graph.add("Floor", graph.add("Div", year, float(years)))
        days = graph.add(sign, days, graph.add("Mul", leap, 365.0) if years == 1 else leap)
    days = graph.add("Add", days, graph.add("Sub", date, 719469.0))
    return graph.add("Add", days, _clock(graph, time))


def _clock(graph: Graph, x: str) -> str:
    """The share of a day of text like 18:30 or 18:30:05. Nothing is midnight."""
    hours, minutes, seconds = (_number(graph, part) for part in _split(graph, x, ":", 3))
    total = graph.add("Add", graph.add("Mul", graph.add("Add", graph.add("Mul", hours, 60.0), minutes), 60.0), seconds)
    return graph.add("Div", total, 86400.0)


def _split(graph: Graph, x: str, mark: str, parts: int) -> list[str]:
    """Return the first parts of each text between marks, empty where there are fewer: each (N, 1)."""
    padded = graph.add("StringConcat", x, _text(graph, mark * (parts - 1)))
    pieces = graph.add("StringSplit", padded, outputs=2, delimiter=mark)
    return [graph.add("Gather", pieces, graph.constant(np.array(i)), axis=2) for i in range(parts)]


def _number(graph: Graph, x: str) -> str:
    """Return the number that each text shows, 0 if it is empty."""
    return graph.cast(graph.add("Where", graph.add("Equal", x, _text(graph, "")), _text(graph, "0"), x), np.float64)


def _text(graph: Graph, text: str) -> str:
    return graph.constant(np.array([[text]], object))
