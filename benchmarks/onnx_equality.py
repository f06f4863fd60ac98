"""Exported networks in ONNX Runtime beside `predict`: random ones, over every layer, type and kind of preprocessing.

    make onnx                                  # or: python benchmarks/onnx_equality.py [NETWORKS]

A difference is the largest of all outputs of 230 rows, as a share of the largest output; of probabilities, which a last
Softmax or Sigmoid makes, it is absolute. Exit status 1 if one is above 1e-5. The networks: tests/random_networks.py.
"""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path
from random import Random

import onnxruntime

sys.path.append(str(Path(__file__).parents[1] / "tests"))
from random_networks import difference, draw  # type: ignore[import-not-found]

TOLERANCE = 1e-5


def main() -> int:
    """Draw networks with the seeds 0, 1, ...; print how many, with which layers, and the largest differences."""
    networks = int(sys.argv[1]) if len(sys.argv) > 1 else 500
    differences: dict[str, list[float]] = {"float32": [], "float64": []}
    layers: Counter[str] = Counter()
    for seed in range(networks):
        drawn = draw(Random(seed))
        differences[drawn.net.dtype.name].append(difference(drawn))
        layers.update({type(layer).__name__ for layer in drawn.net.layers})
    print(f"{networks} random networks, ONNX Runtime {onnxruntime.__version__}")
    print("with " + ", ".join(f"{name} {count}" for name, count in layers.most_common()))
    for dtype, found in differences.items():
        middle = sorted(found)[len(found) // 2]
        print(f"{dtype}: {len(found)} networks, largest difference {max(found):.1e}, median {middle:.1e}")
    return 0 if max(map(max, differences.values())) <= TOLERANCE else 1


if __name__ == "__main__":
    sys.exit(main())
