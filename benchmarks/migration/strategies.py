"""Seven ways to learn, as in scikit-learn's example "Compare stochastic learning strategies for MLPClassifier"."""

from sklearn.datasets import load_digits, load_iris
from sklearn.neural_network import MLPClassifier
from sklearn.preprocessing import MinMaxScaler

sgd = {"solver": "sgd", "learning_rate_init": 0.2}
strategies = [
    {**sgd, "learning_rate": "constant", "momentum": 0},
    {**sgd, "learning_rate": "constant", "momentum": 0.9, "nesterovs_momentum": False},
    {**sgd, "learning_rate": "constant", "momentum": 0.9, "nesterovs_momentum": True},
    {**sgd, "learning_rate": "invscaling", "momentum": 0},
    {**sgd, "learning_rate": "invscaling", "momentum": 0.9, "nesterovs_momentum": False},
    {**sgd, "learning_rate": "invscaling", "momentum": 0.9, "nesterovs_momentum": True},
    {"solver": "adam", "learning_rate_init": 0.01},
]
tables = [(load_iris(return_X_y=True), 400), (load_digits(return_X_y=True), 15)]


def compare():
    scores = []
    for (X, y), max_iter in tables:
        X = MinMaxScaler().fit_transform(X)
        scores += [MLPClassifier(max_iter=max_iter, random_state=0, **how).fit(X, y).score(X, y) for how in strategies]
    return scores


scores = compare()
score = sum(scores) / len(scores)
