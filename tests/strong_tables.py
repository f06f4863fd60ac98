"""What the tests of preset="strong" share: its parameters, tables, and a look at a network."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import polars as pl
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris

import glassnet as gn

IRIS, CANCER, DIABETES = (f(return_X_y=True) for f in (load_iris, load_breast_cancer, load_diabetes))
STRONG: dict[str, Any] = {"preset": "strong", "random_state": 0}
N = 240
TOWNS = np.array(["harbour", "centre", "hills", None], object)


def network(model: Any) -> gn.Network:
    """The network of a fitted pack with the largest share."""
    net: gn.Network = model.pack_.ensemble.networks[0]
    return net


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
