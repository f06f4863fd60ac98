"""Run a program and say how long it took and how much memory it had, in a last line of JSON.

A process of its own, with next to nothing imported: the peak memory that the system reports of a program counts the
memory of the one that spawned it.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import time

UNIT = 2**20 if sys.platform == "darwin" else 2**10  # of ru_maxrss, to megabytes


def main() -> int:
    """Run sys.argv[1:]; return its exit status."""
    program = shutil.which(sys.argv[1]) or sys.argv[1]
    start = time.perf_counter()
    child = os.posix_spawn(program, sys.argv[1:], os.environ)
    _, status, usage = os.wait4(child, 0)
    seconds = time.perf_counter() - start
    print(json.dumps({"seconds": seconds, "megabytes": usage.ru_maxrss / UNIT}))
    return 1 if status else 0


if __name__ == "__main__":
    sys.exit(main())
