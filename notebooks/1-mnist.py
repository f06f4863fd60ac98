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
# # 1. MNIST: handwritten digits
#
# 70,000 scanned digits of 28 x 28 pixels (LeCun, Cortes & Burges 1998), ten classes, and a network of two layers that
# gets 98 of 100 right after a few seconds of training. We look at the data, decide what they need, train, and then spend
# most of the time on the question that matters: what has the network learned, and where does it fail?
#
# The data are found through the environment variable `GLASSNET_DATA`, or in the cache, or downloaded once (12 MB).

# %%
# %matplotlib inline
import tempfile
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

import glassnet as gn
from glassnet import plots, recipes
from glassnet.plots.style import BLUE, INK, styled
from glassnet.train.metrics import class_scores, confusion_matrix

np.set_printoptions(linewidth=150, precision=4, suppress=True)

# %% [markdown]
# ## Look at the data
#
# The pixels are as they were stored: whole numbers from 0 (paper) to 255 (ink). Nothing is scaled behind your back.

# %%
data = gn.load("mnist")
for part in ("train", "val", "test"):
    split = getattr(data, part)
    print(f"{part:5}  x {split.x.shape} {split.x.dtype}, {split.x.min()} to {split.x.max()}   y {split.y.shape}")
print(f"\nthe middle of the first training image, a {data.train.y[0]}:")
print(data.train.x[0].reshape(28, 28)[5:15, 8:24])


