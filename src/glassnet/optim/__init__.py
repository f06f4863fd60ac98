"""How weights move: optimizers and learning-rate schedules. Imports NumPy alone."""

from glassnet.optim.optimizers import SGD, Adam, AdamW, Optimizer
from glassnet.optim.schedules import Constant, Cosine, ExponentialDecay, Linear, OneCycle, Schedule, Tail

__all__ = [
    "SGD",
    "Adam",
    "AdamW",
    "Constant",
    "Cosine",
    "ExponentialDecay",
    "Linear",
    "OneCycle",
    "Optimizer",
    "Schedule",
    "Tail",
]
