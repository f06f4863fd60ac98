"""What is wanted of the numbers, and what a section of the benchmark hands back."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

Found = dict[str, Any]  # of each case, of each contender: the timing, and what else was measured, as JSON can hold it


@dataclass(frozen=True)
class Goal:
    """A sentence, the figure that was measured, and whether it is reached; None if that was too noisy to tell."""

    text: str
    figure: str
    reached: bool | None

    @property
    def verdict(self) -> str:
        """In a word."""
        return "too noisy" if self.reached is None else "reached" if self.reached else "MISSED"


@dataclass
class Section:
    """The cases of one section and its goals; `facts` are what is measured once."""

    cases: Found
    goals: list[Goal] = field(default_factory=list)
    facts: dict[str, Any] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """As JSON can hold it."""
        return asdict(self)


def duration(seconds: float) -> str:
    """Three digits and a unit, such as "12.3 ms"."""
    for unit, size in (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6)):
        if seconds >= 0.9995 * size or unit == "µs":
            value = seconds / size
            return f"{value:.{max(0, 2 - len(str(int(value))) + 1)}f} {unit}"
    raise AssertionError


def cell(timing: dict[str, Any], text: str, spread: bool = True) -> str:
    """A figure with its spread on the terminal; in the page, no figure at all if it is noisy."""
    if spread and len(timing["seconds"]) > 1:
        return f"{text} ±{timing['spread']:.0%}" + (" noisy" if timing["noisy"] else "")
    return "noisy" if timing["noisy"] else text
