"""Files that are wrong, for every loader: each is refused in one line that names it, or read, at little cost.

    make fuzz                       # or: python benchmarks/fuzz.py [--seed 0] [--inputs 10000] [LOADER ...]

Good files are changed as fuzzing/mutate.py says; the loaders are in fuzzing/loaders.py. Input i of a loader follows
from the seed, the loader's name and i. A finding is an exception other than ValueError and OSError, a message of more
than one line or without the file's name, a warning or anything else on standard error but notes ("glassnet: ..."), more
than 10 s of processor time or 4 GB, a file that is left behind, and the end of the process. It is printed, and its file
is kept in --keep; exit status 1 if there are any. `--first i --inputs 1 LOADER` tries one again.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from collections import Counter
from pathlib import Path
from random import Random
from types import FrameType

from fuzzing.loaders import LOADERS, Loader

SECONDS = 10.0  # of processor time for an input
PATIENCE = 600.0  # seconds of the clock after which a process hangs, where no signal reaches Python
MEMORY = 4 << 30  # bytes of address space that all inputs together may take beyond what is in use before the first


class TooSlow(BaseException):
    """An input took too much processor time."""


def finding(loader: Loader, folder: Path, random: Random) -> str | None:
    """Write one input into an empty folder, load it, and say what is wrong with that, if anything is."""
    path = folder / loader.file
    path.parent.mkdir(parents=True, exist_ok=True)
    loader.write(path, random)
    try:
        loader.load(path)
    except (ValueError, OSError) as error:
        said = f"{error.filename}: {error.strerror}" if isinstance(error, OSError) and error.strerror else str(error)
        if not said or len(said.splitlines()) != 1:
            return f"a message of {len(said.splitlines())} lines: {said!r}"
        if len(said) > 20_000:
            return f"a message of {len(said):,} characters: {said[:200]!r}..."
        if loader.named and path.name not in said and str(path.parent) not in said:
            return f"a message that names no file: {said}"
    except (Exception, TooSlow) as error:
        where = traceback.extract_tb(error.__traceback__)[-1]
        return f"{type(error).__name__} at {Path(where.filename).name}:{where.lineno}: {str(error)[:200]!r}"
    except BaseException as error:  # of Rust
        return f"{type(error).__name__}: {str(error)[:200]!r}"
    left = [file.name for file in folder.rglob("*") if file.is_file() and file != path and ".lock" not in file.name]
    return f"left behind: {', '.join(left)}" if left else None


def work(name: str, seed: int, first: int, last: int, scratch: Path, keep: Path) -> None:
    """Try inputs of one loader, and print a line of JSON for each."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what a loader prints is on standard error, too

    def too_slow(number: int, frame: FrameType | None) -> None:
        raise TooSlow

    loader = LOADERS[name][0](scratch)
    signal.signal(signal.SIGPROF, too_slow)
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + MEMORY, used + MEMORY))
    os.ftruncate(2, 0)
    for number in range(first, last):
        folder = scratch / "input"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        print(json.dumps([number, "begun"]), file=answers, flush=True)
        signal.setitimer(signal.ITIMER_PROF, SECONDS)
        found = finding(loader, folder, Random(f"{seed} {name} {number}"))
        signal.setitimer(signal.ITIMER_PROF, 0)
        sys.stderr.flush()
        if said := os.pread(2, 20_000, 0).decode("utf-8", "replace"):
            if strange := [line for line in said.splitlines() if not line.startswith("glassnet: ")]:
                found = found or f"on standard error: {' '.join(strange)[:300]}"
            os.ftruncate(2, 0)
            os.lseek(2, 0, os.SEEK_SET)
        if found:
            _keep(scratch, _kept(keep, name, seed, number))
        print(json.dumps([number, found]), file=answers, flush=True)


def try_all(name: str, seed: int, first: int, inputs: int, keep: Path) -> int:
    """Try inputs of one loader in processes of their own; print findings, keep their files, return how many."""
    findings = 0
    number, last = first, first + inputs
    with tempfile.TemporaryDirectory(prefix="glassnet-fuzz-") as folder, tempfile.TemporaryFile() as errors:
        while number < last:
            command = [
                sys.executable,
                __file__,
                "--work",
                folder,
                "--seed",
                str(seed),
                "--first",
                str(number),
                "--inputs",
                str(last - number),
                "--keep",
                str(keep),
                name,
            ]
            with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, text=True) as process:
                assert process.stdout is not None
                begun = False
                while select.select([process.stdout], [], [], PATIENCE)[0] and (line := process.stdout.readline()):
                    number, found = json.loads(line)
                    begun = found == "begun"
                    if not begun:
                        findings += _report(name, seed, number, found, keep)
                        number += 1
                hangs = process.poll() is None and not process.stdout.closed and number < last
                if hangs:
                    time.sleep(0.1)
                    hangs = process.poll() is None
                process.kill()
            if begun:
                end = f"nothing for {PATIENCE:g} s" if hangs else f"the process ended with status {process.returncode}"
                _keep(Path(folder), _kept(keep, name, seed, number))
                findings += _report(name, seed, number, end, keep)
                number += 1
            elif number < last:
                errors.seek(0)
                raise SystemExit(f"{name} can't be set up: {errors.read().decode()[-2000:]}")
    return findings


def _report(name: str, seed: int, number: int, found: str | None, keep: Path) -> int:
    if found:
        print(
            f"{name}, seed {seed}, input {number}: {found}\n    kept in {_kept(keep, name, seed, number)}", flush=True
        )
    return 1 if found else 0


def _kept(keep: Path, name: str, seed: int, number: int) -> Path:
    return keep / f"{name}-{seed}-{number}"


def _keep(scratch: Path, kept: Path) -> None:
    shutil.rmtree(kept, ignore_errors=True)
    shutil.copytree(scratch / "input", kept)


def main() -> int:
    """Try the loaders that are named, or all, and print how many inputs and findings each had."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("loaders", metavar="LOADER", nargs="*", choices=[[], *LOADERS])
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--inputs", type=int, default=10_000)
    parser.add_argument("--first", type=int, default=0, help="the number of the first input")
    parser.add_argument("--keep", type=Path, default=Path("runs/fuzz"), help="the folder for the files of findings")
    parser.add_argument("--work", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.work is not None:
        work(given.loaders[0], given.seed, given.first, given.first + given.inputs, given.work, given.keep)
        return 0
    chosen = given.loaders or list(LOADERS)
    shares = sum(LOADERS[name][1] for name in chosen)
    inputs, findings = Counter[str](), Counter[str]()
    for name in chosen:
        start = time.monotonic()
        inputs[name] = round(given.inputs * LOADERS[name][1] / shares)
        findings[name] = try_all(name, given.seed, given.first, inputs[name], given.keep)
        seconds = time.monotonic() - start
        print(f"{name:16} {inputs[name]:6,} inputs {findings[name]:5,} findings {seconds:6.0f} s", flush=True)
    print(f"{'all':16} {inputs.total():6,} inputs {findings.total():5,} findings")
    return 1 if findings.total() else 0


if __name__ == "__main__":
    sys.exit(main())
