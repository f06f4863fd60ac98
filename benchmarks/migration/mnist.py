"""MNIST with one small hidden layer, as in scikit-learn's example "Visualization of MLP weights on MNIST"."""

import gzip
import os
from pathlib import Path

import numpy as np
from sklearn.neural_network import MLPClassifier

folder = Path(os.environ["GLASSNET_DATA"]) / "mnist"


def read(name: str, header: int) -> np.ndarray:
    return np.frombuffer(gzip.decompress((folder / name).read_bytes()), np.uint8, offset=header)


X_train = read("train-images-idx3-ubyte.gz", 16).reshape(-1, 784) / 255
X_test = read("t10k-images-idx3-ubyte.gz", 16).reshape(-1, 784) / 255
y_train, y_test = read("train-labels-idx1-ubyte.gz", 8), read("t10k-labels-idx1-ubyte.gz", 8)

mlp = MLPClassifier(
    hidden_layer_sizes=(40,), max_iter=8, alpha=1e-4, solver="sgd", random_state=1, learning_rate_init=0.2
)
mlp.fit(X_train, y_train)
score = mlp.score(X_test, y_test)
