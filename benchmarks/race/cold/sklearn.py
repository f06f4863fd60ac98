"""The recipe mnist-fast with scikit-learn, which has no label smoothing and no schedule by the step.

So each batch is one call of partial_fit, with the learning rate of its step set by hand.
"""

import numpy as np

from race import digits
from race.cases import parameters
from race.contenders.sklearn import network
from race.recipe import IMAGES, read

recipe, data = read(), digits.load()
x_train, x_test = data.standardised(IMAGES)
net = network(parameters(recipe.widths), batch_size=recipe.batch, shuffle=False, momentum=recipe.momentum)
learning_rates = iter(recipe.learning_rates().tolist())
rng = np.random.default_rng(0)
for _ in range(recipe.epochs):
    order = rng.permutation(IMAGES)
    for start in range(0, IMAGES, recipe.batch):
        rows = order[start : start + recipe.batch]
        net._optimizer.learning_rate = next(learning_rates)
        net.partial_fit(x_train[rows], data.y[rows])
digits.report(net.predict(x_test), data.y_test)
