"""The files of a search: the recipe that won, all trials, a summary, and pictures."""

from __future__ import annotations

import csv
import json
import platform
from collections import Counter
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from glassnet import plots
from glassnet.data import Dataset
from glassnet.files import own_folder, replacing
from glassnet.recipes import Recipe
from glassnet.recipes.reading import changed
from glassnet.recipes.run import located
from glassnet.recipes.space import Range
from glassnet.tuning.space import Space, chosen_values
from glassnet.tuning.study import SUMMARY, finished, latest
from glassnet.tuning.workers import FAILED, OWN, kind
from glassnet.version import __version__

if TYPE_CHECKING:
    from optuna import Study
    from optuna.trial import FrozenTrial

RECIPE, TRIALS, PLOTS = "recipe.toml", "trials.csv", "plots"
FEWEST = 4  # finished trials that an importance needs


@dataclass(frozen=True)
class Finalist:
    """A trial that was trained with further seeds: its number, their results, mean and standard deviation."""

    trial: int
    values: list[float]
    mean: float
    std: float


@dataclass(frozen=True)
class Result:
    """The result of a search: the recipe that won, its trial, the values found, and the content of study.json."""

    path: Path
    recipe: Recipe
    trial: int
    values: dict[str, Any]
    summary: dict[str, Any]
    interrupted: bool


def write(
    out: Path,
    recipe: Recipe,
    space: Space,
    monitor: str,
    data: Dataset,
    study: Study,
    finalists: list[Finalist],
    seeds: list[int],
    interrupted: bool,
) -> Result:
    """Write recipe.toml, trials.csv, study.json and plots/ into `out`; the best finalist wins, or the best trial.

    Raises ValueError if no trial was trained to its end.
    """
    trials = study.get_trials(deepcopy=False)
    ranked = finished(study, space)
    if not ranked:
        reasons = [trial.user_attrs[FAILED] for trial in trials if FAILED in trial.user_attrs]
        why = f": {reasons[-1]}" if reasons else ""
        raise ValueError(f"no trial was finished{why} (the search is kept, and can go on)")
    best = next(trial for trial in ranked if not finalists or trial.number == finalists[0].trial)
    values = chosen_values(best.params, space)
    importance = _importance(study, ranked)
    won = located(replace(changed(recipe, values), tune=None))
    own = next((trial for trial in ranked if OWN in trial.user_attrs), None)
    count = Counter(kind(trial) for trial in trials)
    summary = {
        "recipe": recipe.name,
        "study": study.study_name,
        "data": str(data),
        "judged by": f"validation {monitor}",
        "test part": "dropped before the first trial: no trial, and no choice, has seen it",
        "best": {"trial": best.number, "values": values, "value": best.value},
        "recipe as it was": None if own is None else {"trial": own.number, "value": own.value},
        "finalists": [asdict(finalist) for finalist in finalists],
        "seed": recipe.seed,
        "seeds of finalists": seeds,
        "trials": {name: count[name] for name in ("finished", "pruned", FAILED, "stopped")},
        "seconds": round(sum(_seconds(trial) or 0.0 for trial in trials), 1),
        "importance": importance,
        "space": {key: asdict(each) for key, each in space.items()},
        "versions": _versions(),
    }
    won.save(out / RECIPE)
    _write_trials(out / TRIALS, trials, space)
    _draw(out / PLOTS, trials, ranked, best, space, monitor, importance, study.direction.name == "MAXIMIZE")
    with replacing(out / SUMMARY) as part:
        part.write_text(json.dumps(summary, indent=2) + "\n", encoding="utf-8")
    return Result(out, won, best.number, values, summary, interrupted)


def _importance(study: Study, ranked: list[FrozenTrial]) -> dict[str, float]:
    """The share of the variance of the finished trials' values that each field explains, largest first.

    fANOVA: Hutter, Hoos, Leyton-Brown 2014, "An Efficient Approach for Assessing Hyperparameter Importance".
    """
    from optuna.importance import FanovaImportanceEvaluator, get_param_importances

    if len(ranked) < FEWEST or len({trial.value for trial in ranked}) < 2:
        return {}
    found = get_param_importances(study, evaluator=FanovaImportanceEvaluator(seed=0))
    return {name: round(share, 4) for name, share in found.items()}


def _versions() -> dict[str, str]:
    import optuna

    return {
        "glassnet": __version__,
        "optuna": optuna.__version__,
        "numpy": np.__version__,
        "python": platform.python_version(),
    }


def _seconds(trial: FrozenTrial) -> float | None:
    return None if trial.duration is None else round(trial.duration.total_seconds(), 3)


def _write_trials(path: Path, trials: list[FrozenTrial], space: Space) -> None:
    """One line for each trial: its state, its value or latest value, its epochs, and the values tried."""
    with replacing(path) as part, part.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["trial", "state", "value", "epochs", "seconds", *space, "reason"])
        for trial in trials:
            if trial.params.keys() >= space.keys():
                values = chosen_values(trial.params, space).values()
                writer.writerow(
                    [
                        trial.number,
                        kind(trial),
                        latest(trial),
                        trial.user_attrs.get("epochs", trial.last_step),
                        _seconds(trial),
                        *values,
                        trial.user_attrs.get(FAILED, ""),
                    ]
                )


def _draw(
    folder: Path,
    trials: list[FrozenTrial],
    ranked: list[FrozenTrial],
    best: FrozenTrial,
    space: Space,
    monitor: str,
    importance: dict[str, float],
    higher: bool,
) -> None:
    """Write history.png, importance.png, and heatmap.png of the two most important ranges."""
    own_folder(folder)
    label, worse = f"validation {monitor}", [trial for trial in trials if kind(trial) in ("pruned", FAILED)]
    done = sorted(ranked, key=lambda trial: trial.number)
    values = [float(trial.value or 0.0) for trial in done]
    figures = {
        "history": plots.search_history(
            [trial.number for trial in done],
            values,
            [trial.number for trial in worse],
            label,
            higher=higher,
            chosen=best.number,
        )
    }
    if importance:
        figures["importance"] = plots.importance(list(importance), list(importance.values()), label)
    ranges = _axes(space, importance)
    if ranges:
        axes = list(ranges)
        points = [[[trial.params[key] for key in axes] for trial in group] for group in (done, worse)]
        figures["heatmap"] = plots.heatmap(
            np.reshape(points[0], (-1, 2)),
            values,
            names=axes,
            ranges=[(each.low, each.high, each.log) for each in ranges.values()],
            label=label,
            higher=higher,
            broken_off=np.reshape(points[1], (-1, 2)),
            chosen=[best.params[key] for key in axes],
        )
    for name, figure in figures.items():
        plots.save(figure, folder / f"{name}.png")


def _axes(space: Space, importance: dict[str, float]) -> dict[str, Range]:
    """The two ranges to draw: learning rate and momentum, or those that matter most; none if there are fewer."""
    ranges = {key: each for key, each in space.items() if isinstance(each, Range)}
    both = ["optimizer.lr", "optimizer.momentum"]
    if not ranges.keys() >= set(both):
        both = sorted(ranges, key=lambda key: -importance.get(key, 0.0))[:2]
    return {key: ranges[key] for key in both} if len(both) == 2 else {}
