"""Cross-validation: a run for each fold of a table, tested on it, and the ensemble of their networks."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from glassnet.data import Dataset, Split
from glassnet.nn import Ensemble
from glassnet.nn.layer import Array
from glassnet.recipes.directory import MODEL_FILE, PLOTS_FOLDER, member, write_metrics
from glassnet.recipes.finished import Finished
from glassnet.recipes.identity import info_of
from glassnet.recipes.intervals import bounds_of
from glassnet.recipes.judging import answers_of, constant_answers, decide, judged, predicted_classes
from glassnet.recipes.pictures import draw_results
from glassnet.recipes.recipe import Recipe
from glassnet.recipes.run import by_class, decided, parts_of
from glassnet.train import baseline
from glassnet.version import __version__

PARTS = ("train", "val", "test", "baseline")


def fold_recipe(recipe: Recipe, fold: int) -> Recipe:
    """Return the recipe of the run that is tested on a fold, counted from 0."""
    return replace(recipe, data=replace(recipe.data, fold=fold))


@dataclass(frozen=True, eq=False)
class CrossValidated:
    """The runs of all folds, each judged on the fold that it was tested on.

    metrics: as in metrics.json. "train", "val", "test" and "baseline" are means over the folds. "folds" has for each
    figure of the test parts their "mean" and its "standard_error". "figures" are those of all rows, each answered by
    the network that hadn't seen it.
    data: with all rows as the test part. outputs (N, n_out), answers (see `judged`) and predicted: for these rows.
    """

    metrics: dict[str, Any]
    data: Dataset
    outputs: Array
    answers: Array
    predicted: Array | None

    @classmethod
    def of(cls, runs: list[Finished]) -> CrossValidated:
        """Load the data of each run, and judge it. Raises as `Finished.load_data`."""
        found, data, each, bounds = [], [], [], []
        for run in runs:
            own = run.load_data()
            outputs = run.net.predict(own.test.x)
            answers = answers_of(run.net, outputs)
            each.append((outputs, answers, predicted_classes(run.net, answers)))
            bounds.append(bounds_of(run.path, own.test.x, answers, own.train.y))
            parts = parts_of(run.net, own, run.loss, outputs) | {"baseline": baseline(own.train, own.test, run.loss)}
            constant = constant_answers(own.train.y, answers)
            found.append(parts | {"figures": judged(answers, own.test.y, constant, each[-1][2], bounds[-1])})
            data.append(own)
        outputs, answers = (np.concatenate([of[i] for of in each]) for i in range(2))
        classes = [of[2] for of in each if of[2] is not None]
        predicted = np.concatenate(classes) if classes else None
        test = Split(np.concatenate([own.test.x for own in data]), np.concatenate([own.test.y for own in data]))
        whole = replace(data[0], test=test)
        metrics: dict[str, Any] = {
            part: {name: float(np.mean([of[part][name] for of in found])) for name in found[0][part]} for part in PARTS
        }
        metrics["folds"] = {
            name: _mean([of["figures"][name]["value"] for of in found if name in of["figures"]])
            for name in found[0]["figures"]
        }
        known = [of for of in bounds if of is not None]
        both = None
        if len(known) == len(runs):
            both = np.concatenate([ours for ours, _ in known]), np.concatenate([theirs for _, theirs in known])
        metrics["figures"] = judged(answers, test.y, constant_answers(test.y, answers), predicted, both)
        metrics |= by_class(predicted, test.y, whole.classes)
        about = f"{whole.name}: {whole.task} of {whole.target} from {whole.n_in} features"
        metrics |= {"task": whole.task, "data": f"{about}; {len(test):,} rows in {len(runs)} folds"}
        return cls(metrics, whole, outputs, answers, predicted)


def write_folds(out: Path, recipe: Recipe) -> dict[str, Any]:
    """Write the ensemble of the networks of all folds, whose runs are in `out`; return the content of metrics.json."""
    runs = runs_of(out, recipe)
    found = CrossValidated.of(runs)
    ensemble = Ensemble.joined([run.net for run in runs])
    ensemble.info |= info_of(runs[0].load_data())
    decide(recipe, ensemble, found.outputs, found.data.test.y)
    metrics = found.metrics | decided(ensemble)
    metrics |= {
        "recipe": recipe.name,
        "seconds": round(sum(run.metrics["seconds"] for run in runs), 3),
        "parameters": sum(run.metrics["parameters"] for run in runs),
        "version": __version__,
    }
    ensemble.save(out / MODEL_FILE)
    draw_results(out / PLOTS_FOLDER, found.answers, found.predicted, found.data, recipe.pictures)
    write_metrics(metrics, out)
    return metrics


def runs_of(out: Path, recipe: Recipe) -> list[Finished]:
    """Read the runs of all folds."""
    return [Finished.read(member(out, fold)) for fold in range(recipe.data.folds or 0)]


def _mean(values: list[float]) -> dict[str, float]:
    error = float(np.std(values, ddof=1)) / math.sqrt(len(values)) if len(values) > 1 else math.nan
    return {"mean": float(np.mean(values)), "standard_error": error}
