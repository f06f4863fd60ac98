"""Pictures of a run: plain arrays, lists and dicts in, a matplotlib Figure out; `save` makes it a PNG file.

Nothing here knows networks or data sets, and nothing touches pyplot: no backend, no global state.
"""

from .augmented import augmented
from .certain import bounds, calibration, thresholds
from .explained import along, joint, parts, ranked
from .matrix import confusion
from .overlay import overlay
from .progress import curves
from .regression import predictions
from .search import heatmap, importance, search_history
from .style import entitle, save
from .weights import first_layer
from .worst import mistake_table, mistakes

__all__ = [
    "along",
    "augmented",
    "bounds",
    "calibration",
    "confusion",
    "curves",
    "entitle",
    "first_layer",
    "heatmap",
    "importance",
    "joint",
    "mistake_table",
    "mistakes",
    "overlay",
    "parts",
    "predictions",
    "ranked",
    "save",
    "search_history",
    "thresholds",
]
