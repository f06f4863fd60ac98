"""Finished runs that answer together: the run directory of an ensemble, and committees."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from glassnet.data import Dataset
from glassnet.extras import need
from glassnet.files import making
from glassnet.nn import Ensemble
from glassnet.program import keeping
from glassnet.recipes.directory import (
    CURVES_FILE,
    HISTORY_FILE,
    INTERVALS_FILE,
    METRICS_FILE,
    MODEL_FILE,
    PLOTS_FOLDER,
    RECIPE_FILE,
    member,
    run_directory,
    write_metrics,
)
from glassnet.recipes.finished import Finished
from glassnet.recipes.identity import difference, info_of
from glassnet.recipes.judging import decide
from glassnet.recipes.pictures import draw_ensemble
from glassnet.recipes.run import parts_of, results
from glassnet.terminal import say
from glassnet.version import __version__


def committee(runs: Sequence[Path], out: Path) -> dict[str, Any]:
    """Make an ensemble of finished runs and fill the run directory `out`, which holds copies of them.

    Their recipes may differ. Returns the content of metrics.json, like that of a trained ensemble. Raises ValueError
    for fewer than two runs, for one named twice, for a folder that holds no finished run, and for runs of different
    data; FileExistsError if `out` holds anything; OSError. `out` appears whole, and after an error not at all.
    """
    need("cli", "matplotlib", "tomli_w")
    if len(runs) < 2:
        raise ValueError("a committee needs at least two run directories: name another")
    real = [run.resolve() for run in runs]
    if twice := [run for i, run in enumerate(runs) if real[i] in real[:i]]:
        raise ValueError(f"{twice[0]} is named twice: every member of a committee has one vote")
    found = {str(run): Finished.read(run) for run in runs}
    first = found[str(runs[0])]
    data = first.load_data()
    for run in found.values():
        if differs := difference(first.net.info, run.net.info):
            raise ValueError(f"{run.path} and {first.path} weren't trained on the same data: they differ in {differs}")
    with keeping(), run_directory(out), making(out) as whole:
        for i, run in enumerate(found.values()):
            _copy(run.path, member(whole, i))
        return write_ensemble(whole, found, data)


def write_ensemble(out: Path, runs: dict[str, Finished], data: Dataset) -> dict[str, Any]:
    """Write the ensemble of the runs that are, as its members, in `out`; return the content of metrics.json.

    runs: by their names there. The loss of the first judges all.
    """
    ensemble = Ensemble.joined([run.net for run in runs.values()])
    ensemble.info |= info_of(data)
    first = next(iter(runs.values()))
    loss = first.loss
    if len(data.val):
        decide(first.recipe, ensemble, ensemble.predict(data.val.x), data.val.y)
    elif first.recipe.decision is not None:
        say("the ensemble answers the likeliest class: no row is left that no member learned from", error=True)
    members = []
    for name, run in runs.items():
        figures = parts_of(run.net, data, loss)
        about = {key: run.metrics[key] for key in ("epochs", "best_epoch", "interrupted", "seconds", "parameters")}
        members.append(
            {"run": name, "recipe": run.recipe.name, "seed": run.recipe.seed, **about}
            | {part: figures[part] for part in ("val", "test")}
        )
    metrics = results(ensemble, data, loss) | {
        "task": data.task,
        "seconds": round(sum(each["seconds"] for each in members), 3),
        "data": str(data),
        "parameters": sum(each["parameters"] for each in members),
        "version": __version__,
        "members": members,
    }
    ensemble.save(out / MODEL_FILE)
    histories = {name: run.history for name, run in runs.items()}
    draw_ensemble(out / PLOTS_FOLDER, ensemble, data, histories, first.recipe.pictures)
    write_metrics(metrics, out)
    return metrics


def _copy(run: Path, out: Path) -> None:
    """Copy the files of a run, and its pictures."""
    out.mkdir()
    for name in (RECIPE_FILE, METRICS_FILE, HISTORY_FILE, MODEL_FILE):
        shutil.copyfile(run / name, out / name)
    for name in (INTERVALS_FILE, CURVES_FILE):
        if (run / name).is_file():
            shutil.copyfile(run / name, out / name)
    if (run / PLOTS_FOLDER).is_dir():
        shutil.copytree(run / PLOTS_FOLDER, out / PLOTS_FOLDER)
