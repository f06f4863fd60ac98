"""Five strengths of regularisation by L-BFGS, as in scikit-learn's example "Varying regularization in MLP"."""

import numpy as np
from sklearn.datasets import make_circles, make_classification, make_moons
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

X, y = make_classification(n_features=2, n_redundant=0, n_informative=2, random_state=0, n_clusters_per_class=1)
X += 2 * np.random.RandomState(2).uniform(size=X.shape)
tables = [make_moons(noise=0.3, random_state=0), make_circles(noise=0.2, factor=0.5, random_state=1), (X, y)]
networks = [
    make_pipeline(
        StandardScaler(),
        MLPClassifier(
            solver="lbfgs", alpha=alpha, random_state=1, max_iter=2000, early_stopping=True, hidden_layer_sizes=[10, 10]
        ),
    )
    for alpha in np.logspace(-1, 1, 5)
]


def compare():
    scores = []
    for X, y in tables:
        X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.4, random_state=42)
        scores += [network.fit(X_train, y_train).score(X_test, y_test) for network in networks]
    return scores


scores = compare()
score = sum(scores) / len(scores)
