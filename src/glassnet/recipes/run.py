"""From a recipe to a run directory: data, network, training, evaluation, pictures."""

from __future__ import annotations

import csv
import math
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from glassnet.data import Dataset, load
from glassnet.data.catalog import SOURCES
from glassnet.data.stored import memory_for
from glassnet.files import replacing
from glassnet.nn import Ensemble, Loss, Network
from glassnet.nn.layer import Array
from glassnet.ranks import world
from glassnet.recipes import reading
from glassnet.recipes.confusion import Confusion
from glassnet.recipes.directory import (
    CHECKPOINT_FILE,
    CURVES_FILE,
    HISTORY_FILE,
    MODEL_FILE,
    PLOTS_FOLDER,
    RECIPE_FILE,
    write_metrics,
)
from glassnet.recipes.identity import info_of, require_same_data
from glassnet.recipes.intervals import bounds_of, keep
from glassnet.recipes.judging import (
    answers_of,
    check_decision,
    constant_answers,
    costs_of,
    decide,
    judged,
    predicted_classes,
)
from glassnet.recipes.pictures import draw
from glassnet.recipes.recipe import Recipe
from glassnet.terminal import doing, say
from glassnet.train import Callback, Checkpoint, CSVLog, History, baseline, evaluate, fit
from glassnet.train.decisions import Decision, curves
from glassnet.train.metrics import score
from glassnet.version import __version__

MOST_CURVES = 20  # classes


def train_one(
    recipe: Recipe, out: Path, *, progress: bool = False, callbacks: Sequence[Callback] = ()
) -> dict[str, Any]:
    """Carry out a recipe for one network in the existing run directory `out`, from its checkpoint if it has one.

    Returns the content of metrics.json; nothing on other ranks than the first. Raises as `glassnet.recipes.train`.
    """
    data = load_data(recipe)
    settled = recipe.settle(data)
    net, loss = settled.net, settled.loss
    net.info = info_of(data)
    for note in settled.notes if progress else ():
        say(note)
    start, checkpoint, ranks = time.perf_counter(), out / CHECKPOINT_FILE, world()
    begun = ranks.of_first(checkpoint.is_file)
    if begun:
        ranks.of_first(lambda: require_same_data(data, recipe, Network.load(checkpoint).info, out))
    if not ranks.rank and not (out / RECIPE_FILE).is_file():
        located(recipe).save(out / RECIPE_FILE)  # as it was given: on other rows, it decides anew
    with np.errstate(over="ignore", invalid="ignore"):  # an overflow shows in the losses, so NumPy needn't warn of it
        history = fit(
            net,
            data,
            loss,
            settled.optimizer,
            progress=progress,
            resume=checkpoint if begun else None,
            callbacks=[Checkpoint(checkpoint), CSVLog(out / HISTORY_FILE), *callbacks],
            comm=ranks.comm,
            **vars(settled.settings),
        )
    if ranks.rank:
        return {}
    seconds = time.perf_counter() - start
    if progress:
        doing("evaluating and drawing")
    keep(out, net, data)
    return write_run(out, recipe, net, data, history, seconds)


def write_run(
    out: Path,
    recipe: Recipe,
    net: Network | Ensemble,
    data: Dataset,
    history: History,
    seconds: float,
    held: tuple[Array, Array] | None = None,
    **more: Any,
) -> dict[str, Any]:
    """Write what a training has left: model, history, pictures and, last, metrics.json, whose content is returned.

    held: outputs for rows that the network wasn't trained on, and their targets, by which a decision is chosen; by
    default the validation part's. more: entries of it.
    """
    if recipe.decision is not None:
        decide(recipe, net, *(held or (net.predict(data.val.x), data.val.y)))
    history.to_csv(out / HISTORY_FILE)  # once more: Ctrl-C may have come between an epoch and its line
    networks = net.networks if isinstance(net, Ensemble) else [net]
    with np.errstate(over="ignore", invalid="ignore"):
        metrics = results(net, data, recipe.build_loss(data.task), out)
    metrics |= {
        "recipe": recipe.name,
        "task": data.task,
        "epochs": int(history.epochs[-1]["epoch"]) if len(history) else 0,
        "best_epoch": history.best_epoch,
        "interrupted": history.interrupted,
        "seconds": round(seconds, 3),
        "seed": recipe.seed,
        "data": str(data),
        "parameters": sum(each.theta.size for each in networks),
        "version": __version__,
        **more,
    }
    net.save(out / MODEL_FILE)
    listed = write_curves(out / CURVES_FILE, recipe, net, data)
    draw(out / PLOTS_FOLDER, net, data, history, recipe.build_augmentation(), listed, recipe.pictures)
    write_metrics(metrics, out)
    return metrics


