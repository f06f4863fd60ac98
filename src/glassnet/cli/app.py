"""The command line: it parses what was typed, calls the rooms below, and prints what they return."""

from __future__ import annotations

import math
import os
import sys
import traceback
from pathlib import Path
from typing import Annotated, Any

import typer

import glassnet

app = typer.Typer(
    name="glassnet",
    help="The fully connected neural network, by hand.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Any command takes --debug, which shows the traceback of an error.",
)
data_app = typer.Typer(help="List, download and verify the data sets.", no_args_is_help=True)
app.add_typer(data_app, name="data")

RunArgument = Annotated[Path, typer.Argument(metavar="RUN", help="A run directory, as train makes it.")]


def main() -> None:
    """Run the command line; an error is one line on standard error and exit status 2."""
    arguments = sys.argv[1:]
    debug = "--debug" in arguments
    try:
        status = app(args=[a for a in arguments if a != "--debug"], prog_name="glassnet", standalone_mode=False)
        sys.stdout.flush()
    except (BrokenPipeError, SystemExit):  # the reader of our output has gone, as in `glassnet recipes | head -1`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        status = 0
    except (KeyboardInterrupt, typer.Abort):
        status = 130
    except Exception as error:
        explained = getattr(error, "format_message", None)  # an error of the command line itself
        if not (explained or isinstance(error, (ValueError, OSError, ArithmeticError, MemoryError))):
            raise
        if debug:
            traceback.print_exc()
        status = _fail(explained() if explained else _message(error))
    if status == 130:  # what typer, too, makes of Ctrl-C
        _fail("stopped")
    sys.exit(status)


@app.callback(invoke_without_command=True)
def version(
    show: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
) -> None:
    """The fully connected neural network, by hand."""
    if show:
        print(f"glassnet {glassnet.__version__}")
        raise typer.Exit


@app.command()
def train(
    recipe: Annotated[
        str | None,
        typer.Argument(metavar="RECIPE|TABLE", help="A recipe's name or .toml file, or a .csv or .parquet table."),
    ] = None,
    target: Annotated[str | None, typer.Option(metavar="COLUMN", help="The table's column to predict.")] = None,
    out: Annotated[Path | None, typer.Option(metavar="DIR", help="The run directory; by default below runs/.")] = None,
    seed: Annotated[int | None, typer.Option(help="Another seed than the recipe's.")] = None,
    changes: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="Change the recipe: optimizer.lr=0.01; may be repeated."),
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with a training that was killed, in --out.")] = False,
) -> None:
    """Train a recipe, or the default network on a table of your own, and write a run directory."""
    from glassnet import recipes

    changes = list(changes or [])
    if resume and out is None:
        raise ValueError("--resume needs --out, the run directory to go on with")
    if recipe is None:
        if not resume or out is None:
            raise ValueError("name a recipe, or a .csv or .parquet table; glassnet recipes lists the recipes")
        recipe = str(out / "recipe.toml")  # as it was begun
    if Path(recipe).suffix.lower() in (".csv", ".parquet"):
        chosen = recipes.load("table", seed=seed, changes=changes)
        chosen.data.source, chosen.name = recipe, Path(recipe).stem
        chosen.data.target = target or chosen.data.target
    else:
        if target is not None:
            raise ValueError(f"{recipe} is no .csv or .parquet table, and only those take --target")
        chosen = recipes.load(recipe, seed=seed, changes=changes)
    out = out or recipes.free_directory(Path("runs") / chosen.name)
    metrics = recipes.train(chosen, out, resume=resume, progress=True)
    _print_metrics(metrics)
    note = " (stopped early, by Ctrl-C)" if metrics["interrupted"] else ""
    epochs = "1 epoch" if metrics["epochs"] == 1 else f"{metrics['epochs']} epochs"
    print(f"{epochs} in {metrics['seconds']:.1f} s{note}; written to {out}")


@app.command()
def evaluate(run: RunArgument) -> None:
    """Evaluate a run's network on its test rows once more, class by class."""
    from glassnet import recipes

    metrics = recipes.evaluate_run(run)
    _print_metrics(metrics)
    if "classes" in metrics:
        rows = [[name, *(_number(v) for v in scores.values())] for name, scores in metrics["classes"].items()]
        _print_table(["test, by class", "precision", "recall", "rows"], rows)
        counts = zip(metrics["classes"], metrics["confusion_matrix"], strict=True)
        _print_table(["true \\ predicted", *metrics["classes"]], [[name, *map(str, row)] for name, row in counts])


@app.command()
def predict(
    run: RunArgument,
    rows: Annotated[Path, typer.Argument(metavar="INPUT", help="A table with the run's columns, or an image.")],
    out: Annotated[Path | None, typer.Option(metavar="FILE", help="Write CSV here instead of printing it.")] = None,
) -> None:
    """Predict the rows of a CSV or Parquet table, or the digit in a picture, as CSV."""
    from glassnet import recipes

    recipes.write_predictions(recipes.predict_file(run, rows), out)