# %%
def show(images, titles, columns=10, vmin=0, vmax=255, cmap="gray_r"):
    """Draw images of 28 x 28 in a grid."""
    rows = -(-len(images) // columns)
    with styled():
        figure = Figure(figsize=(8, 0.95 * rows * 10 / columns), layout="constrained")
        for panel, image, title in zip(figure.subplots(rows, columns).ravel(), images, titles, strict=True):
            panel.imshow(image.reshape(28, 28), cmap=cmap, vmin=vmin, vmax=vmax)
            panel.set_title(title)
            panel.set_axis_off()
    return figure


first_of_each = [np.flatnonzero(data.train.y == digit)[:3] for digit in range(10)]
chosen = np.stack(first_of_each, axis=1).ravel()
show(data.train.x[chosen], data.train.y[chosen])

# %% [markdown]
# Are the classes about equally frequent? If they weren't, accuracy alone would mislead. What the most frequent class would
# score is the **baseline**: a network has to beat it to have learned anything.

# %%
shares = {part: np.bincount(getattr(data, part).y) / len(getattr(data, part)) for part in ("train", "val", "test")}
print("class   " + "".join(f"{digit:>8}" for digit in data.classes))
for part, share in shares.items():
    print(f"{part:8}" + "".join(f"{each:8.1%}" for each in share))
base = gn.baseline(data.train, data.test, gn.CrossEntropy())
print(
    f"\nbaseline on the test part: accuracy {base['accuracy']:.2%}, loss {base['loss']:.3f} (ln 10 = {np.log(10):.3f})"
)

# %% [markdown]
# ## What the inputs need
#
# Networks learn best from inputs around 0 and of about unit size. The reflex is to standardise every column by itself.
# Here that is a trap: pixels in the corners are never inked in training, or hardly ever.

# %%
pixel_std = data.train.x.std(axis=0, dtype=np.float64)
nearly = (pixel_std > 0) & (pixel_std < 1)
print(f"{(pixel_std == 0).sum()} pixels are constant in training, {nearly.sum()} more vary by less than 1 of 255")

by_pixel = gn.Standardize(eps=1e-6).fit(data.train.x)
by_image = gn.Standardize(per_feature=False).fit(data.train.x)
for name, layer in (("each pixel by itself", by_pixel), ("one scale for all   ", by_image)):
    z = layer.forward(data.val.x)
    print(f"{name}: validation pixels lie between {z.min():8.1f} and {z.max():8.1f}")

show([data.train.x.mean(axis=0), pixel_std, pixel_std == 0], ["mean", "standard deviation", "constant"], 3, vmax=None)

# %% [markdown]
# A single speck of ink on such a pixel, and its standardised value drowns the whole image. All pixels are measured in the same
# unit, so we take one mean and one standard deviation for all of them: `Standardize(per_feature=False)`. It is fitted on the
# training part alone, when training begins, and becomes a part of the network, which therefore takes raw pixels.
#
# ## The network
#
# 784 pixels, 256 hidden units with ReLU, 10 scores. No softmax at the end: `CrossEntropy` takes scores.

# %%
net = gn.Network(
    [gn.Standardize(per_feature=False), gn.Dense(784, 256), gn.ReLU(), gn.Dense(256, 10)], dtype="float32", seed=0
)
net.summary()

# %% [markdown]
# Before any training, two cheap tests that catch most mistakes. The gradients must be right, on real rows (30 entries of
# each parameter). And a fresh network can't know anything, so its loss should be somewhere near $\ln 10$, its accuracy
# near 10%.

# %%
net.fit_preprocessing(data.train.x)
print(gn.gradcheck(net, data.train.x[:8], data.train.y[:8], gn.CrossEntropy(), entries=30))
print("\nuntrained:", {name: round(value, 3) for name, value in gn.evaluate(net, data.val, gn.CrossEntropy()).items()})

# %% [markdown]
# ## Training
#
# Three epochs of mini-batches of 128 with momentum; the learning rate climbs to 0.1 in the first tenth of the steps and
# falls linearly to zero (`OneCycle`, after Smith & Topin 2017). The recipe `mnist-fast` does the same with twice the width, a
# longer warm-up and smoothed labels, and gets a little further.

# %%
history = gn.fit(
    net,
    data,
    gn.CrossEntropy(),
    gn.SGD(lr=0.1, momentum=0.9),
    epochs=3,
    batch_size=128,
    schedule=gn.OneCycle(),
)

for row in history.epochs:
    print(
        f"epoch {row['epoch']}: training loss {row['train_loss']:.4f},"
        f" validation loss {row['val_loss']:.4f}, accuracy {row['val_accuracy']:.2%}"
    )
plots.curves(history.columns(), np.array(history.step_loss), history.best_epoch)

# %%
for part in ("train", "val", "test"):
    result = gn.evaluate(net, getattr(data, part), gn.CrossEntropy())
    print(f"{part:14}  loss {result['loss']:.4f}   accuracy {result['accuracy']:.2%}")
print(f"test, baseline  loss {base['loss']:.4f}   accuracy {base['accuracy']:.2%}")

# %% [markdown]
# Validation chose the epoch, so its figure is a little flattered; the test part chose nothing here.
#
# ## What does it get wrong?
#
# Rows of the matrix are true digits, columns what the network said.

# %%
predicted = net.predict(data.test.x).argmax(axis=1)
matrix = confusion_matrix(data.test.y, predicted, data.n_out)
plots.confusion(matrix, data.classes)

# %%
scores = class_scores(matrix)
print("digit  precision  recall  rows")
for digit in np.argsort(scores.recall):
    print(f"{digit:5}  {scores.precision[digit]:9.2%} {scores.recall[digit]:7.2%} {scores.rows[digit]:5}")

off_diagonal = matrix - np.diag(np.diag(matrix))
true, said = np.unravel_index(off_diagonal.argmax(), matrix.shape)
print(f"\nthe most frequent mistake: a {true} taken for a {said}, {off_diagonal.max()} times")

# %% [markdown]
# The mistakes the network is surest of are the ones to look at. Some of them you may get wrong yourself:

# %%
confidence = net.predict_proba(data.test.x).max(axis=1)
plots.mistakes(data.test.x.reshape(-1, 28, 28), data.test.y, predicted, confidence, data.classes)

# %% [markdown]
# Can we believe its probabilities? Among the images to which it gives about 90%, nine of ten should be right. And where a
# machine could ask a person instead of guessing, the least certain images are the ones to hand over:

# %%
right = predicted == data.test.y
print("said           images  mean of what it said  right")
for low, high in [(0.0, 0.5), (0.5, 0.7), (0.7, 0.9), (0.9, 0.99), (0.99, 1.0)]:
    within = (confidence > low) & (confidence <= high)
    print(f"{low:4.0%} to {high:4.0%} {within.sum():8} {confidence[within].mean():21.1%} {right[within].mean():6.1%}")

surest = np.argsort(-confidence)
for share in (1.0, 0.98, 0.95, 0.9):
    kept = surest[: int(share * len(surest))]
    print(f"if it answers only the surest {share:4.0%}, {np.sum(~right[kept]):3} of {len(kept):,} are wrong")

# %% [markdown]
# ## What has it learned?
#
# Each hidden unit holds one weight per pixel, so its weights are an image: red where ink makes it more active, blue where
# ink makes it less so. Strokes show, and around them the noise that the weights started with: three epochs are short, and
# pixels that are hardly ever inked have nothing to teach.

# %%
plots.first_layer(net.layers[1].W, data.image_shape)

# %% [markdown]
# ## One digit, all the way
#
# The first test image, and every number on its way: raw pixels, standardised pixels, hidden units, scores, probabilities.

# %%
y = data.test.x[:1]
for layer in net.layers:
    y = layer.forward(y)
    print(f"{layer!r:32} {y.shape!s:9} from {y.min():7.3f} to {y.max():7.3f}, {np.mean(y == 0):.0%} exactly zero")
probabilities = net.predict_proba(data.test.x[:1])[0]
print("\nscores       ", y[0])
print("probabilities", probabilities)
print(f"so it is a {probabilities.argmax()}; the label says {data.test.y[0]}")

with styled():
    figure = Figure(figsize=(6, 1.9), layout="constrained")
    left, panel = figure.subplots(1, 2, width_ratios=(1, 2.4))
    left.imshow(data.test.x[0].reshape(28, 28), cmap="gray_r")
    left.set_axis_off()
    panel.bar(data.classes, np.maximum(probabilities, 1e-9), color=BLUE)
    panel.set(yscale="log", ylim=(1e-9, 3), xlabel="digit", ylabel="probability")
figure

# %% [markdown]
# ## Break it
#
# A fully connected network doesn't know that pixels have neighbours. To see what that costs, move all test images to the
# right, pixel by pixel. We would hardly notice; the network falls apart.

# %%
images = data.test.x.reshape(-1, 28, 28)
shifts = range(7)
accuracy = [
    np.mean(net.predict(np.roll(images, shift, axis=2).reshape(-1, 784)).argmax(axis=1) == data.test.y)
    for shift in shifts
]
for shift, share in zip(shifts, accuracy, strict=True):
    print(f"{shift} pixels to the right: accuracy {share:6.2%}")

with styled():
    figure = Figure(figsize=(5, 2.4), layout="constrained")
    panel = figure.subplots()
    panel.plot(shifts, accuracy, marker="o", color=BLUE)
    panel.axhline(base["accuracy"], color=INK, linestyle="--", linewidth=0.9)
    panel.annotate("baseline", (0, base["accuracy"]), xytext=(0, 4), textcoords="offset points", fontsize=8)
    panel.set(xlabel="pixels to the right", ylabel="test accuracy", ylim=(0, 1.02))
figure

# %% [markdown]
# The cure within this family of networks is to show it moved, turned and distorted images in training (Simard et al. 2003);
# the cure by architecture is a convolution.
#
# ## Keep it
#
# One file holds layers, weights and the standardisation; what is loaded gives the same numbers, to the bit.

# %%
with tempfile.TemporaryDirectory() as folder:
    path = Path(folder) / "digits.safetensors"
    net.save(path)
    loaded = gn.Network.load(path)
    print(f"{path.name}: {path.stat().st_size:,} bytes")
assert np.array_equal(loaded.predict(data.test.x), net.predict(data.test.x))

# %% [markdown]
# ## The same network, trained badly and well
#
# glassnet grew from a student exercise: six layers, 15 epochs, written from scratch, with right gradients. Its recipe is kept
# beside one that has the same layers and the same number of epochs. What differs is everything around them:

# %%
seed, well = recipes.load("seed-mnist"), recipes.load("mnist-six-layers")
print(seed.description, "\n")
for table in ("network", "loss", "optimizer", "schedule", "training"):
    was, now = seed.to_dict().get(table, {}), well.to_dict().get(table, {})
    for key in sorted({*was, *now}):
        if was.get(key) != now.get(key):
            print(f"{table + '.' + key:22} {was.get(key, '-')!s:42} -> {now.get(key, '-')}")

# %% [markdown]
# - `network.inputs`: the trap from above, pixels divided by almost nothing;
# - `network.init`: weights of He et al. 2015 instead of one size for every layer;
# - `loss.label_smoothing`: a tenth of the target's probability is spread over all classes, which keeps the network from
#   growing ever more certain of what it already gets right;
# - `optimizer.weight_decay`: weights shrink a little in each step, unless the gradient holds against it;
# - `optimizer.lr` and `schedule`: 0.002 was far too timid for averaged gradients; a high rate that rises first and falls to zero isn't;
# - `training.replacement`: drawn with replacement, a third of the images is missed in each epoch.
#
# Run them, and compare the two tables (a minute each):
#
#     glassnet train seed-mnist
#     glassnet train mnist-six-layers
