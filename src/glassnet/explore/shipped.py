"""The network that comes with glassnet, a few digits to try it on, and the recipe that it was trained by.

    from glassnet.explore import shipped

    net, digits = shipped.network(), shipped.examples()
    net.predict_proba(digits.test.x)

`python -m glassnet.explore.make` makes the file again. The network's `info` says how this one was made.
"""

from __future__ import annotations

from importlib import resources
from pathlib import Path

import numpy as np

from glassnet import recipes
from glassnet.data import Dataset, Split
from glassnet.data.mnist import ARCHIVES, SHAPE
from glassnet.data.resolve import find
from glassnet.nn import Network
from glassnet.nn.storage import read_arrays
from glassnet.recipes import Recipe

RECIPE = "explore-mnist"
X, Y = "examples/x", "examples/y"


def path() -> Path:
    """Return the path of the file: weights, and test digits with their classes."""
    return Path(str(resources.files(__package__).joinpath("mnist.safetensors")))


def recipe() -> Recipe:
    """Return the recipe that the network was trained by."""
    return recipes.load(RECIPE)


def network() -> Network:
    """Return the network, 784-128-10; it takes raw MNIST pixels (N, 784), 0..255."""
    return Network.load(path())


def examples() -> Dataset:
    """Return the digits as a dataset with a test part only: x uint8 (25, 784), y (25,). No other data are needed."""
    arrays, header = read_arrays(path())
    info = header["network"]["info"]
    none = Split(np.empty((0, arrays[X].shape[1]), np.uint8), np.empty(0, np.int64))
    return Dataset(
        "mnist",
        none,
        none,
        Split(arrays[X], arrays[Y].astype(np.int64)),
        "classification",
        tuple(info["classes"]),
        tuple(info["features"]),
        SHAPE,
        info["target"],
    )


def mnist_is_here() -> bool:
    """Whether MNIST can be loaded without a download."""
    return all(find(archive) is not None for archive in ARCHIVES)
