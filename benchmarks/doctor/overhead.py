"""What watching costs: a training with and without gn.Doctor, in turn, medians over rounds.

    python benchmarks/doctor/overhead.py      # four minutes, alone on the machine; needs MNIST

Networks, batches and update rule are those of the speed race; each round is five epochs of 48,000 images.
"""

from __future__ import annotations

import statistics
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

import glassnet as gn
from race.cases import MOMENTUM, TRAINING, Case, parameters, shape
from race.contenders.glassnet import network

ROUNDS, ROWS, EPOCHS = 9, 48_000, 5


def seconds(case: Case, data: gn.Dataset, *callbacks: gn.Callback) -> float:
    """The time of one training."""
    net = network(parameters(case.widths), gn.Standardize(per_feature=False))
    net.fit_preprocessing(data.train.x)
    start = time.perf_counter()
    gn.fit(
        net, data, gn.CrossEntropy(), gn.SGD(case.lr, MOMENTUM), EPOCHS, case.batch, validate=False, callbacks=callbacks
    )
    return time.perf_counter() - start


def main() -> None:
    """Print a line for each network."""
    data = gn.load("mnist")
    data.train = gn.Split(data.train.x[:ROWS], data.train.y[:ROWS])
    print("| network, batch | alone | watched | ratio | of the rounds |\n| --- | ---: | ---: | ---: | ---: |")
    for case in TRAINING:
        pairs = [(seconds(case, data), seconds(case, data, gn.Doctor())) for _ in range(ROUNDS + 1)][1:]
        ratios = sorted(watched / alone for alone, watched in pairs)
        times = " | ".join(f"{statistics.median(each):.3f} s" for each in zip(*pairs, strict=True))
        spread = f"{ratios[0]:.3f} to {ratios[-1]:.3f}"
        print(
            f"| {shape(case.widths)}, {case.batch} | {times} | {statistics.median(ratios):.3f} | {spread} |", flush=True
        )


if __name__ == "__main__":
    main()
