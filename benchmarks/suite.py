"""glassnet's default for tables beside other libraries' defaults: errors, calibration, CPU time and memory.

    make tables                                              # what isn't there yet, then the page docs/tables.md
    python benchmarks/suite.py run german hotel              # only some tables
    python benchmarks/suite.py run --anew glassnet           # ours again: the others' results are kept
    python benchmarks/suite.py run --part A --rows 3200 --inner     # to choose by: quick, and the test rows unseen
    python benchmarks/suite.py report --rows 3200 --inner    # the summary of that, on the terminal
    python benchmarks/suite.py run german --limit 3000 --contenders "glassnet, ten minutes" "CatBoost, tuned"
    python benchmarks/suite.py run --ingredients --rows 3200 --splits 0 --look "what each adds"

Three splits 80/20, the same for everybody, each fit in a process of its own, on one thread. A result is kept at
once, in benchmarks/tables/results.json, so a run that was stopped goes on. Part B is looked at for a decision alone:
`--look` says for which, and the look is kept in benchmarks/tables/looks.md.
"""

from __future__ import annotations

import argparse
import itertools
from typing import Any

from tables import comparing, looks, report, results, sources
from tables.comparing import Board
from tables.contenders import ALL, CONTENDERS, OURS, OURS_CHANGED
from tables.fit import measured
from tables.kinds import Fit, Kind
from tables.losses import BASE


def main() -> None:
    """Do what the command line says."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    commands = parser.add_subparsers(dest="command", required=True)
    fits = commands.add_parser("run", help="fit what has no result yet")
    fits.add_argument("tables", nargs="*", help="default: all")
    fits.add_argument("--part", choices=("A", "B", "bundled"), help="the tables of a part")
    fits.add_argument("--contenders", nargs="+", choices=ALL, default=list(CONTENDERS))
    fits.add_argument("--ingredients", action="store_true", help="ours, and ours without each ingredient")
    fits.add_argument("--splits", nargs="+", type=int, choices=sources.SPLITS, default=list(sources.SPLITS))
    fits.add_argument("--anew", nargs="+", choices=CONTENDERS, help="fit these alone, whether there are results or not")
    fits.add_argument("--alone", action="store_true", help="nothing else runs: time anew what was timed beside others")
    fits.add_argument("--limit", type=float, default=600, help="CPU seconds after which a fit is given up")
    fits.add_argument("--look", help="the decision for which glassnet is fitted to part B")
    shows = commands.add_parser("report", help="write docs/tables.md; with --rows or --inner, print a summary")
    for one in (fits, shows):
        one.add_argument("--rows", type=int, help="fit no more than the first so many training rows")
        one.add_argument("--inner", action="store_true", help="judge by a fifth of the training rows")
    arguments = parser.parse_args()
    kind = Kind(arguments.rows, arguments.inner)
    if arguments.command == "run":
        run(arguments, kind)
    elif kind != Kind():
        print(report.summary(Board(results.load(), kind)))
    else:
        report.write(results.load())


def run(arguments: argparse.Namespace, kind: Kind) -> None:
    """Fit, split by split: a run that is stopped has seen as many tables as possible, and CatBoost first of all."""
    tables = sources.tables()
    if unknown := set(arguments.tables) - tables.keys():
        raise SystemExit(f"there is no table {min(unknown)}: choose from {', '.join(tables)}")
    names = arguments.tables or [name for name in tables if arguments.part in (None, tables[name].part)]
    chosen = [OURS, *OURS_CHANGED] if arguments.ingredients else arguments.anew or arguments.contenders
    who = sorted(chosen, key=lambda name: name != BASE)
    fits = [Fit(table, split, name, *kind) for split, table, name in itertools.product(arguments.splits, names, who)]
    kept = results.load()
    fits = [fit for fit in fits if arguments.anew or fit not in kept or arguments.alone > kept[fit].get("alone", False)]
    looking = any(fit.contender.startswith(OURS) and tables[fit.table].part == "B" for fit in fits)
    if looking and not arguments.look:
        raise SystemExit('glassnet is fitted to part B for a decision alone: say for which by --look "..."')
    for name in dict.fromkeys(fit.table for fit in fits):
        sources.frame(tables[name])  # fetched now, if it must be: a table that can't be had is no result
    try:
        for fit in fits:
            figures = measured(fit, arguments.limit) | {"version": ALL[fit.contender].version()}
            results.keep(fit, figures | ({"alone": True} if arguments.alone else {}))
            print(f"{fit.table:14} {fit.split} {fit.contender:21.50} {_shown(figures)}", flush=True)
    finally:
        if looking:
            looks.add(arguments.look, _seen(kind))


def _shown(figures: dict[str, Any]) -> str:
    if "failed" in figures:
        return f"failed: {figures['failed']}"
    return f"{figures['error']:10.5g} {figures['fit_cpu']:8.2f} CPU s {figures['megabytes']:6.0f} MB"


def _seen(kind: Kind) -> str:
    """What a look at part B showed."""
    ratios = Board(results.load(), kind).ratios(report.groups()["B"], OURS, BASE)
    if not ratios:
        return "nothing yet"
    s = comparing.summary(ratios)
    of = f"{f', {kind.rows} rows' if kind.rows else ''}{', inner' if kind.inner else ''}"
    return f"{s.mean:.3f} of CatBoost's error on {s.tables} tables{of}, better on {s.better}"


if __name__ == "__main__":
    main()
