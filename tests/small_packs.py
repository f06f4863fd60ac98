"""The recipe `table` made small: its pack trains in a fraction of a second, or one network trains in its place."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from glassnet import recipes

ONE_KIND = ["pack.candidates={}", "pack.networks=2", "network.embedding.dim=2"]
SMALL_PACK = [*ONE_KIND, "network.hidden=[8]", "pack.ends=[1, 2]"]
LEARNING_PACK = [*ONE_KIND, "network.hidden=[16]", "optimizer.lr=0.02", "pack.ends=[10, 30]"]
SET_SMALL_PACK = tuple(word for change in SMALL_PACK for word in ("--set", change))
SET_LEARNING_PACK = tuple(word for change in LEARNING_PACK for word in ("--set", change))


def one_network(file: str | Path, target: str, *changes: str, **settings: Any) -> recipes.Recipe:
    """The recipe for a file that trains one small network on it; for tests that aren't about packs."""
    recipe = recipes.choose(str(file), target=target, changes=["network.hidden=[8]", "training.epochs=1", *changes])
    return replace(recipe, pack=None, **settings)
