"""Two small data sets that come inside scikit-learn's package: they need no network."""

from __future__ import annotations

import numpy as np

from glassnet.data.dataset import Dataset
from glassnet.extras import need


def load_digits() -> Dataset:
    """Load 1,797 handwritten digits (Alpaydin and Kaynak 1998): x uint8 (N, 64), 0..16, y the digit."""
    need("data", "sklearn")
    from sklearn.datasets import load_digits as bunch

    data = bunch()
    return Dataset.from_arrays(
        data.data.astype(np.uint8), data.target, image_shape=(8, 8), name="digits", target="digit"
    )


def load_diabetes() -> Dataset:
    """Load 442 patients (Efron et al. 2004): x float64 (N, 10), raw columns, y the disease's progress in a year."""
    need("data", "sklearn")
    from sklearn.datasets import load_diabetes as bunch

    data = bunch(scaled=False)
    return Dataset.from_arrays(
        data.data, data.target, features=data.feature_names, name="diabetes", target="progression"
    )