@app.command()
def gradcheck(
    recipe: Annotated[str | None, typer.Argument(metavar="[RECIPE]", help="Default: every layer, every loss.")] = None,
) -> None:
    """Compare gradients with differences of the loss: of a recipe's network on its data, or of every layer."""
    if recipe is not None:
        from glassnet import recipes

        report = recipes.gradcheck(recipes.load(recipe))
        print(report)
        raise typer.Exit(0 if report.passed else 1)
    from glassnet.nn.selfcheck import summary

    groups = summary()
    rows = [[g.name, str(g.cases), f"{g.checked:,}", f"{g.at_kinks:,}", f"{g.max_relative_error:.1e}",
             "passed" if g.passed else "FAILED"] for g in groups]  # fmt: skip
    _print_table(["layer", "networks", "gradients", "at kinks", "max relative error", ""], rows)
    print("each with every loss, in four shapes, training and inference; tolerance 1e-6; at kinks no gradient exists")
    raise typer.Exit(0 if all(g.passed for g in groups) else 1)


@app.command("recipes")
def list_recipes(
    name: Annotated[str | None, typer.Argument(metavar="[NAME]", help="Show this one whole, as TOML.")] = None,
) -> None:
    """List the recipes that come with glassnet, or show one."""
    from glassnet import recipes

    if name is not None:
        print(recipes.text(name), end="")
        return
    briefly = [[each, recipes.load(each).description.partition(". ")[0]] for each in recipes.names()]
    _print_table(["recipe", "what it does"], briefly)


@data_app.command("list")
def list_data() -> None:
    """List the data sets, and where their files were found."""
    from glassnet import data

    rows = [[s.name, f"{s.rows:,}", s.task, s.where, s.origin] for s in data.status()]
    _print_table(["name", "rows", "task", "where", "origin"], rows)


@data_app.command("fetch")
def fetch_data(
    name: Annotated[str, typer.Argument(help="mnist or california; digits and diabetes are bundled.")],
) -> None:
    """Download a data set's files, where they aren't here yet, and verify them."""
    from glassnet import data

    _print_files(name, data.fetch(name))


@data_app.command("verify")
def verify_data(name: Annotated[str | None, typer.Argument(help="Default: all.")] = None) -> None:
    """Verify the content of the files that are here; exit status 1 if one is corrupted."""
    from glassnet import data

    names = [name] if name is not None else [s.name for s in data.status()]
    states = [state for each in names for state in _print_files(each, data.verify(each))]
    raise typer.Exit(1 if any(s.state == "corrupted" for s in states) else 0)


def _print_files(name: str, states: list[Any]) -> list[Any]:
    if not states:
        print(f"ok         {name} comes inside scikit-learn")
    for state in states:
        print(f"{state.state:9}  {state.path}")
    return states


def _print_metrics(metrics: dict[str, Any]) -> None:
    """The figures of all parts, beside those of a network that has learned nothing."""
    from glassnet.train.metrics import METRICS

    parts = {"train": "train", "val": "validation", "test": "test", "baseline": "test, baseline"}
    print(metrics["data"])
    head = [metrics["recipe"], *parts.values()]
    names = [name for name in METRICS[metrics["task"]] if name != "loss" or not _is_mse(metrics)]
    rows = [[name, *(_number(metrics[part][name]) for part in parts)] for name in names]
    _print_table(head, rows)
    constant = {"classification": "always the majority class; its loss is that of the classes' shares in training",
                "regression": "always the mean of the training targets"}  # fmt: skip
    print(f"baseline: {constant[metrics['task']]}")
    for name, value in metrics.get("seed_figure", {}).items():
        print(f"{name}: {value:.4f}")


def _is_mse(metrics: dict[str, Any]) -> bool:
    """Whether the loss is the mean squared error, which has a row of its own."""
    test = metrics["test"]
    return "mse" in test and math.isclose(test["loss"], test["mse"], rel_tol=1e-4)


def _number(value: float | None) -> str:
    if value is None or value != value:  # a class that was never predicted has no precision
        return "-"
    if isinstance(value, int):
        return f"{value:,}"
    return f"{value:,.1f}" if abs(value) >= 1000 else f"{value:.4f}" if abs(value) >= 0.01 else f"{value:.3g}"


def _print_table(head: list[str], rows: list[list[str]]) -> None:
    """A table: on a terminal as wide as that is, elsewhere as wide as needed."""
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold")
    for i, name in enumerate(head):
        numeric = all(row[i][:1] in "-0123456789" for row in rows)
        table.add_column(name, justify="right" if numeric else "left", no_wrap=numeric or i == 0)
    for row in rows:
        table.add_row(*row)
    Console(width=None if sys.stdout.isatty() else 160, markup=False, highlight=False, soft_wrap=False).print(table)


def _message(error: Exception) -> str:
    """One line for an error; an OSError says which file."""
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    return str(error) or type(error).__name__


def _fail(message: str) -> int:
    if message:  # there is none if typer has shown the help instead
        print("glassnet: " + " ".join(message.split()), file=sys.stderr)
    return 2
