"""The run directory: the names of its files, and functions that make, remove and open it."""

from __future__ import annotations

import itertools
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

from glassnet.files import finite, holding, reason, refuse_link, remove_abandoned, replacing
from glassnet.nn import Ensemble, Network, load_model
from glassnet.recipes.identity import check_info
from glassnet.recipes.reading import load as load_recipe
from glassnet.recipes.recipe import Recipe
from glassnet.train import DivergenceError

RECIPE_FILE = "recipe.toml"
METRICS_FILE = "metrics.json"
HISTORY_FILE = "history.csv"
MODEL_FILE = "model.safetensors"
CHECKPOINT_FILE = "checkpoint.safetensors"
INTERVALS_FILE = "intervals.safetensors"
PACK_FILE = "pack.safetensors"  # all networks of a pack: with more time, training goes on from them
CURVES_FILE = "thresholds.csv"  # what follows from each threshold of a class's probability
FILES = (
    METRICS_FILE,
    RECIPE_FILE,
    HISTORY_FILE,
    MODEL_FILE,
    INTERVALS_FILE,
    CHECKPOINT_FILE,
    PACK_FILE,
    CURVES_FILE,
)  # the first makes it a finished run
PLOTS_FOLDER = "plots"
MEMBER_FOLDERS = "member-*"  # the folders of an ensemble's members, runs themselves


def member(out: Path, number: int) -> Path:
    """Return the folder of an ensemble's member, counted from 0."""
    return out / MEMBER_FOLDERS.replace("*", str(number))


def open_run(run: Path) -> tuple[Recipe, Network | Ensemble]:
    """Read the recipe of a finished run, and its network or that of a pack.

    Raises ValueError if `run` is none, or that of an ensemble of several runs.
    """
    recipe, net = open_shared(run)
    if isinstance(net, Ensemble) and recipe.pack is None:
        raise ValueError(f"{run} is an ensemble of {len(net.networks)} networks: {_name_one(run)}")
    return recipe, net


def open_shared(run: Path) -> tuple[Recipe, Network | Ensemble]:
    """Do the same for any run whose networks were all tested on the same rows. Raises ValueError for one of folds."""
    recipe, net = open_model(run)
    if recipe.data.folds is not None and recipe.data.fold is None:
        raise ValueError(f"{run} is an ensemble of the networks of {recipe.data.folds} folds: {_name_one(run)}")
    return recipe, net


def _name_one(run: Path) -> str:
    return f"name one of them, such as {member(run, 0)}"


def is_ensemble(run: Path) -> bool:
    """Whether a finished run is an ensemble of several runs."""
    return (run / METRICS_FILE).is_file() and not (run / HISTORY_FILE).is_file() and member(run, 0).is_dir()


def open_model(run: Path) -> tuple[Recipe, Network | Ensemble]:
    """Read the recipe and the model of any run. The recipe of an ensemble is that of its first member."""
    if not run.exists():
        raise ValueError(f"{run} is no run: there is no such folder")
    if not (run / METRICS_FILE).is_file():
        fault = "is a run that was not finished: go on with --resume" if _resumable(run) else "is no run"
        raise ValueError(f"{run} {fault} (there is no {METRICS_FILE} in it)")
    net = load_model(run / MODEL_FILE)
    try:
        check_info(net)
    except ValueError as error:
        raise ValueError(f"{run / MODEL_FILE} is not the network of a run: {error}") from None
    return load_recipe((run if (run / RECIPE_FILE).is_file() else member(run, 0)) / RECIPE_FILE), net


def free_directory(path: Path) -> Path:
    """Return `path`, or `path`-2, `path`-3 and so on if it is taken."""
    taken = (path.with_name(f"{path.name}-{n}") for n in itertools.count(2))
    return next(candidate for candidate in itertools.chain([path], taken) if not os.path.lexists(candidate))


@contextmanager
def new_directory(path: Path, out: Path | None = None) -> Iterator[Path]:
    """Give `out`, or without one make `free_directory(path)`, which no other process then gets.

    At the end an empty folder is removed again.
    """
    if out is not None:
        yield out
        return
    made = [folder for folder in path.parents if not folder.exists()]
    path.parent.mkdir(parents=True, exist_ok=True)
    while True:
        out = free_directory(path)
        with suppress(FileExistsError):  # another process was faster
            out.mkdir()
            break
    try:
        yield out
    finally:
        _remove_empty([out, *made])


