"""How fast the playground is: python benchmarks/playground.py

Frames: the plane of a 2-8-8-2 network is redrawn while it trains at full speed, in headless Chromium. Training: the
same steps by the kernels in WebAssembly, in the page, and by the native kernels on one thread, in turns. Of both, the
time of a step is the least of several rounds.
"""

from __future__ import annotations

import os

os.environ["OMP_NUM_THREADS"] = "1"

import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

import glassnet as gn
from glassnet.explore import write_playground
from glassnet.fast.training import FastStep

sys.path.insert(0, os.fspath(Path(__file__).parents[1] / "tests"))

from browser import started  # type: ignore[import-not-found]

ROWS, SIZES, ROUNDS = 320, ((8, 10), (16, 32), (64, 32)), 5  # sizes: units of both hidden layers, and of the batch
SECONDS = 5  # of frames

IN_THE_PAGE = """
const { Training } = await import("glassnet/training.js");
const { catalog, dense, made } = await import("glassnet/spec.js");
const [units, batch, n, steps] = given;
const { run } = glassnetPlayground;
const x = Float32Array.from({ length: 2 * n }, (_, i) => Math.sin(i * 12.9898) % 1);
const t = Int32Array.from({ length: n }, (_, i) => (x[2 * i] * x[2 * i + 1] > 0 ? 1 : 0));
const none = { x: x.slice(0, 0), t: t.slice(0, 0) };
const data = { width: 2, task: "classification", n_out: 2, standardize: null, train: { x, t }, test: none };
const layers = [dense(units), made("layers", "ReLU"), dense(units), made("layers", "ReLU"), dense(2)];
const training = new Training(run.module, catalog, { ...run.spec, layers, batch_size: batch }, data);
training.judge = training.keep = () => {};
const begun = performance.now();
while (training.step < steps) training.advance(1e9);
return (1000 * (performance.now() - begun)) / training.step;
"""


def native(units: int, batch: int, steps: int) -> float:
    """Microseconds of a step by the native kernels."""
    rng = np.random.default_rng(0)
    x = rng.uniform(-1, 1, (ROWS, 2)).astype("f4")
    y = (x[:, 0] * x[:, 1] > 0).astype(np.int64)
    layers = [gn.Dense(2, units), gn.ReLU(), gn.Dense(units, units), gn.ReLU(), gn.Dense(units, 2)]
    step = FastStep(gn.Network(layers, threads=1), x, y, gn.CrossEntropy(), gn.Adam(0.01), batch)
    per_epoch, made = -(-ROWS // batch), 0
    begun = time.perf_counter()
    while made < steps:
        step.many(rng.permutation(ROWS), [1.0] * per_epoch)
        made += per_epoch
    return 1e6 * (time.perf_counter() - begun) / made


def main() -> None:
    """Print the frames a second, and a line for each size."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "page.html"
        write_playground(out)
        browsers = started()
        page: Any = next(browsers)
        page.open(out.as_uri())
        page.click("#start")
        time.sleep(SECONDS)
        page.click("#start")
        times = page.js("return glassnetFrames")
        apart = np.diff(times)
        print(json.dumps({"frames a second, median": round(1000 / float(np.median(apart)), 1), "frames": len(times)}))
        for units, batch in SIZES:
            steps = max(200, 400_000 // units**2)
            rounds = [
                (page.asking(IN_THE_PAGE, units, batch, ROWS, steps), native(units, batch, steps))
                for _ in range(ROUNDS)
            ]
            wasm, here = (min(column) for column in zip(*rounds, strict=True))
            what = f"2-{units}-{units}-2, batch {batch}"
            print(f"{what}: {wasm:.1f} µs in the page, {here:.1f} native: {wasm / here:.1f} times")
        browsers.close()


if __name__ == "__main__":
    main()
