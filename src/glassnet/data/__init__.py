"""Where examples come from: published data sets, tables and images. A dataset knows nothing of networks."""

from glassnet.data.catalog import SourceStatus, fetch, load, status, verify
from glassnet.data.dataset import Dataset, Split
from glassnet.data.image import read_digit
from glassnet.data.resolve import FileState
from glassnet.data.table import numeric_rows, read_table

__all__ = [
    "Dataset",
    "FileState",
    "SourceStatus",
    "Split",
    "fetch",
    "load",
    "numeric_rows",
    "read_digit",
    "read_table",
    "status",
    "verify",
]
