"""California Housing, as in scikit-learn's example "Partial dependence and individual conditional expectation"."""

import io
import os
import tarfile
from pathlib import Path

import numpy as np
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import QuantileTransformer

with tarfile.open(Path(os.environ["GLASSNET_DATA"]) / "california" / "cal_housing.tgz") as archive:
    text = archive.extractfile("CaliforniaHousing/cal_housing.data").read().decode()
table = np.loadtxt(io.StringIO(text), delimiter=",")
X, y = table[:, :8], table[:, 8] / 100_000
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.1, random_state=0)

est = make_pipeline(
    QuantileTransformer(),
    MLPRegressor(hidden_layer_sizes=(30, 15), learning_rate_init=0.01, early_stopping=True, random_state=0),
)
est.fit(X_train, y_train)
score = est.score(X_test, y_test)
