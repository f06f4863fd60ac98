"""The tables: recall by fault, and false alarms, in both halves."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import sick
from plan import HALVES

from glassnet.files import replacing

PAGE = Path(__file__).parents[2] / "docs" / "doctor.md"
START, END = "<!-- doctor -->\n", "<!-- end of doctor -->"

Result = dict[str, Any]


def alarms(result: Result) -> list[str]:
    """The warnings and errors by name."""
    return [name for name, severity, _ in result["findings"] if severity != "note"]


def named_first(result: Result) -> bool:
    """Whether the first finding is a right one."""
    return bool(result["findings"]) and result["findings"][0][0] in result["expected"]


def named(result: Result) -> bool:
    """Whether any finding is a right one."""
    return any(name in result["expected"] for name, *_ in result["findings"])


def right(result: Result) -> bool:
    """Whether the doctor was right: the fault first, or no alarm."""
    if "crash" in result:
        return False
    return not alarms(result) if result["kind"] == "healthy" else named_first(result)


def share(hits: int, of: int) -> str:
    """Such as "98.3% (118 of 120)"."""
    return f"{hits / of:.1%} ({hits} of {of})" if of else ""


def tables(results: list[Result]) -> list[str]:
    """All as Markdown."""
    sick_ones = [result for result in results if result["kind"] != "healthy"]
    well = [result for result in results if result["kind"] == "healthy"]
    lines = [
        "| half | sick | the fault named first | named at all | healthy | with a false alarm |",
        "| --- | ---: | ---: | ---: | ---: | ---: |",
    ]
    for half in (*HALVES, "both"):
        ill, fine = ([r for r in kind if half in (r["half"], "both")] for kind in (sick_ones, well))
        first, any_place, wrong = (sum(map(named_first, ill)), sum(map(named, ill)), sum(bool(alarms(r)) for r in fine))
        cells = [share(first, len(ill)), share(any_place, len(ill)), str(len(fine)), share(wrong, len(fine))]
        lines.append(f"| {half} | {len(ill)} | " + " | ".join(cells) + " |")
    lines += ["", "False alarms: " + (counted(name for r in well for name in alarms(r)) or "none") + ".", ""]
    if sick_ones:
        lines += [
            "| moment | fault | cases | first | at all | first instead | skill of the healthy twin | of the sick |",
            "| --- | --- | ---: | ---: | ---: | --- | ---: | ---: |",
            *(row(moment, fault.kind, of_kind) for moment, fault, of_kind in by_fault(sick_ones)),
        ]
    crashes = [result["id"] for result in results if "crash" in result]
    return [*lines, *([f"\nThe doctor crashed on {', '.join(crashes)}."] if crashes else [])]


def by_fault(results: list[Result]) -> Iterable[tuple[str, sick.Fault, list[Result]]]:
    """The results of each fault that has any."""
    for moment, faults in sick.MOMENTS.items():
        for fault in faults:
            if of_kind := [result for result in results if result["kind"] == fault.kind]:
                yield moment, fault, of_kind


def row(moment: str, kind: str, results: list[Result]) -> str:
    """One fault."""
    instead = counted((r["findings"][0][0] if r["findings"] else "nothing") for r in results if not named_first(r))
    cells = [
        moment,
        f"`{kind}`",
        str(len(results)),
        str(sum(map(named_first, results))),
        str(sum(map(named, results))),
        instead,
        middle(r["beside"] for r in results),
        middle(r["skill"] for r in results),
    ]
    return "| " + " | ".join(cells) + " |"


def counted(names: Iterable[str]) -> str:
    """Such as "dead-relu 2, initial-loss 1"."""
    return ", ".join(f"{name} {count}" for name, count in Counter(names).most_common())


def middle(skills: Iterable[float | str]) -> str:
    """The median skill; what diverged, or can't be trained on, is below all."""
    values = [skill if isinstance(skill, float | int) else -9e9 for skill in skills]
    median = statistics.median_low(values)
    return f"{median:.2f}" if median > -1 else "< -1" if median > -9e9 else "fails"


def write(results: list[Result]) -> None:
    """Put the tables between their markers in docs/doctor.md."""
    before, rest = PAGE.read_text(encoding="utf-8").split(START)
    after = rest.split(END)[1]
    with replacing(PAGE) as part:
        part.write_text(before + START + "\n".join(tables(results)) + "\n" + END + after, encoding="utf-8")
