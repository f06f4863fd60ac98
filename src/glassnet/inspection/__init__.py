"""See inside: one step of learning with every number, and the doctor for a network that doesn't learn."""

from glassnet.inspection.doctor import Doctor, Finding, examine
from glassnet.inspection.trace import Trace, trace

__all__ = ["Doctor", "Finding", "Trace", "examine", "trace"]
