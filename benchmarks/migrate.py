"""Five programs of scikit-learn's users, run as they are and with one import line changed: scores, and time of the fit.

    python benchmarks/migrate.py            # about three minutes; --rounds 3 for less

Each run is a process of its own, scikit-learn's and glassnet's in turn. In round n, n is added to each random_state of
the program: scores are the mean over the rounds, and its standard deviation. The time is that of the line in which the
program fits; data, imports and the score aren't in it. GLASSNET_DATA names the folder of MNIST and California Housing.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import statistics
import subprocess
import sys
import warnings
from pathlib import Path

SNIPPETS = Path(__file__).parent / "migration"
FITS = (".fit(X_train, y_train)", "compare()")
THEIRS, OURS = "from sklearn.neural_network import", "from glassnet.estimators import"


def run(name: str, ours: bool, round_: int) -> None:
    """Run a program in this process; print its score and the seconds of its fit."""
    text = (SNIPPETS / f"{name}.py").read_text(encoding="utf-8")
    text = re.sub(r"random_state=(\d+)", lambda seed: f"random_state={int(seed[1]) + round_}", text)
    assert text.count(THEIRS) == 1
    lines = text.replace(THEIRS, OURS if ours else THEIRS).splitlines()
    at = next(i for i, line in enumerate(lines) if line.endswith(FITS) and not line.startswith((" ", "def")))
    timed = ["import time", "start = time.perf_counter()", lines[at], "seconds = time.perf_counter() - start"]
    names: dict[str, float] = {}
    warnings.simplefilter("ignore")
    exec(compile("\n".join([*lines[:at], *timed, *lines[at + 1 :]]), name, "exec"), names)
    print(json.dumps({"score": names["score"], "seconds": names["seconds"]}))


def measure(name: str, rounds: int) -> list[str]:
    """Run a program in both ways, in turn; return a row of the table."""
    found: dict[bool, list[dict[str, float]]] = {False: [], True: []}
    for round_ in range(rounds):
        for ours in found:
            command = [sys.executable, __file__, "--run", name, "--rounds", str(round_), *(["--ours"] if ours else [])]
            shown = subprocess.run(command, check=True, capture_output=True, text=True, env=dict(os.environ)).stdout
            found[ours].append(json.loads(shown.splitlines()[-1]))
    ratios = [theirs["seconds"] / ours["seconds"] for theirs, ours in zip(found[False], found[True], strict=True)]
    scores = [[each["score"] for each in found[ours]] for ours in found]
    seconds = [statistics.median(each["seconds"] for each in found[ours]) for ours in found]
    return [
        f"`{name}`",
        *(f"{statistics.mean(s):.4f} ± {statistics.pstdev(s):.4f}" for s in scores),
        *(f"{s:.2f} s" for s in seconds),
        f"{statistics.median(ratios):.1f}",
        f"{min(ratios):.1f} to {max(ratios):.1f}",
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("programs", nargs="*", help="only these, such as california")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--run", help=argparse.SUPPRESS)
    parser.add_argument("--ours", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.run:
        run(options.run, options.ours, options.rounds)
        return
    print(
        "| program | score, scikit-learn | score, glassnet | fit, scikit-learn | fit, glassnet | ratio | over rounds |"
    )
    print("| --- | ---: | ---: | ---: | ---: | ---: | ---: |")
    for name in options.programs or sorted(path.stem for path in SNIPPETS.glob("[a-z]*.py")):
        print("| " + " | ".join(measure(name, options.rounds)) + " |", flush=True)


if __name__ == "__main__":
    main()
