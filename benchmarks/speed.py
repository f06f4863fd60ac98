"""Measure the speed of glassnet beside JAX, PyTorch, scikit-learn and ONNX Runtime, on two cores.

    make bench                                   # all of it, about 15 minutes; the machine should do nothing else
    python benchmarks/speed.py training cold     # only some sections; the page's tables keep the others
    python benchmarks/speed.py --quick           # three minutes, a few cases, nothing is written

Everybody has the same data, batches, update rule and two threads, in a process of its own, and everybody's turn comes
in every round. What counts is the median; a figure whose rounds differ too much is marked noisy, and isn't published.
The exit status is 1 if a goal is missed, was too noisy to judge, or a section failed.
"""

from __future__ import annotations

import argparse
import os
import sys
from typing import Any

from glassnet.data import resolve
from glassnet.data.mnist import ARCHIVES
from race import machine, pictures, report
from race.cases import THREADS
from race.goals import Goal

PICTURES = report.ROOT / "docs" / "pictures"


def find_digits() -> None:
    """Let GLASSNET_DATA name the folder that has MNIST, downloaded if need be. Raises ValueError if it isn't packed."""
    if any(resolve.find(archive) is None for archive in ARCHIVES):
        for archive in ARCHIVES:
            resolve.read(archive)
    for archive in ARCHIVES:
        path = resolve.find(archive)
        if path is None or path.suffix != ".gz":
            raise ValueError(f"{archive.path} is wanted packed, as it is published, for the other libraries' scripts")
        os.environ["GLASSNET_DATA"] = str(path.parents[1])


def check_idle(quick: bool) -> None:
    """Say how busy the machine is. Raises RuntimeError if it is, unless the run is a quick one."""
    share = machine.busy()
    print(f"other processes use {share:.0%} of the processors", flush=True)
    if share > machine.BUSY:
        if not quick:
            raise RuntimeError("the machine is busy, its times would say nothing: wait, or end what runs")
        print("so these times say little")


def write(results: dict[str, Any]) -> None:
    """Draw the pictures, and fill in docs/performance.md."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    if "training" in results:
        pictures.speed(results["training"]["cases"], PICTURES / "speed.png")
    if "scaling" in results:
        pictures.scaling(results["scaling"]["cases"], PICTURES / "speed-scaling.png")
    report.write_tables(results)


def main() -> int:
    """Measure what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--quick", action="store_true", help="fewer cases and rounds; write nothing")
    parser.add_argument("sections", nargs="*", help=f"of {', '.join(report.SECTIONS)}; default: all")
    arguments = parser.parse_args()
    chosen = arguments.sections or list(report.SECTIONS)
    if unknown := set(chosen) - report.SECTIONS.keys():
        parser.error(f"there is no section {unknown.pop()!r}; the sections are {', '.join(report.SECTIONS)}")
    machine.take_processors(THREADS)
    try:
        find_digits()
        check_idle(arguments.quick)
    except (OSError, RuntimeError, ValueError) as error:
        print(error, file=sys.stderr)
        return 1
    results = report.read()
    goals: list[Goal] = []
    failed = False
    for name in chosen:
        print(f"\n{name} ...", flush=True)
        try:
            section = report.SECTIONS[name].measure(arguments.quick)
        except RuntimeError as error:  # the other sections are none the worse
            print(f"{name}: {error}", file=sys.stderr)
            failed = True
            continue
        report.show(name, section)
        goals += section.goals
        if not arguments.quick:
            report.keep(results, name, section)
    if not arguments.quick:
        write(results)
    print(f"\n{sum(goal.reached is True for goal in goals)} of {len(goals)} goals are reached")
    return 1 if failed or not all(goal.reached for goal in goals) else 0


if __name__ == "__main__":
    sys.exit(main())
