"""The command that searches for hyperparameters."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from glassnet.cli import completion
from glassnet.cli.app import TRAIN, command
from glassnet.cli.experiments import print_trained
from glassnet.cli.options import DropOption, QuietOption, SeedOption, SetOption, TargetOption
from glassnet.cli.printing import plain_figure, print_table, seconds
from glassnet.terminal import doing, say

TEN_MINUTES = 600.0  # seconds that the search for a pack has by default


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
    drop: DropOption = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", metavar="DIR", help="The folder of the search. A search in it goes on."),
    ] = None,
    trials: Annotated[int | None, typer.Option(metavar="N", help="The number of settings to try.")] = None,
    time: Annotated[
        str | None,
        typer.Option("--time", metavar="10m", help="Begin nothing new after 90s, 10m or 2h."),
    ] = None,
    storage: Annotated[
        str | None,
        typer.Option(metavar="URL", help="A database or server that keeps the trials, for many machines."),
    ] = None,
    seed: SeedOption = None,
    changes: SetOption = None,
    quiet: QuietOption = False,
) -> None:
    """Search for better settings, of a table's pack or of a recipe, and write what wins.

    A table gets a pack of the best networks that are found in the time, by default in ten minutes. It is a run, as
    train writes it. Of a recipe for one network, settings are tried by its validation part: those in tune.space, by
    default the learning rate, and momentum or weight decay. The recipe that wins is written. The same command on the
    same DIR, or with the same --storage, goes on with a search, or joins in while it runs elsewhere.
    """
    from glassnet import recipes, tuning

    limit = None if time is None else seconds(time)
    doing(f"reading the data of {recipe}")
    chosen = recipes.choose(recipe, target=target, drop=drop or (), seed=seed, changes=changes or [])
    if chosen.pack is not None:
        if trials is not None:
            raise ValueError(f"{recipe} gets a pack of networks, whose search takes --time and not --trials")
        if storage is not None:
            raise ValueError(f"{recipe} gets a pack of networks, which one process searches: leave --storage out")
        with recipes.new_directory(Path("runs") / f"{chosen.name}-tune", out) as folder:
            begun = (folder / "recipe.toml").is_file()
            metrics = recipes.train(
                chosen, folder, resume=begun, progress=not quiet, time_limit=TEN_MINUTES if limit is None else limit
            )
        print_trained(metrics, folder, quiet)
        return
    tuning.check_installed()
    with recipes.new_directory(Path("runs") / f"{chosen.name}-tune", out) as folder:
        result = tuning.tune(chosen, folder, trials=trials, time_limit=limit, storage=storage, progress=not quiet)
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
        same = f"--out {folder}" if storage is None else "the same --storage"
        say(f"stopped by Ctrl-C; the same command with {same} goes on")
    say(f"written to {folder}; glassnet train {folder / 'recipe.toml'} trains it")
