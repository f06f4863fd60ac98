"""Training with products of bfloat16, beside float32 in the same run."""

from __future__ import annotations

from dataclasses import asdict, replace
from functools import partial
from typing import Any

from race.cases import SMALL, WIDE, Case
from race.goals import Found, Goal, Section, cell
from race.processes import team
from race.rounds import in_turn, noisy
from race.sections import Table

CONTENDERS = ["glassnet", "JAX", "PyTorch"]
DTYPES = ["float32", "bfloat16"]
CASES = [Case(SMALL, 128, lr=0.02), Case(WIDE, 128, lr=0.02), Case(WIDE, 512, lr=0.04)]
AGREE = 0.01  # the test accuracies of a contender's two types


def measure(quick: bool) -> Section:
    """Train every case in both types. Raises RuntimeError if they learn differently."""
    cases: Found = {}
    with team(CONTENDERS) as workers:
        for case in CASES[1:2] if quick else CASES:
            turns, both = {}, [replace(case, dtype=dtype) for dtype in DTYPES]
            for who in CONTENDERS:
                workers[who]("release")
                for each in both:
                    workers[who]("train", name=each.name, **asdict(each))
                    turns[f"{who}, {each.dtype}"] = partial(workers[who], "epoch", name=each.name)
            found = cases[case.name] = in_turn(turns, rounds=3 if quick else 5, again=not quick)
            for who in CONTENDERS:
                accuracies = [workers[who]("accuracy", name=each.name) for each in both]
                for each, accuracy in zip(both, accuracies, strict=True):
                    found[f"{who}, {each.dtype}"] |= {"accuracy": accuracy, "images": each.rows}
                if abs(accuracies[0] - accuracies[1]) > AGREE:
                    raise RuntimeError(f"{case.name}: {who}'s test accuracies differ: {accuracies}")
    wide = cases[CASES[1].name]
    ratio = _gain(wide)
    doubtful = noisy(wide[f"glassnet, {dtype}"] for dtype in DTYPES)
    text = f"{CASES[1].name}: float32's time over bfloat16's at least 1.5"
    return Section(cases, [Goal(text, f"{ratio:.2f}", None if doubtful else ratio >= 1.5)])


def _gain(found: Found) -> float:
    medians = [found[f"glassnet, {dtype}"]["median"] for dtype in DTYPES]
    return float(medians[0] / medians[1])


def table(section: dict[str, Any], spread: bool) -> Table:
    """Images per second."""
    turns = [f"{who}, {dtype}" for who in CONTENDERS for dtype in DTYPES]
    rows = [
        [
            name,
            *(cell(found[turn], f"{found[turn]['images'] / found[turn]['median']:,.0f}", spread) for turn in turns),
            f"{_gain(found):.2f}",
        ]
        for name, found in section["cases"].items()
    ]
    head = ["bfloat16 products, images/s", *turns, "gain of bfloat16"]
    return Table("Training with products of bfloat16, images per second", head, rows)
