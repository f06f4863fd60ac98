"""Worst first, and a cause before what it brings about."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from glassnet.inspection.doctor.finding import SEVERITIES, Finding, Severity

# Faults that spoil the figures and not the training, and symptoms: what is found after them isn't their doing.
HARMLESS = (
    "constant-column", "duplicate-column", "shared-rows", "target-leak", "integer-targets", "missing-class",
    "best-never-kept",
)  # fmt: skip
SYMPTOMS = ("initial-loss", "stalled", "oscillating", "dead-relu", "saturated-units", "cannot-overfit")


def ordered(findings: Iterable[Finding]) -> list[Finding]:
    """Sort findings that come in the order of the moments in which they were made: data, start, course, result.

    Of equal names the first stays. What was found earlier lies deeper: a fault that is more than a note, and neither
    harmless to training nor a mere symptom, is as severe as the worst that was found after it. Then errors come before
    warnings and those before notes; among equals, what lies deeper comes first.
    """
    first: dict[str, Finding] = {}
    for finding in findings:
        known = first.setdefault(finding.name, finding)
        first[finding.name] = replace(known, severity=_worst(known, finding))
    found = list(first.values())
    raised = [
        finding
        if finding.severity == "note" or finding.name in HARMLESS + SYMPTOMS
        else replace(finding, severity=_worst(finding, *found[i:]))
        for i, finding in enumerate(found)
    ]
    return sorted(raised, key=lambda finding: SEVERITIES.index(finding.severity))


def _worst(*findings: Finding) -> Severity:
    return min((finding.severity for finding in findings), key=SEVERITIES.index)
