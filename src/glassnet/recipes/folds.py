"""Cross-validation: a run for each fold of a table, tested on it, and the ensemble of their networks."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from glassnet.data import Dataset, Split
from glassnet.nn import Ensemble
from glassnet.recipes.directory import MODEL_FILE, PLOTS_FOLDER, member, write_metrics
from glassnet.recipes.finished import Finished
from glassnet.recipes.identity import info_of
from glassnet.recipes.judging import answers_of, constant_answers, judged
from glassnet.recipes.pictures import draw_results
from glassnet.recipes.recipe import Recipe
from glassnet.recipes.run import by_class, parts_of
from glassnet.train import baseline
from glassnet.version import __version__

PARTS = ("train", "val", "test", "baseline")


def fold_recipe(recipe: Recipe, fold: int) -> Recipe:
    """Return the recipe of the run that is tested on a fold, counted from 0."""
    return replace(recipe, data=replace(recipe.data, fold=fold))


def cross_validated(runs: list[Finished]) -> tuple[dict[str, Any], Dataset, np.ndarray]:
    """Judge the runs of all folds, each on the fold that it was tested on; return the figures of metrics.json.

    "train", "val", "test" and "baseline" are means over the folds. "folds" has for each figure of the test parts their
    "mean" and its "standard_error". "figures" are those of all rows, each answered by the network that hadn't seen it.
    With them come the data, of which the test part is all rows, and the networks' outputs for these.
    """
    found, data, outputs, answers, constant = [], [], [], [], []
    for run in runs:
        own, loss = run.load_data(), run.loss
        outputs.append(run.net.predict(own.test.x))
        answers.append(answers_of(run.net, outputs[-1]))
        constant.append(constant_answers(own.train.y, answers[-1]))
        parts = parts_of(run.net, own, loss, outputs[-1]) | {"baseline": baseline(own.train, own.test, loss)}
        found.append(parts | {"figures": judged(answers[-1], own.test.y, constant[-1])})
        data.append(own)
    test = Split(np.concatenate([own.test.x for own in data]), np.concatenate([own.test.y for own in data]))
    whole, all_outputs = replace(data[0], test=test), np.concatenate(outputs)
    metrics: dict[str, Any] = {
        part: {name: float(np.mean([each[part][name] for each in found])) for name in found[0][part]} for part in PARTS
    }
    metrics["folds"] = {
        name: _mean([each["figures"][name]["value"] for each in found if each["figures"]])
        for name in found[0]["figures"]
    }
    metrics["figures"] = judged(np.concatenate(answers), test.y, np.concatenate(constant))
    metrics |= by_class(all_outputs, test.y, whole.classes)
    about = f"{whole.name}: {whole.task} of {whole.target} from {whole.n_in} features"
    return (
        metrics | {"task": whole.task, "data": f"{about}; {len(test):,} rows in {len(runs)} folds"},
        whole,
        all_outputs,
    )


def write_folds(out: Path, recipe: Recipe) -> dict[str, Any]:
    """Write the ensemble of the networks of all folds, whose runs are in `out`; return the content of metrics.json."""
    runs = runs_of(out, recipe)
    metrics, data, outputs = cross_validated(runs)
    ensemble = Ensemble.joined([run.net for run in runs])
    ensemble.info |= info_of(runs[0].load_data())
    metrics |= {
        "recipe": recipe.name,
        "seconds": round(sum(run.metrics["seconds"] for run in runs), 3),
        "parameters": sum(run.metrics["parameters"] for run in runs),
        "version": __version__,
    }
    ensemble.save(out / MODEL_FILE)
    draw_results(out / PLOTS_FOLDER, outputs, answers_of(ensemble, outputs), data)
    write_metrics(metrics, out)
    return metrics


def runs_of(out: Path, recipe: Recipe) -> list[Finished]:
    """Read the runs of all folds."""
    return [Finished.read(member(out, fold)) for fold in range(recipe.data.folds or 0)]


def _mean(values: list[float]) -> dict[str, float]:
    error = float(np.std(values, ddof=1)) / math.sqrt(len(values)) if len(values) > 1 else math.nan
    return {"mean": float(np.mean(values)), "standard_error": error}
