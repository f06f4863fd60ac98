"""What ranks cost and bring: `python benchmarks/ranks.py`. It needs mpi4py and mpiexec.

overhead: the CPU time of a step by shards, beside a step by the whole batch, in one process.
scaling: steps of two ranks with a thread each, beside those of one rank with two threads. With --torch PYTHON, also of
PyTorch's DistributedDataParallel (gloo) with two processes of a thread each, by a Python that has it.
network: steps of two ranks that are joined by a network, with messages that travel while the last gradient is found,
beside steps with messages after it. The network is a model: after each message a rank sleeps as long as that takes.
projection: what follows for 8, 64 and 512 ranks from the measured times and a model of the network.

Rounds are interleaved and their median is shown, because other programs may run.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import subprocess
import sys
import time
from itertools import pairwise
from statistics import median
from typing import Any

import numpy as np

NETWORKS = {"small": [20, 256, 128, 2], "MNIST": [784, 256, 10], "wide": [784, 512, 512, 10]}
BATCHES = (512, 2048)
ROWS = 8192
ROUNDS = 5
DELAY, BANDWIDTH = 20e-6, 10e9 / 8  # seconds of a message, bytes a second: 10 Gb/s Ethernet, as in many clusters
JOINED = {"10 Gb/s, 20 us": (DELAY, BANDWIDTH), "1 Gb/s, 1 ms": (1e-3, 1e9 / 8)}
DEEP = {"MNIST": NETWORKS["MNIST"], "wide": NETWORKS["wide"], "deep": [64, 512, 512, 512, 512, 10]}


def rows(widths: list[int]) -> tuple[Any, Any]:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(ROWS, widths[0])).astype(np.float32)
    return x, rng.integers(0, widths[-1], ROWS)


def our_step(widths: list[int], batch: int, shards: int | None, threads: int, comm: Any = None) -> Any:
    import glassnet as gn
    from glassnet.ranks import Ranks
    from glassnet.train.shards import ShardedStep
    from glassnet.train.step import training_step

    layers = [layer for pair in pairwise(widths) for layer in (gn.Dense(*pair), gn.ReLU())]
    net, optimizer = gn.Network(layers[:-1], threads=threads), gn.AdamW(1e-3)
    step = training_step(net, *rows(widths), gn.CrossEntropy(), optimizer, batch)
    return step if shards is None else ShardedStep(step, net, optimizer, shards, Ranks(comm))


def overhead() -> None:
    from glassnet.train.shards import shards_of

    print("CPU time of a step by shards, of one by the whole batch")
    for name, widths in NETWORKS.items():
        for batch in BATCHES:
            shards = shards_of(batch)
            steps = [our_step(widths, batch, each, 1) for each in (None, shards)]
            order = np.random.default_rng(0).permutation(ROWS)
            spent: list[list[float]] = [[], []]
            for _ in range(ROUNDS + 2):
                for step, times in zip(steps, spent, strict=True):
                    start = time.process_time()
                    for first in range(0, ROWS, batch):
                        step(order[first : first + batch], 1.0)
                    times.append(time.process_time() - start)
            print(f"  {name:6} batch {batch:5} shards {shards:3}  {median(spent[1]) / median(spent[0]):.2f}")


def torch_step(widths: list[int], batch: int) -> Any:
    import torch
    from torch import nn
    from torch.nn.parallel import DistributedDataParallel

    torch.set_num_threads(1)
    rank, size = int(os.environ["OMPI_COMM_WORLD_RANK"]), int(os.environ["OMPI_COMM_WORLD_SIZE"])
    if not torch.distributed.is_initialized():
        os.environ.update(MASTER_ADDR="127.0.0.1", MASTER_PORT="29511")
        torch.distributed.init_process_group("gloo", rank=rank, world_size=size)
    layers = [layer for pair in pairwise(widths) for layer in (nn.Linear(*pair), nn.ReLU())]
    net = DistributedDataParallel(nn.Sequential(*layers[:-1]))
    optimizer, loss = torch.optim.AdamW(net.parameters(), 1e-3), nn.CrossEntropyLoss()
    x, y = map(torch.from_numpy, rows(widths))
    share = batch // size

    def step(order: Any, _: float) -> float:
        own = torch.from_numpy(order[rank * share : (rank + 1) * share])
        optimizer.zero_grad()
        value = loss(net(x[own]), y[own])
        value.backward()
        optimizer.step()
        return value.item()

    return step


def timed(library: str, threads: int) -> None:
    """Print the seconds of a step for all networks, as JSON, on the first rank."""
    from glassnet.train.shards import shards_of

    found, comm = {}, None
    if library == "ours":
        from mpi4py import MPI

        comm = MPI.COMM_WORLD
    for name, widths in NETWORKS.items():
        for batch in BATCHES:
            step = (
                torch_step(widths, batch) if comm is None else our_step(widths, batch, shards_of(batch), threads, comm)
            )
            order = np.random.default_rng(0).permutation(ROWS)
            times = []
            passes = 4 if batch < 1000 or widths[1] < 300 else 2
            for _ in range(passes):
                start = time.perf_counter()
                for first in range(0, ROWS, batch):
                    step(order[first : first + batch], 1.0)
                times.append((time.perf_counter() - start) / (ROWS // batch))
            found[f"{name:6} batch {batch:5}"] = median(times)
    if int(os.environ.get("OMPI_COMM_WORLD_RANK", 0)) == 0:
        print(json.dumps(found), flush=True)


def launched(python: str, ranks: int, library: str, threads: int) -> dict[str, Any]:
    environment = os.environ | {
        "OMP_NUM_THREADS": str(threads),
        "PRTE_MCA_rmaps_default_mapping_policy": ":oversubscribe",
        "PRTE_MCA_hwloc_default_binding_policy": "none",
        "OMPI_MCA_mpi_yield_when_idle": "1",  # as the command line does
    }
    words = ["mpiexec", "-n", str(ranks), python, __file__, "timed", library, str(threads)]
    done = subprocess.run(words, env=environment, capture_output=True, text=True, check=True)
    said: dict[str, Any] = json.loads(done.stdout)
    return said


def scaling(torch: str | None) -> None:
    runs = {"1 rank, 2 threads": (sys.executable, 1, "ours", 2), "2 ranks": (sys.executable, 2, "ours", 1)}
    if torch is not None:
        runs["DDP, 2 processes"] = (torch, 2, "torch", 1)
    found: dict[str, list[dict[str, float]]] = {name: [] for name in runs}
    for _ in range(ROUNDS):
        for name, run in runs.items():
            found[name].append(launched(*run))
    print("milliseconds of a step: " + "; ".join(runs))
    for case in found["2 ranks"][0]:
        times = {name: median(each[case] for each in rounds) for name, rounds in found.items()}
        shown = "  ".join(f"{1000 * each:7.2f}" for each in times.values())
        first, ours, *theirs = times.values()
        more = "".join(f"  DDP takes {each / ours:.2f} of our time" for each in theirs)
        print(f"  {case}  {shown}  speed of 2 ranks beside 2 threads {first / ours:.2f}{more}")


class Joined:
    """A communicator whose messages take as long as over a network."""

    def __init__(self, comm: Any, delay: float, bandwidth: float) -> None:
        self.comm, self.delay, self.bandwidth = comm, delay, bandwidth

    def __getattr__(self, name: str) -> Any:
        return getattr(self.comm, name)

    def Sendrecv(self, sendbuf: Any, dest: int, *, recvbuf: Any, source: int) -> None:  # noqa: N802
        """Exchange messages as mpi4py does, and wait."""
        self.comm.Sendrecv(sendbuf, dest, recvbuf=recvbuf, source=source)
        time.sleep(self.delay + recvbuf.nbytes / self.bandwidth)


def joined() -> None:
    """Print the seconds of a step of each way, for each network, as JSON, on the first rank."""
    from mpi4py import MPI

    from glassnet.train.shards import Overlap, shards_of

    found = {}
    for name, widths in DEEP.items():
        for batch in BATCHES:
            for network, speed in JOINED.items():
                for shards in (2, shards_of(batch)):
                    step = our_step(widths, batch, shards, 1, Joined(MPI.COMM_WORLD, *speed))
                    step.overlap = Overlap(None)
                    order, times = np.random.default_rng(0).permutation(ROWS), (list[float](), list[float]())
                    for number in range(2 * ROWS // batch):
                        step.overlap.wanted, start = bool(number % 2), time.perf_counter()
                        first = number // 2 * batch
                        step(order[first : first + batch], 1.0)
                        times[number % 2].append(time.perf_counter() - start)
                    found[f"{name:6} batch {batch:5}, {shards:2} shards, {network:14}"] = [*map(median, times)]
    if MPI.COMM_WORLD.Get_rank() == 0:
        print(json.dumps(found), flush=True)


def network() -> None:
    rounds = [launched(sys.executable, 2, "joined", 1) for _ in range(ROUNDS)]
    print("milliseconds of a step of two ranks: messages after the gradient, and while it is found")
    for case in rounds[0]:
        after, meanwhile = (median(each[case][way] for each in rounds) for way in (0, 1))
        print(f"  {case}  {1000 * after:7.2f}  {1000 * meanwhile:7.2f}  {after / meanwhile:.2f}")


def projection() -> None:
    print(
        "A projection, not a measurement: speed beside one rank, for a batch of 1024 rows, and one of 128 for each rank"
    )
    print(f"  {DELAY * 1e6:.0f} us a message, {BANDWIDTH * 8 / 1e9:.0f} Gb/s")
    for name, widths in NETWORKS.items():
        batch = 1024
        step = our_step(widths, batch, 1, 1)
        order, times = np.random.default_rng(0).permutation(ROWS), []
        for _ in range(ROUNDS):
            start = time.process_time()
            for first in range(0, ROWS, batch):
                step(order[first : first + batch], 1.0)
            times.append((time.process_time() - start) / (ROWS // batch))
        row = median(times) / batch  # seconds
        size = 4 * step.net.theta.size
        for ranks in (8, 64, 512):
            sending = 2 * (math.log2(ranks) + 1) * DELAY + 2 * size * (1 - 1 / ranks) / BANDWIDTH
            fixed = batch * row / (max(1.0, batch / ranks) * row + sending)
            growing = ranks * 128 * row / (128 * row + sending)
            print(f"  {name:6} {ranks:4} ranks: {fixed:6.1f}  {growing:6.1f}  ({1000 * sending:.2f} ms of sending)")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("what", nargs="*", default=["overhead", "scaling", "projection"])
    parser.add_argument("--torch", metavar="PYTHON", help="a Python that has PyTorch and NumPy")
    arguments = parser.parse_args()
    if arguments.what[:2] == ["timed", "joined"]:
        joined()
        return
    if arguments.what[0] == "timed":
        timed(arguments.what[1], int(arguments.what[2]))
        return
    for what in arguments.what:
        commands = {"overhead": overhead, "network": network, "projection": projection}
        (commands | {"scaling": lambda: scaling(arguments.torch)})[what]()


if __name__ == "__main__":
    main()
