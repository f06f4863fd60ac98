"""Models, checkpoints and ensembles with something changed in them, under a right checksum.

Whatever reads one either refuses it, by a ValueError of one line, or makes a network of it that predicts and trains.
"""

from __future__ import annotations

import copy
import warnings
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import numpy as np

import glassnet as gn
from glassnet.nn import load_model
from glassnet.nn.storage import read_arrays, write_arrays

ROWS = 40
NAMES = [
    *(
        "0.fan_in",
        "0.forward",
        "0.config",
        "0.__class__",
        "0.W",
        "1.b",
        "9.W",
        "W",
        "0",
        "0.",
        "-1.W",
        "0.W.x",
        "0/0.W",
    ),
    *("0/x", "0/0.W", "best/theta", "best/0.W", "mean/theta", "optimizer/step", "optimizer/m", "history/x", "a/b"),
]
TYPES = [
    *("Noise", "Normalization", "Embedding", "Fitted", "Preprocessing", "Activation", "Layer", "RunningNorm"),
    *("FixedNoise", "Network", "Dense", "ReLU", "BatchNorm", "Rotations", "Dropout", "object"),
]
DTYPES = ["float16", "float32", "float64", "int8", "int32", "int64", "uint8", "bool"]
VALUES: list[Any] = [
    *(None, True, False, -1, 0, 1, 2, 3, 7, 64, 2**31, 2**63, 10**13, 10**18, 10**400, -(10**18), 0.5, -0.5, 1e-320),
    *(1e308, float("nan"), float("inf"), "", "he", "normal(1e999)", "two\nlines", "x" * 1000, [], [1], [[1, 2], [3]]),
    *([-1] * 3, [10**12], [2**62] * 4, {}, {"a": {"b": []}}, *TYPES),
]
NUMBERS = [np.nan, np.inf, -np.inf, 0.0, -1.0, 1e-320, 1e30, -1e300, 1e308]

Arrays = dict[str, np.ndarray]
Source = tuple[Arrays, dict[str, Any]]


def table_network(dtype: str = "float32") -> gn.Network:
    """Columns, both embeddings and Unstandardize."""
    return gn.Network(
        [
            gn.Columns([0, 0, 3, 2], [1]),
            gn.RobustScale(),
            gn.PiecewiseLinear(2, 3, bins=4, plain=6),
            gn.CategoryEmbedding([3, 2], 2, plain=7),
            gn.Dense(11, 8),
            gn.SiLU(),
            gn.Dense(8, 1),
            gn.Unstandardize(),
        ],
        dtype,
        seed=1,
    )


def plain_network(dtype: str = "float32") -> gn.Network:
    """Normalisations, noise and a bounded Dense, for four numbers."""
    return gn.Network(
        [
            gn.Standardize(),
            gn.Dense(4, 9, max_norm=2.0),
            gn.BatchNorm(9),
            gn.LeakyReLU(),
            gn.Dropout(0.1),
            gn.Dense(9, 6, lr_factor=0.5),
            gn.LayerNorm(6),
            gn.GELU(),
            gn.GaussianNoise(0.1),
            gn.Dense(6, 1),
        ],
        dtype,
        seed=2,
    )


def rotated_network(dtype: str = "float64") -> gn.Network:
    """Quantiles, rotations and waves, for four numbers."""
    return gn.Network(
        [
            gn.QuantileNormalize(8),
            gn.Rotations(4, angles=4),
            gn.Periodic(6, 2, n=3),
            gn.Dense(12, 1),
            gn.Unstandardize(),
        ],
        dtype,
        seed=3,
    )


NETWORKS: list[Callable[[], gn.Network]] = [table_network, plain_network, rotated_network]


def rows() -> gn.Dataset:
    """Rows of two numbers, the second sometimes missing, and two categories; their targets."""
    rng = np.random.default_rng(0)
    x = np.column_stack([rng.normal(size=(ROWS, 2)), rng.integers(0, 3, ROWS), rng.integers(0, 2, ROWS)])
    y = x[:, :1] + 0.1 * rng.normal(size=(ROWS, 1))
    return gn.Dataset.from_arrays(x, y[:, 0])


def with_missing(data: gn.Dataset) -> np.ndarray:
    """The training rows, some of them without their second value."""
    x = data.train.x.copy()
    x[::7, 1] = np.nan
    return x


def train(net: gn.Network, callbacks: list[gn.Callback] | None = None, resume: Path | None = None) -> None:
    """Two epochs with everything that a checkpoint can hold."""
    gn.fit(
        net,
        rows(),
        gn.MSE(),
        gn.Adam(1e-3),
        epochs=2,
        batch_size=8,
        average=gn.EMA(0.9),
        callbacks=callbacks or [],
        resume=resume,
    )


def sources(folder: Path) -> dict[str, Source]:
    """What good files hold: by a name that says which kind of file it is."""
    found: dict[str, Source] = {}
    for make in NETWORKS:
        path, net = folder / "good.safetensors", make()
        train(net, [gn.Checkpoint(path)])
        found[f"checkpoint {make.__name__}"] = read_arrays(path)
        net.info["task"] = "regression"
        net.save(path)
        found[f"model {make.__name__}"] = read_arrays(path)
        gn.Ensemble([net, net.copy()]).save(path)
        found[f"ensemble {make.__name__}"] = read_arrays(path)
    return found


