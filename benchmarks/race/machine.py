"""Where the measurement ran, and whether the machine had nothing else to do."""

from __future__ import annotations

import datetime
import os
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import psutil

LIBRARIES = ["glassnet", "numpy", "jax", "torch", "scikit-learn", "onnxruntime"]
BUSY = 0.10  # the share of all processors above which other work disturbs


def busy(seconds: float = 3.0) -> float:
    """The share of all processors that is in use by anything at all, over a few seconds."""
    return float(psutil.cpu_percent(interval=seconds)) / 100


def take_processors(count: int) -> None:
    """Keep to the first few processors, and all processes started from here too, where the system can do that."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:count])


def describe() -> dict[str, Any]:
    """The processor, the versions of the libraries, and the date."""
    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "libraries": {name: found for name in LIBRARIES if (found := _version(name))},
        "date": datetime.date.today().isoformat(),
    }


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _processor() -> str:
    """Its name: Linux tells it in /proc/cpuinfo only."""
    info = Path("/proc/cpuinfo")
    for line in info.read_text(encoding="utf-8").splitlines() if info.exists() else []:
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