def write_metrics(metrics: dict[str, Any], out: Path) -> None:
    """Write metrics.json, which makes `out` a finished run, and remove the files that only an unfinished run needs."""
    with replacing(out / METRICS_FILE) as part:
        part.write_text(json.dumps(finite(metrics), indent=2) + "\n", encoding="utf-8")
    tidy(out)


def tidy(out: Path) -> None:
    """Remove the leftovers of killed processes in `out`, and from a finished run the files of an unfinished one."""
    remove_abandoned(out)
    if (out / METRICS_FILE).is_file():
        for file in (out / CHECKPOINT_FILE, *out.rglob(".*.part.*")):  # and those of 0.1.0
            file.unlink(missing_ok=True)


@contextmanager
def claimed(out: Path, patience: float = 0.0) -> Iterator[None]:
    """Be the only process that writes in a folder. A killed process claims nothing any more.

    patience: the seconds to wait for another process, which may be about to end. Raises FileExistsError.
    """
    with ExitStack() as stack:
        try:
            stack.enter_context(holding(out, patience))
        except BlockingIOError:
            fault = "another training is writing there: wait until it has ended, or choose another --out"
            raise FileExistsError(f"{out}: {fault}") from None
        yield


@contextmanager
def run_directory(out: Path, *, resume: bool = False) -> Iterator[None]:
    """Make and claim `out`. After an error, remove it unless a later training could go on with its content.

    If only parts of files were written, a training that is resumed begins anew.
    """
    if resume and not out.is_dir():
        raise FileNotFoundError(f"{out} holds no run (there is no such folder): there is nothing to resume")
    if out.exists() and not out.is_dir():
        raise FileExistsError(f"{out} is not an empty folder: choose another --out")
    remove_abandoned(out.parent)  # where a committee is made; killed at its very end, it is whole and left its part
    made = [folder for folder in (out, *out.parents) if not folder.exists()]
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError:
        _remove_empty(made)
        raise
    with claimed(out):
        tidy(out)
        begun = (out / RECIPE_FILE).is_file()
        _check(out, resume, begun)
        try:
            yield
        except BaseException as error:
            if not _resumable(out):
                if not begun:
                    _remove(out, made)
            elif isinstance(error, OSError):
                raise OSError(
                    f"{reason(error)}; the training is kept in {out}: mend this and go on with --resume"
                ) from error
            elif isinstance(error, DivergenceError):
                raise DivergenceError(f"{error}; the training so far is kept in {out}") from error
            raise


def _check(out: Path, resume: bool, begun: bool) -> None:
    """Raise OSError unless a training can begin in a folder, or go on."""
    finished = (out / METRICS_FILE).is_file()
    if resume and (out / PACK_FILE).is_file() and begun:
        finished = False  # it goes on from its networks
    if resume and (finished or (not begun and any(out.iterdir()))):
        why = "is finished" if finished else f"holds no run (there is no {RECIPE_FILE} in it)"
        raise FileNotFoundError(f"{out} {why}: there is nothing to resume")
    if not resume and any(out.iterdir()):
        what = "already holds a run" if begun else "is not an empty folder"
        hint = ", or go on with --resume" if begun and not finished else ""
        raise FileExistsError(f"{out} {what}: choose another --out{hint}")
    for folder in (out / PLOTS_FOLDER, *out.glob(MEMBER_FOLDERS)):
        refuse_link(folder)


def _resumable(out: Path) -> bool:
    """Whether there is a checkpoint, or the work of a member of an ensemble."""
    folders = (out, *out.glob(MEMBER_FOLDERS))
    return any((folder / name).is_file() for folder in folders for name in (CHECKPOINT_FILE, PACK_FILE, METRICS_FILE))


def _remove(out: Path, made: list[Path]) -> None:
    """Empty `out` and remove the folders that were made for it, as far as that goes."""
    with suppress(OSError):
        for inside in out.iterdir():
            shutil.rmtree(inside) if inside.is_dir() and not inside.is_symlink() else inside.unlink()
        _remove_empty(made)


def _remove_empty(made: list[Path]) -> None:
    """Remove folders, the innermost first, as far as they are empty: others may use them by now."""
    with suppress(OSError):
        for folder in made:
            folder.rmdir()
