"""The commands about data sets."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from glassnet.cli import completion
from glassnet.cli.app import Command, Commands
from glassnet.cli.printing import print_table
from glassnet.terminal import say

app: typer.Typer = typer.Typer(help="List, download and verify the data sets.", no_args_is_help=True, cls=Commands)


@app.command("list", cls=Command)
def list_data() -> None:
    """List the data sets and the places of their files."""
    from glassnet import data

    rows = [[s.name, f"{s.rows:,}", s.task, s.where, s.origin] for s in data.status()]
    print_table(["name", "rows", "task", "where", "origin"], rows)


@app.command("fetch", cls=Command)
def fetch_data(
    name: Annotated[
        str,
        typer.Argument(
            help="mnist or california; digits and diabetes are bundled.", autocompletion=completion.data_sets
        ),
    ],
) -> None:
    """Download the missing files of a data set, and verify all of them."""
    from glassnet import data

    _print_files(name, data.fetch(name))


@app.command("verify", cls=Command)
def verify_data(
    name: Annotated[str | None, typer.Argument(help="Default: all.", autocompletion=completion.data_sets)] = None,
) -> None:
    """Verify the content of the files. The exit status is 1 if one is corrupted or missing."""
    from glassnet import data

    names = [name] if name is not None else [s.name for s in data.status()]
    states = [state for each in names for state in _print_files(each, data.verify(each))]
    raise typer.Exit(1 if any(s.state != "ok" for s in states) else 0)


def _print_files(name: str, states: list[Any]) -> list[Any]:
    if not states:
        say(f"ok         {name} comes inside scikit-learn")
    for state in states:
        say(f"{state.state:9}  {state.path}")
    return states
