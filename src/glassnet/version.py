"""The version, on the ground floor of the house, like files.py."""

__version__ = "0.1.0"
