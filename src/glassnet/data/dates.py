"""Dates and times of the day in text, as points in time.

The notation of a column of dates is kept as an example, the last day of 2001: "31.12.2001". It is empty for ISO 8601,
2001-12-31.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Literal, get_args

if TYPE_CHECKING:
    import polars as pl

Order = Literal["day-first", "month-first", "year-first"]
ORDERS: tuple[Order, ...] = get_args(Order)

ISO = ""
ISO_DATE = r"^\d{4}-\d\d-\d\d([ T]\d\d:\d\d|$)"  # all digits must be there: 3-2-1 is no date, and neither is 10-03-99
ISO_FORMATS = ("%F", "%F %R", "%F %T%.f", "%F %R%#z", "%F %T%.f%#z", "%F %I:%M %p", "%F %I:%M:%S %p")
FORMATS = {
    "2001/12/31": "%Y/%m/%d", "2001.12.31": "%Y.%m.%d", "2001-Dec-31": "%Y-%b-%d",
    "12/31/2001": "%m/%d/%Y", "31/12/2001": "%d/%m/%Y", "31.12.2001": "%d.%m.%Y", "12.31.2001": "%m.%d.%Y",
    "31-12-2001": "%d-%m-%Y", "12-31-2001": "%m-%d-%Y", "12/31/01": "%m/%d/%y", "31/12/01": "%d/%m/%y",
    "01/12/31": "%y/%m/%d", "31.12.01": "%d.%m.%y", "31-12-01": "%d-%m-%y", "12-31-01": "%m-%d-%y",
    "01-12-31": "%y-%m-%d", "31-Dec-2001": "%d-%b-%Y", "31-Dec-01": "%d-%b-%y", "31 Dec 2001": "%d %b %Y",
    "31 Dec 01": "%d %b %y", "Dec 31, 2001": "%b %d %Y", "31. Dec 2001": "%d. %b %Y", "31/Dec/2001": "%d/%b/%Y",
    "31Dec2001": "%d%b%Y",
}  # fmt: skip
TIMES = ("", " %H:%M", " %H:%M:%S%.f", " %I:%M %p", " %I:%M:%S %p")
PIECES = {"%Y": r"\d{4}", "%y": r"\d{2}", "%m": r"\d{1,2}", "%d": r"\d{1,2}", "%b": "[A-Za-z]{3}"}
BESIDE = {  # parts of a date that say nothing about the order: days of the week, commas, 1st, Dec., 5PM, UTC
    r"^(?i:(?:mon|tues?|wed(?:nes)?|thu(?:rs?)?|fri|sat(?:ur)?|sun)(?:day)?)\.?,? ": "",
    ",": "",
    r"^(\d{1,2})(?i:st|nd|rd|th)\b": "$1",
    r"([A-Za-z]{3})[a-z]*\.?([- /,]|\d)": "$1$2",  # %B would read whole names, but polars 1.33 panics on it
    r"(\d)T(\d)": "$1 $2",
    r"(\d)(?i:(am|pm))$": "$1 $2",
    r"(\d) ?(?:UTC|GMT)$": "$1",
}
DATE = r"^(\d{1,4}[-/. ]|\d\d?[A-Za-z]{2,3}|[A-Za-z]{3,9}[.,]* )"  # the beginning of all of them
CLOCK = r"^\d{1,2}:\d\d(:\d\d(\.\d+)?)?( ?(?i:am|pm))?$"
SAMPLE = 1000  # values that show the possible notations


def read_dates(known: pl.Series, example: str = ISO, strict: bool = False) -> pl.Series:
    """Return a column of text as points in time, null for values that aren't written like the example or by ISO 8601.

    They are in UTC if an offset is given. strict: whether only the example's notation counts.
    """
    import polars as pl

    text = pl.first()
    for beside, nothing in BESIDE.items():
        text = text.str.replace(beside, nothing)
    value = pl.when(text.str.contains(ISO_DATE)).then(text)
    tries = [] if strict and example else [_point(value, form) for form in ISO_FORMATS]
    if example in FORMATS:
        form = FORMATS[example]
        date = re.sub("%.", lambda piece: PIECES[piece[0]], re.escape(form).replace("\\%", "%"))
        value = pl.when(text.str.contains(rf"^{date}($| \d)")).then(text)
        tries += [_point(value, form + time) for time in TIMES]
    return known.to_frame().select(pl.coalesce(tries).alias(known.name)).to_series()


def date_notations(known: pl.Series) -> list[str]:
    """Return the notation of most dates in a column of text, or two if day and month can't be distinguished."""
    some = known.drop_nulls().unique(maintain_order=True)
    if not some.str.contains(DATE).any():
        return [ISO]
    sample = some.gather_every(max(1, len(some) // SAMPLE))
    likely = [example for example in FORMATS if read_dates(sample, example, strict=True).count()]
    counts = {example: read_dates(some, example, strict=True).count() for example in (ISO, *likely)}
    most = max(counts.values())
    return [example for example, count in counts.items() if count == most] if most > counts[ISO] else [ISO]


def in_order(known: pl.Series, examples: list[str], order: Order | None) -> list[str]:
    """Return of several notations those that give other dates than the first, and it; or the one of an order.

    Between points the day comes first, unless a value shows otherwise.
    """
    if order is not None:
        examples = [example for example in examples if date_order(example) == order] or examples
    first = read_dates(known, examples[0], strict=True)
    if "." in examples[0]:
        return examples[:1]
    return [examples[0], *(e for e in examples[1:] if not read_dates(known, e, strict=True).equals(first))]


def date_order(example: str) -> Order:
    """What a date of a notation begins with."""
    begins = example[:2]
    return "day-first" if begins == "31" else "month-first" if begins in ("12", "De") else "year-first"


def looks_like_dates(known: pl.Series) -> pl.Series:
    """Whether each value is written as some date is."""
    some = known.unique()
    some = some.filter(some.str.contains(DATE))
    if some.is_empty():
        return known != known
    read = read_dates(some).is_not_null()
    for example in FORMATS:
        read |= read_dates(some, example, strict=True).is_not_null()
    return known.is_in(some.filter(read).to_list())


def read_times(known: pl.Series) -> pl.Series:
    """Return a column of text, such as 18:30 or 18:30:05, as times of the day, null for any other text."""
    import polars as pl

    value = pl.when(pl.first().str.contains(CLOCK)).then(pl.first().str.replace(r"(\d)(?i:(am|pm))$", "$1 $2"))
    tries = [value.str.to_time(form[1:], strict=False) for form in TIMES[1:]]
    return known.to_frame().select(pl.coalesce(tries).alias(known.name)).to_series()


def _point(value: pl.Expr, form: str) -> pl.Expr:
    import polars as pl

    return value.str.to_datetime(form, time_unit="us", strict=False).cast(pl.Datetime("us"))
