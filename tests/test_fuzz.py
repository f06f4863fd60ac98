"""A little of benchmarks/fuzz.py: files with something changed in them, for the loaders that read them at once."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from random import Random

import pytest

sys.path.append(str(Path(__file__).parents[1] / "benchmarks"))
from fuzz import finding
from fuzzing.loaders import LOADERS

QUICK = ("csv", "npy", "png", "jpeg", "mnist", "california", "recipe", "set", "weights", "pack")
INPUTS = 30


@pytest.mark.parametrize("name", QUICK)
def test_a_file_that_is_wrong_is_refused_in_one_line_or_read(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GLASSNET_DATA", os.environ.get("GLASSNET_DATA", ""))  # loaders of published data set it
    loader = LOADERS[name][0](tmp_path)
    found = {number: finding(loader, tmp_path / str(number), Random(f"0 {name} {number}")) for number in range(INPUTS)}
    assert {number: each for number, each in found.items() if each is not None} == {}
