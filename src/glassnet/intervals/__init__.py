"""Intervals that hold the true value, and sets that hold the true class, as often as asked.

pinball.py   the loss of quantiles            conformal.py  how far a bound must move to hold often enough
values.py    intervals around values          classes.py    sets of classes
kept.py      the file that keeps them
"""

from glassnet.intervals.classes import ClassSets
from glassnet.intervals.pinball import Pinball
from glassnet.intervals.values import ValueIntervals

__all__ = ["ClassSets", "Pinball", "ValueIntervals"]
