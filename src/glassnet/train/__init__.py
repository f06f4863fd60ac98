"""The loop: fit, evaluation, history, callbacks and checkpoints."""

from glassnet.train.checkpoint import Checkpoint
from glassnet.train.fit import DivergenceError, fit
from glassnet.train.history import History
from glassnet.train.metrics import baseline, evaluate
from glassnet.train.progress import CSVLog, Progress
from glassnet.train.run import Callback, Run

__all__ = [
    "CSVLog",
    "Callback",
    "Checkpoint",
    "DivergenceError",
    "History",
    "Progress",
    "Run",
    "baseline",
    "evaluate",
    "fit",
]
