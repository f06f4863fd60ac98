"""What each ingredient of our default adds: the recipe without it, or with more of it."""

from __future__ import annotations

from functools import partial
from typing import Any

import pandas as pd

KINDS = {
    "plain": "{task='classification'}",
    "decayed": "{task='classification', optimizer={weight_decay=0.2}}",
    "exact": "{task='regression', network={dropout=0.0}}",
    "robust": "{network={inputs='RobustScale'}, optimizer={weight_decay=0.2}}",
    "waves": ("{network={embedding={name='Periodic', dim=8, n=16, sigma=1.0}}, optimizer={weight_decay=0.2}}"),
    "rotated": "{network={rotations=1}}",
}


def only(*names: str) -> str:
    """Return the change after which these kinds of networks are left."""
    return f"pack.candidates={{{', '.join(f'{name}={KINDS[name]}' for name in names)}}}"


def without(name: str) -> str:
    """Return the change after which all other kinds of networks are left."""
    return only(*(other for other in KINDS if other != name))


FIRST = only("plain", "exact")


# What it is, and the changes of the recipe.
VARIANTS: dict[str, tuple[str, ...]] = {
    "the first kind alone": (FIRST,),
    **{f"without the kind {name}": (without(name),) for name in KINDS},
    "the first kind alone, numbers not embedded": (
        'network.embedding={name="PiecewiseLinear", dim=1, bins=1}',
        FIRST,
    ),
    "bins at quantiles of all values": ("network.embedding.distinct=false",),
    "one trained value for a category, not 8": ("network.category_dim=1",),
    "without dropout": ("network.dropout=0.0",),
    "products of bfloat16": ("network.dtype='bfloat16'",),
    "one cycle of 8 epochs": ("pack.ends=[8]",),
    "one cycle of 24 epochs": ("pack.ends=[24]",),
    "one cycle of 80 epochs": ("pack.ends=[80]",),
    "two networks of a kind, not four": ("pack.networks=2",),
    "eight networks of a kind": ("pack.networks=8",),
}


def make(changes: tuple[str, ...], x: pd.DataFrame, classes: bool) -> Any:
    """Return our estimator, whose recipe has these changes. The process makes no other."""
    from glassnet import recipes
    from tables.contenders import CONTENDERS, OURS

    recipes.load = partial(recipes.load, changes=changes)
    return CONTENDERS[OURS].make(x, classes)
