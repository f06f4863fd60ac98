"""Tables as CSV."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from glassnet.files import own_folder, replacing


def write_csv(path: Path, rows: Iterable[Sequence[Any]]) -> None:
    """Write rows, the first of which is the head, and make the folder if it isn't there."""
    path.parent.parent.mkdir(parents=True, exist_ok=True)
    own_folder(path.parent)
    with replacing(path) as part, part.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(rows)
