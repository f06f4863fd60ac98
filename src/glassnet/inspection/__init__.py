"""See inside: a step of learning with every number, the doctor for a network that doesn't learn, why it answers so."""

from glassnet.inspection.doctor import Doctor, Finding, examine
from glassnet.inspection.trace import Trace, trace
from glassnet.inspection.why import Explanation, explain

__all__ = ["Doctor", "Explanation", "Finding", "Trace", "examine", "explain", "trace"]
