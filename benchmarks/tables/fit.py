"""One fit, what it costs, and how good it is; and the process of its own in which it happens."""

from __future__ import annotations

import json
import math
import os
import resource
import signal
import subprocess
import sys
import time
import warnings
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from tables import figures, losses, sources
from tables.contenders import ALL
from tables.kinds import Fit

PREDICTED = 10_000  # rows, drawn from the test rows, for the time that they take
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")


def measured(fit: Fit, limit: float) -> dict[str, Any]:
    """Fit in a process of its own, on one thread, and return its figures, or what went wrong.

    limit: CPU seconds, because seconds of a busy machine say nothing of the library.
    """
    command = [sys.executable, "-m", "tables.fit", json.dumps(fit)]
    folder = Path(__file__).parents[1]
    bound = partial(resource.setrlimit, resource.RLIMIT_CPU, (math.ceil(limit), math.ceil(limit)))
    done = subprocess.run(
        command, cwd=folder, env=os.environ | ONE_THREAD, capture_output=True, text=True, preexec_fn=bound, check=False
    )
    if done.returncode in (-signal.SIGXCPU, -signal.SIGKILL):
        return {"failed": f"more than {limit:.0f} CPU s"}
    if done.returncode:
        return {"failed": (done.stderr.strip().splitlines() or [f"exit status {done.returncode}"])[-1][:200]}
    return json.loads(done.stdout.splitlines()[-1])


def here(fit: Fit) -> dict[str, Any]:
    """Fit in this process and return the figures: error (RMSE or log loss) and others, CPU seconds, megabytes."""
    table = sources.tables()[fit.table]
    contender = ALL[fit.contender]
    whole = sources.frame(table)
    x = contender.prepare(whole.drop(columns=table.target)).assign(**{table.target: whole[table.target]})
    rows = sources.split(table, x, fit.split, fit.rows, fit.inner)
    estimator = contender.make(rows.x, table.classes)
    start = spent()
    estimator.fit(rows.x, rows.y)
    found: dict[str, Any] = {"fit_cpu": spent() - start, "rows_fit": len(rows.y), "rows_test": len(rows.y_test)}
    if table.classes:
        good, each = figures.of_classes(_probabilities(estimator, rows), rows.y_test)
    else:
        good, each = figures.of_values(np.asarray(estimator.predict(rows.x_test), float).ravel(), rows.y_test)
    if not np.isfinite(good["error"]):
        raise ValueError("the error isn't a finite number")
    if fit.contender == losses.BASE:
        losses.keep(fit, each)
    elif (spread := losses.spread(fit, each)) is not None:
        found["spread"] = spread if table.classes else spread / 2  # a root halves the logarithm
    many = rows.x_test.sample(PREDICTED, replace=True, random_state=0)
    start = spent()
    estimator.predict(many)
    return good | found | {"predict_cpu": spent() - start, "megabytes": peak()}


def _probabilities(estimator: Any, rows: sources.Rows) -> figures.Array:
    """Return those of all classes (N, classes), also of those that no training row has."""
    probabilities = np.zeros((len(rows.y_test), rows.classes))
    probabilities[:, np.asarray(estimator.classes_, int)] = estimator.predict_proba(rows.x_test)
    return probabilities


def spent() -> float:
    """CPU seconds of this process, all its threads, and the processes that it has waited for."""
    usages = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def peak() -> float:
    """The most memory that this process had, in megabytes. Linux has a figure in which the parent's doesn't count."""
    status = Path("/proc/self/status")
    if not status.exists():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    [line] = [line for line in status.read_text(encoding="utf-8").splitlines() if line.startswith("VmHWM")]
    return int(line.split()[1]) / 2**10


if __name__ == "__main__":
    warnings.simplefilter("ignore")  # of steps that don't suffice, and of columns: what counts is the figures
    start = time.perf_counter()
    measures = here(Fit(*json.loads(sys.argv[1])))
    print(json.dumps(measures | {"seconds": time.perf_counter() - start}))
