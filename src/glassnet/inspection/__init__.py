"""See inside: one step of learning with every number in it; and what is wrong when a network doesn't learn."""

from glassnet.inspection.doctor import Doctor, Finding, examine
from glassnet.inspection.trace import Trace, trace

__all__ = ["Doctor", "Finding", "Trace", "examine", "trace"]
