"""Make the network that comes with glassnet: python -m glassnet.explore.make

Trains the recipe explore-mnist with seed 0 and writes mnist.safetensors beside this file: the weights (float32), 25
digits of MNIST's test part (uint8), and how it was made. It needs MNIST (glassnet data fetch mnist).
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np

from glassnet import recipes
from glassnet.data import Split
from glassnet.explore import shipped
from glassnet.nn import Network
from glassnet.nn.ensemble import leading
from glassnet.nn.layer import Array
from glassnet.nn.storage import write_arrays
from glassnet.recipes.run import load_data

EACH, HARDEST = 2, 5  # the first digits of each class, and those that the network gets most wrong


def make(out: Path) -> str:
    """Train the recipe, write the file, and return a line with its origin and its accuracy."""
    recipe = shipped.recipe()
    with tempfile.TemporaryDirectory() as folder:
        metrics = recipes.train(recipe, Path(folder) / "run")
        net = leading(recipes.open_run(Path(folder) / "run")[1])
    test = load_data(recipe).test
    rows = choose(net, test)
    accuracy, version = metrics["test"]["accuracy"], metrics["version"]
    net.info |= {
        "made by": f"glassnet train {recipe.name} --seed {recipe.seed} (glassnet {version}): {accuracy:.2%} of MNIST's"
        f" 10,000 test images; python -m glassnet.explore.make",
        "recipe": recipe.to_dict(),
        "test": metrics["test"],
        "version": version,
        "test rows of examples": rows.tolist(),
    }
    arrays = net.arrays() | {shipped.X: test.x[rows], shipped.Y: test.y[rows].astype(np.uint8)}
    write_arrays(out, arrays, {"network": net.describe()})
    return str(net.info["made by"])


def choose(net: Network, test: Split) -> Array:
    """Return the numbers of the test rows to keep, in order."""
    p = net.predict_proba(test.x)[np.arange(len(test)), test.y]
    first = [np.flatnonzero(test.y == c)[:EACH] for c in np.unique(test.y)]
    return np.unique(np.concatenate([*first, np.argsort(p, kind="stable")[:HARDEST]]))


if __name__ == "__main__":
    print(make(shipped.path()))
