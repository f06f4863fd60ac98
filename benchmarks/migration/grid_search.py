"""A search over two parameters of a pipeline, on the handwritten digits."""

from sklearn.datasets import load_digits
from sklearn.model_selection import GridSearchCV, train_test_split
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

X, y = load_digits(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=0)

pipeline = Pipeline([("scale", StandardScaler()), ("mlp", MLPClassifier(max_iter=100, random_state=0))])
grid = {"mlp__hidden_layer_sizes": [(50,), (50, 50)], "mlp__alpha": [1e-4, 1e-1]}
search = GridSearchCV(pipeline, grid, n_jobs=2, cv=3)
search.fit(X_train, y_train)
score = search.score(X_test, y_test)
