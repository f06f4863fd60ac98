"""The parent's side: workers that wait for commands, and programs that are timed from start to exit."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import psutil

from race.cases import THREADS
from race.contenders import MODULES
from race.rounds import SETTLE

FOLDER = Path(__file__).parents[1]  # benchmarks: where `python -m race.worker` finds the package


def environment() -> dict[str, str]:
    """Two threads for everybody; XLA takes as many as there are processors."""
    threads = {name: str(THREADS) for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")}
    return {**os.environ, **threads, "JAX_PLATFORMS": "cpu"}


class Worker:
    """A contender in a process of its own, so that nobody's threads are in another's way. It sleeps between calls."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.process = subprocess.Popen(
            [sys.executable, "-m", "race.worker", MODULES[name]],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=FOLDER,
            env=environment(),
        )

    def __call__(self, command: str, **arguments: Any) -> Any:
        """Have the worker call a method of race.worker.Desk. Raises RuntimeError if that fails, or the worker died."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        try:
            self.process.stdin.write(json.dumps([command, arguments]) + "\n")
            self.process.stdin.flush()
            line = self.process.stdout.readline()
        except BrokenPipeError:
            line = ""
        if not line:
            raise RuntimeError(f"{self.name}: the process died at {command!r}, with status {self.process.wait()}")
        reply = json.loads(line)
        if "error" in reply:
            raise RuntimeError(f"{self.name}: {command!r} failed\n{reply['error']}")
        return reply["value"]

    def cpu(self) -> float:
        """Seconds of processor time that the process has used."""
        times = psutil.Process(self.process.pid).cpu_times()
        return float(times.user + times.system)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        with self.process:  # closes its pipes, and waits
            self.process.kill()


@contextmanager
def team(names: Iterable[str]) -> Iterator[dict[str, Worker]]:
    """Start a worker for each; end them all after the block."""
    workers: dict[str, Worker] = {}
    try:
        for name in names:
            workers[name] = Worker(name)
            workers[name]("ready")
        yield workers
    finally:
        for worker in workers.values():
            worker.__exit__()


def idle_share(workers: Mapping[str, Worker], seconds: float = 1.0) -> float:
    """The share of one processor that the workers use while they wait, together: should be nothing."""
    time.sleep(SETTLE)
    before = sum(worker.cpu() for worker in workers.values())
    time.sleep(seconds)
    return (sum(worker.cpu() for worker in workers.values()) - before) / seconds


@dataclass
class Exit:
    """How a program ended: wall-clock seconds from spawn to exit, peak memory in MB, and what it printed."""

    seconds: float
    megabytes: float
    output: str


def run(command: Sequence[str], **variables: str) -> Exit:
    """Run a program to its end, with environment variables added. Raises RuntimeError if it fails."""
    launcher = [sys.executable, "-I", "-S", str(FOLDER / "race" / "launch.py")]
    done = subprocess.run(
        [*launcher, *command], env=environment() | variables, cwd=FOLDER, capture_output=True, text=True, check=False
    )
    output, _, last = done.stdout.rstrip().rpartition("\n")
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)} ended with status {done.returncode}\n{done.stdout}{done.stderr}")
    found = json.loads(last)
    return Exit(found["seconds"], found["megabytes"], output)
