"""Objects by name: the layers, losses, optimizers and schedules of a recipe."""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Callable, Iterable
from importlib import import_module
from reprlib import repr as short
from typing import Any, TypeVar

T = TypeVar("T")
Part = str | dict[str, Any]  # a class by name, or with its arguments: "ReLU", {name = "LeakyReLU", slope = 0.1}


def make(part: Part, base: type[T], where: str) -> T:
    """Make an object of a class below `base`, given by its name, or by a table of its name and arguments.

    Raises ValueError, naming the place in the recipe, for an unknown class or argument, or a bad value.
    """
    arguments = dict(part) if isinstance(part, dict) else {"name": part}
    name = arguments.pop("name", None)
    room = import_module(".".join(base.__module__.split(".")[:2]))
    known = {c.__name__: c for c in vars(room).values() if inspect.isclass(c) and issubclass(c, base) and c is not base}
    if name is None:
        raise ValueError(f"{where}: a table needs a name; it is one of {', '.join(known)}")
    if not isinstance(name, str) or name not in known:
        hint = closest(str(name), known)
        raise ValueError(f"{where}: there is no {short(name)}{hint}; it is one of {', '.join(known)}")
    return call(known[name], arguments, where)


def call(make: Callable[..., T], arguments: dict[str, Any], where: str) -> T:
    """Call a class; its complaints become a ValueError that names the place in the recipe."""
    try:
        inspect.signature(make).bind(**arguments)
    except TypeError:
        takes = list(inspect.signature(make).parameters)
        unknown = [name for name in arguments if name not in takes]
        fault = f"takes no {short(unknown[0])}{closest(unknown[0], takes)}" if unknown else "lacks an argument"
        raise ValueError(f"{where}: {make.__name__} {fault}; its arguments are {', '.join(takes) or 'none'}") from None
    try:
        return make(**arguments)
    except ValueError as error:
        raise ValueError(f"{where}: {error}") from None
    except TypeError as error:
        given = ", ".join(f"{name}={short(value)}" for name, value in arguments.items())
        raise ValueError(f"{where}: {make.__name__} can't be made of {given} ({error})") from None


def closest_last(word: str, known: Iterable[str]) -> str:
    """The same for names with dots of which a word is the last part: " (did you mean training.epochs?)" for epoch."""
    whole = {name.rpartition(".")[2]: name for name in reversed(list(known))}
    found = difflib.get_close_matches(word, whole, n=1)
    return f" (did you mean {whole[found[0]]}?)" if found else ""


def closest(word: str, known: Iterable[str]) -> str:
    """A hint such as " (did you mean lr?)", or nothing."""
    found = difflib.get_close_matches(word, list(known), n=1)
    return f" (did you mean {found[0]}?)" if found else ""
