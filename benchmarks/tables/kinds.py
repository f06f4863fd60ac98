"""Which fit: of whom, to what."""

from __future__ import annotations

from typing import NamedTuple


class Kind(NamedTuple):
    """What fits must share to be compared: how many training rows at most, and whether the test rows are unseen."""

    rows: int | None = None
    inner: bool = False


class Fit(NamedTuple):
    """A contender, fitted to the training rows of a split."""

    table: str
    split: int
    contender: str
    rows: int | None = None
    inner: bool = False

    @property
    def kind(self) -> Kind:
        """What it can be compared with."""
        return Kind(self.rows, self.inner)
