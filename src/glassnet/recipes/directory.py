"""The run directory: the names of its files, how it is made and removed, and how a finished one is opened."""

from __future__ import annotations

import itertools
import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from glassnet.files import finite, replacing
from glassnet.nn import Ensemble, Network, load_model
from glassnet.recipes.reading import load as load_recipe
from glassnet.recipes.recipe import Recipe
from glassnet.train import DivergenceError

RECIPE, METRICS, HISTORY, MODEL, CHECKPOINT, PLOTS = (
    "recipe.toml", "metrics.json", "history.csv", "model.safetensors", "checkpoint.safetensors", "plots",
)  # fmt: skip
MEMBERS = "member-*"  # the folders of an ensemble's members, runs themselves


def member(out: Path, number: int) -> Path:
    """Return the folder of an ensemble's member, counted from 0."""
    return out / MEMBERS.replace("*", str(number))


def open_run(run: Path) -> tuple[Recipe, Network]:
    """Read the recipe and the network of a finished run. Raises ValueError if `run` is none, or that of an ensemble."""
    recipe, net = open_model(run)
    if isinstance(net, Ensemble):
        raise ValueError(
            f"{run} is an ensemble of {len(net.networks)} networks: name one of them, such as {member(run, 0)}"
        )
    return recipe, net


def open_model(run: Path) -> tuple[Recipe, Network | Ensemble]:
    """Do the same for any run; the recipe of an ensemble is that of its first member."""
    if not run.exists():
        raise ValueError(f"{run} is no run: there is no such folder")
    if not (run / METRICS).is_file():
        fault = "is a run that was not finished: go on with --resume" if _resumable(run) else "is no run"
        raise ValueError(f"{run} {fault} (there is no {METRICS} in it)")
    net = load_model(run / MODEL)
    if "task" not in net.info:
        raise ValueError(f"{run / MODEL} is not the network of a run: it doesn't say what it was trained on")
    return load_recipe((member(run, 0) if isinstance(net, Ensemble) else run) / RECIPE), net


def free_directory(path: Path) -> Path:
    """Return `path`, or if that is taken `path`-2, `path`-3 and so on."""
    taken = (path.with_name(f"{path.name}-{n}") for n in itertools.count(2))
    return next(candidate for candidate in itertools.chain([path], taken) if not candidate.exists())


def write_metrics(metrics: dict[str, Any], out: Path) -> None:
    """Write metrics.json, which makes `out` a finished run, and remove what only an unfinished one needs."""
    with replacing(out / METRICS) as part:
        part.write_text(json.dumps(finite(metrics), indent=2) + "\n", encoding="utf-8")
    for file in (out / CHECKPOINT, *out.rglob(".*.part.*")):  # and what a killed process was writing
        file.unlink(missing_ok=True)


@contextmanager
def run_directory(out: Path, *, resume: bool = False, resumable: bool = True) -> Iterator[None]:
    """Make `out`; after an error, remove it unless it holds what a later training could go on with."""
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
        yield
    except BaseException as error:
        if not resumable or not _resumable(out):
            if not resume:
                _remove(out, made)
        elif isinstance(error, OSError):
            fault = error.strerror or error
            raise OSError(f"{fault}; the training is kept in {out}: mend this and go on with --resume") from error
        elif isinstance(error, DivergenceError):
            raise DivergenceError(f"{error}; what was learned before is kept in {out}") from error
        raise


def _resumable(out: Path) -> bool:
    """Whether there is a checkpoint, or what a member of an ensemble has learned."""
    return any((folder / name).is_file() for folder in (out, *out.glob(MEMBERS)) for name in (CHECKPOINT, METRICS))


def _remove(out: Path, made: list[Path]) -> None:
    """Empty `out` and remove the folders that were made for it, as far as that goes."""
    with suppress(OSError):  # it may not exist, or stand in a folder that others use by now
        for inside in out.iterdir():
            shutil.rmtree(inside) if inside.is_dir() else inside.unlink()
        for folder in made:
            folder.rmdir()
