"""Where the microseconds of a training step go, and what the fast path buys: the tables of docs/performance.md.

    python benchmarks/steps.py          # two minutes, alone on the machine; needs MNIST and a C compiler

Times are medians over interleaved rounds, in microseconds per step, at two threads if nothing else is said.
"""

from __future__ import annotations

import copy
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np

import glassnet as gn
from race.cases import TRAINING, Case, parameters, shape
from race.contenders import glassnet as contender

ROUNDS = 7
STEPS = 60  # of each round


class Clock:
    """Adds up the time spent in functions while they are wrapped."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.undo: list[Callable[[], None]] = []

    def watch(self, owner: Any, name: str) -> None:
        """Count the time of owner.name from now on."""
        inner = getattr(owner, name)

        def timed(*arguments: Any, **named: Any) -> Any:
            start = time.perf_counter()
            result = inner(*arguments, **named)
            self.seconds += time.perf_counter() - start
            return result

        setattr(owner, name, timed)
        self.undo.append(lambda: setattr(owner, name, inner))

    def release(self) -> None:
        """Stop counting."""
        for undo in self.undo:
            undo()


def data(case: Case, rows: int) -> gn.Dataset:
    """The first training images."""
    mnist = gn.load("mnist")
    mnist.train = gn.Split(mnist.train.x[:rows], mnist.train.y[:rows])
    return mnist


def network(case: Case, fast: bool = True, threads: int | None = None) -> gn.Network:
    """The training race's network, on raw pixels."""
    net = contender.network(parameters(case.widths), gn.Standardize(per_feature=False))
    net.fast, net.threads = fast, threads
    return net


def warm_up(mnist: gn.Dataset, case: Case) -> gn.Dataset:
    """A few steps' rows."""
    few = copy.copy(mnist)
    few.train = gn.Split(mnist.train.x[: 3 * case.batch], mnist.train.y[: 3 * case.batch])
    return few


class Gradients(gn.Callback):
    """Makes the fast path write the gradients before it uses them."""

    reads_gradients = True


def step_time(case: Case, mnist: gn.Dataset, *callbacks: gn.Callback, **how: Any) -> float:
    """Microseconds per step of one epoch."""
    net = network(case, **how)
    net.fit_preprocessing(mnist.train.x[:1000])
    gn.fit(net, warm_up(mnist, case), gn.CrossEntropy(), gn.SGD(0.01), 1, case.batch, validate=False)
    start = time.perf_counter()
    gn.fit(
        net, mnist, gn.CrossEntropy(), gn.SGD(0.01, momentum=0.9), 1, case.batch, validate=False, callbacks=callbacks
    )
    return 1e6 * (time.perf_counter() - start) / (len(mnist.train) // case.batch)


def readable_profile(case: Case) -> list[str]:
    """Where the readable step's time goes."""
    mnist = data(case, STEPS * case.batch)
    kinds: dict[str, list[tuple[Any, str]]] = {
        "products": [(np, "matmul")],
        "optimizer": [(gn.SGD, "step")],
        "loss": [(gn.CrossEntropy, "forward"), (gn.CrossEntropy, "backward")],
        "gather, standardise": [(np, "take"), (gn.Standardize, "forward")],
    }
    found: dict[str, list[float]] = {name: [] for name in ("step", *kinds)}
    for _ in range(ROUNDS):
        found["step"].append(step_time(case, mnist, fast=False))
        for name, functions in kinds.items():
            clock = Clock()
            for owner, function in functions:
                clock.watch(owner, function)
            step_time(case, mnist, fast=False)
            clock.release()
            found[name].append(1e6 * clock.seconds / STEPS)
    medians = {name: statistics.median(values) for name, values in found.items()}
    rest = medians["step"] - sum(medians[name] for name in kinds)
    python = statistics.median(
        step_time(Case((784, *[1] * (len(case.widths) - 2), 10), 1, 0.01), data(case, STEPS), fast=False)
        for _ in range(ROUNDS)
    )
    cells = [medians["step"], *(medians[name] for name in kinds), rest]
    return [f"{shape(case.widths)}, {case.batch}", *(f"{value:,.0f}" for value in cells), f"{python:,.0f}"]


def fast_variants(case: Case) -> list[str]:
    """The fast step, and what it costs without one of its ideas."""
    mnist = data(case, max(STEPS * case.batch, 24_000))
    variants: dict[str, Callable[[], float]] = {
        "two threads": lambda: step_time(case, mnist, threads=2),
        "one thread": lambda: step_time(case, mnist, threads=1),
        "gradients written": lambda: step_time(case, mnist, Gradients(), threads=2),
    }
    times: dict[str, list[float]] = {name: [] for name in variants}
    for name, measure in [*variants.items()] * ROUNDS:
        times[name].append(measure())
    medians = [statistics.median(times[name]) for name in variants]
    rate = case.flops / case.rows * case.batch / medians[0] / 1e3
    return [f"{shape(case.widths)}, {case.batch}", *(f"{value:,.0f}" for value in [*medians, rate])]


def crowd() -> list[str]:
    """Two trainings side by side, each allowed both cores, against one after the other."""
    code = (
        "import sys; sys.path.insert(0, 'benchmarks'); import steps; from race.cases import *\n"
        "case = TRAINING[{}]; mnist = steps.data(case, 20000); steps.step_time(case, mnist)\n"
        "import time; t = time.perf_counter(); [steps.step_time(case, mnist) for _ in range(8)]\n"
        "print(time.perf_counter() - t)"
    )
    lines = []
    for number in (1, 3):
        command = [sys.executable, "-c", code.format(number)]
        alone = statistics.median(float(subprocess.check_output(command, text=True)) for _ in range(3))
        both = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
        together = max(float(process.communicate()[0]) for process in both)
        lines.append(f"| {TRAINING[number].name} | {alone:.2f} s | {together:.2f} s | {together / (2 * alone):.2f} |")
    return lines


def table(head: list[str], rows: list[list[str]]) -> None:
    """Print Markdown."""
    for row in (head, ["---", *["---:"] * (len(head) - 1)], *rows):
        print("| " + " | ".join(row) + " |", flush=True)
    print()


def main() -> None:
    """Print all tables."""
    table(
        [
            "readable step",
            "whole",
            "products",
            "optimizer",
            "loss",
            "gather, standardise",
            "elementwise, rest",
            "Python",
        ],
        [readable_profile(case) for case in TRAINING],
    )
    table(
        ["fast step", "two threads", "one thread", "gradients written", "GFLOP/s"],
        [fast_variants(case) for case in TRAINING],
    )
    print("| two at once | one alone | both together | against one after the other |\n| --- | ---: | ---: | ---: |")
    print("\n".join(crowd()))


if __name__ == "__main__":
    main()
