"""Recipes from TOML, read strictly: an unknown key or a value of another type is an error that names its place."""

from __future__ import annotations

import functools
import operator
import os
from collections.abc import Iterator, Sequence
from dataclasses import is_dataclass, replace
from importlib import resources
from inspect import signature
from pathlib import Path
from reprlib import repr as short
from types import NoneType, UnionType
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from glassnet.configured import Stateless
from glassnet.data import standard_input
from glassnet.data.dialect import table_endings, table_stem
from glassnet.data.labels import Task
from glassnet.data.stored.blocks import ARRAY, is_pattern
from glassnet.limits import parse_toml, read_toml
from glassnet.optim import SGD, AdamW
from glassnet.recipes.parts import Part, closest, closest_last, make
from glassnet.recipes.recipe import Recipe
from glassnet.recipes.space import RawSpace
from glassnet.recipes.tables import DecisionTable

T = TypeVar("T")
KINDS = ("network", "optimizer")  # tables in which the networks of a pack may differ


def from_dict(values: dict[str, Any]) -> Recipe:
    """Make a recipe from the content of a TOML file. Raises ValueError for unknown keys and values of another type."""
    recipe = _fill(Recipe, values, "")
    variants(recipe)
    return recipe


def variants(recipe: Recipe, task: str | None = None) -> dict[str, Recipe]:
    """Return the recipe of each kind of network in a pack, by its name; of no pack none.

    task: "classification" or "regression" leaves out kinds for the other. Raises ValueError for settings that a kind of
    network can't have, and if no kind is left.
    """
    if recipe.pack is None:
        return {}
    found: dict[str, Recipe] = {}
    for name, settings in (recipe.pack.candidates or {"plain": {}}).items():
        try:
            if not isinstance(settings, dict):
                raise ValueError(f"it is a table of settings, not {short(settings)}")
            of = settings.get("task")
            if of not in (None, *get_args(Task)):
                raise ValueError(f"task is one of {', '.join(get_args(Task))}, not {short(of)}")
            kind = changed(replace(recipe, pack=None), dict(_flat({k: v for k, v in settings.items() if k != "task"})))
        except ValueError as error:
            raise ValueError(f"recipe: pack.candidates.{name}: {str(error).removeprefix('recipe: ')}") from None
        if task is None or of in (None, task):
            found[name] = kind
    if not found:
        raise ValueError(f"recipe: pack.candidates: none is for {task}")
    return found


def _flat(settings: dict[str, Any], place: str = "") -> Iterator[tuple[str, Any]]:
    """Yield settings by their dotted names. A table with a name, such as {name = "SiLU"}, is one."""
    for key, value in settings.items():
        if isinstance(value, dict) and "name" not in value:
            yield from _flat(value, f"{place}{key}.")
        elif (place + key).partition(".")[0] not in KINDS:
            raise ValueError(f"{place}{key} is the same for all of a pack; they may differ in {', '.join(KINDS)}")
        else:
            yield place + key, value


def changed(recipe: Recipe, values: dict[str, Any]) -> Recipe:
    """Return the recipe with other values, such as {"optimizer.lr": 0.1}."""
    table = recipe.to_dict()
    for key, value in values.items():
        put(table, key, value)
    return from_dict(table)


def names() -> list[str]:
    """Return the names of the recipes that come with glassnet."""
    files = (Path(file.name) for file in resources.files(__package__).iterdir())
    return sorted(file.stem for file in files if file.suffix == ".toml")


def text(name: str) -> str:
    """Return the TOML text of a recipe that comes with glassnet. Raises ValueError for an unknown name."""
    if name not in names():
        raise ValueError(
            f"there is no recipe {name!r}{closest(name, names())}; the recipes are {', '.join(names())}, or give the"
            " path of a .toml file, or of a table, such as my.csv, with --target"
        )
    return resources.files(__package__).joinpath(f"{name}.toml").read_text(encoding="utf-8")


def load(recipe: str | os.PathLike[str], *, seed: int | None = None, changes: Sequence[str] = ()) -> Recipe:
    """Read the recipe of that name, or the TOML file of that path, and apply changes such as "optimizer.lr=0.1".

    Raises ValueError for an unknown recipe or key, FileNotFoundError for a file that isn't there.
    """
    name = os.fspath(recipe)
    values = read_toml(name) if name.endswith(".toml") else parse_toml(text(name), name)
    for change in changes:
        _apply(values, change)
    if seed is not None:
        values["seed"] = seed
    return from_dict(values)


def choose(
    name: str,
    *,
    target: str | None = None,
    drop: Sequence[str] = (),
    folds: int | None = None,
    metric: str | None = None,
    cost: str | None = None,
    seed: int | None = None,
    changes: Sequence[str] = (),
) -> Recipe:
    """Read a recipe as `load` does, or for the path of a table, or "-" for standard input, make the default one for it.

    folds: their number, for cross-validation. metric, cost: see `DecisionTable`. Raises ValueError if columns are
    named, as `target` or to `drop`, for anything but a table.
    """
    if called := _table_name(name, target):
        recipe = load("table", seed=seed, changes=changes)
        recipe.data.source, recipe.description, recipe.name = name, "", called
        recipe.data.target, recipe.data.drop = target or recipe.data.target, list(drop) or recipe.data.drop
    elif target is not None or drop:
        raise ValueError(f"{name} is no table, such as .csv or .parquet: only those take --target and --drop")
    else:
        recipe = load(name, seed=seed, changes=changes)
    if folds is not None:
        recipe = replace(recipe, data=replace(recipe.data, folds=folds))
    if metric is not None or cost is not None:
        recipe = replace(recipe, decision=DecisionTable(metric, cost))
    return recipe