def load_data(recipe: Recipe) -> Dataset:
    """Load the recipe's data. Raises as `gn.load`. The recipe `table` needs a file."""
    table = recipe.data
    if recipe.name == "table" and table == reading.load("table").data and not Path(table.source).exists():
        raise ValueError(f"the recipe table is for a file of yours: glassnet train {table.source} --target COLUMN")
    seed = recipe.seed if table.seed is None else table.seed
    names = ("target", "split", "by", "folds", "fold", "task", "dates", "memory", "cache")
    options = {name: getattr(table, name) for name in names}
    data = load(table.source, drop=table.drop or (), seed=seed, **options)
    validated = table.validation and recipe.pack is None  # a pack holds out rows of its own
    data = data if validated or data.train.stored else data.without_validation()
    if (weights := recipe.class_weights(data)) is not None:
        data.train.weights = weights[data.train.y]
        if data.train.stored is not None:
            data.train.stored.class_weights = weights
    check_decision(recipe, data)
    return data


def located(recipe: Recipe) -> Recipe:
    """Return the same with a table's path made absolute, because a run may be evaluated from any folder."""
    source = Path(recipe.data.source)
    if recipe.data.source in SOURCES or not (source.is_file() or source.is_dir()):
        return recipe
    return replace(recipe, data=replace(recipe.data, source=str(source.resolve())))


def fitting(recipe: Recipe) -> Recipe:
    """Return the same with the memory that there is, if its table won't fit: the run's rows must stay the same."""
    table = recipe.data
    if table.source in SOURCES or table.memory is not None:
        return recipe
    return replace(recipe, data=replace(table, memory=memory_for(table.source)))


def write_curves(path: Path, recipe: Recipe, net: Network | Ensemble, data: Dataset) -> dict[str, list[Any]]:
    """Write what follows from each threshold of a class's probability for the test rows, if there are few classes.

    Returns the columns.
    """
    if not 2 <= len(data.classes) <= MOST_CURVES:
        return {}
    p = answers_of(net, net.predict(data.test.x))
    columns = curves(p, data.test.y, costs_of(recipe, data.classes), data.classes) if np.isfinite(p).all() else {}
    with replacing(path) as part, part.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        writer.writerows(zip(*columns.values(), strict=True))
    return columns


def results(net: Network | Ensemble, data: Dataset, loss: Loss, run: Path | None = None) -> dict[str, Any]:
    """Evaluate all parts of the data beside the baseline; the test part by more figures, and class by class.

    run: a directory with the intervals of values, which are judged, too.
    """
    outputs = net.predict(data.test.x)
    found = parts_of(net, data, loss, outputs) | {"baseline": baseline(data.train, data.test, loss)}
    answers = answers_of(net, outputs)
    predicted = predicted_classes(net, answers)
    bounds = None if run is None else bounds_of(run, data.test.x, answers, data.train.y)
    figures = judged(answers, data.test.y, constant_answers(data.train.y, answers), predicted, bounds)
    return found | {"figures": figures} | by_class(predicted, data.test.y, data.classes) | decided(net)


def parts_of(net: Network | Ensemble, data: Dataset, loss: Loss, outputs: Array | None = None) -> dict[str, Any]:
    """Evaluate all parts of the data. outputs: of the test part, if they are known."""
    found: dict[str, Any] = {"train": evaluate(net, data.train, loss)}
    found["val"] = evaluate(net, data.val, loss) if len(data.val) else dict.fromkeys(found["train"], math.nan)
    found["test"] = score(net.predict(data.test.x) if outputs is None else outputs, data.test.y, loss)
    return found


def decided(net: Network | Ensemble) -> dict[str, Any]:
    """Return the entry "decision" of metrics.json, in words, if the network has one."""
    decision = Decision.read(net.info)
    return {} if decision is None else {"decision": str(decision)}


def by_class(predicted: Array | None, y: Array, classes: Sequence[str]) -> dict[str, Any]:
    """Return the confusion matrix, and the precision and recall of each class; nothing if there are no classes."""
    if predicted is None:
        return {}
    confusion = Confusion.of(y, predicted, len(classes))
    scores = confusion.scores()
    columns = {"precision": scores.precision.tolist(), "recall": scores.recall.tolist(), "rows": scores.rows.tolist()}
    return {
        "confusion_matrix": confusion.written(),
        "classes": {c: {name: values[i] for name, values in columns.items()} for i, c in enumerate(classes)},
    }
