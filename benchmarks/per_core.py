"""Rows that one core predicts in a second: the C kernels beside ONNX Runtime, on the same exported networks.

    python benchmarks/per_core.py

Both have one thread, take turns, and are measured by the time that the processor spends, so that other programs disturb
little.
"""

from __future__ import annotations

import itertools
import statistics
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import onnxruntime

import glassnet as gn
from glassnet.nn import Network
from race.cases import SIX_LAYERS, SMALL, shape

ROUNDS, SPENT = 15, 0.1  # seconds of a turn, at least
SIZES = (1, 100, 10_000)


def networks() -> dict[str, Network]:
    """Networks of images, and one of a table."""
    found = {}
    for widths in (SMALL, SIX_LAYERS):
        dense = [layer for pair in itertools.pairwise(widths) for layer in (gn.Dense(*pair), gn.ReLU())]
        found[shape(widths)] = Network(dense[:-1])
    layers = [
        gn.Standardize(),
        gn.Dense(20, 64),
        gn.BatchNorm(64),
        gn.GELU(),
        gn.Dense(64, 64),
        gn.GELU(),
        gn.Dense(64, 1),
    ]
    table = Network(layers)
    table.fit_preprocessing(np.random.default_rng(0).normal(size=(1000, 20)).astype(np.float32))
    return found | {"table, 20-64-64-1": table}


def speed(predict: Callable[[], object], rows: int) -> float:
    """Rows for a second of the processor's time."""
    calls, start = 0, time.process_time()
    while (spent := time.process_time() - start) < SPENT:
        predict()
        calls += 1
    return rows * calls / spent


def main() -> None:
    """Print a table."""
    print("| network | rows at once | glassnet, rows a second | ONNX Runtime | ratio |")
    print("| --- | ---: | ---: | ---: | ---: |")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    with TemporaryDirectory() as folder:
        for name, net in networks().items():
            net.threads = 1
            path = Path(folder, "model.onnx")
            gn.export(net, path)
            session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
            width = session.get_inputs()[0].shape[1]
            for rows in SIZES:
                x = np.random.default_rng(1).normal(size=(rows, width)).astype(np.float32)
                ours_of, theirs_of = partial(net.predict, x), partial(session.run, None, {"x": x})
                np.testing.assert_allclose(ours_of(), theirs_of()[0], rtol=1e-3, atol=1e-4)
                found = [(speed(ours_of, rows), speed(theirs_of, rows)) for _ in range(ROUNDS)]
                ours, theirs = (statistics.median(each) for each in zip(*found, strict=True))
                ratio = statistics.median(a / b for a, b in found)
                print(f"| {name} | {rows:,} | {ours:,.0f} | {theirs:,.0f} | {ratio:.2f} |", flush=True)


if __name__ == "__main__":
    main()
