"""Kill commands at every operation on a file, type them again, and compare with what an undisturbed one writes.

python tests/kill_everywhere.py [--every N] [COMMAND ...]    all commands, and every operation, by default

A process that has imported everything forks for each of the trials, and a trial for its members; pictures are a few
bytes, for what they show takes time and none of it is about files. kill_everywhere.c, preloaded, counts what is done
to files below the trial's folder. At the operation of a number it ends the command, and of its processes the one that
got there, by SIGKILL; one that writes has written half by then. Afterwards the same command is typed, and, if it is
refused, the same with --resume. Then there must be the same files with the same content, and nothing else.
"""

from __future__ import annotations

import argparse
import importlib
import mmap
import multiprocessing
import os
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from glassnet.files import replacing

SMALL = "--set training.epochs=2 --set network.hidden=[4] --set network.threads=1"
PACK = (
    "--set network.hidden=[4] --set network.embedding.dim=2 --set network.threads=1"
    " --set pack.ends=[1,2] --set pack.networks=2 --set pack.candidates={}"
)
COMMANDS = {
    "train": f"train digits {SMALL} --out out",
    "pack": f"train rows.csv --target y {PACK} --out out",
    "members": f"train digits {SMALL} --set ensemble=2 --out out",
    "ensemble": "ensemble a b --out out",
    "tune": f"tune digits {SMALL} --set tune.confirm=0 --trials 2 --out out",
    "csv": "predict a rows.npy --out out.csv",
    "parquet": "predict a rows.npy --out out.parquet",
    "export": "export a out.onnx",
    "report": "report a --out out.html",
    "compare": "compare a b --out out.html",
    "explore": "explore a --out out.html",
}
# What holds times, as pack.safetensors, or numbers of trials (one that was killed has a number, too), is another each
# time.
SAME = ("model.safetensors", "checkpoint.safetensors", ".toml", ".onnx", ".parquet", "out.csv", ".png")
MADE_BEFORE = {"a": f"train digits {SMALL} --out a", "b": f"train digits {SMALL} --seed 1 --out b"}

IMPORTED = (
    "matplotlib.backends.backend_agg",
    "onnx",
    "optuna",
    "polars",
    "sklearn.datasets",
    "glassnet.explore",
    "glassnet.exchange",
    "glassnet.report",
    "glassnet.tuning.search",
)


class Pictures:
    """What takes the place of the room of pictures, where runs draw theirs: it writes files as that does."""

    @staticmethod
    def save(_: object, path: Path) -> None:
        with replacing(path) as part:
            part.write_bytes(b"a picture")

    def __getattr__(self, name: str) -> Callable[..., None]:
        return lambda *_, **__: None


