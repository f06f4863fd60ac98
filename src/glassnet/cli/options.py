"""Arguments and options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from glassnet.cli import completion

RunArgument = Annotated[
    Path, typer.Argument(metavar="RUN", help="A run directory, as train makes it.", autocompletion=completion.runs)
]
RunsArgument = Annotated[
    list[Path],
    typer.Argument(metavar="RUN RUN...", help="Run directories, two or more.", autocompletion=completion.runs),
]
TargetOption = Annotated[str | None, typer.Option("--target", metavar="COLUMN", help="The table's column to predict.")]
DropOption = Annotated[
    list[str] | None,
    typer.Option("--drop", metavar="COLUMN", help="A column that is no input, such as an id. Repeatable."),
]
OutOption = Annotated[
    Path | None, typer.Option("--out", "-o", metavar="DIR", help="The run directory. Default: below runs/.")
]
SeedOption = Annotated[int | None, typer.Option("--seed", metavar="N", help="Another seed than the recipe's.")]
SetOption = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="Change a setting, such as optimizer.lr=0.01. Repeatable."),
]
FormatOption = Annotated[
    Literal["png", "svg"] | None, typer.Option("--format", metavar="png|svg", help="The kind of the pictures.")
]
QuietOption = Annotated[bool, typer.Option("--quiet", "-q", help="Print results alone, and no progress.")]
TimeOption = Annotated[
    str | None,
    typer.Option("--time", metavar="10m", help="Go on looking for a better pack for so long: such as 90s, 10m or 2h."),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print everything as JSON.")]
