"""The command line: it parses what was typed, calls the rooms below, and prints what they return."""

from glassnet.cli import data, deploying, experiments, looking, tuning
from glassnet.cli.app import app, main

app.add_typer(data.app, name="data")

__all__ = ["app", "deploying", "experiments", "looking", "main", "tuning"]
