"""Pages about runs: one file each, which needs no script, no network and no other file."""

from glassnet.report.compare import Comparison, Figure, compare, write_comparison
from glassnet.report.report import Reported, write_report

__all__ = ["Comparison", "Figure", "Reported", "compare", "write_comparison", "write_report"]