def mutated(source: Source, random: Random) -> tuple[Source, list[str]]:
    """Return the same with one to three things changed, and what was."""
    arrays, header = dict(source[0]), copy.deepcopy(source[1])
    done = [
        random.choice([change_array, change_array, change_header])(arrays, header, random)
        for _ in range(random.choice([1, 1, 1, 2, 3]))
    ]
    return (arrays, header), done


def change_array(arrays: Arrays, header: dict[str, Any], random: Random) -> str:
    """Change one array's name, shape, type or values; or add or remove one."""
    name = random.choice(sorted(arrays))
    a = arrays[name]
    how = random.choice(["name", "shape", "dtype", "values", "values", "swap", "add", "remove"])
    if how == "name":
        arrays[random.choice([*NAMES, *arrays])] = arrays.pop(name)
    elif how == "add":
        arrays[random.choice(NAMES)] = random.choice(
            [a, np.zeros(3), np.zeros((2, 2), np.float32), np.ones(1, np.int8)]
        )
    elif how == "remove":
        del arrays[name]
    elif how == "swap":
        other = random.choice(sorted(arrays))
        arrays[name], arrays[other] = arrays[other], a
    elif how == "dtype":
        with np.errstate(all="ignore"):
            arrays[name] = a.astype(random.choice(DTYPES))
    elif how == "shape":
        shapes = [
            a[:-1],
            a[..., :-1],
            a[:0],
            a.T,
            a.ravel(),
            a[None],
            a[..., None],
            np.concatenate([a, a]),
            a.ravel()[:1],
        ]
        arrays[name] = random.choice(shapes if a.ndim else [a[None]])
    else:
        a = arrays[name] = a.copy()
        with np.errstate(all="ignore"):
            if a.dtype.kind != "f" or random.random() < 0.3:
                a[...] = random.choice([a[::-1].copy(), a * 0, a * 3, np.random.default_rng(0).random(a.shape)])
            else:
                place = random.randrange(a.size) if a.size and random.random() < 0.7 else slice(None)
                a.ravel()[place] = random.choice(NUMBERS)
    return f"{how} of {name}"


def change_header(arrays: Arrays, header: dict[str, Any], random: Random) -> str:
    """Change something somewhere in the header, or all of it."""
    place: Any = header
    path = ["header"]
    while True:
        keys = list(place) if isinstance(place, dict) else list(range(len(place)))
        if not keys:
            place.update(x=1) if isinstance(place, dict) else place.append(1)
            return f"added to {path}"
        key = random.choice(keys)
        path.append(str(key))
        if not isinstance(place[key], (dict, list)) or random.random() < 0.1:
            break
        place = place[key]
    how = random.choice(["value", "value", "value", "remove", "another", "twice"])
    if how == "remove":
        del place[key]
    elif how == "another" and isinstance(place, dict):
        place[random.choice(["x", "type", "init", "task", *keys])] = random.choice([place[key], *VALUES])
    elif how == "twice" and isinstance(place, list):
        place.insert(key, copy.deepcopy(place[key]))
    else:
        place[key] = copy.deepcopy(random.choice(VALUES))
    return f"{how} at {'/'.join(path)}"


def outcome(kind: str, path: Path) -> str:
    """Load a file, predict and train: "refused", in one line, or "works". Anything else is raised: it is a fault."""
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        try:
            if kind.startswith("checkpoint"):
                train(next(make for make in NETWORKS if kind.endswith(make.__name__))(), resume=path)
            model = load_model(path)
            use(model)
        except (ValueError, gn.DivergenceError) as error:
            message = str(error)
        else:
            return "works"
    assert len(message.splitlines()) == 1, message
    assert len(message) < 2000, message
    return "refused"


def use(model: gn.Network | gn.Ensemble) -> None:
    """Predict rows of a width that the model takes, by the kernels and without, and train each network for an epoch."""
    width = 4 if model.n_in is None else model.n_in
    x = np.resize(with_missing(rows()), (ROWS, width))
    model.predict(x)
    for net in model.networks if isinstance(model, gn.Ensemble) else [model]:
        net.forward(x)
        values = net.n_out == 1
        data = gn.Dataset.from_arrays(
            np.nan_to_num(x), np.resize(rows().train.y, ROWS) if values else np.arange(ROWS) % 2
        )
        for fast in (True, False):
            net.fast = fast
            gn.fit(net, data, gn.MSE() if values else gn.CrossEntropy(), gn.SGD(1e-3), epochs=1, batch_size=16)
        assert net.predict(x).shape == (ROWS, net.n_out or 1)


def run(count: int, folder: Path, seed: int = 0) -> dict[str, int]:
    """Try so many mutated files; return how many had which outcome. Raises AssertionError with the first fault."""
    random = Random(seed)
    good = sources(folder)
    outcomes = {"refused": 0, "works": 0}
    path = folder / "mutated.safetensors"
    for kind, source in good.items():
        write_arrays(path, *source)
        assert outcome(kind, path) == "works", kind
    for number in range(count):
        kind = random.choice(sorted(good))
        (arrays, header), done = mutated(good[kind], random)
        write_arrays(path, arrays, header)
        try:
            outcomes[outcome(kind, path)] += 1
        except Exception as error:
            raise AssertionError(f"{kind}, number {number}: {'; '.join(done)}: {error!r}") from error
    return outcomes


if __name__ == "__main__":
    import sys
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        print(run(int(sys.argv[1]), Path(folder), int((*sys.argv, 0)[2])))
