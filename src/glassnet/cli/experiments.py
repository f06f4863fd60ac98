"""The commands about experiments: train, ensemble, evaluate, predict, gradcheck, recipes."""

from __future__ import annotations

import math
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer

from glassnet.cli import completion
from glassnet.cli.app import LOOK, TRAIN, USE, command
from glassnet.cli.options import (
    DropOption,
    FormatOption,
    JsonOption,
    OutOption,
    QuietOption,
    RunArgument,
    RunsArgument,
    SeedOption,
    SetOption,
    TargetOption,
    TimeOption,
)
from glassnet.cli.printing import plain_figure, print_json, print_table, seconds
from glassnet.ranks import world
from glassnet.terminal import doing, say

FIGURE = ("value", "low", "high", "baseline")
SHOWN = 20  # mistakes of a confusion matrix too large to print


@command(TRAIN, "glassnet train houses.csv --target price")
def train(
    recipe: Annotated[
        str | None,
        typer.Argument(
            metavar="RECIPE|TABLE",
            help="A recipe's name or .toml file, or a table; - is one from standard input.",
            autocompletion=completion.any_of(completion.recipes, completion.tables),
        ),
    ] = None,
    target: TargetOption = None,
    drop: DropOption = None,
    out: OutOption = None,
    seed: SeedOption = None,
    changes: SetOption = None,
    time: TimeOption = None,
    memory: Annotated[
        str | None,
        typer.Option(metavar="4GB", help="Read the table in pieces, for this much memory. Default: if it won't fit."),
    ] = None,
    cache: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Keep these pieces in a folder, for the next training."),
    ] = None,
    folds: Annotated[
        int | None,
        typer.Option(metavar="N", help="Cross-validate: test on each of N parts in turn, then let all answer."),
    ] = None,
    metric: Annotated[
        str | None,
        typer.Option(metavar="f1", help="Choose the threshold of two classes by f1, balanced_accuracy or accuracy."),
    ] = None,
    cost: Annotated[
        str | None,
        typer.Option(metavar="TRUE:ANSWER=N", help="Choose answers by what mistakes cost: 'no:yes=5,yes:no=1'."),
    ] = None,
    epochs: Annotated[
        int | None,
        typer.Option("--epochs", metavar="N", min=1, help="The length of the training."),
    ] = None,
    lr: Annotated[float | None, typer.Option("--lr", metavar="RATE", help="The learning rate: optimizer.lr.")] = None,
    batch_size: Annotated[int | None, typer.Option("--batch-size", metavar="N", help="Rows in a batch.")] = None,
    sync_every: Annotated[
        int | None,
        typer.Option("--sync-every", metavar="H", help="Let mpiexec's ranks meet after H steps, not after each."),
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with a killed training in --out, or with a finished pack.")
    ] = False,
    form: FormatOption = None,
    quiet: QuietOption = False,
) -> None:
    """Train a recipe, or the default pack on a table of your own, and write a run directory."""
    from glassnet import recipes

    changes, ranks = list(changes or []), world()
    for name, value in (("memory", memory), ("cache", cache and cache.resolve())):
        changes += [] if value is None else [f"data.{name}={value}"]
    if resume and out is None:
        raise ValueError("--resume needs --out, the run directory to go on with")
    if recipe is None:
        if not resume or out is None:
            raise ValueError("name a recipe, or a table, such as my.csv; glassnet recipes lists the recipes")
        if not ranks.of_first((out / "recipe.toml").is_file):
            raise ValueError(f"{out} holds no run (there is no recipe.toml in it): name the recipe, to begin anew")
        recipe = str(out / "recipe.toml")  # as it was begun
    doing(f"reading the data of {recipe}")
    options: dict[str, Any] = {"target": target, "drop": drop or (), "folds": folds, "metric": metric, "cost": cost}
    choose = partial(recipes.choose, recipe, **options, seed=seed, changes=changes)
    chosen = recipes.with_training(
        ranks.of_first(choose), epochs=epochs, lr=lr, batch_size=batch_size, sync_every=sync_every, pictures=form
    )
    if ranks.rank:  # the first one writes, and finds a name
        out = Path("runs") / chosen.name
    with recipes.new_directory(Path("runs") / chosen.name, out) as folder:
        limit = None if time is None else seconds(time)
        metrics = recipes.train(chosen, folder, resume=resume, progress=not quiet, time_limit=limit)
    if not ranks.rank:
        print_trained(metrics, folder, quiet)


@command(TRAIN, "glassnet ensemble runs/mnist runs/mnist-2")
def ensemble(
    runs: RunsArgument,
    out: OutOption = None,
    as_json: JsonOption = False,
) -> None:
    """Let finished runs answer together: evaluate their mean, and write it as a run directory with copies of them.

    They must share their data, and may differ in everything else. A recipe with ensemble=5 trains five such runs.
    """
    from glassnet import recipes

    with recipes.new_directory(Path("runs") / "ensemble", out) as folder:
        doing("reading the runs, and their data")
        metrics = recipes.committee(runs, folder)
    if as_json:
        print_json(metrics)
        return
    _print_metrics(metrics)
    _print_members(metrics, folder)


