"""The common base of layers, losses, optimizers, schedules, averages and augmentations: they know their arguments."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Mapping
from typing import Any


class Configured:
    """Keeps its constructor's arguments under their own names."""

    @classmethod
    @functools.cache
    def arguments(cls) -> Mapping[str, inspect.Parameter]:
        """Return the arguments of the constructor, by name."""
        return inspect.signature(cls).parameters

    def config(self) -> dict[str, Any]:
        """Return the constructor's arguments, from which an equal object can be built."""
        return {name: getattr(self, name) for name in self.arguments()}

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{name}={value!r}' for name, value in self.config().items())})"


class Stateless(Configured):
    """The same for objects that never change, such as schedules and averages: equal arguments make equal objects."""

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and repr(self) == repr(other)

    def __hash__(self) -> int:
        return hash(repr(self))
