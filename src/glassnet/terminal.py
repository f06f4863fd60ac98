"""Text for people on the terminal: control characters in names from files are escaped."""

from __future__ import annotations

import re
import sys
from contextlib import nullcontext, suppress
from shutil import get_terminal_size

from glassnet.extras import installed

# Characters that move the cursor, set colors or titles, or turn the direction of text, and halves of characters.
CONTROLS = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


def shown(text: object, encoding: str = "utf-8") -> str:
    """Return a text with all but its printable characters and line ends escaped as Python does: ESC becomes \\x1b."""
    escaped = CONTROLS.sub(lambda found: found[0].encode("unicode_escape").decode("ascii"), str(text))
    return escaped.encode(encoding, "backslashreplace").decode(encoding)


_doing = ""  # the line that is on the terminal now


def doing(what: str) -> None:
    """Say on a terminal what takes its time now, in a line that the next output replaces."""
    global _doing
    if _on_terminal():
        done()
        line = " ".join(shown(f"{what} ...", sys.stderr.encoding or "utf-8").split())
        _doing = line[: get_terminal_size().columns - 1]  # a line that wraps couldn't be removed
        with suppress(OSError):
            print(_doing, end="\r", file=sys.stderr, flush=True)


def done() -> None:
    """Remove the line of `doing`. Whatever prints without `say` or a bar does so first."""
    global _doing
    if _doing:
        with suppress(OSError, ValueError):
            print(" " * len(_doing), end="\r", file=sys.stderr, flush=True)
        _doing = ""


def say(*words: object, end: str = "\n", error: bool = False) -> None:
    """Print text for people on standard output or error. Every line that isn't data comes through here.

    A line that can't be written on standard error is lost, and nothing else.
    """
    done()
    file = sys.stderr if error else sys.stdout
    if file is None:  # Python was started without
        return
    with suppress(OSError, ValueError) if error else nullcontext():
        print(*(shown(word, file.encoding or "utf-8") for word in words), end=end, file=file, flush=True)


def bar_fits() -> bool:
    """Whether a moving bar can be shown: standard error is a terminal or a notebook's, and tqdm is installed."""
    return installed("tqdm") and (_on_terminal() or type(sys.stderr).__module__.startswith("ipykernel."))


def _on_terminal() -> bool:
    return sys.stderr is not None and not sys.stderr.closed and sys.stderr.isatty()
