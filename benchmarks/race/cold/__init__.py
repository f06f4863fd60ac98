"""MNIST to 98% from nothing: one program for each library, run as `python -m race.cold.NAME`."""
