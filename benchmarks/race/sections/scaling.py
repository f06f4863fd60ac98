"""What an epoch of glassnet's costs when there is more to compute: more examples, wider layers, more layers."""

from __future__ import annotations

from dataclasses import asdict
from functools import partial
from typing import Any

from race.cases import IMAGES, Case, shape
from race.goals import Found, Goal, Section, cell, duration
from race.processes import team
from race.rounds import in_turn, noisy
from race.sections import Table

NOISE = 1.10  # how much more a larger case may take for one operation


def series(quick: bool) -> dict[str, list[Case]]:
    """Of each series, the cases by growing work."""
    images, depths = (IMAGES // 4, (1, 4, 8)) if quick else (IMAGES, tuple(range(1, 9)))
    return {
        "examples": [Case((784, 128, 10), 128, 0.02, images // part) for part in (4, 2, 1)],
        "width": [Case((784, width, 10), 128, 0.02, images) for width in (128, 256, 512, 1024)],
        "depth": [Case((784, *[256] * depth, 10), 128, 0.01, images) for depth in depths],
    }


def measure(quick: bool) -> Section:
    """Train one epoch of every case in turn."""
    cases: Found = {}
    goals = []
    with team(["glassnet"]) as workers:
        worker = workers["glassnet"]
        for name, chosen in series(quick).items():
            worker("release")
            by_name = {f"{shape(case.widths)}, {case.images:,} images": case for case in chosen}
            for key, case in by_name.items():
                worker("train", name=key, **asdict(case))
            found = in_turn(
                {key: partial(worker, "epoch", name=key) for key in by_name}, rounds=3 if quick else 5, again=not quick
            )
            for key, case in by_name.items():
                found[key]["flops"] = case.flops
            cases[name] = found
            goals.append(_goal(name, list(found.values())))
    return Section(cases, goals)


def _goal(name: str, found: list[dict[str, Any]]) -> Goal:
    """Compare every case with all that are smaller."""
    costs = [timing["median"] / timing["flops"] for timing in found]
    growth = max(later / min(costs[:i]) for i, later in enumerate(costs) if i)
    return Goal(
        f"more {name}: the time of an operation doesn't grow by more than {NOISE - 1:.0%}",
        f"{growth:.2f} times",
        None if noisy(found) else growth <= NOISE,
    )


def table(section: dict[str, Any], spread: bool) -> Table:
    """Of each case, the time of an epoch and of a billion operations."""
    rows = [
        [
            f"{name}: {case}",
            f"{timing['flops'] / 1e9:,.1f}",
            cell(timing, duration(timing["median"]), spread),
            duration(1e9 * timing["median"] / timing["flops"]),
        ]
        for name, found in section["cases"].items()
        for case, timing in found.items()
    ]
    return Table("Cost against work, glassnet", ["one epoch", "GFLOP", "time", "time of a GFLOP"], rows)
