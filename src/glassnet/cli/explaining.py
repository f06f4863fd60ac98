"""The command that says why: explain."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from glassnet.cli.app import LOOK, command
from glassnet.cli.options import FormatOption, RunArgument
from glassnet.cli.printing import print_json
from glassnet.terminal import doing, say

if TYPE_CHECKING:
    from glassnet.inspection import Explanation

MOST = 20  # rows of a file


@command(LOOK, "glassnet explain runs/houses --row 3")
def explain(
    run: RunArgument,
    row: Annotated[
        str | None,
        typer.Option(
            metavar="N|FILE",
            help="Explain the answer to one row, counted from 0, or to the rows of a file; - is standard input.",
        ),
    ] = None,
    part: Annotated[str, typer.Option(metavar="PART", help="The part of the data: train, val or test.")] = "test",
    of: Annotated[
        str | None, typer.Option("--class", metavar="NAME", help="The class whose probability is explained.")
    ] = None,
    without: Annotated[
        list[str] | None,
        typer.Option(metavar="COLUMN", help="Train again without this column, and compare. Repeatable."),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="The folder for tables and pictures. Default: RUN/explain.")
    ] = None,
    form: FormatOption = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print everything as JSON. Files are written with --out alone.")
    ] = False,
) -> None:
    """Say why a run answers as it does: which columns matter, how the answer follows each, and why a row gets its own.

    Columns are shuffled to see what the model relies on. For a row, the answer is taken apart, column by column, and
    the nearest change that leads to another answer is looked for. Example: glassnet explain runs/homes --row 17
    """
    from glassnet import recipes
    from glassnet.inspection import explain as explain_model

    if row is not None and without:
        raise ValueError("--without is about the whole model: leave out --row")
    doing(f"reading {run}, and its data")
    net, data = recipes.open_with_data(run)
    explanation = explain_model(net, data, part=part, of=of)
    folder = out or (None if as_json else run / "explain")
    if row is not None:
        found = _rows(explanation, run, row, folder, form or "png")
        if as_json:
            print_json(found)
    elif without:
        compared = []
        for column in without:
            doing(f"training without {column}")
            compared.append(recipes.without_column(run, column))
            if not as_json:
                say(compared[-1])
        if as_json:
            print_json([each.to_dict() for each in compared])
    else:
        doing("shuffling columns")
        if as_json:
            print_json(explanation.to_dict())
        else:
            say(f"{explanation}\n")
        if folder is not None:
            doing("drawing")
            explanation.save(folder, form or "png")
    if folder is not None and not without and not as_json:
        say(f"tables and pictures are in {folder}")


def _rows(explanation: Explanation, run: Path, which: str, folder: Path | None, form: str) -> list[dict[str, Any]]:
    """Explain the answers to one row of the data, or to those of a file, and print them if files are written."""
    from glassnet import recipes
    from glassnet.data import Split
    from glassnet.data.standard_input import NAME, table_name

    if which.isdecimal():
        split: Split = getattr(explanation.data, explanation.part)
        if int(which) >= len(split):
            raise ValueError(f"the {explanation.part} part has rows 0 to {len(split) - 1}, so there is no row {which}")
        place = recipes.place_in_file(run, explanation.data, explanation.part, int(which))
        title = f"{explanation.part} row {which}{f' ({place})' if place else ''}"
        rows = [(title, f"row-{which}", split.x[int(which)])]
    else:
        x = recipes.rows_of_file(run, Path(which))
        file, stem = table_name(which), "stdin" if which == NAME else Path(which).stem
        rows = [(f"{file}, row {i}", f"{stem}-{i}", each) for i, each in enumerate(x[:MOST], 1)]
        if len(x) > MOST:
            say(f"glassnet: of the {len(x):,} rows of {file}, the first {MOST} are explained", error=True)
    found = []
    for title, name, x in rows:
        doing(f"explaining {title}")
        reasons = explanation.row(x)
        found.append({"row": title, **reasons.to_dict()})
        if folder is not None:
            say(f"{title}: {reasons}\n")
            reasons.save(folder, name, form, title=f"{explanation.data.name}: {title}")
    return found
