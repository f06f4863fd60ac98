"""Numbers in text as people write them: with thousands separators, a currency, a unit, a comma for the point.

The notation of a column is kept as an example, the number 1234.5: "$1,234.5", "1'234.5 kg". It shows the text before
and after the digits, between the thousands, and before the fraction.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from glassnet.data.markers import known_text

if TYPE_CHECKING:
    import polars as pl

PLAIN = ""
CODES = (
    "AED ARS AUD BGN BRL CAD CHF CLP CNY COP CZK DKK EGP EUR GBP HKD HUF IDR ILS INR JPY KRW MXN MYR NGN NOK NZD PEN"
    " PHP PKR PLN RON RUB SAR SEK SGD THB TRY TWD UAH USD VND ZAR"
)
BEFORE = rf"(?:[A-Z]{{0,3}}\p{{Sc}}|{CODES.replace(' ', '|')}|R[sp]\.?|kr\.?|Fr\.?)"
# A unit is a word or two that doesn't begin with a digit. A leading hyphen or slash would make a range or a fraction.
AFTER = r"[^\d\s.,;:()+/'-][^\d,;:()]{0,15}[23]?"
PARTS = (
    rf"^(?P<open>\()?(?P<sign>[+-]?) ?(?P<before>{BEFORE})? ?(?P<minus>-?)"
    rf"(?P<body>[.,]?\d[\d.,' ]*(?:[eE][+-]?\d+)?) ?(?P<after>{AFTER})?(?P<close>\))?$"
)
TYPESET = {r"[\x{a0}\x{202f}\x{2009}]": " ", r"\x{2019}": "'", r"[\x{2212}\x{2013}]": "-"}  # spaces, marks, minus
SCALES = {"": 1.0, "k": 1e3, "K": 1e3, "M": 1e6, "Mio": 1e6, "bn": 1e9, "B": 1e9}
SCALE = "k"  # after the digits of an example: such a letter may follow
MARKS = (
    ("", "."),
    (",", "."),
    ("'", "."),
    (" ", "."),
    (".", ","),
    (" ", ","),
    ("'", ","),
    ("", ","),
)  # of thousands, of fractions
EXAMPLE = re.compile(r"(?P<before>\D*)1(?P<group>\D?)234(?P<point>[.,])5(?P<after>.*)")


class Notation(NamedTuple):
    """The text before, between and after the digits of a number."""

    before: str = ""
    group: str = ""
    point: str = "."
    after: str = ""

    @property
    def example(self) -> str:
        """1234.5 in this notation."""
        space = " " if len(self.after) > 1 else ""
        return f"{self.before}1{self.group}234{self.point}5{space}{self.after}"

    @property
    def body(self) -> str:
        """A regular expression for the digits, in groups of three, or in Indian ones of two."""
        digits = r"\d+"
        if self.group:
            group, size = re.escape(self.group), "{2,3}" if self.group == "," else "{3}"
            digits = rf"(?:\d+|[1-9]\d{{0,2}}(?:{group}\d{size})*{group}\d{{3}})"
        point = re.escape(self.point)
        return rf"^(?:{digits}(?:{point}\d*)?|{point}\d+)(?:[eE][+-]?\d+)?$"


def read_numbers(known: pl.Series, example: str = PLAIN, strict: bool = False) -> pl.Series:
    """Return a column of text as numbers, null for values that aren't written like the example or plainly.

    strict: whether a unit, if the example has one, must be there.
    """
    import polars as pl

    plain = known.cast(pl.Float64, strict=False)
    found = EXAMPLE.fullmatch(example)
    if not found:
        return plain
    notation = Notation(found["before"], found["group"], found["point"], found["after"].strip())
    parts = _parts(known)
    text, after = parts["body"].str.replace_all(notation.group, "", literal=True), parts["after"]
    number = text.str.replace(notation.point, ".", literal=True).cast(pl.Float64, strict=False)
    fits = parts["body"].str.contains(notation.body) & parts["before"].is_in(["", notation.before])
    if notation.after == SCALE:
        fits &= after.is_in(list(SCALES))
        number *= after.replace_strict(SCALES, default=None, return_dtype=pl.Float64)
    elif strict:
        fits &= after == notation.after
    else:
        fits &= after.is_in(["", notation.after])
    negative = parts["open"] + parts["sign"] + parts["minus"]
    number = number.zip_with(~negative.is_in(["(", "-"]), -number)
    read = number.set(~(fits & (negative.str.len_chars() <= 1)), None)
    return read if strict else read.zip_with(read.is_not_null(), plain)


def plain_columns(frame: pl.DataFrame) -> pl.DataFrame:
    """Return a table in which each column of text that holds plain numbers alone is one of numbers.

    It gives the same as `read_numbers` for each column, but for ten thousands of columns at a time. Numbers that begin
    with a 0, like codes, stay text.
    """
    import polars as pl

    if pl.String not in frame.dtypes:
        return frame
    known = frame.select(known_text(pl.col(pl.String)))
    numbers = known.select(pl.all().cast(pl.Float64, strict=False))
    codes = known.select(pl.all().str.contains(r"^0\d").any())
    missing = zip(known.null_count().row(0), numbers.null_count().row(0), codes.row(0), strict=True)
    fits = [before == after and not coded for before, after, coded in missing]
    return frame.with_columns(column for column, fit in zip(numbers, fits, strict=True) if fit)


def number_notation(known: pl.Series) -> str:
    """Return the notation of most numbers in a column of text."""
    import polars as pl

    some = known.drop_nulls().unique(maintain_order=True)
    some = some.filter(looks_like_numbers(some))
    parts = _parts(some)
    if parts.is_empty():
        return PLAIN
    scaled = set(parts["after"]) <= set(SCALES) and (parts["after"] != "").any()
    unit = SCALE if scaled else parts["after"].mode().sort()[-1]
    before = [text for text in parts["before"].unique(maintain_order=True) if text]
    if len(before) > 1:
        before = [parts["before"].mode().sort()[-1]]
    body = parts["body"]
    fits = {marks: body.str.contains(Notation("", *marks).body).sum() for marks in MARKS}
    notation = Notation(before[0] if before else "", *max(fits, key=lambda marks: fits[marks]), unit)
    return notation.example if notation != Notation() or some.cast(pl.Float64, strict=False).null_count() else PLAIN


def looks_like_numbers(known: pl.Series) -> pl.Series:
    """Whether each value is written as some number is."""
    return _parts(known)["body"].is_not_null()


def _parts(known: pl.Series) -> pl.DataFrame:
    """The parts of each value. "body", the digits, is null if it is no number."""
    import polars as pl

    text = known.alias("text")
    for pattern, plain in TYPESET.items():
        text = text.str.replace_all(pattern, plain)
    parts = text.str.extract_groups(PARTS).struct.unnest()
    closed = (parts["open"].is_not_null() == parts["close"].is_not_null()).fill_null(False)
    body = parts["body"].set(~closed, None)
    rest = parts.select(pl.col("open", "sign", "before", "minus", "after").fill_null("").str.strip_chars())
    body = body.str.strip_chars_end()
    return rest.with_columns(body.set(~body.str.contains("|".join(BODIES)), None).alias("body"))


BODIES = [Notation("", *marks).body for marks in MARKS]
