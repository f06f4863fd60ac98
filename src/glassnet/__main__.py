"""Run the command line with python -m glassnet."""

from glassnet.cli import main

main()
