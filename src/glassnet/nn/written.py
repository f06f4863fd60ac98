"""A layer's formula in letters, and the same with the numbers of one unit: both are written from one template.

In a template a letter stands in braces. "max({x}, 0)" is written max(x[3], 0) for unit 3, and max(-1.2, 0) with its
number. Around a letter may stand what its sign does to the text:

    {x}     the number                    {w*}    a factor: (-2) in parentheses if it is negative
    {+b}    " + 2", or " - 2" if b = -2   {-m}    " - 2", or " + 2" if m = -2
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from textwrap import shorten
from typing import Any, NamedTuple

import numpy.typing as npt

SHOWN = 6  # products of a sum that are written out: the largest

LETTER = re.compile(r"\{([+-]?)(\w+)(\*?)\}")


class Term(NamedTuple):
    """One product of a weighted sum: the value x of input number `input`, times the weight w."""

    input: int
    x: float
    w: float
    product: float


class Letter(NamedTuple):
    """The meaning of a letter of a template: its name in the formula, and its number."""

    name: str
    value: float


@dataclass(frozen=True)
class Written:
    """A formula, the same with its numbers, and a note that explains a letter, which may be empty.

    terms, bias: the products of a weighted sum in the order of the inputs, and the number added to them.
    """

    formula: str
    numbers: str
    note: str = ""
    terms: tuple[Term, ...] = ()
    bias: float | None = None


@dataclass(frozen=True)
class Unit:
    """One output of a layer: y[row, unit] of y (N, width_out), which it made of x (N, width_in)."""

    layer: Any
    x: npt.NDArray[Any]
    y: npt.NDArray[Any]
    row: int
    unit: int

    def letter(self, name: str) -> Letter:
        """Return the input or output at the unit's place for "x" and "y", else the layer's attribute of that name.

        From a vector it takes the unit's entry, or the only one if the vector has length 1.
        """
        u = self.unit
        if name in ("x", "y"):
            return Letter(f"{name}[{u}]", float(getattr(self, name)[self.row, u]))
        value = getattr(self.layer, name)
        if not getattr(value, "shape", ()):
            return Letter(name, float(value))
        return Letter(f"{name}[{u}]", float(value[u])) if len(value) > 1 else Letter(name, float(value[0]))


def fill(template: str, at: Unit, letters: Mapping[str, Letter] | None = None, note: str = "") -> Written:
    """Write a template with the names of its letters, and with their numbers: those given, else the unit's own."""
    known = {name: at.letter(name) for _, name, _ in LETTER.findall(template) if name not in (letters or {})}
    known |= letters or {}
    return Written(
        LETTER.sub(lambda found: _name(found, known), template),
        LETTER.sub(lambda found: _number(found, known), template),
        note,
    )


def weighted_sum(inputs: Iterable[float], weights: Iterable[float], bias: Letter, x: str, w: str) -> Written:
    """Write the sum of inputs times weights, plus a bias. A long sum shows its largest products, and adds up the rest.

    x, w: the names of input and weight number i, such as "x[{i}]" and "W[{i},3]".
    """
    terms = tuple(Term(i, a, b, a * b) for i, (a, b) in enumerate(zip(inputs, weights, strict=True)))
    largest = sorted(terms, key=lambda term: -abs(term.product))[:SHOWN]
    shown = terms if len(terms) <= SHOWN else largest
    names = [f"{x} {w}".replace("{i}", str(term.input)) for term in shown]
    products = [f"{factor(term.x)}*{factor(term.w)}" for term in shown]
    if more := len(terms) - len(shown):
        rest = sum(term.product for term in terms) - sum(term.product for term in shown)
        what = f"... {more:,} more term{'s' if more > 1 else ''}"
        names.append(what)
        products.append(f"({what} = {numeral(rest)})")
    formula = " + ".join([*names, bias.name])
    return Written(formula, " + ".join(products) + plus(bias.value), "", terms, bias.value)


def brief(name: str) -> str:
    """Cut a layer's name to the room that a table has for it."""
    return shorten(name, 60, placeholder=" ...")


def numeral(value: float) -> str:
    """Write a number with four digits."""
    return f"{value + 0.0:.4g}"  # + 0.0: no minus before a zero


def factor(value: float) -> str:
    """Write a number so that it may stand behind a sign."""
    return f"({numeral(value)})" if value < 0 else numeral(value)


def plus(value: float) -> str:
    """Write a number that is added."""
    return f" - {numeral(-value)}" if value < 0 else f" + {numeral(value)}"


def _name(found: re.Match[str], letters: Mapping[str, Letter]) -> str:
    sign, letter, _ = found.groups()
    return (f" {sign} " if sign else "") + letters[letter].name


def _number(found: re.Match[str], letters: Mapping[str, Letter]) -> str:
    sign, letter, star = found.groups()
    value = letters[letter].value
    if sign:
        return plus(value if sign == "+" else -value)
    return factor(value) if star else numeral(value)
