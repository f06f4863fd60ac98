"""Cold start: from starting Python to MNIST at 98% and exit, by the recipe mnist-fast; and the memory it takes."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from race.goals import Found, Goal, Section, cell, duration
from race.processes import run
from race.rounds import in_turn, noisy
from race.sections import Table

PEERS = ["JAX", "PyTorch", "scikit-learn"]
WARM = "JAX, cache warm"  # an option of JAX's, off by default
SAME_RECIPE = ["glassnet", "JAX", WARM, "PyTorch"]  # scikit-learn has no label smoothing
ACCURACY, MEMORY, FASTER = 0.98, 250, 2.5


def measure(quick: bool) -> Section:
    """Run every script. Raises RuntimeError if a follower of the recipe stays below 98%."""
    ends: dict[str, list[dict[str, Any]]] = {}

    def turn(name: str, command: Sequence[str], folder: Callable[[], dict[str, str]] = dict) -> float:
        end = run([sys.executable, "-m", *command], **folder())
        said = end.output.rpartition("test accuracy ")[2].split()
        accuracy = float(said[0]) if command[0] != "glassnet" else None
        if name in SAME_RECIPE and (accuracy or 0) < ACCURACY:
            raise RuntimeError(f"{name}: {accuracy:.2%} of the test images, by the recipe mnist-fast: not 98%")
        ends.setdefault(name, []).append({"megabytes": end.megabytes, "accuracy": accuracy})
        return end.seconds

    with tempfile.TemporaryDirectory() as temporary:
        fresh = partial(_fresh, Path(temporary))
        # Without the last two, JAX keeps only what took more than a second to compile.
        cache = {
            "JAX_COMPILATION_CACHE_DIR": str(Path(temporary) / "jax"),
            "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
            "JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES": "-1",
        }
        turns: dict[str, Callable[[], float]] = {
            "glassnet": partial(turn, "glassnet", ["race.cold.glassnet"]),
            "JAX": partial(turn, "JAX", ["race.cold.jax"]),
            WARM: partial(turn, WARM, ["race.cold.jax"], lambda: cache),
            "PyTorch": partial(turn, "PyTorch", ["race.cold.pytorch"]),
            "scikit-learn": partial(turn, "scikit-learn", ["race.cold.sklearn"]),
            "glassnet, first start ever": partial(
                turn, "glassnet, first start ever", ["race.cold.glassnet"], lambda: {"XDG_CACHE_HOME": fresh()}
            ),
            "glassnet train mnist-fast": lambda: turn(
                "glassnet train mnist-fast", ["glassnet", "train", "mnist-fast", "--out", f"{fresh()}/run"]
            ),
        }
        cases: Found = in_turn(turns, rounds=1 if quick else 5, again=not quick)
    for name, found in cases.items():
        found["megabytes"] = max(end["megabytes"] for end in ends[name])
        found["accuracy"] = min(ends[name], key=lambda end: end["accuracy"] or 0)["accuracy"]
    return Section(cases, _goals(cases))


def _fresh(folder: Path) -> str:
    """An empty folder."""
    return tempfile.mkdtemp(dir=folder)


def _goals(cases: Found) -> list[Goal]:
    ours = cases["glassnet"]
    least = min(cases[name]["megabytes"] for name in [*PEERS, WARM])
    goals = []
    for names, what in ((PEERS, "as installed"), ([*PEERS, WARM], "and of JAX with its compilation cache warm")):
        best = min((cases[name] for name in names), key=lambda found: found["median"])
        ratio = best["median"] / ours["median"]
        goals.append(
            Goal(
                f"cold start at least {FASTER} times as fast as the best of the others, {what}",
                f"{ratio:.2f} times",
                None if noisy([ours, best]) else ratio >= FASTER,
            )
        )
    return [
        *goals,
        Goal(
            f"peak memory below {MEMORY} MB, and the lowest",
            f"{ours['megabytes']:.0f} MB, others from {least:.0f} MB",
            ours["megabytes"] < min(MEMORY, least),
        ),
    ]


def table(section: dict[str, Any], spread: bool) -> Table:
    """Seconds, memory and accuracy."""
    rows = []
    for name, found in section["cases"].items():
        accuracy = "" if found["accuracy"] is None else f"{found['accuracy']:.2%}"
        time = cell(found, duration(found["median"]), spread)
        rows.append([name, time, f"{found['megabytes']:.0f} MB", accuracy])
    return Table("Cold start", ["MNIST by `mnist-fast`, from start to exit", "time", "peak memory", "test"], rows)
