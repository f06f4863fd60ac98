"""The commands that look inside a run: trace, doctor, report, compare, explore."""

from __future__ import annotations
