"""From a recipe to a run directory: data, network, training, evaluation, pictures."""

from __future__ import annotations

import itertools
import json
import math
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

import glassnet
from glassnet.data import Dataset, Split, load
from glassnet.files import replacing
from glassnet.nn import Loss, Network
from glassnet.recipes import seed_exercise
from glassnet.recipes.pictures import draw
from glassnet.recipes.reading import load as load_recipe
from glassnet.recipes.recipe import Recipe
from glassnet.train import Checkpoint, CSVLog, baseline, evaluate, fit
from glassnet.train.metrics import class_scores, confusion_matrix, labels

RECIPE, METRICS, HISTORY, MODEL, CHECKPOINT = (
    "recipe.toml", "metrics.json", "history.csv", "model.safetensors", "checkpoint.safetensors",
)  # fmt: skip


def train(recipe: Recipe, out: Path, *, resume: bool = False, progress: bool = False) -> dict[str, Any]:
    """Carry out a recipe and fill the run directory `out`; return what metrics.json holds, which is written last.

    A run that was killed leaves a checkpoint, from which resume=True goes on. Raises FileExistsError if `out` holds
    a run or anything else, ValueError for a recipe or data that make no sense, DivergenceError, OSError. After an
    error nothing is left of the run but what resuming needs, if there is enough of it.
    """
    data = load_data(recipe)
    net = recipe.build_network(data.n_in, data.n_out, data.task)
    loss, optimizer, schedule = recipe.build_loss(data.task), recipe.build_optimizer(), recipe.build_schedule()
    net.info = _names(data)
    start = time.perf_counter()
    with _run_directory(out, resume) as checkpoint:
        recipe.save(out / RECIPE)
        history = fit(
            net, _as_trained(data, recipe), loss, optimizer, schedule=schedule, seed=recipe.seed, progress=progress,
            callbacks=[Checkpoint(checkpoint), CSVLog(out / HISTORY)], resume=checkpoint if resume else None,
            **vars(recipe.training),
        )  # fmt: skip
        metrics = results(net, data, loss)
        if recipe.report is not None:
            seen = _as_trained(data, recipe)
            metrics[recipe.report] = seed_exercise.report(net, seen.train, seen.val, optimizer)
        metrics |= {
            "recipe": recipe.name, "task": data.task, "epochs": len(history), "best_epoch": history.best_epoch,
            "interrupted": history.interrupted, "seconds": round(time.perf_counter() - start, 3), "seed": recipe.seed,
            "parameters": net.theta.size, "version": glassnet.__version__,
        }  # fmt: skip
        net.save(out / MODEL)
        draw(out / "plots", net, data, history, loss)
        with replacing(out / METRICS) as part:
            part.write_text(json.dumps(_finite(metrics), indent=2) + "\n", encoding="utf-8")
    checkpoint.unlink(missing_ok=True)
    return metrics


def load_data(recipe: Recipe) -> Dataset:
    """Load what the recipe learns from."""
    table = recipe.data
    return load(table.source, target=table.target, split=table.split, task=table.task, seed=recipe.seed)


def open_run(run: Path) -> tuple[Recipe, Network]:
    """Read the recipe and the network of a finished run. Raises ValueError if `run` is none."""
    if not (run / METRICS).is_file():
        fault = "is a run that was not finished: go on with --resume" if (run / CHECKPOINT).is_file() else "is no run"
        raise ValueError(f"{run} {fault} (there is no {METRICS} in it)")
    return load_recipe(run / RECIPE), Network.load(run / MODEL)


def _names(data: Dataset) -> dict[str, Any]:
    """What prediction on new rows needs beside the weights."""
    info: dict[str, Any] = {name: list(getattr(data, name)) for name in ("features", "classes")}
    info |= {"target": data.target, "task": data.task}
    if data.image_shape is not None:
        info |= {"image_shape": list(data.image_shape), "image_maximum": int(data.train.x.max())}
    return info


def _as_trained(data: Dataset, recipe: Recipe) -> Dataset:
    """The data as training sees them: with truncated targets if the recipe says so."""
    if not recipe.data.truncate_targets:
        return data
    train, val = (Split(split.x, np.trunc(split.y)) for split in (data.train, data.val))
    return replace(data, train=train, val=val)


def results(net: Network, data: Dataset, loss: Loss) -> dict[str, Any]:
    """Evaluate all parts of the data beside the baseline; for classes also class by class, on the test part."""
    found: dict[str, Any] = {part: evaluate(net, getattr(data, part), loss) for part in ("train", "val", "test")}
    found["baseline"] = baseline(data.train, data.test, loss)
    if data.task == "regression":
        return found
    matrix = confusion_matrix(data.test.y, labels(net.predict(data.test.x), loss), data.n_out)
    scores = class_scores(matrix)
    columns = {"precision": scores.precision.tolist(), "recall": scores.recall.tolist(), "rows": scores.rows.tolist()}
    return found | {
        "confusion_matrix": matrix.tolist(),
        "classes": {c: {name: values[i] for name, values in columns.items()} for i, c in enumerate(data.classes)},
    }


def free_directory(path: Path) -> Path:
    """Return `path`, or if that is taken `path`-2, `path`-3 and so on."""
    taken = (path.with_name(f"{path.name}-{n}") for n in itertools.count(2))
    return next(candidate for candidate in itertools.chain([path], taken) if not candidate.exists())


def _finite(value: Any) -> Any:
    """The same with null for NaN and infinity, which JSON doesn't know."""
    if isinstance(value, dict):
        return {key: _finite(inner) for key, inner in value.items()}
    return None if isinstance(value, float) and not math.isfinite(value) else value


@contextmanager
def _run_directory(out: Path, resume: bool) -> Iterator[Path]:
    """Make `out` and give the path of its checkpoint; after an error, remove what can't be resumed."""
    checkpoint = out / CHECKPOINT
    if resume:
        if not checkpoint.is_file():
            raise FileNotFoundError(f"{out} has no checkpoint to resume from: train without --resume")
    elif out.exists() and (not out.is_dir() or any(out.iterdir())):
        what = "already holds a run" if (out / RECIPE).exists() else "is not an empty folder"
        raise FileExistsError(f"{out} {what}: choose another --out")
    made = not out.exists()
    out.mkdir(parents=True, exist_ok=True)
    try:
        yield checkpoint
    except BaseException as error:
        if isinstance(error, OSError) and checkpoint.is_file():
            raise OSError(f"{error}; the training is kept in {out}: mend this and go on with --resume") from error
        if not resume:
            shutil.rmtree(out)
            if not made:
                out.mkdir()
        raise
