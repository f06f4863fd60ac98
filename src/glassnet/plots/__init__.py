"""Pictures of a run: plain arrays, lists and dicts in, a matplotlib Figure out; `save` makes it a PNG file.

Nothing here knows networks or data sets, and nothing touches pyplot: no backend, no global state.
"""

from .augmented import augmented
from .matrix import confusion
from .overlay import overlay
from .progress import curves
from .regression import predictions
from .style import save
from .weights import first_layer
from .worst import mistake_table, mistakes

__all__ = [
    "augmented",
    "confusion",
    "curves",
    "first_layer",
    "mistake_table",
    "mistakes",
    "overlay",
    "predictions",
    "save",
]