class Trials:
    """Runs commands in folders of their own, in a process that is ended at the operation of a number."""

    def __init__(self, root: Path) -> None:
        self.root = root
        with Path(os.environ["KILL_COUNTER"]).open("rb+") as file:
            self.counter = mmap.mmap(file.fileno(), 24)

    def run(self, command: str, folder: Path, last: int = 0) -> tuple[int, int]:
        """Type a command in a folder; return its status, and how many operations there were."""
        child = os.fork()
        if not child:
            self._type(command, folder, last)
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        done, _, _ = struct.unpack("3l", self.counter[:])
        self.counter[:] = bytes(24)  # what is left of its processes isn't counted
        return status, done

    def _type(self, command: str, folder: Path, last: int) -> None:
        """In the child: be the command line, to the end."""
        from glassnet.cli import main

        os.setsid()
        os.chdir(folder)
        said = os.open(self.root / f"{folder.name}.txt", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        os.dup2(said, 1)
        os.dup2(said, 2)
        os.write(said, f"\n$ glassnet {command}\n".encode())
        sys.argv = ["glassnet", *command.split()]
        self.counter[:] = struct.pack("3l", 0, last, os.getpid())
        try:
            main()
        except SystemExit as end:
            os._exit(end.code if isinstance(end.code, int) else 0)
        os._exit(70)

    def folder(self, name: str) -> Path:
        """Make a folder with what the commands read."""
        folder = self.root / name
        folder.mkdir()
        if (self.root / "made").is_dir():
            for each in (self.root / "made").iterdir():
                (folder / each.name).symlink_to(each)
        return folder


def contents(folder: Path, same: tuple[str, ...]) -> dict[str, bytes]:
    """All that a command wrote; of files that don't end so, that they aren't empty."""
    found = (path for path in sorted(folder.rglob("*")) if not (path.is_symlink() or path.parent.is_symlink()))
    return {
        str(path.relative_to(folder)): (
            path.read_bytes() if path.name.endswith(same) else b"yes"[: path.stat().st_size]
        )
        for path in found
        if path.is_file() or not any(path.iterdir())
    }


def kill_everywhere(name: str, trials: Trials, every: int) -> list[str]:
    """Do it with one command; return what went wrong, a line for each."""
    command = COMMANDS[name]
    whole = trials.folder(f"{name}-whole")
    status, operations = trials.run(command, whole)
    if status:
        return [f"{name}: status {status} undisturbed; see {trials.root / whole.name}.txt"]
    same = SAME if name != "tune" else (".toml",)
    expected, faults, killed = contents(whole, same), [], 0
    for last in range(1, operations + 1, every):
        folder = trials.folder(f"{name}-{last}")
        killed += trials.run(command, folder, last)[0] == -signal.SIGKILL
        statuses = [trials.run(command, folder)[0]]
        if statuses[-1] and "--out out" in command and command.startswith("train"):
            statuses.append(trials.run(f"{command} --resume", folder)[0])
        found = contents(folder, same)
        if found == expected:
            shutil.rmtree(folder)
            continue
        differ = sorted(key for key in expected.keys() | found.keys() if expected.get(key) != found.get(key))
        faults.append(f"{name}: killed at {last} of {operations}, then {statuses}: {', '.join(differ)} in {folder}")
    print(f"{name}: {operations} operations, killed at {killed}, {len(faults)} not recovered", flush=True)
    return faults


def inside(names: list[str], every: int, root: Path) -> int:
    """The part of the program that has the library preloaded."""
    import numpy as np

    from glassnet.recipes import pictures, side_by_side

    for module in IMPORTED:
        importlib.import_module(module)
    pictures.plots = Pictures()
    side_by_side.get_context = lambda _: multiprocessing.get_context("fork")
    trials = Trials(root)
    made = trials.folder("made")
    for command in MADE_BEFORE.values():
        if status := trials.run(command, made)[0]:
            raise RuntimeError(f"{command}: status {status}; see {root / 'made.txt'}")
    np.save(made / "rows.npy", np.random.default_rng(0).integers(0, 17, size=(50, 64)).astype(np.float32))
    rows = "".join(f"{i % 7},{i % 5},{i % 7 - i % 5}\n" for i in range(60))
    (made / "rows.csv").write_text(f"a,b,y\n{rows}", encoding="utf-8")
    faults = [fault for name in names for fault in kill_everywhere(name, trials, every)]
    print("\n".join(faults) or "all recovered, nothing left")
    return bool(faults)


def main() -> int:
    """Compile the library, and go on in a process that has it preloaded."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("commands", nargs="*", metavar="COMMAND", help=", ".join(COMMANDS))
    parser.add_argument("--every", type=int, default=1, metavar="N", help="kill at every N-th operation only")
    asked = parser.parse_args()
    if root := os.environ.get("KILL_BELOW"):
        return inside(asked.commands or list(COMMANDS), asked.every, Path(root))
    root = tempfile.mkdtemp(prefix="kill-everywhere-")
    library, counter = Path(root, "kill.so"), Path(root, "counter")
    source = Path(__file__).with_suffix(".c")
    subprocess.run(["cc", "-shared", "-fPIC", "-O2", "-o", library, source, "-ldl"], check=True)
    counter.write_bytes(bytes(24))
    below = Path(root, "trials")
    below.mkdir()
    environment = os.environ | {"LD_PRELOAD": str(library), "KILL_COUNTER": str(counter), "KILL_BELOW": str(below)}
    status = subprocess.run([sys.executable, *sys.argv], env=environment, check=False).returncode
    if status == 0:
        shutil.rmtree(root)
    return status


if __name__ == "__main__":
    sys.exit(main())
