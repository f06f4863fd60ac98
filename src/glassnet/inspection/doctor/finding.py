"""A finding of the doctor: one fault, its place, the numbers that show it, and the first remedy."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Literal

Severity = Literal["error", "warning", "note"]
SEVERITIES: tuple[Severity, ...] = ("error", "warning", "note")


@dataclass(frozen=True)
class Finding:
    """One fault.

    name: a stable slug such as "dead-relu". severity: "error" (it can't work, or the result is wrong), "warning" (it
    costs much), "note" (good to know). where: column, layer, unit, step. evidence: the numbers. why: why it matters.
    advice: the first remedy to try. source: the source of the threshold.
    """

    name: str
    severity: Severity
    where: str
    evidence: str
    why: str
    advice: str
    source: str

    def __str__(self) -> str:
        return (
            f"{self.severity}: {self.name}, {self.where}\n"
            f"    {self.evidence}\n    why: {self.why}\n    try: {self.advice}\n    source: {self.source}"
        )

    def to_dict(self) -> dict[str, str]:
        """Return the finding as JSON can hold it."""
        return asdict(self)