@command(USE, "glassnet evaluate runs/houses new.csv")
def evaluate(
    run: RunArgument,
    table: Annotated[
        Path | None,
        typer.Argument(
            metavar="[TABLE]", help="Other rows, with their target; - is standard input. Default: the run's own."
        ),
    ] = None,
    data: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Where the run's own table is now, if it was moved.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Evaluate a run's network on its test rows again, or on a table that has the target, class by class."""
    from glassnet import recipes
    from glassnet.data.standard_input import table_name

    doing(f"reading {run}, and its data" if table is None else f"reading {run} and {table_name(table)}")
    if table is not None and data is not None:
        raise ValueError(f"name {table} for other rows, or --data {data} for the run's own, not both")
    metrics = recipes.evaluate_run(run, data) if table is None else recipes.evaluate_file(run, table)
    for note in metrics.get("notes", ()):
        say(note, error=True)
    if as_json:
        print_json(metrics)
        return
    _print_metrics(metrics)
    if "classes" in metrics:
        rows = [[name, *(plain_figure(v) for v in scores.values())] for name, scores in metrics["classes"].items()]
        print_table(["test, by class" if table is None else "by class", "precision", "recall", "rows"], rows)
        _print_confusion(metrics)


@command(USE, "glassnet predict runs/houses new.csv --out answers.csv")
def predict(
    run: RunArgument,
    rows: Annotated[
        Path,
        typer.Argument(
            metavar="INPUT", help="A table (- is standard input), an .npy file, a picture, or a folder of them."
        ),
    ],
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write this .csv or .parquet file instead of printing CSV.")
    ] = None,
    interval: Annotated[
        float | None,
        typer.Option(
            metavar="SHARE", help="Add bounds that hold this share of the values, such as 0.9; for classes, a set."
        ),
    ] = None,
    quote_formulas: Annotated[
        bool, typer.Option("--quote-formulas", help="Put ' before text that a spreadsheet would compute, such as =1+1.")
    ] = False,
) -> None:
    """Predict the rows of a table of any size, or the digits in pictures.

    The predictions are in the order of the rows. Columns that the network doesn't use, such as an id, an index or the
    target, are copied in front of them (from CSV as text). For a folder of pictures, their names are. In a .npy array
    (N, features) the columns are in the order of training.
    """
    from glassnet import recipes
    from glassnet.data.standard_input import as_file, table_name

    doing(f"predicting {table_name(rows)} with {run}")
    with as_file(rows) as file:
        recipes.predict_file(run, file, out, coverage=interval, quote_formulas=quote_formulas)


@command(LOOK, "glassnet gradcheck mnist")
def gradcheck(
    recipe: Annotated[
        str | None,
        typer.Argument(
            metavar="[RECIPE]",
            help="Default: every layer, every loss.",
            autocompletion=completion.recipes,
        ),
    ] = None,
) -> None:
    """Compare gradients with differences of the loss, for a recipe's network on its data, or for every layer."""
    if recipe is not None:
        from glassnet import recipes

        doing("comparing gradients")
        report = recipes.gradcheck(recipes.load(recipe))
        say(report)
        raise typer.Exit(0 if report.passed else 1)
    from glassnet.nn.selfcheck import summary

    doing("comparing gradients")
    groups = summary()
    rows = [
        [
            g.name,
            str(g.cases),
            f"{g.checked:,}",
            f"{g.at_kinks:,}",
            f"{g.max_relative_error:.1e}",
            "passed" if g.passed else "FAILED",
        ]
        for g in groups
    ]
    print_table(["layer", "networks", "gradients", "at kinks", "max relative error", ""], rows)
    say("each with every loss, in four shapes, training and inference; tolerance 1e-6; at kinks no gradient exists")
    raise typer.Exit(0 if all(g.passed for g in groups) else 1)


@command(TRAIN, "glassnet recipes mnist", name="recipes")
def list_recipes(
    name: Annotated[
        str | None,
        typer.Argument(metavar="[NAME]", help="The recipe to show, as TOML.", autocompletion=completion.recipe_names),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """List the recipes that come with glassnet, or show one."""
    from glassnet import recipes

    if as_json:
        listed = [{"recipe": each, "description": recipes.load(each).description} for each in recipes.names()]
        print_json(listed if name is None else recipes.load(name).to_dict())
        return
    if name is not None:
        say(recipes.text(name), end="")
        return
    briefly = [[each, recipes.load(each).description.partition(". ")[0]] for each in recipes.names()]
    print_table(["recipe", "what it does"], briefly)


def print_trained(metrics: dict[str, Any], folder: Path, quiet: bool) -> None:
    """Print what a training came to, and what people do next."""
    _print_metrics(metrics)
    if "members" in metrics:
        _print_members(metrics, folder)
        return
    if "folds" in metrics:
        say(f"{metrics['seconds']:.1f} s; the networks of all folds answer together; written to {folder}")
        _print_next(folder, quiet)
        return
    note = " (stopped early, by Ctrl-C)" if metrics["interrupted"] else ""
    if "parts" in metrics:
        say(f"{metrics['networks']} networks answer: {', '.join(metrics['parts'])}")
        say(f"{metrics['seconds']:.1f} s{note}; written to {folder}")
        _print_next(folder, quiet, f"for a better one: glassnet train --resume --out {folder} --time 10m")
        return
    trained = "1 epoch" if metrics["epochs"] == 1 else f"{metrics['epochs']} epochs"
    say(f"{trained} in {metrics['seconds']:.1f} s{note}; written to {folder}")
    _print_next(folder, quiet)


def _print_metrics(metrics: dict[str, Any]) -> None:
    """The figures of all parts, beside those of a constant answer."""
    from glassnet.train.metrics import METRICS

    parts = {"train": "train", "val": "validation", "test": "test", "baseline": "test, baseline"}
    other = "train" not in metrics  # rows that are no part of the run's data
    if other:
        parts = {"test": "these rows", "baseline": "baseline"}
    say(metrics["data"])
    head = [metrics.get("recipe", "ensemble"), *parts.values()]
    names = [name for name in METRICS[metrics["task"]] if name != "loss" or not _is_mse(metrics)]
    rows = [[name, *(plain_figure(metrics[part][name]) for part in parts)] for name in names]
    print_table(head, rows)
    if figures := metrics["figures"]:
        shown = [[name, *(plain_figure(figure[key]) for key in FIGURE)] for name, figure in figures.items()]
        print_table(["these rows" if other else "test", "", "95% from", "to", "baseline"], shown)
    if "decision" in metrics:
        say(f"{metrics['decision']}; the accuracy in the first table is that of the likeliest class")
    if "folds" in metrics:
        print_table(
            ["mean of the folds", "", "standard error"],
            [[name, *map(plain_figure, of.values())] for name, of in metrics["folds"].items()],
        )
    constant = {
        "classification": "always the majority class; its loss is that of the classes' shares in "
        + ("these rows" if other else "training"),
        "regression": f"always the mean of {'these' if other else 'the training'} targets",
    }
    say(f"baseline: {constant[metrics['task']]}")


def _print_next(folder: Path, quiet: bool, *more: str) -> None:
    """Say what people do next with a run."""
    for line in () if quiet else (*more, f"next: glassnet report {folder}, or glassnet predict {folder} with new rows"):
        say(line, error=True)


def _print_confusion(metrics: dict[str, Any]) -> None:
    """The confusion matrix: all counts, or the commonest mistakes if there are many classes."""
    from glassnet.recipes.confusion import MOST_WHOLE, Confusion

    classes = list(metrics["classes"])
    confusion = Confusion.read(metrics["confusion_matrix"], len(classes))
    if len(classes) <= MOST_WHOLE:
        rows = [[name, *map(str, row)] for name, row in zip(classes, confusion.whole().tolist(), strict=True)]
        print_table(["true \\ predicted", *classes], rows)
        return
    wrong = confusion.mistakes()
    shown = zip(wrong.true[:SHOWN], wrong.predicted[:SHOWN], wrong.rows[:SHOWN], strict=True)
    print_table(["true", "predicted", "rows"], [[classes[t], classes[p], str(rows)] for t, p, rows in shown])
    say(f"of {len(classes):,} classes, the {SHOWN} commonest mistakes at most; metrics.json holds all counts above 0")


def _print_members(metrics: dict[str, Any], out: Path) -> None:
    """The members of an ensemble, with their figures and folders."""
    names = {"classification": ("loss", "accuracy"), "regression": ("rmse", "r2")}[metrics["task"]]
    parts = {"val": "validation", "test": "test"}
    rows = [
        [m["run"], m["recipe"], str(m["seed"]), *(plain_figure(m[part][name]) for part in parts for name in names)]
        for m in metrics["members"]
    ]
    print_table(["member", "recipe", "seed", *(f"{part} {name}" for part in parts.values() for name in names)], rows)
    say(f"{len(rows)} members, {metrics['seconds']:.1f} s of training; written to {out}")


def _is_mse(metrics: dict[str, Any]) -> bool:
    """Whether the loss is the mean squared error, which has a row of its own."""
    test = metrics["test"]
    return "mse" in test and math.isclose(test["loss"], test["mse"], rel_tol=1e-4)
