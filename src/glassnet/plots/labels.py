"""Words and numbers short enough to stand in a picture."""

from __future__ import annotations


def short(name: object, limit: int) -> str:
    """`name` as one line of at most `limit` characters, with "…" in place of a part of its middle."""
    line = " ".join(str(name).split())
    if len(line) <= limit:
        return line
    tail = limit // 3  # names of one kind often differ at their end
    return f"{line[: limit - 1 - tail]}…{line[-tail:]}"


def percent(share: float) -> str:
    """A probability in percent, such as "87%"; near certainty a decimal more, and never "100%"."""
    if share > 0.999:
        return ">99.9%"
    return f"{share:.1%}" if share >= 0.985 else f"{share:.0%}"
