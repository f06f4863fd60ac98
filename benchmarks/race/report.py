"""What was found, on the terminal, in benchmarks/speed.json and in docs/performance.md."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table as RichTable

import page
from glassnet.files import replacing
from race import machine
from race.goals import Section
from race.sections import Table, bfloat16, cold, imports, prediction, scaling, training

ROOT = Path(__file__).parents[2]
RESULTS = ROOT / "benchmarks" / "speed.json"
SECTIONS = {
    "training": training,
    "bfloat16": bfloat16,
    "cold": cold,
    "predict": prediction,
    "import": imports,
    "scaling": scaling,
}
SHOWN = ["training", "bfloat16", "cold", "predict", "import"]  # in the page; scaling is a picture
PICTURES = {
    "training": ("Images per second in training, as multiples of JAX's", "speed.png"),
    "scaling": ("The time of an epoch, and of an operation, against the operations of an epoch", "speed-scaling.png"),
}


def show(name: str, section: Section) -> None:
    """Print the table and the verdicts of one section."""
    console = Console(width=max(150, shutil.get_terminal_size().columns))  # a table cut to fit would lose its figures
    found: Table = SECTIONS[name].table(section.to_dict(), spread=True)
    grid = RichTable(title=found.title, title_justify="left")
    for place, head in enumerate(found.head):
        grid.add_column(head, justify="right" if place else "left", no_wrap=not place)
    for row in found.rows:
        grid.add_row(*row)
    console.print(grid)
    for fact, value in section.facts.items():
        console.print(f"{fact}: {value:.3g}")
    for goal in section.goals:
        colour = {True: "green", False: "red", None: "yellow"}[goal.reached]
        console.print(f"[{colour}]{goal.verdict:>9}[/]  {goal.text}: {goal.figure}", highlight=False, soft_wrap=True)


def read() -> dict[str, Any]:
    """What earlier runs found, by section."""
    return json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.exists() else {}


def keep(results: dict[str, Any], name: str, section: Section) -> None:
    """Put a section among the results, with where it was measured, and write them."""
    results[name] = {"machine": machine.describe(), **section.to_dict()}
    with replacing(RESULTS) as part:
        part.write_text(json.dumps(results, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def write_tables(results: dict[str, Any]) -> None:
    """Put the tables between their markers in docs/performance.md."""
    parts = [_markdown(SECTIONS[name].table(results[name], spread=False)) for name in SHOWN if name in results]
    pictures = [f"![{text}](pictures/{file})" for name, (text, file) in PICTURES.items() if name in results]
    text = "\n\n".join([*parts, *pictures, _origin(results)])
    page.put(ROOT / "docs" / "performance.md", speed=text)


def _markdown(table: Table) -> str:
    lines = [table.head, ["---", *["---:"] * (len(table.head) - 1)], *table.rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _origin(results: dict[str, Any]) -> str:
    """One line on each measurement's place and date, usually the same."""
    lines = []
    for name, section in results.items():
        there = section["machine"]
        libraries = ", ".join(f"{library} {version}" for library, version in there["libraries"].items())
        line = f"{there['processor']}, {there['cores']} cores; Python {there['python']}, {libraries}; {there['date']}."
        lines.append((name, line))
    distinct = list(dict.fromkeys(line for _, line in lines))
    if len(distinct) == 1:
        return distinct[0]
    return "\n".join(f"- {', '.join(name for name, said in lines if said == line)}: {line}" for line in distinct)
