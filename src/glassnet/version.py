"""The version, for whoever writes it into a file or prints it. The floor of the house, as files.py is."""

__version__ = "0.1.0"
