"""Completions after Tab: recipes, tables, run directories, data sets. Nothing slow is imported."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from textwrap import shorten

Offers = list[tuple[str, str]]  # a word and its description; typer drops words that don't begin with the typed letters


def any_of(*kinds: Callable[[str], Offers]) -> Callable[[str], Offers]:
    """Return a completion that offers the words of all of them."""

    def offers(incomplete: str) -> Offers:
        return [offer for kind in kinds for offer in kind(incomplete)]

    return offers


def recipe_names(incomplete: str) -> Offers:
    """Offer the recipes that come with glassnet."""
    from glassnet.recipes import load as load_recipe
    from glassnet.recipes import names

    # On one line of a terminal. If a shell breaks the line, it also offers the rest.
    first = {name: load_recipe(name).description.partition(". ")[0] for name in names()}
    return [(name, shorten(sentence, 72, placeholder=" ...")) for name, sentence in first.items()]


def recipes(incomplete: str) -> Offers:
    """Offer the recipes that come with glassnet, and those in the folder that was typed."""
    return [*recipe_names(incomplete), *((name, "a recipe") for name in _paths(incomplete, "*.toml"))]


def tables(incomplete: str) -> Offers:
    """Offer tables in the folder that was typed."""
    return [(name, "a table") for kind in ("csv", "parquet") for name in _paths(incomplete, f"*.{kind}")]


def runs(incomplete: str) -> Offers:
    """Offer run directories in the folder that was typed and in the folders in it, such as runs/."""
    found = (name for depth in ("*", "*/*") for name in _paths(incomplete, f"{depth}/metrics.json"))
    return [(name.removesuffix("/metrics.json"), "a run") for name in found]


def data_sets(incomplete: str) -> Offers:
    """Offer the data sets that have a name."""
    from glassnet.data.catalog import SOURCES

    return [(source.name, source.origin) for source in SOURCES.values()]


def _paths(incomplete: str, pattern: str) -> Iterator[str]:
    """The paths of that pattern in the folder that was typed, which they begin with."""
    typed, slash, _ = incomplete.rpartition("/")
    folder = Path(typed + slash)
    for path in sorted(folder.glob(pattern)):
        name = f"{typed}{slash}{path.relative_to(folder).as_posix()}"
        if not set(name) & set(" \t'\"\\$`:"):  # the shells don't quote completions
            yield name
