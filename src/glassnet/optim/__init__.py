"""How weights move: optimizers and learning-rate schedules. Imports NumPy alone."""

from glassnet.optim.optimizers import SGD, Adam, AdamW, Optimizer
from glassnet.optim.schedules import Constant, Cosine, ExponentialDecay, OneCycle, Schedule

__all__ = [
    "SGD",
    "Adam",
    "AdamW",
    "Constant",
    "Cosine",
    "ExponentialDecay",
    "OneCycle",
    "Optimizer",
    "Schedule",
]
