"""What `import glassnet` costs beyond `import numpy`."""

from __future__ import annotations

import sys
from functools import partial
from typing import Any

from race.goals import Goal, Section, cell, duration
from race.processes import run
from race.rounds import in_turn, noisy
from race.sections import Table

MOST = 0.050  # seconds


def measure(quick: bool) -> Section:
    """Start Python many times."""

    def turn(module: str, before: str) -> float:
        code = f"import {before}; from time import perf_counter as now; t = now(); import {module}; print(now() - t)"
        return float(run([sys.executable, "-c", code]).output)

    turns = {"numpy": partial(turn, "numpy", "sys"), "glassnet": partial(turn, "glassnet", "numpy")}
    found = in_turn(turns, rounds=10 if quick else 20, again=not quick)
    more = found["glassnet"]["median"]
    goal = Goal(
        "import glassnet takes at most 50 ms more than import numpy",
        duration(more),
        None if noisy(found.values()) else more <= MOST,
    )
    return Section({"import": found}, [goal])


def table(section: dict[str, Any], spread: bool) -> Table:
    """The first, and the other after it."""
    found = section["cases"]["import"]
    rows = [[f"`import {name}`", cell(timing, duration(timing["median"]), spread)] for name, timing in found.items()]
    rows[1][0] += " after it"
    return Table("Import", ["import", "time"], rows)
