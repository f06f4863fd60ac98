"""The commands that look inside a run: trace, doctor, report, compare, explore."""

from __future__ import annotations

import webbrowser
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from glassnet.cli import completion
from glassnet.cli.app import LOOK, command
from glassnet.cli.options import DropOption, RunArgument, SeedOption, SetOption, TargetOption
from glassnet.cli.printing import plain_figure, print_json, print_table
from glassnet.terminal import doing, say

LEADERBOARD = {"classification": ("roc_auc", "brier", "accuracy"), "regression": ("mae", "r2", "pinball")}

if TYPE_CHECKING:
    from glassnet.data import Split
    from glassnet.inspection import Trace
    from glassnet.nn import Ensemble, Network


@command(LOOK, "glassnet trace runs/digits --row 7 --layer 1 --unit 3")
def trace(
    run: RunArgument,
    row: Annotated[int, typer.Option(metavar="N", help="The row, counted from 0.")],
    part: Annotated[str, typer.Option(metavar="PART", help="The part of the data: train, val or test.")] = "test",
    layer: Annotated[int | None, typer.Option(help="Print the equation of a unit of this layer.")] = None,
    unit: Annotated[int | None, typer.Option(help="The unit, counted from 0.")] = None,
    entry: Annotated[
        str | None,
        typer.Option("--check", metavar="NAME,I,J", help="Check one gradient entry of a parameter, or of the input x."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print every number as JSON.")] = False,
) -> None:
    """Make one step of learning on a row, on a copy, and show its numbers. The exit status is 1 if a --check fails.

    The step uses the run's optimizer, with an empty memory.
    """
    from glassnet import inspection
    from glassnet.recipes.finished import Finished

    if (layer is None) != (unit is None):
        raise ValueError("--layer and --unit go together: they name the unit whose equation is wanted")
    if as_json and (layer is not None or entry is not None):
        raise ValueError("--json prints the whole step: leave out --layer, --unit and --check")
    if part not in ("train", "val", "test"):
        raise ValueError(f"--part is train, val or test, not {part!r}")
    doing(f"reading {run}, and its data")
    finished = Finished.read(run)
    split = getattr(finished.load_data(), part)
    if not len(split):
        raise ValueError(f"the {part} part has no rows: name another one with --part")
    if not 0 <= row < len(split):
        raise ValueError(f"the {part} part has rows 0 to {len(split) - 1}, so there is no row {row}")
    optimizer = finished.recipe.build_optimizer()
    step = inspection.trace(finished.network, split.x[row], split.y[row], finished.loss, optimizer)
    equation = None if layer is None or unit is None else step.equation(layer, unit)
    checked = None if entry is None else step.check(*_entry(entry, step))
    if equation is None and checked is None:
        if not as_json:
            say(f"{part} row {row}: {_answer(finished.net, split, row)}")
            say(f"this is {finished.which}\n" if finished.which else "")
        say(step.to_json() if as_json else step)
    for line in filter(None, (equation, checked)):
        say(line)
    raise typer.Exit(0 if checked is None or checked.passed or checked.at_kink else 1)


def _answer(net: Network | Ensemble, split: Split, row: int) -> str:
    """Print the answers of the data and of the network for a row."""
    from glassnet.nn import Ensemble

    classes, who = net.info["classes"], "the pack" if isinstance(net, Ensemble) else "the network"
    if not classes:
        value = float(net.predict(split.x[[row]])[0, 0])
        return f"the data say {plain_figure(float(split.y[row]))}, {who} {plain_figure(value)}"
    p = net.predict_proba(split.x[[row]])[0]
    return f"the data say {classes[int(split.y[row])]}, {who} {classes[int(p.argmax())]} with {p.max():.1%}"


def _entry(text: str, step: Trace) -> tuple[str, tuple[int, ...]]:
    """Read the name and the place of an entry of the step, such as 1.W,3,5."""
    name, *index = text.split(",")
    if not index or not all(i.strip().isdecimal() for i in index):
        first = next(iter(step.parameters.values()))
        example = ",".join([first.name, *(str(size - 1) for size in first.before.shape)])
        raise ValueError(f"--check takes a name and an entry, such as {example} or x,0, not {text!r}")
    return name.strip(), tuple(map(int, index))


@command(LOOK, "glassnet doctor houses.csv --target price")
def doctor(
    source: Annotated[
        str,
        typer.Argument(
            metavar="RECIPE|TABLE|RUN",
            help="A recipe, a table, or a run directory.",
            autocompletion=completion.any_of(completion.recipes, completion.tables, completion.runs),
        ),
    ],
    target: TargetOption = None,
    drop: DropOption = None,
    epochs: Annotated[int, typer.Option(min=1, help="The most epochs to train and watch.")] = 3,
    seed: SeedOption = None,
    changes: SetOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the findings as JSON.")] = False,
) -> None:
    """Find faults of data, network or training. The exit status is 1 if there is an error or a warning."""
    from glassnet import recipes
    from glassnet.data.standard_input import as_file

    doing(f"training {source} for at most {epochs} epochs, and looking")
    if Path(source).is_dir():
        if target is not None or drop or seed is not None or changes:
            raise ValueError(f"{source} is a run: --target, --drop, --seed and --set are for its recipe or its table")
        findings = recipes.examine_run(Path(source), epochs)
    else:
        with as_file(source) if source == "-" else nullcontext(source) as file:
            recipe = recipes.choose(str(file), target=target, drop=drop or [], seed=seed, changes=changes or [])
            findings = recipes.examine_recipe(recipe, epochs)
    if as_json:
        print_json([finding.to_dict() for finding in findings])
    else:
        if all(finding.severity == "note" for finding in findings):
            say("no error and no warning in the data, the start, the course and the result of the training")
        for finding in findings:
            say(f"\n{finding}")
    raise typer.Exit(1 if any(finding.severity != "note" for finding in findings) else 0)


@command(LOOK, "glassnet report runs/houses")
def report(
    run: RunArgument,
    out: Annotated[Path | None, typer.Option(metavar="FILE", help="The page. Default: RUN/report.html.")] = None,
    examined: Annotated[bool, typer.Option("--doctor/--no-doctor", help="Let the doctor examine the run.")] = True,
    others: Annotated[
        bool,
        typer.Option("--compare", help="Train a linear model and gradient boosting on the same rows, and compare."),
    ] = False,
    show: Annotated[bool, typer.Option("--open", help="Open the page in the browser.")] = False,
) -> None:
    """Write a run as one HTML page: results, curves, mistakes, the doctor's findings, the command that trains it again.

    If its data are gone or were changed, the parts that need them are left out, and the exit status is 1.
    """
    from glassnet.report import Reported, write_report

    doing(f"reading {run}, and its data")
    found = Reported.read(run)
    page = write_report(found, out, doctor=examined, others=others, tell=doing)
    say(f"written to {page}")
    if show:
        webbrowser.open(page.resolve().as_uri())
    if found.missing:
        say(f"glassnet: {found.missing}, so the page lacks the parts that need the data", error=True)
        raise typer.Exit(1)


@command(LOOK, "glassnet compare houses.csv --target price")
def compare(
    sources: Annotated[
        list[str],
        typer.Argument(
            metavar="TABLE | RUN RUN...",
            help="A table (- is standard input), or run directories, two or more.",
            autocompletion=completion.any_of(completion.tables, completion.runs),
        ),
    ],
    target: TargetOption = None,
    drop: DropOption = None,
    seed: SeedOption = None,
    changes: SetOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print all figures as JSON.")] = False,
    out: Annotated[Path | None, typer.Option(metavar="FILE", help="Of runs, also write an HTML page.")] = None,
) -> None:
    """Compare the default for a table with a linear model and gradient boosting, or runs with each other.

    On a table all models learn from the same rows and columns. Runs are put side by side: their figures, the best of
    them, and the settings that differ.
    """
    if len(sources) == 1 and not Path(sources[0]).is_dir():
        if out is not None:
            raise ValueError("--out writes a page about runs: for a table leave it out, and take --json")
        _compare_models(sources[0], target, drop or [], seed, changes or [], as_json)
    elif target is not None or drop or seed is not None or changes or as_json:
        raise ValueError("--target, --drop, --seed, --set and --json are for a table, and these are runs")
    else:
        _compare_runs([Path(source) for source in sources], out)


def _compare_models(
    source: str, target: str | None, drop: list[str], seed: int | None, changes: list[str], as_json: bool
) -> None:
    from glassnet import recipes
    from glassnet.data.standard_input import as_file, table_name

    doing(f"reading {table_name(source)}")
    with as_file(source) if source == "-" else nullcontext(source) as file:
        recipe = recipes.choose(str(file), target=target, drop=drop, seed=seed, changes=changes)
        found = recipes.leaderboard(recipe)
    for note in found["notes"]:
        say(note, error=True)
    if as_json:
        print_json(found)
        return
    say(found["data"])
    by, others = found["judged_by"], LEADERBOARD[found["task"]]
    rows = []
    for model in found["models"]:
        figures = model["figures"]
        values = [figures[by][key] for key in ("value", "low", "high")]
        values += [figures.get(name, {"value": None})["value"] for name in others]
        times = [f"{model[key]:.2f}" for key in ("seconds", "predict_seconds")]
        rows.append([model["model"], *map(plain_figure, values), *times])
    print_table(["model", by, "95% from", "to", *others, "train s", "predict s"], rows)
    say(found["verdict"])


def _compare_runs(runs: list[Path], out: Path | None) -> None:
    from glassnet import report

    found = report.compare(runs)
    written = None if out is None else report.write_comparison(found, out)
    rows = [[each.label, *map(plain_figure, each.values), ", ".join(found.leaders(each))] for each in found.figures]
    print_table(["", *found.runs, "best"], rows)
    if not found.same_data:
        say(f"the data differ in {found.differs}, so no figure is called best:")
        for name, data in zip(found.runs, found.data, strict=True):
            say(f"  {name}: {data}")
    if found.settings:
        print_table(["setting", *found.runs], [[name, *values] for name, values in found.settings.items()])
    else:
        say("the recipes differ in no setting")
    if written is not None:
        say(f"written to {written}")


@command(LOOK, "glassnet explore runs/digits")
def explore(
    source: Annotated[
        str | None,
        typer.Argument(
            metavar="[RUN|RECIPE]",
            help="A run directory or a recipe. Without it: the playground, where networks are built and trained.",
            autocompletion=completion.any_of(completion.runs, completion.recipes),
        ),
    ] = None,
    port: Annotated[int, typer.Option(min=0, max=65535, help="The port to listen on. 0 is any free one.")] = 0,
    host: Annotated[str, typer.Option(help="The address to listen on. By default only this machine can reach it.")] = (
        "127.0.0.1"
    ),
    browser: Annotated[bool, typer.Option("--browser/--no-browser", help="Open the page in the browser.")] = True,
    out: Annotated[Path | None, typer.Option(metavar="FILE", help="Write one HTML file that needs no server.")] = None,
) -> None:
    """See a network think and learn, in the browser: build one and play, or look into a run, number by number."""
    from glassnet import explore as room

    if out is None:
        room.check_installed()
        doing("reading the network, and its data")
        room.serve(room.open_subject(source), host, port, browser, playground=source is None)
        return
    if source is None:
        room.write_playground(out)
    else:
        doing("reading the network, and its data")
        room.write(out, room.open_subject(source))
    say(f"written to {out}")
