"""The recipe mnist-fast with glassnet."""

import glassnet as gn
from race.cases import THREADS
from race.recipe import read

recipe = read()
data = gn.load("mnist")
layers: list[gn.Layer] = [gn.Standardize(per_feature=False)]
for fan_in, fan_out in zip(recipe.widths, recipe.widths[1:], strict=False):
    layers += [gn.Dense(fan_in, fan_out), gn.ReLU()]
net = gn.Network(layers[:-1], threads=THREADS)
loss = gn.CrossEntropy(label_smoothing=recipe.label_smoothing)
optimizer, schedule = gn.SGD(recipe.lr, recipe.momentum), gn.OneCycle(recipe.warmup)
gn.fit(net, data, loss, optimizer, recipe.epochs, recipe.batch, schedule=schedule, validate=False)
print(f"test accuracy {gn.evaluate(net, data.test, loss)['accuracy']:.4f}")
