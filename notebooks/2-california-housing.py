# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 2. California Housing: what is a house worth?
#
# 20,640 blocks of the 1990 census (Pace & Barry 1997): eight numbers about each, and the median value of its houses. Now the
# answer is a number instead of a class. We look at the data first, train a plain network, find out what holds it back,
# train a better one, and draw its errors on the map.
#
# The data are found through the environment variable `GLASSNET_DATA`, or in the cache, or downloaded once (0.4 MB).

# %%
# %matplotlib inline
import numpy as np
from matplotlib.figure import Figure

import glassnet as gn
from glassnet import plots
from glassnet.plots.style import BLUE, ORANGE, styled

# %% [markdown]
# ## Look at the data
#
# The split is the `benchmark` one, drawn at random, that published results use. The target is in units of $100,000.

# %%
data = gn.load("california")
for part in ("train", "val", "test"):
    split = getattr(data, part)
    print(f"{part:5}  x {split.x.shape}   y {split.y.shape}, mean {split.y.mean():.3f}, variance {split.y.var():.3f}")

print(f"\n{'training part':13}{'least':>9}{'1%':>9}{'median':>9}{'99%':>9}{'largest':>10}   largest, in std")
for name, column in [*zip(data.features, data.train.x.T, strict=True), (data.target, data.train.y)]:
    least, low, middle, high, largest = np.quantile(column, [0, 0.01, 0.5, 0.99, 1])
    deviations = (largest - column.mean()) / column.std()
    print(f"{name:13}{least:9.2f}{low:9.2f}{middle:9.2f}{high:9.2f}{largest:10.2f}{deviations:18.1f}")

# %% [markdown]
# Two things stand out. Four columns have a few values far, far away from the rest: a block with hundreds of people per
# household is a prison or a dormitory, not a family. And the target ends at a round number:

# %%
with styled():
    figure = Figure(figsize=(8, 4.6), layout="constrained")
    panels = figure.subplots(3, 3).ravel()
    for panel, name, column in zip(panels, data.features, data.train.x.T, strict=False):
        panel.hist(column, bins=52, color=BLUE)
        panel.set(title=name, yscale="log")
    panels[8].hist(data.train.y, bins=52, color=ORANGE)
    panels[8].set(title=f"{data.target} (the target)")
    figure.supylabel("blocks (logarithmic, but for the target)", fontsize=9)
figure

# %%
cap = data.train.y.max()
print(
    f"{np.mean(data.train.y == cap):.1%} of the targets are exactly {cap}: the census wrote down anything dearer as that."
)
print(f"{np.mean(data.train.x[:, 1] == 52):.1%} of the blocks are 52 years old, which likewise means 52 or more.")

# %% [markdown]
# No network can know what a capped house was worth; we keep such rows, as everybody does, and remember them when we read
# the errors. Now the map. Longitude and latitude draw California by themselves:

# %%
LATITUDE, LONGITUDE = data.features.index("Latitude"), data.features.index("Longitude")


def draw_map(panel, x, values, **look):
    """Draw one dot for each block, coloured by value; return the dots."""
    dots = panel.scatter(x[:, LONGITUDE], x[:, LATITUDE], c=values, s=3, linewidths=0, **look)
    panel.set(xlabel="longitude", ylabel="latitude", aspect=1.25)  # a degree of longitude is shorter up here
    return dots


with styled():
    figure = Figure(figsize=(8, 4), layout="constrained")
    left, right = figure.subplots(1, 2)
    dots = draw_map(left, data.train.x, data.train.y, cmap="viridis")
    figure.colorbar(dots, ax=left, label="median house value ($100,000)")
    dots = draw_map(right, data.train.x, data.train.x[:, 0], cmap="viridis", vmax=10)
    figure.colorbar(dots, ax=right, label="median income ($10,000), up to 10")
figure

# %% [markdown]
# Dear houses line the coast, around San Francisco and Los Angeles above all. Income tells much, place tells the rest, and
# their combination is no straight line: work for a network.
#
# ## The baseline
#
# Predicting the training mean for every block. Its MSE is about the variance of the target, so $R^2$ is about 0. Anything
# we build has to beat it, or it has learned nothing.

# %%
loss = gn.MSE()
results = {"the mean": gn.baseline(data.train, data.test, loss)}
print({name: round(value, 4) for name, value in results["the mean"].items()})

# %% [markdown]
# ## A plain network
#
# Standardise each column, two hidden layers of 128 units with ReLU, SGD with momentum, 20 epochs. But first, how long is the
# gradient, batch by batch, before any training?

