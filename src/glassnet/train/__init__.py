"""The loop: fit, evaluation, history, callbacks and checkpoints."""

from glassnet.train.averages import EMA, SWA, Average
from glassnet.train.checkpoint import Checkpoint
from glassnet.train.fit import DivergenceError, fit
from glassnet.train.history import History
from glassnet.train.metrics import baseline, evaluate
from glassnet.train.progress import CSVLog, Progress
from glassnet.train.settings import Settings
from glassnet.train.training import Callback, Training

__all__ = [
    "EMA",
    "SWA",
    "Average",
    "CSVLog",
    "Callback",
    "Checkpoint",
    "DivergenceError",
    "History",
    "Progress",
    "Settings",
    "Training",
    "baseline",
    "evaluate",
    "fit",
]
