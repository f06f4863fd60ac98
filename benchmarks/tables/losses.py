"""The loss of every test row of CatBoost's, in losses.npz: another contender's ratio to it, and how sure that is."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from glassnet.files import replacing
from tables.figures import Array
from tables.kinds import Fit
from tables.results import alone

FILE = Path(__file__).with_name("losses.npz")
BASE = "CatBoost"
DRAWS = 1000


def keep(fit: Fit, losses: Array, file: Path = FILE) -> None:
    """Keep the rows' losses (N,), in units of their mean and half precision, which does for an interval."""
    with alone(file.parent):
        kept = dict(np.load(file)) if file.exists() else {}
        kept[_key(fit)] = (losses / losses.mean()).astype(np.float16)
        with replacing(file) as part, part.open("wb") as opened:
            np.savez_compressed(opened, **kept)


def spread(fit: Fit, losses: Array, file: Path = FILE) -> float | None:
    """Return the standard error of log(mean loss / CatBoost's), by drawing test rows for both together, or None."""
    if not file.exists():
        return None
    with np.load(file) as kept:
        if _key(fit) not in kept:
            return None
        theirs = kept[_key(fit)].astype(float)
    drawn = np.random.default_rng(0).integers(len(losses), size=(DRAWS, len(losses)))
    ratios = losses[drawn].mean(axis=1) / theirs[drawn].mean(axis=1)
    return float(np.log(ratios).std())


def _key(fit: Fit) -> str:
    return f"{fit.table} {fit.split} {fit.rows} {fit.inner}"
