"""The door: the application, and how errors become one line and an exit status."""

from __future__ import annotations

import os
import sys
import traceback
from pathlib import Path
from typing import Annotated

import typer

from glassnet.cli import completion
from glassnet.files import reason
from glassnet.version import __version__

app = typer.Typer(
    name="glassnet",
    help="The fully connected neural network, by hand.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Any command takes --debug, which shows the traceback of an error.",
)

RunArgument = Annotated[
    Path, typer.Argument(metavar="RUN", help="A run directory, as train makes it.", autocompletion=completion.runs)
]
RunsArgument = Annotated[
    list[Path],
    typer.Argument(metavar="RUN RUN...", help="Run directories, two or more.", autocompletion=completion.runs),
]


def main() -> None:
    """Run the command line; an error is one line on standard error and exit status 2."""
    if os.environ.get("_GLASSNET_COMPLETE"):  # a shell asks what could be typed, and reads the exit status
        app(prog_name="glassnet")
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
        status = _fail(explained() if explained else reason(error))
    if status == 130:  # what typer, too, makes of Ctrl-C
        _fail("stopped")
    sys.exit(status)


@app.callback(invoke_without_command=True)
def version(
    show: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
) -> None:
    """The fully connected neural network, by hand."""
    if show:
        print(f"glassnet {__version__}")
        raise typer.Exit


def _fail(message: str) -> int:
    if message:  # there is none if typer has shown the help instead
        print("glassnet: " + " ".join(message.split()), file=sys.stderr)
    return 2