def _table_name(source: str, target: str | None) -> str:
    """What a table is called: by its file, or by the folder of its files; "" for what is no table."""
    path = Path(source)
    if source == standard_input.NAME:
        return "stdin"
    if table_endings(path)[0] or path.suffix.lower() == ARRAY:
        return path.absolute().parent.name if is_pattern(path) else table_stem(path)
    return path.absolute().name if target is not None and path.is_dir() else ""


def with_training(
    recipe: Recipe,
    *,
    epochs: int | None = None,
    lr: float | None = None,
    batch_size: int | None = None,
    sync_every: int | None = None,
    pictures: str | None = None,
) -> Recipe:
    """Return the recipe with another length of the training, learning rate, size of batches and the like.

    The networks of a pack end after so many epochs, and at no other ends.
    """
    lengths: dict[str, Any] = {"training.epochs": epochs, "training.batch_size": batch_size}
    if recipe.pack is not None:
        lengths = {"pack.ends": None if epochs is None else [epochs], "pack.batch_size": batch_size}
    values = lengths | {"optimizer.lr": lr, "training.sync_every": sync_every, "pictures": pictures}
    return changed(recipe, {key: value for key, value in values.items() if value is not None})


def _apply(values: dict[str, Any], change: str) -> None:
    """Set one value, such as "network.hidden=[64, 64]"."""
    key, equals, text = change.partition("=")
    if not equals or not key.strip():
        raise ValueError(f"--set takes key=value, such as optimizer.lr=0.01, not {short(change)}")
    try:
        value = parse_toml(f"value = {text}", change)["value"]
    except ValueError:
        value = text.strip()  # a bare word is text
    try:
        put(values, key.strip(), value)
    except ValueError as error:
        raise ValueError(f"--set {short(change)}: {error}") from None


def put(values: dict[str, Any], key: str, value: Any) -> None:
    """Set one value of a recipe's TOML, such as "network.hidden" to [64, 64]. Raises ValueError for no table."""
    *path, last = key.split(".")
    table = values
    for name in path:
        inner = table.setdefault(name, {})
        if isinstance(inner, str):  # "ReLU" becomes {name = "ReLU"} when an argument of it is set
            inner = table[name] = {"name": inner}
        if not isinstance(inner, dict):
            raise ValueError(f"{short(name)} is no table")
        table = inner
    if path and last == "name" and table.get(last, value) != value:  # another class, so the arguments don't fit it
        table.clear()
    table[last] = value


def _fill(table: type[T], values: Any, where: str) -> T:
    """Make a dataclass from a TOML table, strictly."""
    if not isinstance(values, dict):
        raise ValueError(f"recipe: {where} is a table, not {short(values)}")
    known = {name: _given(kind) for name, kind in get_type_hints(table).items()}
    place = f"{where}." if where else ""
    made: dict[str, Any] = {}
    for key, value in values.items():
        if key not in known:
            has, shown = ", ".join(known), place + key if key.isidentifier() and len(key) < 50 else short(place + key)
            hint = closest(key, known) or (closest_last(key, _inner(known)) if not where else "")
            raise ValueError(f"recipe: there is no {shown}{hint}; {where or 'a recipe'} has {has}")
        if is_dataclass(known[key]):
            made[key] = _fill(known[key], value, key)
            continue
        described = isinstance(known[key], type) and issubclass(known[key], Stateless)
        kind = Part if described else known[key]
        if not _fits(value, kind):
            raise ValueError(f"recipe: {place}{key} must be {_in_words(kind)}, not {short(value)}")
        made[key] = make(value, known[key], place + key) if described else value
    missing = [name for name in ("name", "data", "source") if name in known and name not in made]
    if missing:
        raise ValueError(f"recipe: {place}{missing[0]} is missing")
    return table(**made)


def setting_like(word: str) -> str:
    """Return a hint such as " (did you mean training.epochs?)" for a word like a recipe's setting, or nothing."""
    return closest_last(word, _inner({name: _given(kind) for name, kind in get_type_hints(Recipe).items()}))


def _inner(known: dict[str, Any]) -> list[str]:
    """The keys inside a recipe's tables, such as training.epochs and optimizer.lr."""
    keys = [f"{table}.{key}" for table, kind in known.items() if is_dataclass(kind) for key in get_type_hints(kind)]
    return [*keys, *(f"optimizer.{key}" for each in (AdamW, SGD) for key in signature(each).parameters)]


WORDS: dict[Any, str] = {
    str: "text",
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    list[float]: "a list of numbers",
    list[str]: "a list of names",
    Part: "a name or a table with a name",
    RawSpace: "a table",
    list[int]: "a list of whole numbers",
}


def _in_words(kind: Any) -> str:
    """What a value of that type is: a Literal is one of its words."""
    if get_origin(kind) is Literal:
        *first, last = get_args(kind)
        return f"{', '.join(first)} or {last}"
    return WORDS[kind]


def _given(kind: Any) -> Any:
    """The type of a field where it is given: TOML has no None."""
    kinds = [each for each in get_args(kind) if each is not NoneType]
    return functools.reduce(operator.or_, kinds) if len(kinds) < len(get_args(kind)) else kind


def _fits(value: Any, kind: Any) -> bool:
    """Whether TOML gave a value that type. A whole number is a number, too; true and false are none."""
    origin, inner = get_origin(kind), get_args(kind)
    if origin in (Union, UnionType):
        return any(_fits(value, each) for each in inner)
    if origin is list:
        return isinstance(value, list) and all(_fits(each, inner[0]) for each in value)
    if origin is Literal:
        return isinstance(value, str) and value in inner
    plain = {dict: dict}.get(origin, kind)
    return isinstance(value, (int, float) if plain is float else plain) and isinstance(value, bool) == (plain is bool)
