"""The command that searches for hyperparameters."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from glassnet.cli import completion
from glassnet.cli.app import TRAIN, command
from glassnet.cli.options import SeedOption, SetOption, TargetOption
from glassnet.cli.printing import plain_figure, print_table
from glassnet.terminal import say


@command(TRAIN, "glassnet tune houses.csv --target price --time 10m")
def tune(
    recipe: Annotated[
        str,
        typer.Argument(
            metavar="RECIPE|TABLE",
            help="A recipe's name or .toml file, or a table.",
            autocompletion=completion.any_of(completion.recipes, completion.tables),
        ),
    ],
    target: TargetOption = None,
    out: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="The folder of the search. A search in it goes on."),
    ] = None,
    trials: Annotated[int | None, typer.Option(metavar="N", help="The number of settings to try.")] = None,
    hours: Annotated[float | None, typer.Option(metavar="H", help="Begin no trial after this number of hours.")] = None,
    seed: SeedOption = None,
    changes: SetOption = None,
) -> None:
    """Search for better values of a recipe by its validation part, and write the recipe that wins.

    The recipe names the settings to search in tune.space. By default these are the learning rate, and momentum or
    weight decay. The same command on the same DIR goes on with a search, or joins in while it runs elsewhere.
    """
    from glassnet import recipes, tuning

    tuning.check_installed()
    chosen = recipes.choose(recipe, target=target, seed=seed, changes=changes or [])
    with recipes.new_directory(Path("runs") / f"{chosen.name}-tune", out) as folder:
        result = tuning.tune(chosen, folder, trials=trials, hours=hours, progress=True)
    summary = result.summary
    say(", ".join(f"{count} {state}" for state, count in summary["trials"].items() if count))
    rows = [[key, str(value)] for key, value in result.values.items()]
    rows.append([summary["judged by"], plain_figure(summary["best"]["value"])])
    print_table([f"trial {result.trial}", ""], rows)
    if summary["finalists"]:
        own = (summary["recipe as it was"] or {}).get("trial")
        name = {own: f"{own}, the recipe as it was"}
        finalists = [
            [name.get(f["trial"], str(f["trial"])), plain_figure(f["mean"]), plain_figure(f["std"])]
            for f in summary["finalists"]
        ]
        seeds = ", ".join(map(str, summary["seeds of finalists"]))
        print_table(["trial", f"mean over seeds {seeds}", "standard deviation"], finalists)
    if result.interrupted:
        say(f"stopped by Ctrl-C; the same command with --out {folder} goes on")
    say(f"written to {folder}; glassnet train {folder / 'recipe.toml'} trains it")
