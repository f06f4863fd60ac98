"""Print the lowest version of every dependency that pyproject.toml allows, as constraints for pip."""

from __future__ import annotations

import re
import sys
import tomllib
from itertools import chain
from pathlib import Path

PROJECT = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def main() -> None:
    python = PROJECT["requires-python"].removeprefix(">=")
    here = ".".join(map(str, sys.version_info[:2]))
    if here != python:
        sys.exit(f"the lowest versions go with Python {python}, this is {here}: make test-lowest PYTHON=python{python}")
    dependencies = set(chain(PROJECT["dependencies"], *PROJECT["optional-dependencies"].values()))
    for dependency in sorted(dependencies):
        if not dependency.startswith("glassnet["):  # an extra that brings others
            name, bound = re.fullmatch(r"([\w-]+)>=([\d.]+)", dependency).groups()
            print(f"{name}=={bound}")


if __name__ == "__main__":
    main()
