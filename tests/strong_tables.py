"""What the tests of preset="strong" share: tables, settings that train fast, and looks at the training."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris

import glassnet as gn
from glassnet import recipes
from glassnet.estimators import strong

IRIS, CANCER, DIABETES = (f(return_X_y=True) for f in (load_iris, load_breast_cancer, load_diabetes))
SMALL: dict[str, Any] = {"preset": "strong", "hidden_layer_sizes": [8], "max_iter": 3, "random_state": 0}
LEARNS: dict[str, Any] = SMALL | {"max_iter": 30, "learning_rate_init": 0.01, "batch_size": 32}  # whatever the recipe
N = 240
TOWNS = np.array(["harbour", "centre", "hills", None], object)


def changed(monkeypatch: pytest.MonkeyPatch, *changes: str) -> recipes.Recipe:
    """Tune the recipe for a test, whose data have no pairs to turn; return it."""
    changes = ("network.rotations=0", *changes)
    monkeypatch.setattr(strong, "load_recipe", lambda name: recipes.load(name, changes=changes))
    return recipes.load("table", changes=changes)


class Watcher(gn.Callback):
    def on_start(self, run: gn.Training) -> None:
        self.run = run


def trained(model: Any, X: Any = IRIS[0], y: Any = IRIS[1], **more: Any) -> gn.Training:
    """Fit, and return what the training was asked to do."""
    watcher = Watcher()
    model.set_params(callbacks=[watcher]).fit(X, y, **more)
    return watcher.run


def kinds(net: gn.Network) -> list[str]:
    return [repr(layer) for layer in net.layers]


def houses(rows: int = N) -> tuple[pd.DataFrame, np.ndarray]:
    """A table with everything: numbers, categories as text, as such and as numbers, booleans, days, missing values."""
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "area": rng.uniform(40, 200, rows),
            "rooms": rng.integers(1, 6, rows),
            "town": TOWNS[rng.integers(4, size=rows)],
            "heating": pd.Categorical(rng.choice(["gas", "oil"], rows)),
            "zone": pd.Categorical(rng.integers(3, size=rows)),
            "garden": rng.random(rows) < 0.5,
            "name": [f"house {i}" for i in range(rows)],
            "built": pd.Timestamp("2000-01-01") + pd.to_timedelta(rng.integers(9000, size=rows), unit="D"),
        }
    )
    worth = 2 * frame["area"] * frame["town"].map({"harbour": 1, "centre": 2}).fillna(0.5)
    worth = worth + 100 * frame["garden"] + 80.0 * frame["zone"].cat.codes
    frame["pool"] = pd.array(rng.choice(np.array([True, False, None]), rows), "boolean")
    frame.loc[rng.random(rows) < 0.2, "area"] = np.nan
    return frame, worth.to_numpy()


def to_polars(frame: pd.DataFrame) -> pl.DataFrame:
    columns = {
        name: [None if value is pd.NA or value is pd.NaT or value != value else value for value in frame[name].tolist()]
        for name in frame
    }
    schema = {"heating": pl.Categorical, "zone": pl.Enum(["0", "1", "2"]), "garden": pl.Boolean, "pool": pl.Boolean}
    columns["zone"] = list(map(str, columns["zone"]))
    return pl.DataFrame(columns, schema_overrides=schema | {"built": pl.Datetime("us")})
