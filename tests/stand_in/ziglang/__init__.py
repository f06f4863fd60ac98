"""Stands in for Zig in tests: this machine's C compiler, for this machine, without care for speed."""
