"""[tune] of a recipe: the search for better values, and its search space."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from typing import Any

from glassnet.checks import count, positive_int
from glassnet.recipes.parts import closest

RawSpace = dict[str, Any]  # as TOML has it; `read_space` makes it a dict of Range and Choices


@dataclass(frozen=True)
class Range:
    """Numbers from low to high: whole ones if both ends are whole. log: as many from 0.01 to 0.1 as from 0.1 to 1.

    Raises ValueError unless low < high, and for log 0 < low.
    """

    low: float
    high: float
    log: bool = False

    def __post_init__(self) -> None:
        for name, value in (("low", self.low), ("high", self.high)):
            if isinstance(value, bool) or not isinstance(value, (int, float)) or not abs(value) < float("inf"):
                raise ValueError(f"{name} must be a finite number, not {value!r}")
        if not isinstance(self.log, bool):
            raise ValueError(f"log must be true or false, not {self.log!r}")
        if not self.low < self.high:
            raise ValueError(f"low must be below high, but {self.low!r} is not below {self.high!r}")
        if self.log and self.low <= 0:
            raise ValueError(f"log needs a low above 0, not {self.low!r}")

    @property
    def whole(self) -> bool:
        """Whether it is a range of whole numbers."""
        return isinstance(self.low, int) and isinstance(self.high, int)


@dataclass(frozen=True)
class Choices:
    """One of some values of any kind. Raises ValueError unless there are two, all different."""

    choices: list[Any]

    def __post_init__(self) -> None:
        if not isinstance(self.choices, list) or len(self.choices) < 2:
            raise ValueError(f"choices must be a list of at least two values, not {self.choices!r}")
        twice = [value for i, value in enumerate(self.choices) if value in self.choices[:i]]
        if twice:
            raise ValueError(f"choices must differ, but {twice[0]!r} is there twice")


@dataclass
class TuneTable:
    """[tune]: the search of `glassnet tune`. A recipe that has it trains as any other.

    trials: the number of settings to try. confirm: the number of the best that are then trained with further seeds, to
    choose among them, or 0. space: for each field of the recipe to search, such as "optimizer.lr", a Range or
    Choices; by default the learning rate, and momentum or weight decay, around the recipe's own values.
    """

    trials: int = 50
    confirm: int = 3
    space: RawSpace = field(default_factory=dict)

    def __post_init__(self) -> None:
        positive_int(self.trials, "recipe: tune.trials")
        count(self.confirm, "recipe: tune.confirm")
        self.space = dict(read_space(self.space, "tune.space"))


def short_number(value: float) -> float:
    """Return a number to three digits, as a recipe will have it."""
    return float(f"{value:.3g}")


def read_space(table: RawSpace, where: str, path: str = "") -> Iterator[tuple[str, Range | Choices]]:
    """Yield the entries of a search space by name. "optimizer.lr" may be one key, or a table in a table."""
    for key, value in table.items():
        name = path + key
        if isinstance(value, Range | Choices):
            yield name, value
        elif not isinstance(value, dict) or not value:
            raise ValueError(f"recipe: {where}.{name} must be a table with low and high, or choices, not {value!r}")
        elif all(isinstance(inner, dict) for inner in value.values()):
            yield from read_space(value, where, f"{name}.")
        else:
            yield name, _entry(value, f"recipe: {where}.{name}")


def _entry(value: dict[str, Any], where: str) -> Range | Choices:
    kind = Choices if "choices" in value else Range
    known = [f.name for f in fields(kind)]
    unknown = [name for name in value if name not in known]
    if unknown:
        raise ValueError(
            f"{where}: there is no {unknown[0]}{closest(unknown[0], [*known, 'choices'])}; it has low, high and log,"
            " or choices"
        )
    lacking = [name for name in ("low", "high") if kind is Range and name not in value]
    if lacking:
        raise ValueError(f"{where}: {lacking[0]} is missing; it has low, high and log, or choices")
    try:
        return kind(**value)
    except ValueError as error:
        raise ValueError(f"{where}: {error}") from None