# %%
plain = gn.Network(
    [gn.Standardize(), gn.Dense(8, 128), gn.ReLU(), gn.Dense(128, 128), gn.ReLU(), gn.Dense(128, 1)], seed=0
)
plain.summary()
plain.fit_preprocessing(data.train.x)

norms, farthest = [], []
for start in range(0, len(data.train), 128):
    x, t = data.train.x[start : start + 128], data.train.y[start : start + 128]
    loss.forward(plain.forward(x, training=True), t)
    plain.backward(loss.backward())
    norms.append(np.linalg.norm(plain.grad))
    farthest.append(np.abs(plain.layers[0].forward(x)).max())
worst = int(np.argmax(norms))
print(f"\nlength of the gradient: {np.median(norms):.1f} in the median batch, {norms[worst]:,.0f} in the worst one,")
print(f"whose farthest value lies {farthest[worst]:.0f} standard deviations out")

# %% [markdown]
# A step that long can undo all that was learned: the loss overflows, or every ReLU ends up on its flat side for good, and the
# network answers everything with the mean. So the length of a gradient is cut to 1 before the step: `clip_norm` (Pascanu et al. 2013, arXiv:1211.5063).

# %%
history = gn.fit(plain, data, loss, gn.SGD(lr=0.02, momentum=0.9, clip_norm=1.0), epochs=20, batch_size=128)
results["plain network"] = gn.evaluate(plain, data.test, loss)
print({name: round(value, 4) for name, value in results["plain network"].items()})
plots.curves(history.columns(), np.array(history.step_loss), history.best_epoch)

# %% [markdown]
# Most of the way, at the first attempt. What holds it back? We have treated a symptom; the cause is what arrives at the first
# `Dense`. `Standardize` has let the outliers set the scale, and squeezed everybody else together. `QuantileNormalize` keeps only the *order* of the
# values in a column, and spreads them as a normal distribution (Gorishniy et al. 2021, arXiv:2106.11959):

# %%
occupants = data.features.index("AveOccup")
with styled():
    figure = Figure(figsize=(8, 2.4), layout="constrained")
    for panel, layer in zip(figure.subplots(1, 2), (gn.Standardize(), gn.QuantileNormalize(noise=1e-3)), strict=True):
        z = layer.fit(data.train.x).forward(data.train.x)[:, occupants]
        panel.hist(z, bins=80, color=BLUE)
        panel.set(title=repr(layer), xlabel="AveOccup, as the network sees it", ylabel="blocks", yscale="log")
figure

# %% [markdown]
# ## A better network
#
# Four changes, each for a reason:
#
# - `QuantileNormalize` instead of `Standardize`: every column uses its whole range;
# - `Unstandardize` at the end, fitted on the targets: the layers before it work with values of unit size, while outputs, loss
#   and metrics stay in $100,000;
# - `SiLU` instead of `ReLU`, a smooth function for a smooth landscape, and a little dropout;
# - AdamW (Loshchilov & Hutter 2019, arXiv:1711.05101) with a cosine schedule, the gradient's norm clipped at 1, and
#   **early stopping**: after eight epochs without a better validation loss, training ends; the weights of the best epoch are
#   kept in any case.

# %%
layers = [gn.QuantileNormalize(noise=1e-3)]
for fan_in in (8, 256, 256):
    layers += [gn.Dense(fan_in, 256), gn.SiLU(), gn.Dropout(0.1)]
better = gn.Network([*layers, gn.Dense(256, 1), gn.Unstandardize()], seed=0)

history = gn.fit(
    better,
    data,
    loss,
    gn.AdamW(lr=3e-3, weight_decay=1e-2, clip_norm=1.0),
    epochs=40,
    batch_size=256,
    schedule=gn.Cosine(),
    patience=8,
)
results["better network"] = gn.evaluate(better, data.test, loss)
print(f"{len(history)} epochs, best after epoch {history.best_epoch}")
plots.curves(history.columns(), np.array(history.step_loss), history.best_epoch)

# %%
print(f"{'test part':16}{'MSE':>8}{'RMSE':>8}{'MAE':>8}{'R2':>8}")
for name, result in results.items():
    print(f"{name:16}{result['mse']:8.4f}{result['rmse']:8.4f}{result['mae']:8.4f}{result['r2']:8.4f}")
dollars = results["better network"]["mae"] * 100_000
print(f"\non average, the better network is off by ${dollars:,.0f}")

