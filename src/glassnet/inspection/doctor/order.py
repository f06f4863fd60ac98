"""Findings in order: the worst first, and a cause before its effects."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from glassnet.inspection.doctor.finding import SEVERITIES, Finding, Severity

RESULT = (
    "no-better-than-constant",
    "no-better-than-linear",
    "modes-disagree",
    "generalisation-gap",
    "overconfident",
    "cannot-overfit",
    "stalled",
    "class-never-predicted",
)
# The effects of each fault. A fault that isn't here can spoil all later findings. A fault without effects is a symptom,
# or spoils the figures and not the training.
EFFECTS: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(("bottleneck", "linear-network", "class-imbalance", "train-test-shift"), RESULT),
    **dict.fromkeys((
        "constant-column", "duplicate-column", "shared-rows", "target-leak", "integer-targets", "missing-class",
        "best-never-kept", "initial-loss", "stalled", "oscillating", "dead-relu", "saturated-units", "cannot-overfit",
        "class-never-predicted", "empty-column",
    ), ()),
    "clipped-always": ("learning-rate-low", *RESULT),
}  # fmt: skip


def ordered(findings: Iterable[Finding]) -> list[Finding]:
    """Sort findings that come in the order of the moments in which they were made: data, start, course, result.

    Among equal names the first stays. Earlier findings lie deeper: a fault that is more than a note is as severe as the
    worst of its EFFECTS that was found after it. Then errors come before warnings, and warnings before notes. Among
    equals, the deeper finding comes first.
    """
    first: dict[str, Finding] = {}
    for finding in findings:
        known = first.setdefault(finding.name, finding)
        first[finding.name] = replace(known, severity=_worst(known, finding))
    found = list(first.values())
    raised = [replace(each, severity=_worst(each, *_effects(each, found[i:]))) for i, each in enumerate(found)]
    return sorted(raised, key=lambda finding: SEVERITIES.index(finding.severity))


def _effects(finding: Finding, later: list[Finding]) -> list[Finding]:
    if finding.severity == "note":
        return []
    return [each for each in later if each.name in EFFECTS.get(finding.name, (each.name,))]


def _worst(*findings: Finding) -> Severity:
    return min((finding.severity for finding in findings), key=SEVERITIES.index)
