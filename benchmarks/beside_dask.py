"""A large table on two processes: glassnet's ranks beside LightGBM on Dask.

    python benchmarks/beyond.py make big.parquet --gb 2
    python benchmarks/beside_dask.py lightgbm big.parquet          # needs dask, distributed, pyarrow and lightgbm
    python benchmarks/beside_dask.py glassnet big.parquet          # needs mpi4py, and mpiexec

Each prints the seconds, the most memory of all its processes together, and the RMSE of rows that were held out.
LightGBM has its defaults, and reads the whole table into memory. glassnet has its default pack, in pieces, and a limit.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import numpy as np
import psutil


def most_memory(found: list[int], over: threading.Event) -> None:
    """Note the sum of the memory of this process and all below it, again and again, until it is over."""
    me = psutil.Process()
    while not over.wait(0.2):
        total = 0
        for process in (me, *me.children(recursive=True)):
            try:
                total += process.memory_info().rss
            except psutil.Error:
                continue
        found.append(total)


def lightgbm(table: Path) -> float:
    """Train LightGBM on two workers of a thread each; return the RMSE."""
    import dask.dataframe as dd
    from distributed import Client, LocalCluster
    from lightgbm import DaskLGBMRegressor

    with LocalCluster(n_workers=2, threads_per_worker=1, memory_limit=None) as cluster, Client(cluster) as client:
        frame = dd.read_parquet(table).categorize(["place", "kind"])
        frame["day"] = (frame["day"] - np.datetime64("1970-01-01")).dt.days.astype("float64")
        train, test = frame.random_split([0.99, 0.01], random_state=0)
        train = train.persist()
        model = DaskLGBMRegressor(client=client, verbose=-1).fit(train.drop(columns="y"), train["y"])
        error = model.predict(test.drop(columns="y")).compute() - test["y"].compute().to_numpy()
    return float(np.sqrt(np.mean(error**2)))


def glassnet(table: Path, memory: str, limit: str) -> float:
    """Train the default pack on two ranks of a thread each; return the RMSE."""
    with tempfile.TemporaryDirectory() as folder:
        run = Path(folder) / "run"
        options = ["--target", "y", "--memory", memory, "--time", limit, "--out", str(run), "--quiet"]
        program = [sys.executable, "-m", "glassnet", "train", str(table), *options]
        subprocess.run(["mpiexec", "-n", "2", *program], check=True, env=os.environ | {"OMP_NUM_THREADS": "1"})
        found = json.loads((run / "metrics.json").read_text())
    return float(found["test"]["rmse"])


def main() -> None:
    """Carry out a command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("lightgbm", "glassnet"))
    parser.add_argument("table", type=Path)
    parser.add_argument("--memory", default="1GB")
    parser.add_argument("--time", default="120s")
    options = parser.parse_args()
    memory, over = [0], threading.Event()
    watch = threading.Thread(target=most_memory, args=(memory, over))
    watch.start()
    start = time.perf_counter()
    try:
        if options.what == "lightgbm":
            rmse = lightgbm(options.table)
        else:
            rmse = glassnet(options.table, options.memory, options.time)
        seconds = time.perf_counter() - start
    finally:
        over.set()
        watch.join()
    print(f"{options.what}: {seconds:.0f} s, at most {max(memory) / 1e9:.2f} GB, RMSE {rmse:.4f}")


if __name__ == "__main__":
    main()
