"""From a recipe to a run directory: data, network, training, evaluation, pictures."""

from __future__ import annotations

import itertools
import json
import math
import shutil
import time
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

import glassnet
from glassnet.data import Dataset, Split, load
from glassnet.data.catalog import SOURCES
from glassnet.files import replacing
from glassnet.nn import Loss, Network
from glassnet.recipes import seed_exercise
from glassnet.recipes.pictures import draw
from glassnet.recipes.reading import load as load_recipe
from glassnet.recipes.recipe import Recipe
from glassnet.train import Checkpoint, CSVLog, DivergenceError, baseline, evaluate, fit
from glassnet.train.metrics import class_scores, confusion_matrix, labels, score

RECIPE, METRICS, HISTORY, MODEL, CHECKPOINT = (
    "recipe.toml", "metrics.json", "history.csv", "model.safetensors", "checkpoint.safetensors",
)  # fmt: skip


def train(recipe: Recipe, out: Path, *, resume: bool = False, progress: bool = False) -> dict[str, Any]:
    """Carry out a recipe and fill the run directory `out`; return what metrics.json holds, which is written last.

    A run that was killed leaves a checkpoint, from which resume=True goes on. Raises FileExistsError if `out` holds
    a run or anything else, ValueError for a recipe or data that make no sense, DivergenceError, OSError. After an
    error nothing is left of the run but what resuming needs, if an epoch was finished.
    """
    data = load_data(recipe)
    recipe = recipe.sized(len(data.train))
    net = recipe.build_network(data.n_in, data.n_out, data.task, data.columns())
    loss, optimizer, settings = recipe.build_loss(data.task), recipe.build_optimizer(), recipe.build_training()
    net.info = names_of(data)
    seen = as_trained(data, recipe)
    for note in data.notes if progress else ():
        print(note)
    start = time.perf_counter()
    # What overflows shows in the losses; NumPy needn't warn of it.
    with _run_directory(out, resume) as checkpoint, np.errstate(over="ignore", invalid="ignore"):
        if not resume:
            located(recipe).save(out / RECIPE)
        history = fit(
            net, seen, loss, optimizer, seed=recipe.seed, progress=progress,
            resume=checkpoint if checkpoint.is_file() else None,
            callbacks=[Checkpoint(checkpoint), CSVLog(out / HISTORY)], **settings,
        )  # fmt: skip
        history.to_csv(out / HISTORY)  # once more: Ctrl-C may have come between an epoch and its line
        metrics = results(net, data, loss)
        if recipe.report is not None:
            metrics[recipe.report] = seed_exercise.report(net, seen.train, seen.val, optimizer)
        metrics |= {
            "recipe": recipe.name, "task": data.task, "epochs": len(history), "best_epoch": history.best_epoch,
            "interrupted": history.interrupted, "seconds": round(time.perf_counter() - start, 3), "seed": recipe.seed,
            "data": str(data), "parameters": net.theta.size, "version": glassnet.__version__,
        }  # fmt: skip
        net.save(out / MODEL)
        draw(out / "plots", net, data, history, settings["augmentation"])
        with replacing(out / METRICS) as part:
            part.write_text(json.dumps(_finite(metrics), indent=2) + "\n", encoding="utf-8")
    for file in (checkpoint, *out.rglob(".*.part.*")):  # and what a killed process was writing
        file.unlink(missing_ok=True)
    return metrics


def load_data(recipe: Recipe) -> Dataset:
    """Load what the recipe learns from."""
    table = recipe.data
    data = load(
        table.source, target=table.target, drop=table.drop or (), split=table.split, task=table.task, seed=recipe.seed
    )
    return data if table.validation else data.without_validation()


