"""bfloat16: float32 without the last 16 bits. It keeps the range, and 8 bits of precision.

Training needs little more. Sums, weights and all else stay float32 (Micikevicius et al. 2018, "Mixed Precision
Training", ICLR, arXiv:1710.03740; for bfloat16, Kalamkar et al. 2019, arXiv:1905.12322). Processors with a unit for it
multiply such matrices several times faster.
"""

from __future__ import annotations

import numpy as np

from glassnet.nn.layer import Array


def bfloat16(a: Array) -> Array:
    """Return float32 numbers rounded to the nearest bfloat16, halves to the even one, as float32. NaN stays NaN."""
    bits = np.ascontiguousarray(a, np.float32).view(np.uint32)
    rounded = (bits + 0x7FFF + (bits >> 16 & 1)) & np.uint32(0xFFFF0000)
    return np.where(np.isnan(a), a, rounded.view(np.float32))
