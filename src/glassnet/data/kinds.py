"""The kind of a column of text, decided in training from all of its values."""

from __future__ import annotations

from collections.abc import Iterator
from shlex import quote
from typing import TYPE_CHECKING, NamedTuple

from glassnet.data.dates import Order, date_notations, date_order, in_order, looks_like_dates, read_dates, read_times
from glassnet.data.markers import is_text, without_markers
from glassnet.data.numbers import looks_like_numbers, number_notation, read_numbers
from glassnet.data.schema import Kind, Schema
from glassnet.data.values import NAMED, at, no, read_as, read_booleans

if TYPE_CHECKING:
    import polars as pl

SAMPLE = 1000  # values from the whole column, to see whether it might be anything but categories
SLIPS = 0.05  # share of the values: fewer that can't be read are mistakes
WORDS = 3  # different values: fewer beside many different others are mistakes, however often they occur
REPEATED = 3  # rows that a value needs to be a category
FEW = 20  # different values: no more than these may be categories, even if most of them are numbers


class Reading(NamedTuple):
    """The kind of a column, its notation, a note about them, and other notations that would give other dates."""

    kind: Kind
    notation: str = ""
    note: str = ""
    others: tuple[str, ...] = ()


def kind_of_text(
    column: pl.Series, first: int = 1, way_out: str = "", dates: Order | None = None, forgiving: bool = False
) -> Reading | None:
    """Decide the kind of a column of text; None, if it holds no value at all.

    Marks of missing values don't count (see `markers`). A column holds booleans, numbers, dates or times of the day if
    all other values are of this kind: numbers plainly or in one notation, dates by ISO 8601 or in one other order. It
    holds categories if half or more of its values can't be read as the most common kind. If fewer can't, these values
    decide:

    - There are at most 20 different values, and each that can't be read occurs at least 3 times. Then all are
      categories: "1", "2", "3", "more".
    - Those that can't be read are at least 5% of the values, and more than 3 different ones. Then the column is text,
      and holds categories: tickets, house numbers.
    - Otherwise they are mistakes. Raises ValueError, naming the first (the column's first row is row `first`) and
      another way out than to correct it, `way_out`.

    dates: the order of dates whose values don't show it. Without it, such dates are a ValueError, too, and so are dates
    that aren't written alike. If `forgiving`, nothing is an error: mistakes count as missing, the likelier order is
    taken, and the note says so.
    """
    text = without_markers(column)
    known = text.drop_nulls()
    if known.is_empty():
        return None
    sample = known.gather_every(max(1, len(known) // SAMPLE))
    shares = {kind: read.count() for kind, (_, read) in _readings(sample, dates)}
    kind = max(shares, key=lambda each: shares[each])
    if shares[kind] < len(sample) / 4:
        if not forgiving:
            _refuse_mixed_dates(sample)
        return Reading("category", note=_unlike(sample))
    reading, read = next(each for kind_, each in _readings(known, dates) if kind_ == kind)
    bad = known.filter(read.is_null())
    if bad.is_empty():
        return _guessed(reading) if forgiving else _certain(known, reading)
    if kind == "date" and not forgiving:
        _refuse_mixed_dates(known)
    if len(bad) >= len(known) / 2:
        return Reading("category", note=_unlike(sample))
    counts = bad.value_counts()["count"]
    repeated = known.n_unique() <= FEW and counts.to_numpy().min() >= REPEATED
    if repeated or (len(bad) >= SLIPS * len(known) and len(counts) > WORDS):
        like = f" like {reading.notation}" if reading.notation else ""
        share = f"{1 - len(bad) / len(known):.0%} of its values are {NAMED[kind]}{like}, others not, such as {bad[0]!r}"
        return Reading("category", note=f"taken for categories: {share}")
    if forgiving:
        return _guessed(_with_note(reading, _missing(bad, kind)))
    row = (text == bad[0]).arg_max() or 0
    fault = f"{bad[0]!r} is {no(kind)}, and a column that mostly holds {NAMED[kind]} must hold nothing else"
    fault += _such(bad)
    ways = ["correct it", "empty it if it is missing", way_out or f"leave the column out (--drop {quote(column.name)})"]
    if kind == "number":
        ways.append("if its numbers are names, write them as text, such as 'n7'")
    like = f"; most are written like {reading.notation}" if reading.notation else ""
    raise ValueError(at(text, first, row, f"{fault}{like}: {', '.join(ways[:-1])}, or {ways[-1]}"))


def _with_note(reading: Reading, note: str) -> Reading:
    return reading._replace(note=f"{reading.note}; {note}" if reading.note else note)


def _guessed(reading: Reading) -> Reading:
    """The same, with a note if dates may have another order, too."""
    means = " or ".join(reading.others)
    return (
        _with_note(reading, f"they might also mean {means}: write dates as 2001-12-31 to be sure") if means else reading
    )


def _certain(known: pl.Series, reading: Reading) -> Reading:
    """The same. Raises ValueError if dates may have another order, too, which only people can know."""
    if not reading.others:
        return reading
    orders = [f"data.dates={date_order(example)}" for example in (reading.notation, *reading.others)]
    means = " or ".join((reading.notation, *reading.others))
    raise ValueError(
        f"column {known.name!r}: {known[0]!r} may be written like {means}, and no value shows which:"
        f" decide by --set {' or '.join(orders)}, or write dates as 2001-12-31"
    )


def _refuse_mixed_dates(known: pl.Series) -> None:
    """Raise ValueError if values are dates in several notations: if what one doesn't read is written like others."""
    one = read_dates(known, date_notations(known)[0], strict=True).is_not_null()
    rest = known.filter(~one)
    if not one.any() or rest.is_empty() or looks_like_dates(rest).sum() < (1 - SLIPS) * len(rest):
        return
    shown = f"such as {known.filter(one)[0]!r} and {rest[0]!r}"
    raise ValueError(
        f"column {known.name!r} holds dates that aren't written alike, {shown}:"
        f" write them as 2001-12-31, or leave the column out (--drop {quote(known.name)})"
    )


def without_mistakes(frame: pl.DataFrame, schema: Schema) -> tuple[pl.DataFrame, list[str]]:
    """Return a table in which text that isn't of its column's kind is missing, if it is less than half, and notes."""
    import polars as pl

    clean, notes = [], []
    for column in schema:
        values = frame[column.name]
        if column.kind == "category" or not is_text(values):
            continue
        known = without_markers(values)
        wrong = known.is_not_null() & read_as(known, column).is_null()
        if 0 < wrong.sum() < known.count() / 2:
            clean.append(values.cast(pl.String).set(wrong, None))
            notes.append(f"{column.name}: {_missing(known.filter(wrong), column.kind)}")
    return frame.with_columns(clean), notes


def _missing(bad: pl.Series, kind: Kind) -> str:
    counts = "count" if len(bad) > 1 else "counts"
    return f"{bad[0]!r} is {no(kind)}{_such(bad)}, and {counts} as missing"


def _such(bad: pl.Series) -> str:
    return f" ({len(bad)} such values)" if len(bad) > 1 else ""


def _readings(known: pl.Series, dates: Order | None) -> Iterator[tuple[Kind, tuple[Reading, pl.Series]]]:
    """Read values as one kind after the other, in the notation of most of them. Null marks those that can't be read."""
    yield "boolean", (Reading("boolean"), read_booleans(known))
    plain = read_numbers(known)
    if plain.count() == len(known):
        note = ""
        if (zeros := known.str.contains(r"^0\d")).any():
            code = known[zeros.arg_max() or 0]
            note = f"read as numbers; if they are names, such as {code!r}, write them as text: 'n{code}'"
        yield "number", (Reading("number", note=note), plain)
        return
    example = number_notation(known)
    note = f"read as numbers, written like {example}" if example else ""
    if example and known.str.starts_with("(").any():
        note += ", negative ones in parentheses"
    yield "number", (Reading("number", example, note), read_numbers(known, example, strict=True))
    example, *others = in_order(known, date_notations(known), dates)
    note = f"read as dates, written like {example}" if example else ""
    yield "date", (Reading("date", example, note, tuple(others)), read_dates(known, example, strict=True))
    yield "time", (Reading("time"), read_times(known))


def _unlike(sample: pl.Series) -> str:
    """A note about categories most of which look like numbers or dates."""
    for what, looks in (("numbers", looks_like_numbers(sample)), ("dates", looks_like_dates(sample))):
        if looks.sum() > len(sample) / 2:
            some = sample.filter(looks)
            forms = some.str.replace_all(r"\d+", "0")
            shown = " and ".join(repr(value) for value in (some[0], *some.filter(forms != forms[0]).head(1)))
            return f"taken for categories: it looks like {what}, but they aren't written alike, such as {shown}"
    digits, letters = (sample.str.count_matches(pattern) for pattern in (r"\d", r"\pL"))
    coded = (digits >= letters) & (digits > 0)
    if coded.sum() > len(sample) / 2 and sample.n_unique() > len(sample) / 2:
        plain = "write numbers as 1234.5 and dates as 2001-12-31 if they are such"
        return f"taken for names, such as {sample[0]!r}; {plain}"
    return ""
