"""Runs side by side: their figures, the settings that differ, and their learning curves."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from glassnet import plots
from glassnet.extras import need
from glassnet.nn import MSE
from glassnet.recipes import Recipe
from glassnet.recipes.finished import Finished
from glassnet.recipes.identity import difference
from glassnet.report import pictures, words
from glassnet.report.page import Table, write_page
from glassnet.train.metrics import HIGHER_IS_BETTER, METRICS

if TYPE_CHECKING:
    from markupsafe import Markup

ABOUT = ("parameters", "epochs", "best_epoch", "seconds", "version")  # of metrics.json, and in no recipe
UNSET = "not set"


@dataclass(frozen=True)
class Figure:
    """One figure of every run. part: "val", "test", "baseline", or "" for a figure of no part of the data.

    best: the places of the best values, none if no value is better or all are the same.
    """

    name: str
    part: str
    values: tuple[float | str | None, ...]
    best: tuple[int, ...] = ()

    @property
    def label(self) -> str:
        """Its name in full, such as "validation accuracy"."""
        return " ".join([*([words.PARTS[self.part]] if self.part else []), words.NAMES.get(self.name, self.name)])


@dataclass(frozen=True, eq=False)
class Comparison:
    """Runs side by side; every tuple of values is in the order of `runs`.

    runs: short names, no two the same. data: one description each. differs: the first difference of the data that they
    were trained and tested on, or None. If the data differ, no figure is called best. settings: the settings in which
    the recipes differ, by dotted name. histories: the columns of each run's history.csv.
    """

    runs: tuple[str, ...]
    task: str
    data: tuple[str, ...]
    differs: str | None
    figures: tuple[Figure, ...]
    settings: dict[str, tuple[str, ...]]
    histories: dict[str, dict[str, list[float]]]

    @property
    def same_data(self) -> bool:
        """Whether all were trained and tested on the same data."""
        return self.differs is None

    def leaders(self, figure: Figure) -> list[str]:
        """Return the names of the runs that are best in a figure."""
        return [self.runs[i] for i in figure.best]


def compare(runs: Sequence[str | os.PathLike[str]]) -> Comparison:
    """Put finished runs side by side.

    Raises ValueError for fewer than two, for one named twice, for a folder that holds no finished run, and for runs of
    different tasks, whose figures have nothing in common.
    """
    paths = [Path(run) for run in runs]
    if len(paths) < 2:
        raise ValueError("a comparison needs at least two run directories: name another")
    real = [path.resolve() for path in paths]
    if twice := [path for i, path in enumerate(paths) if real[i] in real[:i]]:
        raise ValueError(f"{twice[0]} is named twice: compare it with another run")
    found = [Finished.read(path) for path in paths]
    tasks = {run.task: run.path for run in found}
    if len(tasks) > 1:
        which = " and ".join(f"{path} is a {task}" for task, path in tasks.items())
        raise ValueError(f"{which}: their figures have nothing in common, so compare runs of one task")
    names = [path.resolve().name for path in paths]
    if len(set(names)) < len(names):
        names = [str(path) for path in paths]
    differs = next(filter(None, (difference(found[0].net.info, run.net.info) for run in found[1:])), None)
    return Comparison(
        runs=tuple(names),
        task=found[0].task,
        data=tuple(str(run.metrics["data"]) for run in found),
        differs=differs,
        figures=tuple(_figures(found, differs is None)),
        settings=differences([run.recipe for run in found]),
        histories={name: run.history.columns() for name, run in zip(names, found, strict=True)},
    )


def write_comparison(runs: Comparison | Sequence[str | os.PathLike[str]], out: str | os.PathLike[str]) -> Path:
    """Write a comparison, or that of the named runs, as one self-contained page to `out`; return its path.

    Raises as `compare` and `files.replacing`.
    """
    need("plots", "jinja2", "matplotlib")
    found = runs if isinstance(runs, Comparison) else compare(runs)
    return write_page(
        "compare.html",
        Path(out),
        comparison=found,
        figures=_figure_table(found),
        curves=_curves(found),
        settings=Table(
            "Settings that differ.",
            ["setting", *found.runs],
            [[name, *values] for name, values in found.settings.items()],
        ),
    )


def differences(recipes: Sequence[Recipe]) -> dict[str, tuple[str, ...]]:
    """Return the settings in which recipes differ, by dotted name, each with its value in every recipe as text.

    Names and descriptions are passed over, because they say nothing about the training.
    """
    flat = [_flat(recipe.to_dict()) for recipe in recipes]
    tables = {name.rpartition(".")[0] for settings in flat for name in settings}
    # "ReLU" and {name = "ReLU"} mean the same
    flat = [{f"{n}.name" if n in tables else n: value for n, value in settings.items()} for settings in flat]
    names = list(dict.fromkeys(name for settings in flat for name in settings))
    tops = [name.partition(".")[0] for name in names]
    names.sort(key=lambda name: tops.index(name.partition(".")[0]))  # the settings of one table side by side
    rows = {name: tuple(settings.get(name, UNSET) for settings in flat) for name in names}
    return {n: row for n, row in rows.items() if len(set(row)) > 1 and n not in ("name", "description")}


def _flat(table: dict[str, Any], place: str = "") -> dict[str, str]:
    found: dict[str, str] = {}
    for name, value in table.items():
        if isinstance(value, dict):
            found |= _flat(value, f"{place}{name}.")
        else:
            found[place + name] = value if isinstance(value, str) else json.dumps(value)
    return found


def _figures(runs: list[Finished], same_data: bool) -> list[Figure]:
    losses = {repr(run.loss) for run in runs}  # values of different ones can't be compared
    names = [name for name in METRICS[runs[0].task] if name != "loss" or losses != {repr(MSE())}]  # the MSE has a row
    figures = []
    for part in ("val", "test", "baseline"):
        for name in names:
            values = tuple(run.metrics[part][name] for run in runs)
            ranked = same_data and part != "baseline" and (name != "loss" or len(losses) == 1)
            figures.append(Figure(name, part, values, _best(values, name in HIGHER_IS_BETTER) if ranked else ()))
    return figures + [Figure(name.replace("_", " "), "", tuple(run.metrics[name] for run in runs)) for name in ABOUT]


def _best(values: Sequence[float | None], higher: bool) -> tuple[int, ...]:
    known = [value for value in values if value is not None]
    if len(set(values)) == 1 or not known:
        return ()
    best = max(known) if higher else min(known)
    return tuple(i for i, value in enumerate(values) if value == best)


def _curves(found: Comparison) -> Markup | None:
    histories = {name: history for name, history in found.histories.items() if history}
    if not histories:
        return None
    label = f"The validation loss and the main validation figure of {', '.join(histories)}, epoch by epoch."
    return pictures.draw(plots.overlay(histories), "curves", label)


def _figure_table(found: Comparison) -> Table:
    """The figures as text, and the run with the best."""
    rows = [
        [each.label, *(words.figure(value, each.name) for value in each.values), ", ".join(found.leaders(each))]
        for each in found.figures
    ]
    caption = "Choose by the validation part. The test part then shows what to expect. Baseline: a constant answer."
    return Table(caption, ["figure", *found.runs, "best"], rows)
