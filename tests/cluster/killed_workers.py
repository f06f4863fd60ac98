"""A search by several processes, one of which is killed again and again: what is left of it.

    python tests/cluster/killed_workers.py --postgresql --every 20 --trials 60

Each killed process is replaced by a new one, as a cluster does. They share the journal in a folder, or a PostgreSQL
that is started for them, or any other storage.
"""

from __future__ import annotations

import argparse
import json
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import ExitStack
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from cluster.database import postgres_programs, postgresql_started

RECIPE = ["network.hidden=[8]", "network.threads=1", "training.epochs=10", "training.batch_size=16", "tune.confirm=0"]


def start(folder: Path, trials: int, storage: str | None, number: int, changes: list[str]) -> subprocess.Popen[bytes]:
    """A process that joins in."""
    where = ["--out", folder / "shared"] if storage is None else ["--out", folder / str(number), "--storage", storage]
    words = ["tune", "digits", "--trials", trials, *where]
    words += [word for change in changes for word in ("--set", change)]
    with (folder / f"worker-{number}.txt").open("w") as told:
        command = [sys.executable, "-m", "glassnet", *map(str, words)]
        return subprocess.Popen(command, stdout=told, stderr=subprocess.STDOUT)


def search(
    folder: Path, *, storage: str | None, workers: int, trials: int, every: float, seed: int, changes: list[str]
) -> tuple[dict[str, int], int]:
    """Search until no process is left that goes on; the summary's trials, and the number of kills."""
    rng, kills = random.Random(seed), 0
    running = [start(folder, trials, storage, number, changes) for number in range(workers)]
    started, last = workers, time.monotonic()
    ended: list[int] = []
    while running:
        for process in [each for each in running if each.poll() is not None]:
            running.remove(process)
            ended.append(process.returncode)
        if len(running) == workers and time.monotonic() - last >= every:  # not the last ones, that only write
            victim = rng.choice(running)
            victim.kill()
            victim.wait()
            running[running.index(victim)] = start(folder, trials, storage, started, changes)
            kills, started, last = kills + 1, started + 1, time.monotonic()
        time.sleep(0.02)
    told = "\n".join(path.read_text() for path in sorted(folder.glob("worker-*.txt")))
    if any(ended) or not ended:
        raise RuntimeError(f"processes ended with {ended}:\n{told}")
    summaries = [json.loads(path.read_text())["trials"] for path in folder.glob("*/study.json")]
    if any(each != summaries[0] for each in summaries) and "stopped" not in summaries[0]:
        raise RuntimeError(f"the processes don't agree: {summaries}")
    rows = sorted(folder.glob("*/trials.csv"))[0].read_text().splitlines()[1:]
    numbers = Counter(row.split(",")[0] for row in rows)
    if max(numbers.values()) > 1:
        raise RuntimeError(f"trials are there twice: {numbers}")
    return summaries[0], kills


def main() -> None:
    """Search, and print what is left."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--storage", metavar="URL")
    asked.add_argument("--postgresql", action="store_true", help="start one in a temporary folder")
    asked.add_argument("--workers", type=int, default=4)
    asked.add_argument("--trials", type=int, default=60)
    asked.add_argument("--every", type=float, default=20.0, metavar="SECONDS")
    asked.add_argument("--epochs", type=int, default=10)
    asked.add_argument("--seed", type=int, default=0)
    given = asked.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="killed-workers-"))
    begin = time.monotonic()
    with ExitStack() as stack:
        if given.postgresql:
            programs = postgres_programs()
            if programs is None:
                raise SystemExit("there is no PostgreSQL: apt-get install postgresql")
            given.storage = stack.enter_context(postgresql_started(programs))
        found, kills = search(
            folder,
            storage=given.storage,
            workers=given.workers,
            trials=given.trials,
            every=given.every,
            seed=given.seed,
            changes=[*RECIPE, f"training.epochs={given.epochs}"],
        )
    done = {state: count for state, count in found.items() if state != "stopped"}
    print(f"{sum(done.values())} of {given.trials} trials: {found}; {kills} kills, {time.monotonic() - begin:.0f} s")


if __name__ == "__main__":
    main()
