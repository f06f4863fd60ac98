"""What tests of ensembles that are run directories share: a recipe made small, the command line, a table, files."""

from __future__ import annotations

import csv
import sys
from pathlib import Path

import numpy as np
import pytest

from glassnet.cli import main

SMALL = ["training.epochs=3", "network.hidden=[16]"]
RUN = {"recipe.toml", "metrics.json", "model.safetensors", "plots"}


def command(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> object:
    monkeypatch.setattr(sys, "argv", ["glassnet", *map(str, arguments)])
    with pytest.raises(SystemExit) as done:
        main()
    return done.value.code or 0


def contents(folder: Path, *endings: str) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*.*"))
        if path.name.endswith(endings or (".safetensors", ".toml"))
    }


def write_table(path: Path) -> Path:
    pairs = np.random.default_rng(0).normal(size=(150, 2))
    rows = [[a, b, a - b + 0.1 * a * b] for a, b in pairs.tolist()]
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([["left", "right", "answer"], *rows])
    return path
