"""Where examples come from: published data sets, tables and images. A dataset knows nothing of networks.

All but `Dataset` and `Split` is imported when it is first asked for: a third of the time of `import glassnet`.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from glassnet.data.augmentation import Augmentation, Distortions
from glassnet.data.dataset import Dataset, Split

if TYPE_CHECKING:
    from glassnet.data.catalog import SourceStatus, fetch, load, status, verify
    from glassnet.data.image import read_digit
    from glassnet.data.resolve import FileState
    from glassnet.data.rows import read_rows
    from glassnet.data.table import numeric_rows, read_table

__all__ = [
    "Augmentation",
    "Dataset",
    "Distortions",
    "FileState",
    "SourceStatus",
    "Split",
    "fetch",
    "load",
    "numeric_rows",
    "read_digit",
    "read_rows",
    "read_table",
    "status",
    "verify",
]

_LATER = {
    "catalog": ("SourceStatus", "fetch", "load", "status", "verify"),
    "image": ("read_digit",),
    "resolve": ("FileState",),
    "rows": ("read_rows",),
    "table": ("numeric_rows", "read_table"),
}


if not TYPE_CHECKING:  # to a type checker, every name would be one of ours

    def __getattr__(name: str) -> Any:
        for module, names in _LATER.items():
            if name in names:
                return getattr(import_module(f"glassnet.data.{module}"), name)
        raise AttributeError(f"module 'glassnet.data' has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
