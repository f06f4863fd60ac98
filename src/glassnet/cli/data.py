"""The commands about data sets."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

import typer

from glassnet.cli import completion
from glassnet.cli.app import Command, Commands
from glassnet.cli.options import JsonOption
from glassnet.cli.printing import print_json, print_table
from glassnet.terminal import say

app: typer.Typer = typer.Typer(help="List, download and verify the data sets.", no_args_is_help=True, cls=Commands)


@app.command("list", cls=Command)
def list_data(as_json: JsonOption = False) -> None:
    """List the data sets and the places of their files."""
    from glassnet import data

    if as_json:
        print_json([asdict(each) for each in data.status()])
        return
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
    as_json: JsonOption = False,
) -> None:
    """Download the missing files of a data set, and verify all of them."""
    from glassnet import data

    _print_files({name: data.fetch(name)}, as_json)


@app.command("verify", cls=Command)
def verify_data(
    name: Annotated[str | None, typer.Argument(help="Default: all.", autocompletion=completion.data_sets)] = None,
    as_json: JsonOption = False,
) -> None:
    """Verify the content of the files. The exit status is 1 if one is corrupted or missing."""
    from glassnet import data

    names = [name] if name is not None else [s.name for s in data.status()]
    found = {each: data.verify(each) for each in names}
    _print_files(found, as_json)
    raise typer.Exit(1 if any(state.state != "ok" for states in found.values() for state in states) else 0)


def _print_files(found: dict[str, list[Any]], as_json: bool) -> None:
    if as_json:
        print_json({name: [{"path": str(s.path), "state": s.state} for s in states] for name, states in found.items()})
        return
    for name, states in found.items():
        if not states:
            say(f"ok         {name} comes inside scikit-learn")
        for state in states:
            say(f"{state.state:9}  {state.path}")
