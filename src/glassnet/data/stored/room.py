"""How much memory there is, and how much a table would take."""

from __future__ import annotations

import os
import re
from contextlib import suppress
from pathlib import Path

from glassnet.data.dialect import table_endings
from glassnet.data.stored.blocks import ARRAY, STREAMED, is_pattern, read_in_pieces
from glassnet.data.typed import refusing_damage
from glassnet.extras import need

UNITS = {"": 1, "K": 10**3, "M": 10**6, "G": 10**9, "T": 10**12}
SHARE = 0.4  # of the memory that is free, which the rows of a table may take: training needs copies
TEXT_GROWS = 3.0  # times the size of a file of text that its rows take
LIMITS = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")


def read_memory(text: str) -> int:
    """Return an amount of memory such as "4GB" or "500 MB" in bytes. Raises ValueError for anything else."""
    found = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([KMGT]?)I?B?\s*", text, re.IGNORECASE)
    if found is None or not float(found[1]):
        raise ValueError(f"memory is an amount such as 4GB or 500MB, not {text!r}")
    return int(float(found[1]) * UNITS[found[2].upper()])


def memory_for(source: str | os.PathLike[str]) -> str | None:
    """Return how much memory there is, such as "4GB", if the table at a path won't fit into it, else None."""
    path = Path(source)
    if not (path.is_file() or path.is_dir() or is_pattern(path)):
        return None
    if path.is_file() and not read_in_pieces(path):
        return None
    there, array = available(), path.suffix.lower() == ARRAY
    if there is None or (path.is_file() and not array and _size(path) <= SHARE * there):
        return None
    return amount(there)


def amount(there: int | None = None) -> str:
    """Return an amount of memory in words, by default what there is."""
    there = available() if there is None else there
    return "1GB" if there is None else f"{there / 10**6:.0f}MB"


def available() -> int | None:
    """Return the bytes that this process may still take: the least of what the system, its group and limits allow."""
    found: list[int] = []
    with suppress(OSError, IndexError, ValueError):
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
        found += [int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable")]
    for limit in LIMITS:
        with suppress(OSError, ValueError):  # "max" is no limit
            found.append(int(Path(limit).read_text(encoding="ascii")))
    with suppress(ImportError):
        import resource

        found += [soft for soft, _ in [resource.getrlimit(resource.RLIMIT_AS)] if soft != resource.RLIM_INFINITY]
    return min(found, default=None)


def _size(path: Path) -> float:
    """About how many bytes the rows of a file take in memory."""
    if table_endings(path)[0] not in STREAMED:
        return TEXT_GROWS * path.stat().st_size
    need("tables", "polars")
    import polars as pl

    with suppress(ValueError), refusing_damage(path):  # whoever reads it will complain
        table = pl.scan_parquet(path, glob=False) if path.suffix == ".parquet" else pl.scan_ipc(path)
        return 8.0 * int(table.select(pl.len()).collect().item()) * len(table.collect_schema())
    return float(path.stat().st_size)
