"""Training in steady state: images per second, all data in memory, everything compiled."""

from __future__ import annotations

from dataclasses import asdict
from functools import partial
from typing import Any

from race.cases import QUICK, TRAINING, Case
from race.goals import Found, Goal, Section, cell
from race.processes import Worker, idle_share, team
from race.rounds import geometric_mean, in_turn, noisy
from race.sections import Table

CONTENDERS = ["glassnet", "JAX", "PyTorch", "torch.compile", "scikit-learn"]
JAX, OTHERS = CONTENDERS[1:2], CONTENDERS[2:]
PRODUCTS = {"NumPy": "NumPy's product", "JAX": "JAX's product"}  # who multiplies large matrices, and the turn's name
SIZE = 2048  # of these matrices, which are square
IDLE = 0.05  # the share of a processor that all waiting workers together may take
AGREE = 0.02  # all test accuracies lie within this: at a constant learning rate one epoch may fall by 1%


def measure(quick: bool) -> Section:
    """Train every case. Raises RuntimeError if the accuracies differ: then somebody does something else."""
    cases: Found = {}
    idle = 0.0
    with team([*CONTENDERS, "NumPy"]) as workers:
        for case in QUICK if quick else TRAINING:
            cases[case.name] = _train(case, workers, quick)
            idle = max(idle, idle_share(workers))
            if idle > IDLE:
                raise RuntimeError(f"waiting workers take {idle:.0%} of a processor: nobody's times can be trusted")
    facts = {"processors used by waiting workers": idle}
    for who, turn in PRODUCTS.items():
        peak = 2 * SIZE**3 / min(second for found in cases.values() for second in found[turn]["seconds"])
        facts[f"{turn}, GFLOP/s"] = peak / 1e9
        for found in cases.values():
            found["glassnet"][f"of {who}"] = found["glassnet"]["flops"] / found["glassnet"]["median"] / peak
    large = [found["glassnet"] for found in cases.values() if found["glassnet"]["batch"] >= 128]
    shares, harder = ([ours[f"of {who}"] for ours in large] for who in PRODUCTS)
    goals = [
        _goal("JAX's time over glassnet's", cases, JAX, mean=1.1, least=0.95),
        _goal("the best other library's time over glassnet's", cases, OTHERS, mean=2, least=1.2),
        Goal(
            "from batch 128 on, glassnet's matrix products at least at 60% of the rate of one large product in NumPy",
            f"{min(shares):.0%} to {max(shares):.0%} (of one in JAX: {min(harder):.0%} to {max(harder):.0%})",
            None if noisy(large) else min(shares) >= 0.6,
        ),
    ]
    return Section(cases, goals, facts)


def _train(case: Case, workers: dict[str, Worker], quick: bool) -> Found:
    """One case, by everybody."""
    for name in CONTENDERS:
        workers[name]("release")
        workers[name]("train", name=case.name, **asdict(case))
    turns = {name: partial(workers[name], "epoch", name=case.name) for name in CONTENDERS}
    turns |= {turn: partial(workers[who], "product", size=SIZE) for who, turn in PRODUCTS.items()}
    found: Found = in_turn(turns, rounds=3 if quick else 5, again=not quick)
    for name in CONTENDERS:
        found[name] |= {
            "accuracy": workers[name]("accuracy", name=case.name),
            "images": case.rows,
            "flops": case.flops,
            "batch": case.batch,
        }
    accuracies = {name: found[name]["accuracy"] for name in CONTENDERS}
    if max(accuracies.values()) - min(accuracies.values()) > AGREE:
        said = ", ".join(f"{name} {accuracy:.2%}" for name, accuracy in accuracies.items())
        raise RuntimeError(f"{case.name}: the test accuracies differ by more than {AGREE:.0%}: {said}")
    return found


def _against(found: Found, names: list[str]) -> float:
    """The time of the fastest of them over glassnet's."""
    return min(found[name]["median"] for name in names) / found["glassnet"]["median"]


def _goal(text: str, cases: Found, whom: list[str], mean: float, least: float) -> Goal:
    """A mean and a minimum of ratios."""
    ratios = [_against(found, whom) for found in cases.values()]
    doubtful = any(noisy(found[name] for name in ["glassnet", *whom]) for found in cases.values())
    found, worst = geometric_mean(ratios), min(ratios)
    return Goal(
        f"{text}: geometric mean at least {mean:g}, none below {least:g}",
        f"{found:.2f}, least {worst:.2f}",
        None if doubtful else found >= mean and worst >= least,
    )


def table(section: dict[str, Any], spread: bool) -> Table:
    """Images per second."""
    rows = []
    for name, found in section["cases"].items():
        figures = [
            cell(found[who], f"{found[who]['images'] / found[who]['median']:,.0f}", spread) for who in CONTENDERS
        ]
        ratios = [
            "noisy"
            if noisy(found[who] for who in ["glassnet", *whose]) and not spread
            else f"{_against(found, whose):.2f}"
            for whose in (JAX, OTHERS)
        ]
        share = "noisy" if found["glassnet"]["noisy"] and not spread else f"{found['glassnet']['of NumPy']:.0%}"
        rows.append([name, *figures, *ratios, share])
    head = ["training, images/s", *CONTENDERS, "over JAX", "over best other", "of NumPy's rate"]
    return Table("Training, images per second", head, rows)
