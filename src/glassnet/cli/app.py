"""The door: the application, and how errors become one line and an exit status."""

from __future__ import annotations

import os
import sys
import traceback
import warnings
from collections.abc import Callable
from typing import Annotated, Any, TypeVar

import typer
from typer.core import TyperCommand, TyperGroup

from glassnet import program
from glassnet.extras import NotInstalledError
from glassnet.files import reason
from glassnet.program import STOPPED
from glassnet.ranks import Ranks, world
from glassnet.terminal import done, say
from glassnet.version import __version__

TRAIN, USE, LOOK, DATA = PANELS = "Train", "Use a run", "Look inside", "Data"  # of --help, in this order


def _without_type(parameters: list[Any]) -> list[Any]:
    """Let the help show flags without the type that they haven't."""
    for each in parameters:
        if getattr(each, "is_flag", False):
            each.metavar = ""
    return parameters


class Command(TyperCommand):
    """A command of the terminal."""

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Print the help."""
        done()
        super().format_help(ctx, formatter)

    def get_params(self, ctx: Any) -> list[Any]:
        """Return the parameters."""
        return _without_type(super().get_params(ctx))


class Commands(TyperGroup):
    """Commands, in the order of the panels of the help."""

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Print the help."""
        done()
        super().format_help(ctx, formatter)

    def get_params(self, ctx: Any) -> list[Any]:
        """Return the parameters."""
        return _without_type(super().get_params(ctx))

    def list_commands(self, ctx: Any) -> list[str]:
        """Return their names."""
        panels = {name: getattr(each, "rich_help_panel", None) for name, each in self.commands.items()}
        return sorted(panels, key=lambda name: PANELS.index(panels[name]) if panels[name] in PANELS else 0)


app: typer.Typer = typer.Typer(
    name="glassnet",
    cls=Commands,
    help="The fully connected neural network, by hand.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Any command takes --debug, which shows the traceback of an error.",
)

Function = TypeVar("Function", bound=Callable[..., Any])


def command(panel: str, example: str, name: str | None = None) -> Callable[[Function], Function]:
    """Make a function a command, in a panel of the help, with an example below its own."""
    return app.command(name, cls=Command, rich_help_panel=panel, epilog=f"Example: {example}")


# What people's files, settings and machines lead to.
EXPECTED = (ValueError, OSError, ArithmeticError, MemoryError, NotInstalledError)
OURS = "a mistake in glassnet: please report it, with what --debug shows"
IN_FILES = {"train", "ensemble", "tune", "export", "report", "explore"}  # they go on if no stream is left to print to


def main() -> None:
    """Run the command line; an error is one line on standard error and exit status 2, a bug status 1."""
    if os.environ.get("_GLASSNET_COMPLETE"):  # a shell asks for completions, and reads the exit status
        app(prog_name="glassnet")
    arguments = sys.argv[1:]
    debug = "--debug" in arguments
    ranks = Ranks()
    program.need_output(arguments[:1] == [] or arguments[0] not in IN_FILES)
    try:
        with warnings.catch_warnings():
            warnings.showwarning = _warn
            ranks = world()
            if ranks.size > 1:
                _begin_ranks(ranks, arguments)
            status = app(args=[a for a in arguments if a != "--debug"], prog_name="glassnet", standalone_mode=False)
            sys.stdout.flush()
        if status == STOPPED:  # as typer does after Ctrl-C
            _say("stopped")
    except BaseException as error:
        if debug:
            say(traceback.format_exc(), end="", error=True)
        status, line = _explained(error)
        if line is None and not program.begun:
            raise  # a bug, in somebody else's program
        line = f"{type(error).__name__}: {error} ({OURS})" if line is None else line
        if line and status and ranks.size > 1:
            ranks.abort(line)
        _say(line)
    done()
    ranks.finish()
    program.finish(status or 0)


def _begin_ranks(ranks: Ranks, arguments: list[str]) -> None:
    """Let the first of several ranks alone speak. Raises ValueError for a command that is for one process."""
    if ranks.rank:
        ranks.mute()
    if not {"train", "--help", "-h", "--version"} & set(arguments):
        raise ValueError("mpiexec is for glassnet train: start other commands without it")


@app.callback(invoke_without_command=True)
def version(
    show: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
) -> None:
    """The fully connected neural network, by hand."""
    if show:
        say(f"glassnet {__version__}")
        raise typer.Exit


def _explained(error: BaseException) -> tuple[int, str | None]:
    """The exit status for an error, and its line: empty if nothing needs saying, None for a fault of glassnet."""
    if isinstance(error, (KeyboardInterrupt, typer.Abort)):
        return STOPPED, "stopped"
    if isinstance(error, SystemExit) or program.reader_gone(error):
        return 0, ""
    if explained := getattr(error, "format_message", None):  # an error of the command line itself
        return 2, _setting_meant(error) or explained()  # nothing if typer has shown the help instead
    if isinstance(error, MemoryError):
        return 2, f"not enough memory: {error}" if str(error) else "not enough memory"
    if isinstance(error, EXPECTED):
        return 2, reason(error)
    if isinstance(error, RecursionError):
        return 2, "something in the input is nested too deeply"
    if "can't start new thread" in str(error):
        return 2, "the system lets this process start no further thread: end other programs, or raise its limits"
    return (STOPPED, "stopped") if program.stopping else (1, None)


def _setting_meant(error: Any) -> str | None:
    """The line for an option that isn't there, of a command that changes settings, if a setting is called like it."""
    context = getattr(error, "ctx", None)
    unknown = hasattr(error, "possibilities")  # the like options that there are
    if not unknown or context is None or not any("--set" in each.opts for each in context.command.params):
        return None
    from glassnet.recipes.reading import setting_like

    word = error.option_name.lstrip("-").replace("-", "_")
    hint = setting_like(word)
    if not hint or (error.possibilities and f".{word}?" not in hint):  # a like option is likelier
        return None
    return f"No such option: {error.option_name}; settings are changed by --set KEY=VALUE{hint}"


def _warn(message: Warning | str, *_: Any, **__: Any) -> None:
    _say(str(message))


def _say(line: str) -> None:
    """One line on standard error."""
    if line:
        say("glassnet: " + " ".join(line.split()), error=True)