def open_run(run: Path) -> tuple[Recipe, Network]:
    """Read the recipe and the network of a finished run. Raises ValueError if `run` is none."""
    if not run.exists():
        raise ValueError(f"{run} is no run: there is no such folder")
    if not (run / METRICS).is_file():
        fault = "is a run that was not finished: go on with --resume" if (run / CHECKPOINT).is_file() else "is no run"
        raise ValueError(f"{run} {fault} (there is no {METRICS} in it)")
    net = Network.load(run / MODEL)
    if "task" not in net.info:
        raise ValueError(f"{run / MODEL} is not the network of a run: it doesn't say what it was trained on")
    return load_recipe(run / RECIPE), net


def located(recipe: Recipe) -> Recipe:
    """Return the same with a table's path made absolute: a run is evaluated from any folder."""
    source = Path(recipe.data.source)
    if recipe.data.source in SOURCES or not source.is_file():
        return recipe
    return replace(recipe, data=replace(recipe.data, source=str(source.resolve())))


def names_of(data: Dataset) -> dict[str, Any]:
    """Return what goes with the weights: names, which prediction needs, and by what to know the data again."""
    info: dict[str, Any] = {name: list(getattr(data, name)) for name in ("features", "classes")}
    info |= {"target": data.target, "task": data.task}
    if data.categories:
        info["categories"] = [list(names) for names in data.categories]
    info["rows"] = [len(split) for split in (data.train, data.val, data.test)]
    info["test rows"] = zlib.crc32(np.ascontiguousarray(data.test.x).data)
    if data.image_shape is not None:
        info |= {"image_shape": list(data.image_shape), "image_maximum": int(data.train.x.max())}
    return info


def as_trained(data: Dataset, recipe: Recipe) -> Dataset:
    """Return the data as training sees them: with truncated targets if the recipe says so."""
    if not recipe.data.truncate_targets:
        return data
    train, val = (Split(split.x, np.trunc(split.y)) for split in (data.train, data.val))
    return replace(data, train=train, val=val)


def results(net: Network, data: Dataset, loss: Loss) -> dict[str, Any]:
    """Evaluate all parts of the data beside the baseline; for classes also class by class, on the test part."""
    outputs = net.predict(data.test.x)
    found: dict[str, Any] = {"train": evaluate(net, data.train, loss)}
    nothing = dict.fromkeys(found["train"], math.nan)
    found |= {"val": evaluate(net, data.val, loss) if len(data.val) else nothing}
    found |= {"test": score(outputs, data.test.y, loss), "baseline": baseline(data.train, data.test, loss)}
    if data.task == "regression":
        return found
    matrix = confusion_matrix(data.test.y, labels(outputs), data.n_out)
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
        if (out / METRICS).is_file() or not (out / RECIPE).is_file():
            why = "is finished" if (out / METRICS).is_file() else f"holds no run (there is no {RECIPE} in it)"
            raise FileNotFoundError(f"{out} {why}: there is nothing to resume")
    elif out.exists() and (not out.is_dir() or any(out.iterdir())):
        what = "already holds a run" if (out / RECIPE).exists() else "is not an empty folder"
        hint = ", or go on with --resume" if (out / RECIPE).exists() and not (out / METRICS).exists() else ""
        raise FileExistsError(f"{out} {what}: choose another --out{hint}")
    made = [folder for folder in (out, *out.parents) if not folder.exists()]
    try:
        out.mkdir(parents=True, exist_ok=True)
        yield checkpoint
    except BaseException as error:
        if not checkpoint.is_file():
            if not resume:
                _remove(out, made)
        elif isinstance(error, OSError):
            fault = error.strerror or error
            raise OSError(f"{fault}; the training is kept in {out}: mend this and go on with --resume") from error
        elif isinstance(error, DivergenceError):
            raise DivergenceError(f"{error}; what was learned before is kept in {checkpoint}") from error
        raise


def _remove(out: Path, made: list[Path]) -> None:
    """Empty `out` and remove the folders that were made for it, as far as that goes."""
    with suppress(OSError):  # it may not exist, or stand in a folder that others use by now
        for inside in out.iterdir():
            shutil.rmtree(inside) if inside.is_dir() else inside.unlink()
        for folder in made:
            folder.rmdir()