predicted = better.predict(data.test.x)[:, 0]
plots.predictions(data.test.y, predicted, f"{data.target} ($100,000)")

# %% [markdown]
# ## Where it errs
#
# The stripe at the right edge of the left picture is the cap: the network says what such a house may have been worth, and the
# table says 5. How much of the error is that?

# %%
residuals = predicted - data.test.y
capped = data.test.y >= cap
for name, rows in (("capped", capped), ("the others", ~capped)):
    share = np.sum(residuals[rows] ** 2) / np.sum(residuals**2)
    print(
        f"{name:10} {rows.sum():5} blocks: RMSE {np.sqrt(np.mean(residuals[rows] ** 2)):.3f},"
        f" mean error {residuals[rows].mean():+.3f}, {share:.0%} of all squared error"
    )

# %%
with styled():
    figure = Figure(figsize=(8, 4), layout="constrained")
    for panel, title, edges in zip(
        figure.subplots(1, 2),
        ("all of the state", "around Los Angeles"),
        (None, ((-118.9, -117.2), (33.5, 34.5))),
        strict=True,
    ):
        order = np.argsort(np.abs(residuals))  # the largest errors on top
        dots = draw_map(panel, data.test.x[order], residuals[order], cmap="RdBu_r", vmin=-1.5, vmax=1.5)
        panel.set(title=title)
        if edges is not None:
            panel.set(xlim=edges[0], ylim=edges[1])
            dots.set_sizes([9])
    figure.colorbar(dots, ax=figure.axes, label="predicted minus true ($100,000)", extend="both", shrink=0.8)
figure

# %%
latitude, longitude = data.test.x[:, LATITUDE], data.test.x[:, LONGITUDE]
regions = {
    "San Francisco Bay": (latitude > 37) & (latitude < 38.3) & (longitude < -121.6),
    "Los Angeles": (latitude > 33.5) & (latitude < 34.5) & (longitude > -118.9) & (longitude < -117.2),
    "San Diego": (latitude < 33.2) & (longitude < -116.8),
}
regions["elsewhere"] = ~np.any(list(regions.values()), axis=0)
print(f"{'':18}{'blocks':>7}{'mean value':>12}{'RMSE':>7}{'RMSE / mean':>13}{'R2':>7}")
for name, rows in regions.items():
    rmse, truth = np.sqrt(np.mean(residuals[rows] ** 2)), data.test.y[rows]
    print(
        f"{name:18}{rows.sum():7}{truth.mean():12.2f}{rmse:7.3f}{rmse / truth.mean():13.0%}"
        f"{1 - rmse**2 / truth.var():7.2f}"
    )

# %% [markdown]
# In dollars, errors are largest where houses are dear; as a share of the value, they are largest elsewhere. The worst blocks
# of all deserve a look, one by one:

# %%
print(f"{'true':>6}{'said':>6}" + "".join(f"{name:>11}" for name in data.features))
for row in np.argsort(-np.abs(residuals))[:10]:
    print(f"{data.test.y[row]:6.2f}{predicted[row]:6.2f}" + "".join(f"{value:11.2f}" for value in data.test.x[row]))

# %% [markdown]
# ## What does it rely on?
#
# Shuffle one column of the validation part, so that it means nothing any more, and see how much worse the network gets
# (Breiman 2001, "Random Forests", section 10). What it can't do without, it relies on: the place above all.

# %%
rng = np.random.default_rng(0)
intact = gn.evaluate(better, data.val, loss)["mse"]
cost = {}
for column, name in enumerate(data.features):
    x = data.val.x.copy()
    x[:, column] = rng.permutation(x[:, column])
    cost[name] = gn.evaluate(better, gn.Split(x, data.val.y), loss)["mse"] - intact

names = sorted(cost, key=lambda name: cost[name])
with styled():
    figure = Figure(figsize=(6, 2.6), layout="constrained")
    panel = figure.subplots()
    panel.barh(names, [cost[name] for name in names], color=BLUE)
    panel.set(xlabel=f"rise of the validation MSE, from {intact:.3f}, when the column is shuffled")
    panel.grid(visible=False, axis="y")
figure

# %% [markdown]
# ## And now
#
# - `glassnet train california` trains the recipe of this data set, which goes further than the network here, and writes its
#   results and pictures into a folder; `--set network.activation=ReLU` changes one thing, and only that.
# - Another seed gives slightly different figures: before you call a change an improvement, try it with several.
# - The next notebook does all of this wrong, and shows how each fault would be noticed.
