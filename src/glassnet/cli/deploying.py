"""The command that takes a network elsewhere: export."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from glassnet.cli.app import USE, command
from glassnet.cli.options import RunArgument
from glassnet.terminal import doing, say


@command(USE, "glassnet export runs/houses houses.onnx")
def export(
    run: RunArgument,
    out: Annotated[Path, typer.Argument(metavar="OUT.onnx", help="The file to write.")],
    input_dtype: Annotated[
        str | None,
        typer.Option(
            "--input", metavar="TYPE", help="One input x of numbers, of this type: float32, float64, uint8 or int64."
        ),
    ] = None,
    interval: Annotated[
        float | None,
        typer.Option(metavar="0.9", help="Add bounds that hold this share of the values, or sets of classes."),
    ] = None,
) -> None:
    """Write a run's network, with its preprocessing, as an ONNX model.

    The columns of a table are its inputs, with text as it is, unless they are all numbers. Otherwise it takes float32.
    """
    from glassnet import recipes

    doing(f"writing and checking the model of {run}")
    takes_and_gives = recipes.export_run(run, out, input_dtype, interval)
    say(f"{takes_and_gives}\nwritten to {out}")
