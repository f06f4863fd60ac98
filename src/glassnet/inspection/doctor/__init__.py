"""The doctor, for a network that doesn't learn: checks of the data, the start, the course and the result."""

from glassnet.inspection.doctor.examine import examine
from glassnet.inspection.doctor.finding import Finding
from glassnet.inspection.doctor.watching import Doctor

__all__ = ["Doctor", "Finding", "examine"]
