"""The purposes of random numbers, so that equal seeds don't make equal streams.

A stream is seeded by where training is and then by its purpose, [seed, epoch, ORDER]. A seed sequence ignores zeros at
its end, so the purposes come last and aren't zero.
"""

from __future__ import annotations

INITIAL_WEIGHTS = 1  # [seed]
MASKS = 2  # [seed] or [seed, epoch], plus the number of the layer
ORDER = 1  # [seed, epoch]: of the rows
DISTORTION = 3  # [seed, epoch, batch]: of images
SAMPLE = 4  # [seed]: of the training rows
