"""Prediction: NumPy arrays in, NumPy arrays out."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from race.cases import SIX_LAYERS, SMALL, outputs, parameters, shape, softmax
from race.goals import Found, Goal, Section, cell, duration
from race.processes import Worker, team
from race.rounds import in_turn, noisy
from race.sections import Table

CONTENDERS = ["glassnet", "ONNX Runtime", "JAX", "PyTorch", "scikit-learn"]
AGREE = 1e-4  # the largest difference of an output
SLOWER = 1.05  # than ONNX Runtime, at most


def measure(quick: bool) -> Section:
    """Predict one row and many. Raises RuntimeError if the outputs differ from those computed in double precision."""
    cases: Found = {}
    goals = []
    with team(CONTENDERS) as workers:
        for widths in (SMALL, SIX_LAYERS):
            for rows in (1, 10_000):
                name = f"{shape(widths)}, {rows:,} row{'s' * (rows > 1)}"
                for worker in workers.values():
                    _check(worker, widths, rows)
                turns = {who: partial(worker, "call") for who, worker in workers.items()}
                found = cases[name] = in_turn(turns, rounds=3 if quick else 7, again=not quick)
                goals.append(_goal(name, found))
    return Section(cases, goals)


def _check(worker: Worker, widths: tuple[int, ...], rows: int) -> None:
    """Compare the first outputs; scikit-learn gives probabilities."""
    theirs = np.array(worker("prepare", widths=widths, rows=rows))
    x = np.random.default_rng(1).standard_normal((rows, widths[0]), dtype=np.float32)[: len(theirs)]
    truth = outputs(parameters(widths), x)
    difference = np.abs(theirs - (softmax(truth) if worker.name == "scikit-learn" else truth)).max()
    if not difference <= AGREE:
        raise RuntimeError(f"{worker.name}: an output of {shape(widths)} is wrong by {difference:.1e}")


def _goal(name: str, found: Found) -> Goal:
    ours, onnx = found["glassnet"]["median"], found["ONNX Runtime"]["median"]
    fastest = ours <= min(timing["median"] for timing in found.values())
    return Goal(
        f"prediction, {name}: fastest, or within {SLOWER - 1:.0%} of ONNX Runtime",
        f"{ours / onnx:.2f} of its time",
        None if noisy(found.values()) else fastest or ours <= SLOWER * onnx,
    )


def table(section: dict[str, Any], spread: bool) -> Table:
    """The time of one call."""
    rows = [
        [name, *(cell(found[who], duration(found[who]["median"]), spread) for who in CONTENDERS)]
        for name, found in section["cases"].items()
    ]
    return Table("Prediction, time of a call", ["prediction, one call", *CONTENDERS], rows)
