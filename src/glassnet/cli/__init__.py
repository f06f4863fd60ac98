"""The command line: it parses what was typed, calls the rooms below, and prints what they return."""

from glassnet import program
from glassnet.extras import NotInstalledError, need
from glassnet.terminal import say

try:
    need("cli", "typer", "rich", "tomli_w")
except NotInstalledError as error:
    if not program.begun:
        raise
    say(f"glassnet: {error}", error=True)
    program.finish(2)

from glassnet.cli import data, deploying, experiments, explaining, looking, tuning
from glassnet.cli.app import DATA, app, main

app.add_typer(data.app, name="data", rich_help_panel=DATA)

__all__ = ["app", "deploying", "experiments", "explaining", "looking", "main", "tuning"]
