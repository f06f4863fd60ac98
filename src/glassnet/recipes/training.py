"""Carrying out a recipe: one network, or an ensemble of networks with different seeds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from glassnet.data import standard_input
from glassnet.extras import need
from glassnet.files import own_folder, reason
from glassnet.program import keeping
from glassnet.ranks import world
from glassnet.recipes.directory import FILES, METRICS_FILE, RECIPE_FILE, member, run_directory, tidy
from glassnet.recipes.ensembles import write_ensemble
from glassnet.recipes.finished import Finished
from glassnet.recipes.folds import fold_recipe, write_folds
from glassnet.recipes.identity import require_same_data
from glassnet.recipes.packs import train_pack
from glassnet.recipes.reading import load as load_recipe
from glassnet.recipes.recipe import Recipe
from glassnet.recipes.run import fitting, load_data, located, train_one
from glassnet.recipes.side_by_side import train_side_by_side
from glassnet.terminal import doing, say
from glassnet.train.shards import settle_shards


def train(
    recipe: Recipe, out: Path, *, resume: bool = False, progress: bool = False, time_limit: float | None = None
) -> dict[str, Any]:
    """Carry out a recipe and fill the run directory `out`; return the content of metrics.json, which is written last.

    The members of an ensemble are runs in `out`, trained side by side in processes of their own. In a script, such a
    call needs `if __name__ == "__main__":`. Ctrl-C ends it at once.

    With data.folds the members are runs, too, each tested on another fold. The figures are cross-validated.

    time_limit: seconds, for a pack (see `glassnet.pack.fit_pack`). With resume=True it goes on from what its run has
    found, even if that is finished.

    Under mpiexec all ranks train one network or one pack together (see `gn.fit` and `glassnet.pack.fit_pack`), and the
    first one writes.

    A run that was killed leaves a checkpoint, from which resume=True goes on. Raises FileExistsError if `out` holds a
    run or anything else, or another process is training there; ValueError for a recipe or data that make no sense;
    DivergenceError; OSError; NotInstalledError. After an error only the files that resuming needs are left of the run,
    if an epoch was finished.
    """
    need("cli", "matplotlib", "tomli_w")
    ranks = world()
    if ranks.shared:
        recipe = _shared(recipe, ranks.size)
    carry_out: Callable[..., dict[str, Any]] = train_one if recipe.ensemble == 1 else _train_members
    if recipe.pack is not None:
        carry_out = partial(train_pack, time_limit=time_limit)
    elif time_limit is not None:
        raise ValueError(f"the recipe {recipe.name} is of no pack, so it takes no time limit: set training.epochs")
    if recipe.data.folds is not None and recipe.data.fold is None:
        carry_out = partial(_train_folds, time_limit=time_limit)
    if ranks.rank:
        with keeping():
            return carry_out(recipe, out)
    try:
        with keeping(), run_directory(out, resume=resume):
            if (out / RECIPE_FILE).is_file():
                _check_begun(recipe, out)
            if recipe.data.source == standard_input.NAME:  # so that it is there when the run is evaluated, or goes on
                recipe = replace(recipe, data=replace(recipe.data, source=str(standard_input.keep(out))))
            begun = (out / RECIPE_FILE).is_file()
            return carry_out(recipe if begun else fitting(recipe), out, progress=progress)
    except KeyboardInterrupt:
        if progress and (out / RECIPE_FILE).is_file():
            say(f"what was learned is kept in {out}: go on with --resume", error=True)
        raise


def _shared(recipe: Recipe, ranks: int) -> Recipe:
    """Return the recipe as several ranks carry it out, with the number of shards that one process needs to go on."""
    if recipe.ensemble > 1 or (recipe.data.folds is not None and recipe.data.fold is None):
        if ranks == 1:
            return recipe
        raise ValueError("mpiexec is for one network or one pack: leave out ensemble and folds, or start one process")
    training = recipe.training
    if recipe.pack is not None or training.sync_every is not None:
        return recipe
    shards = settle_shards(training.shards, training.batch_size, ranks)
    return replace(recipe, training=replace(training, shards=shards))


def member_recipe(recipe: Recipe, number: int) -> Recipe:
    """Return the recipe of a member of an ensemble, counted from 0: with a seed of its own, but the split of all."""
    split = recipe.seed if recipe.data.seed is None else recipe.data.seed
    return replace(recipe, ensemble=1, seed=recipe.seed + number, data=replace(recipe.data, seed=split))


def _check_begun(recipe: Recipe, out: Path) -> None:
    """Raise ValueError if the run to resume, or the recipe, is an ensemble of another recipe."""
    begun = load_recipe(out / RECIPE_FILE)
    several = max(begun.ensemble, recipe.ensemble) > 1 or recipe.data.folds is not None
    if (several or recipe.pack) and begun != located(recipe):
        raise ValueError(f"{out} was begun with another recipe: go on without naming one, or choose another --out")


def _train_members(recipe: Recipe, out: Path, *, progress: bool) -> dict[str, Any]:
    """Train the members of an ensemble that aren't trained yet, and put them together."""
    data = load_data(recipe)
    for note in recipe.settle(data).notes if progress else ():
        say(note)
    if not (out / RECIPE_FILE).is_file():
        located(recipe).save(out / RECIPE_FILE)
    members = {member(out, number): member_recipe(recipe, number) for number in range(recipe.ensemble)}
    trained = {folder: run for folder in members if (run := _trained(folder))}
    for folder, run in trained.items():
        require_same_data(data, recipe, run.net.info, folder)
    train_side_by_side({folder: each for folder, each in members.items() if folder not in trained}, progress)
    return write_ensemble(out, {folder.name: Finished.read(folder) for folder in members}, data)


def _train_folds(recipe: Recipe, out: Path, *, progress: bool, time_limit: float | None = None) -> dict[str, Any]:
    """Train a run for each fold that has none yet, and put them together."""
    folds = recipe.data.folds or 0
    if not (out / RECIPE_FILE).is_file():
        located(recipe).save(out / RECIPE_FILE)
    own = {member(out, fold): fold_recipe(recipe, fold) for fold in range(folds)}
    untrained = {folder: each for folder, each in own.items() if _trained(folder) is None}
    if recipe.pack is None:
        if progress:
            for note in load_data(recipe).notes:
                say(note)
        train_side_by_side(untrained, progress)
        return write_folds(out, recipe)
    for folder, each in untrained.items():
        own_folder(folder)
        if progress:
            say(f"fold {(each.data.fold or 0) + 1} of {folds}", error=True)
        limit = None if time_limit is None else time_limit / folds
        first = progress and each.data.fold == 0  # which says what holds for all
        if progress and not first:
            doing("training")
        metrics = train_pack(each, folder, progress=first, time_limit=limit)
        if metrics["interrupted"]:
            raise KeyboardInterrupt
    if progress:
        doing("judging all folds")
    return write_folds(out, recipe)


def _trained(folder: Path) -> Finished | None:
    """A member, if it is trained. If it has lost a file since, or a file is damaged, it begins anew."""
    if not (folder / METRICS_FILE).is_file():
        return None
    try:
        run = Finished.read(folder)
    except (ValueError, FileNotFoundError) as error:
        say(f"{reason(error)}; so {folder} is trained again", error=True)
        for name in FILES:
            (folder / name).unlink(missing_ok=True)
        return None
    tidy(folder)
    return run
