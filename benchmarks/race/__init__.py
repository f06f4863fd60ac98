"""The parts of benchmarks/speed.py: contenders, each in a process of its own, and what they are compared by."""
