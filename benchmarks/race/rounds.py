"""Fair times: everybody has a turn in each round, and who was disturbed has more rounds."""

from __future__ import annotations

import math
import statistics
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

LIMIT = 0.10  # the spread above which a median isn't trusted
REPEATS = 4  # times as many rounds, at most, until it is
SETTLE = 0.25  # seconds in which the threads of the one before fall asleep: some libraries' spin for a while


@dataclass(frozen=True)
class Timing:
    """The seconds of every round."""

    seconds: list[float]

    @property
    def median(self) -> float:
        """The middle one."""
        return statistics.median(self.seconds)

    @property
    def spread(self) -> float:
        """How far from the true median this one may be, over it: half the 95% interval by the order of the rounds.

        (Conover 1999, Practical Nonparametric Statistics, section 3.2.) Of five rounds that is from the first to last.
        """
        n = len(self.seconds)
        outside = max(0, int((n - 1.96 * math.sqrt(n)) / 2))
        ordered = sorted(self.seconds)
        return (ordered[n - 1 - outside] - ordered[outside]) / (2 * self.median)

    @property
    def noisy(self) -> bool:
        """Whether the median says little."""
        return self.spread > LIMIT

    def to_dict(self) -> dict[str, Any]:
        """What the JSON file keeps."""
        return {"median": self.median, "spread": self.spread, "noisy": self.noisy, **asdict(self)}


def in_turn(turns: Mapping[str, Callable[[], float]], rounds: int, again: bool) -> dict[str, dict[str, Any]]:
    """Give everybody a turn to warm up, then one in each round, first one, then another first.

    A turn returns its seconds. With `again`, as long as somebody's spread is above LIMIT, rounds are added, for all.
    """
    order = list(turns)
    timings = {name: Timing([]) for name in order}
    for name in order:
        turns[name]()
    done, most = 0, REPEATS * rounds if again else rounds
    while done < rounds or (done < most and any(timing.noisy for timing in timings.values())):
        for name in order:
            time.sleep(SETTLE)
            timings[name].seconds.append(turns[name]())
        order.append(order.pop(0))
        done += 1
    return {name: timing.to_dict() for name, timing in timings.items()}


def noisy(timings: Iterable[Mapping[str, Any]]) -> bool:
    """Whether one of them is."""
    return any(timing["noisy"] for timing in timings)


def geometric_mean(values: Iterable[float]) -> float:
    """The mean of ratios."""
    return math.exp(statistics.mean(math.log(value) for value in values))
