"""The classes that the package shows."""

from __future__ import annotations

import glassnet as gn


def public(kind: type) -> set[type]:
    """Return the public classes of a kind, without the bases of others."""
    found = {each for each in map(gn.__dict__.get, gn.__all__) if isinstance(each, type) and issubclass(each, kind)}
    return {each for each in found - {kind} if kind is not gn.Layer or "forward" in vars(each)}
