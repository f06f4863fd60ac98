"""From the recipe of a pack to its candidates, and to a run directory."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from glassnet.data import Dataset, Split
from glassnet.nn.means import repeated
from glassnet.pack import Candidate, Pack, fit_pack
from glassnet.pack.pack import known
from glassnet.ranks import world
from glassnet.recipes.confusion import left_out
from glassnet.recipes.directory import METRICS_FILE, PACK_FILE, RECIPE_FILE
from glassnet.recipes.identity import info_of, require_same_data
from glassnet.recipes.intervals import keep
from glassnet.recipes.reading import changed, variants
from glassnet.recipes.recipe import Recipe
from glassnet.recipes.run import load_data, located, write_run
from glassnet.recipes.space import Choices, Range, RawSpace, short_number
from glassnet.recipes.stack import build_layers, outputs
from glassnet.recipes.tables import TrainingTable
from glassnet.terminal import doing, say
from glassnet.train.metrics import score

MOST_MEANS = 64  # columns that a candidate adds
USUAL = TrainingTable()
INSTEAD = {  # settings of [training], and what a pack has in their place
    "epochs": "set pack.ends=[N], or --epochs N",
    "batch_size": "set pack.batch_size=N, or --batch-size N",
    "patience": "pack.ends are the epochs that held-out rows choose from",
}
DRAWN = 4  # among the numbers that follow a seed: the settings of candidates that are drawn


def fit_recipe(recipe: Recipe, data: Dataset, *, n_out: int | None = None, **settings: Any) -> Pack:
    """Train the pack of a recipe on the training rows of data.

    n_out: how many outputs the networks have, by default one for each class, or one value. settings: further arguments
    of `fit_pack`.
    """
    assert recipe.pack is not None
    loss, rows, stored = recipe.build_loss(data.task), rows_of(data), data.train.stored
    make = partial(_candidate, recipe.pack.ends, data, outputs(loss, data.n_out) if n_out is None else n_out)
    return fit_pack(
        rows.x,
        rows.y,
        loss,
        _different([make(name, each) for name, each in variants(recipe, data.task).items()]),
        weights=rows.weights,
        blocks=rows.blocks,
        stored=stored,
        held=None if stored is None else np.arange(len(data.train.y), len(rows)),
        networks=recipe.pack.networks,
        batch=recipe.pack.batch_size,
        seed=recipe.seed,
        draw=partial(_drawn, recipe, recipe.pack.space, make) if recipe.pack.space else None,
        **settings,
    )


def train_pack(recipe: Recipe, out: Path, *, progress: bool = False, time_limit: float | None = None) -> dict[str, Any]:
    """Carry out the recipe of a pack in the existing run directory `out`, from the networks that it holds.

    Returns the content of metrics.json; nothing on other ranks than the first. Raises as `glassnet.recipes.train`.
    """
    data = load_data(recipe)
    info, networks = info_of(data), out / PACK_FILE
    tell = partial(say, error=True) if progress else lambda _: None
    for line in (*data.notes, *left_out(len(data.classes)), *_passed_over(recipe)) if progress else ():
        say(line)
    ranks = world()
    if not ranks.rank:
        if networks.is_file():
            require_same_data(data, recipe, known(networks), out)
        if not (out / RECIPE_FILE).is_file():
            located(recipe).save(out / RECIPE_FILE)
        (out / METRICS_FILE).unlink(missing_ok=True)  # while training goes on, it is no finished run
    if progress:
        doing("training small networks")
    pack = fit_recipe(
        recipe,
        data,
        info=info,
        threads=recipe.network.threads,
        time_limit=time_limit,
        checkpoint=networks,
        tell=tell,
        comm=ranks.comm,
    )
    if ranks.rank:
        return {}
    if progress:
        doing("evaluating and drawing")
    rows = rows_of(data)
    keep(out, pack, data, rows)
    loss = recipe.build_loss(data.task)
    held = score(pack.outputs, rows.y[pack.rows], loss)
    about = {"val": held, "networks": len(pack.ensemble.networks), "parts": pack.parts}
    unseen = pack.outputs, rows.y[pack.rows]
    return write_run(out, recipe, pack.ensemble, data, pack.history, pack.seconds, unseen, **about)


def _passed_over(recipe: Recipe) -> list[str]:
    """Name the settings of [training] that were changed, though a pack doesn't go by them, and what it goes by."""
    changed_ones = [key for key, value in vars(recipe.training).items() if value != getattr(USUAL, key)]
    if not changed_ones:
        return []
    instead = "; ".join(INSTEAD[key] for key in changed_ones if key in INSTEAD) or "leave it out"
    names = ", ".join(f"training.{key}" for key in changed_ones)
    return [f"{names} {'does' if len(changed_ones) == 1 else 'do'} nothing for a pack: {instead}"]


def rows_of(data: Dataset) -> Split:
    """Return the rows that a pack holds in memory: all training rows, or their sample, and behind it those held out."""
    if (stored := data.train.stored) is None:
        return data.train
    x, y = (np.concatenate([getattr(data.train, name), getattr(data.val, name)]) for name in ("x", "y"))
    return Split(x, y, weights=None if stored.class_weights is None else stored.class_weights[y])


def _different(candidates: list[Candidate]) -> list[Candidate]:
    """Leave out candidates that these data make the same as an earlier one, such as one with rotations but no pair."""
    found: dict[str, Candidate] = {}
    for each in candidates:
        found.setdefault(repr((each.net, each.optimizer)), each)
    return list(found.values())


def _candidate(ends: list[int], data: Dataset, n_out: int, name: str, recipe: Recipe) -> Candidate:
    """Make the kind of network that a recipe describes, for these data."""
    loss, network = recipe.build_loss(data.task), replace(recipe.network, standardize_target=False)  # the pack does it
    columns = data.columns() | _means(recipe, data, n_out)
    layers = build_layers(network, loss, data.n_in, n_out, columns, recipe.strong_pairs(data))
    return Candidate(name, recipe.join(layers), recipe.build_optimizer(), tuple(ends))


def _means(recipe: Recipe, data: Dataset, n_out: int) -> dict[str, Any]:
    """Return the arguments of a layer TargetMeans, if the recipe wants one and a column's values repeat."""
    if not recipe.network.target_means or not data.schema or data.train.stored:  # a sample knows its own targets
        return {}
    values = 1 if n_out == 2 and data.train.y.ndim == 1 else n_out  # of two classes, one says it all
    columns, sizes = repeated(data.train.x, data.train.y, data.columns()["categories"], values)
    if not columns or values * len(columns) > MOST_MEANS:
        return {}
    return {"means": {"width": data.n_in, "columns": columns, "sizes": sizes, "values": values}}


def _drawn(recipe: Recipe, space: RawSpace, make: Callable[[str, Recipe], Candidate], number: int) -> Candidate:
    """Make the kind of network of that number, with settings drawn from a space."""
    rng = np.random.default_rng([recipe.seed, DRAWN, number])
    values = {key: _value(each, rng) for key, each in space.items()}
    return make(f"drawn {number + 1}", changed(replace(recipe, pack=None), values))


def _value(of: Range | Choices, rng: np.random.Generator) -> Any:
    """Draw a value, a number to three digits."""
    if isinstance(of, Choices):
        return of.choices[int(rng.integers(len(of.choices)))]
    if of.whole:
        return int(rng.integers(int(of.low), int(of.high) + 1))
    drawn = math.exp(rng.uniform(math.log(of.low), math.log(of.high))) if of.log else rng.uniform(of.low, of.high)
    return short_number(drawn)
