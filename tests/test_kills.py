"""A few of the moments at which `make kills` kills commands; it takes them all."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).with_name("kill_everywhere.py")


@pytest.mark.skipif(sys.platform != "linux" or not shutil.which("cc"), reason="a C library is preloaded, as on Linux")
def test_killed_at_some_operations_commands_recover_and_leave_nothing() -> None:
    words = ["train", "pack", "parquet", "--every", "47"]
    done = subprocess.run([sys.executable, SCRIPT, *words], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.splitlines()[-1] == "all recovered, nothing left"
