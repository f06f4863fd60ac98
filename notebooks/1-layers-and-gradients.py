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
# # 1. Layers and gradients
#
# A network learns because we can say, for each of its numbers, how the loss would change if that number grew a little.
# This notebook derives that answer for every layer and every loss of glassnet, shows it with small numbers, and checks
# it against what the loss really does. You need derivatives, the chain rule and matrix products; nothing else.
#
# Contents: one neuron by hand · the network's two vectors · how a gradient is checked · Dense · activations · Softmax ·
# Dropout · BatchNorm and LayerNorm · preprocessing · losses · a wrong gradient · one step of the optimizer · one step of
# learning, with every number.

# %%
# %matplotlib inline
import math

import numpy as np
from matplotlib.figure import Figure

import glassnet as gn
from glassnet.plots.style import BLUE, ORANGE, styled

np.set_printoptions(precision=4, suppress=True)

# %% [markdown]
# ## One neuron by hand
#
# A neuron multiplies its inputs by weights, adds a bias, and bends the sum with an activation, here ReLU. A loss then
# says how far the result is from the target:
#
# $$s = w_1 x_1 + w_2 x_2 + w_3 x_3 + b, \qquad y = \max(s, 0), \qquad L = (y - t)^2 .$$

# %%
x = [2.0, -1.0, 3.0]
w = [0.5, -1.0, 0.25]
b, t = -0.5, 1.0

s = w[0] * x[0] + w[1] * x[1] + w[2] * x[2] + b
y = max(s, 0.0)
L = (y - t) ** 2
print(f"sum s = {s}, output y = {y}, loss L = {L}")

# %% [markdown]
# Now backwards. The chain rule multiplies the derivatives of the three steps, the last one first:
#
# $$\frac{\partial L}{\partial y} = 2 (y - t), \qquad
# \frac{\partial L}{\partial s} = \frac{\partial L}{\partial y} \cdot
# \begin{cases} 1 & s > 0 \\ 0 & s \le 0 \end{cases}, \qquad
# \frac{\partial L}{\partial w_i} = \frac{\partial L}{\partial s} \, x_i, \qquad
# \frac{\partial L}{\partial b} = \frac{\partial L}{\partial s}, \qquad
# \frac{\partial L}{\partial x_i} = \frac{\partial L}{\partial s} \, w_i .$$
#
# We write `dy` for $\partial L/\partial y$, `dw` for $\partial L/\partial w$, and so on, always the derivative of the
# one loss at the end.

# %%
dy = 2 * (y - t)
ds = dy * (1.0 if s > 0 else 0.0)
dw = [ds * each for each in x]
db = ds
dx = [ds * each for each in w]
print(f"dy = {dy}, ds = {ds}\ndw = {dw}\ndb = {db}\ndx = {dx}")

# %% [markdown]
# The same neuron as a network. `net.grad` holds the gradient of all its parameters, the weights first, then the bias:

# %%
net = gn.Network([gn.Dense(3, 1), gn.ReLU()], dtype="float64")
net.layers[0].W[:, 0] = w
net.layers[0].b[:] = b

loss = gn.MSE()
value = loss.forward(net.forward([x], training=True), np.array([t]))
input_gradient = net.backward(loss.backward())

print("loss    ", value)
print("net.grad", net.grad)
print("dx      ", input_gradient)
assert value == L
assert np.array_equal(net.grad, [*dw, db])
assert np.array_equal(input_gradient, [dx])

# %% [markdown]
# The derivative $\partial L/\partial w_3$ claims: if $w_3$ grows by a tiny $h$, the loss grows by `dw[2]` times $h$.
# That can be tried. Where the sum is negative, ReLU is flat, and nothing we do to the weights (a little) matters: such a
# neuron gets no gradient at all for this row.

# %%
h = 1e-6


def loss_at(w3):
    """The loss with another third weight."""
    total = w[0] * x[0] + w[1] * x[1] + w3 * x[2] + b
    return (max(total, 0.0) - t) ** 2


print(f"dw[2] by the chain rule      {dw[2]}")
print(f"dw[2] by nudging w[2] by h   {(loss_at(w[2] + h) - loss_at(w[2] - h)) / (2 * h):.6f}")

net.layers[0].b[:] = -5.0  # now the sum is negative
loss.forward(net.forward([x], training=True), np.array([t]))
net.backward(loss.backward())
print(f"net.grad with a bias of -5   {net.grad}")

# %% [markdown]
# ## The network's two vectors
#
# All parameters of a network lie in one vector, `net.theta`, and all gradients in another, `net.grad`. The `W` and `b` of
# a layer are views into them: the same memory under another name and shape. So an optimizer step, a checkpoint or the
# check of a gradient is one operation on one array.

# %%
net = gn.Network([gn.Dense(3, 2), gn.ReLU(), gn.Dense(2, 1)], dtype="float64", seed=0)
net.summary()
print("\ntheta:", net.theta)

start = 0
for name, values, _ in net.named_parameters():
    print(f"theta[{start:2}:{start + values.size:2}] is {name}, of shape {values.shape}")
    start += values.size

net.theta[0] = 42.0
print("\nafter theta[0] = 42, the first weight is", net.layers[0].W[0, 0])
assert np.shares_memory(net.theta, net.layers[2].b)

# %% [markdown]
# ## How a gradient is checked
#
# `gn.gradcheck` nudges every parameter and every input by $h$ and compares the slope of the loss with the gradient. It
# uses the central difference of fourth order (Fornberg 1988, table 1),
#
# $$f'(0) \approx \frac{8 \, [f(h) - f(-h)] - [f(2h) - f(-2h)]}{12 \, h},$$
#
# in float64, and reports the relative error $|a - n| / \max(|a|, |n|)$ of the analytic gradient $a$ and the numeric one
# $n$. Up to about $10^{-8}$ is what rounding leaves; $10^{-2}$ is a bug. If a nudge would push a unit across the kink of a
# ReLU, the slope there is not defined, and the entry is counted under "at kinks" rather than as an error.
#
# Below, each layer is put in a network of its own, with these rows and targets:

# %%
rng = np.random.default_rng(3)
rows = rng.standard_normal((4, 3)).round(1)  # four rows of three values
targets = rng.standard_normal((4, 3)).round(1)


def check(layer):
    """Compare the layer's gradients with what the loss does."""
    print(gn.gradcheck(gn.Network([layer], dtype="float64"), rows, targets, gn.MSE()))


print(rows)

# %% [markdown]
# ## Dense
#
# $N$ rows at once: $x$ is $(N, n)$, $W$ is $(n, m)$, $b$ is $(m)$, and $y = x W + b$ is $(N, m)$. In indices,
#
# $$y_{rj} = \sum_i x_{ri} W_{ij} + b_j .$$
#
# Given $dy_{rj} = \partial L / \partial y_{rj}$, sum over all ways in which a number acts on the loss:
#
# $$dW_{ij} = \sum_{r} dy_{rj} \frac{\partial y_{rj}}{\partial W_{ij}} = \sum_r x_{ri} \, dy_{rj}, \qquad
# db_j = \sum_r dy_{rj}, \qquad
# dx_{ri} = \sum_j dy_{rj} W_{ij},$$
#
# in matrices $dW = x^\top dy$, $db = \mathbf 1^\top dy$, $dx = dy \, W^\top$. The shapes alone leave hardly another choice,
# which is a good way to remember it.

# %%
dense = gn.Dense(2, 2)
dense.W[...] = [[1, 2], [3, 4]]
dense.b[...] = [10, 20]
y = dense.forward(np.array([[1.0, 0.0], [1.0, 1.0]]))
dx = dense.backward(np.array([[1.0, 0.0], [0.0, 1.0]]))
print("y\n", y, "\ndx\n", dx, "\ndW\n", dense.dW, "\ndb\n", dense.db)

# %%
check(gn.Dense(3, 3))

# %% [markdown]
# **How weights start.** If the inputs of a layer have variance 1 and the weights variance $v$, each sum of $n$ terms has
# variance $n v$. ReLU throws half of the mean square away, so $v = 2/n$ keeps it from layer to layer (He et al. 2015,
# arXiv:1502.01852). With weights that are a little too small or too large, the signal dies or explodes:

# %%
signal = np.random.default_rng(0).standard_normal((500, 100))
for init in ("normal(0.1)", "he", "normal(0.2)"):
    deep = gn.Network([part for _ in range(20) for part in (gn.Dense(100, 100, init=init), gn.ReLU())], dtype="float64")
    print(f"{init:12} root mean square after 20 layers: {np.sqrt(np.mean(deep.forward(signal) ** 2)):.2g}")

# %% [markdown]
# ## Activations
#
# Each works on every value alone, $y = f(x)$, so $dx = dy \cdot f'(x)$.
#
# | layer | $f(x)$ | $f'(x)$ | source |
# |---|---|---|---|
# | `ReLU` | $\max(x, 0)$ | $1$ if $x > 0$, else $0$ | Nair & Hinton 2010 |
# | `LeakyReLU` | $x$ if $x > 0$, else $a x$ | $1$ if $x > 0$, else $a$ | Maas et al. 2013 |
# | `Sigmoid` | $\sigma(x) = 1 / (1 + e^{-x})$ | $y (1 - y)$ | |
# | `Tanh` | $\tanh x$ | $1 - y^2$ | |
# | `GELU` | $x \, \Phi(x)$ | $\Phi(x) + x \, \varphi(x)$ | Hendrycks & Gimpel 2016, arXiv:1606.08415 |
# | `SiLU` | $x \, \sigma(x)$ | $\sigma(x) \, (1 + x (1 - \sigma(x)))$ | Elfwing et al. 2017, arXiv:1702.03118 |
#
# $\Phi$ and $\varphi$ are the distribution function and the density of the standard normal. The two that are best written
# by their own output: with $u = e^{-x}$,
#
# $$\sigma' = \frac{u}{(1 + u)^2} = \frac{1}{1 + u} \cdot \frac{u}{1 + u} = \sigma (1 - \sigma), \qquad
# \tanh' = \frac{\cosh^2 - \sinh^2}{\cosh^2} = 1 - \tanh^2 .$$
#
# GELU and SiLU are products, so the product rule gives theirs, with $\Phi' = \varphi$ and $\sigma' = \sigma(1 - \sigma)$.
# `backward` of ones is the derivative itself, which makes the pictures easy:

# %%
activations = [gn.ReLU(), gn.LeakyReLU(slope=0.1), gn.Sigmoid(), gn.Tanh(), gn.GELU(), gn.SiLU()]
grid = np.linspace(-4, 4, 401).reshape(-1, 1)

with styled():
    figure = Figure(figsize=(8, 4.4), layout="constrained")
    for panel, layer in zip(figure.subplots(2, 3, sharex=True, sharey=True).ravel(), activations, strict=True):
        panel.plot(grid, layer.forward(grid), color=BLUE, label="f(x)")
        panel.plot(grid, layer.backward(np.ones_like(grid)), color=ORANGE, linestyle="--", label="f'(x)")
        panel.set(title=repr(layer), ylim=(-1.3, 2.3))
    for panel in figure.axes[3:]:
        panel.set(xlabel="x")
    figure.axes[0].legend(loc="upper left")
figure

# %%
for layer in activations:
    print(f"{layer!r}: f({rows[0]}) = {layer.forward(rows[:1])[0]}")
    check(layer)
    print()

# %% [markdown]
# The derivative of the sigmoid is at most $1/4$: through ten such layers a gradient shrinks at least $4^{10}$ times, about a
# million, before the weights have their say. That is why deep networks use the others.

# %% [markdown]
# ## Softmax
#
# Softmax turns a row of scores into probabilities. All values of a row act on all outputs, so the derivative is a matrix:
#
# $$y_i = \frac{e^{x_i}}{\sum_k e^{x_k}}, \qquad
# \frac{\partial y_i}{\partial x_j} = y_i \, (\delta_{ij} - y_j), \qquad
# dx_j = \sum_i dy_i \, y_i (\delta_{ij} - y_j) = y_j \Big( dy_j - \sum_i dy_i \, y_i \Big) .$$
#
# (Quotient rule: the numerator gives $\delta_{ij} y_i$, the denominator $-y_i y_j$.) The last form never builds the
# matrix. Adding the same number to all scores changes nothing; so we subtract the row's largest first, and no
# exponential can overflow.

# %%
softmax = gn.Softmax()
scores = np.array([[1.0, 2.0, 4.0]])
y = softmax.forward(scores)
jacobian = np.concatenate([softmax.backward(unit.reshape(1, 3)) for unit in np.eye(3)])
print("probabilities", y[0], "of sum", y.sum())
print("and with scores 10,000 higher", softmax.forward(scores + 10_000)[0])
print("Jacobian, row by row from backward\n", jacobian)
assert np.allclose(jacobian, np.diag(y[0]) - np.outer(y[0], y[0]))
check(gn.Softmax())

# %% [markdown]
# ## Dropout
#
# In training, each value is set to zero with probability $p$, and the others are divided by $1 - p$, so that the mean stays
# what it was: $y = x \cdot m$ with $m = 0$ or $1/(1 - p)$. The mask $m$ is a constant of the step: $dx = dy \cdot m$. In
# inference $y = x$. (Srivastava et al. 2014, JMLR 15:1929-1958, section 10.) The check draws the same mask for each nudge.

# %%
dropout = gn.Dropout(0.5)
print("training ", dropout.forward(np.ones((1, 12)), training=True)[0])
print("inference", dropout.forward(np.ones((1, 12)))[0])
print(f"mean of 100,000 ones in training: {dropout.forward(np.ones((1, 100_000)), training=True).mean():.3f}")
check(gn.Dropout(0.5))

# %% [markdown]
# ## BatchNorm and LayerNorm
#
# Both subtract a mean, divide by a standard deviation, and let two learned vectors rescale the result:
#
# $$\hat x = \frac{x - \mu}{\sigma}, \quad \sigma = \sqrt{\operatorname{mean}[(x - \mu)^2] + \varepsilon}, \qquad
# y = \gamma \hat x + \beta .$$
#
# `BatchNorm` takes $\mu$ and $\sigma$ of each column over the rows of the batch (Ioffe & Szegedy 2015, arXiv:1502.03167),
# `LayerNorm` of each row over its values (Ba et al. 2016, arXiv:1607.06450). The easy part of the backward pass:
#
# $$d\gamma = \sum_{\text{rows}} dy \, \hat x, \qquad d\beta = \sum_{\text{rows}} dy, \qquad g := d\hat x = \gamma \, dy .$$
#
# For $dx$, note that one $x_k$ moves the mean and the standard deviation of all $n$ values that are averaged together:
#
# $$\frac{\partial \mu}{\partial x_k} = \frac1n, \qquad
# \frac{\partial \sigma}{\partial x_k} = \frac{1}{2 \sigma} \cdot \frac{2 (x_k - \mu)}{n} = \frac{\hat x_k}{n}, \qquad
# \frac{\partial \hat x_i}{\partial x_k} = \frac{1}{\sigma} \Big( \delta_{ik} - \frac1n - \frac{\hat x_i \hat x_k}{n} \Big) .$$
#
# (In $\partial \sigma$, the shift of $\mu$ drops out, since the deviations $x_i - \mu$ sum to zero.) Multiply by $g_i$ and
# sum over $i$:
#
# $$dx_k = \frac{1}{\sigma} \Big( g_k - \operatorname{mean}(g) - \hat x_k \operatorname{mean}(g \, \hat x) \Big) .$$

# %%
batch_norm, layer_norm = gn.BatchNorm(3), gn.LayerNorm(3)
y = batch_norm.forward(rows, training=True)
print("BatchNorm: mean and standard deviation of each column", y.mean(axis=0).round(6) + 0, y.std(axis=0))
dx = batch_norm.backward(targets)
print("           sum of dx over each column               ", dx.sum(axis=0).round(6) + 0)
y = layer_norm.forward(rows, training=True)
print("LayerNorm: mean and standard deviation of each row   ", y.mean(axis=1).round(6) + 0, y.std(axis=1))

# %% [markdown]
# That $dx$ sums to zero is as it must be: moving a whole column up changes no output, hence no loss. In inference,
# `BatchNorm` uses running averages instead, as constants; then $dx = \gamma \, dy / \sigma$.

# %%
check(gn.BatchNorm(3))
print()
check(gn.LayerNorm(3))

# %% [markdown]
# ## Preprocessing
#
# What is done to the inputs belongs to the network: it is fitted on the training rows, saved with the weights, and it has a
# backward pass like any layer. `Standardize` is $y = (x - \mu)/\sigma$ with *constant* $\mu$, $\sigma$: $dx = dy/\sigma$.
# `Unstandardize`, as the last layer of a regression, is the inverse, fitted on the targets: $dx = \sigma \, dy$.
# `QuantileNormalize` sends each column through its distribution function $F$ to a normal distribution,
# $y = \Phi^{-1}(F(x))$, piecewise linear between quantiles: $dx = dy$ times the slope of the segment.

# %%
table = np.array([[1.0, 200.0, 5.0], [2.0, 400.0, 5.0], [3.0, 100_000.0, 5.0]])  # an outlier, and a constant column
print(gn.Standardize().fit(table).forward(table))
print(
    gn.QuantileNormalize()
    .fit(np.random.default_rng(1).exponential(size=(1000, 1)))
    .forward(np.array([[0.1], [0.7], [3]]))
)

# %%
train_rows = np.random.default_rng(2).standard_normal((50, 3))
for layer in (gn.Standardize(), gn.Unstandardize(), gn.QuantileNormalize(quantiles=10)):
    print(repr(layer))
    check(layer.fit(train_rows))

# %% [markdown]
# ## Losses
#
# A loss turns outputs $y$ and targets $t$ into one number, the mean over all $n$ entries (for classes, over the $N$ rows);
# its `backward` starts the pass.
#
# | loss | per entry, with $d = y - t$ | derivative, times $n$ |
# |---|---|---|
# | `MSE` | $d^2$ | $2 d$ |
# | `MAE` | $\lvert d \rvert$ | sign of $d$ |
# | `Huber` (1964) | $d^2/2$ if $\lvert d \rvert \le \delta$, else $\delta (\lvert d \rvert - \delta/2)$ | $d$, kept within $\pm\delta$ |
# | `BinaryCrossEntropy` | $-t \log \sigma(y) - (1 - t) \log (1 - \sigma(y))$ | $\sigma(y) - t$ |
# | `CrossEntropy`, per row | $\log \sum_k e^{y_k} - y_c$ | $\operatorname{softmax}(y) - \text{onehot}(c)$ |
#
# **CrossEntropy** is $-\log p_c$ for the probability $p = \operatorname{softmax}(y)$ of the right class $c$. Taking the
# logarithm first makes it short: $\log p_c = y_c - \log \sum_k e^{y_k}$, whose derivative by $y_j$ is
# $\delta_{jc} - e^{y_j} / \sum_k e^{y_k} = \delta_{jc} - p_j$. So the gradient is what the network says minus what is true.
# With probabilities $q$ as targets it is $p - q$; label smoothing takes a little of the certainty away from $q$ (Szegedy
# et al. 2015, arXiv:1512.00567, section 7).
#
# **BinaryCrossEntropy**: $\log \sigma(y) = -\log(1 + e^{-y})$ and $\log(1 - \sigma(y)) = -y - \log(1 + e^{-y})$, so an
# entry is $\log(1 + e^{-y}) + (1 - t) y$, with derivative $-e^{-y}/(1 + e^{-y}) + 1 - t = \sigma(y) - t$.

# %%
scores, labels = np.array([[2.0, 1.0, 0.1], [0.5, 2.5, 0.3]]), np.array([0, 2])
cross_entropy = gn.CrossEntropy()
print(f"loss {cross_entropy.forward(scores, labels):.4f}: the first row is right, the second is wrong\ngradient")
print(cross_entropy.backward())
p = gn.Softmax().forward(scores)
print(f"by hand: {-(math.log(p[0, 0]) + math.log(p[1, 2])) / 2:.4f}\n{(p - np.eye(3)[labels]) / 2}")
print("scores of +-10,000:", cross_entropy.forward(np.array([[1e4, -1e4]]), np.array([1])), cross_entropy.backward())

# %%
net = gn.Network([gn.Dense(3, 3)], dtype="float64", seed=0)
likely = np.array([[0.7, 0.2, 0.1], [0.0, 1.0, 0.0], [0.3, 0.3, 0.4], [0.1, 0.1, 0.8]])
for loss, t in [
    (gn.MSE(), targets),
    (gn.MAE(), targets),
    (gn.Huber(delta=0.5), targets),
    (gn.BinaryCrossEntropy(), likely),
    (gn.CrossEntropy(), np.array([0, 1, 2, 2])),
    (gn.CrossEntropy(), likely),
    (gn.CrossEntropy(label_smoothing=0.1), np.array([0, 1, 2, 2])),
]:
    report = gn.gradcheck(net, rows, t, loss)
    assert report.passed
    print(f"{loss!r:35} largest relative error {report.max_relative_error:.1e}")

# %% [markdown]
# ## A wrong gradient, and a kink
#
# Here is a sigmoid whose author forgot the factor $1 - y$. A network with it would often still learn, only badly, and nothing
# would crash. The check sees it at once, says where, and what the two values are.


# %%
class HastySigmoid(gn.Sigmoid):
    """Forgets a factor."""

    def backward(self, dy):
        return dy * self.y


check(HastySigmoid())

# %% [markdown]
# And a ReLU that gets exactly 0: from the left its slope is 0, from the right 1, and no difference quotient can say which
# one is meant. That entry is set apart.

# %%
print(gn.gradcheck(gn.Network([gn.ReLU()], dtype="float64"), [[0.0, 0.5, -0.5]], np.array([[1.0, 1.0, 1.0]]), gn.MSE()))

# %% [markdown]
# ## One step of the optimizer
#
# Plain gradient descent moves each weight against its gradient, $w \leftarrow w - \eta \, g$. **Momentum** keeps a velocity,
# so that steps that agree add up and steps that contradict each other cancel (Polyak 1964):
#
# $$v \leftarrow \mu \, v - \eta \, g, \qquad w \leftarrow w + v .$$
#
# By hand, for 20 weights, beside `gn.SGD`:

# %%
w = np.linspace(-0.4, 0.6, 20).reshape(4, 5)
g = np.linspace(-0.6, 0.4, 20).reshape(4, 5)
v = np.linspace(0.6, 0.9, 20).reshape(4, 5)

next_v = 0.9 * v - 1e-3 * g
next_w = w + next_v
print(f"next_w[0, 0] = {next_w[0, 0]:.4f}, next_w[3, 4] = {next_w[3, 4]:.4f}, velocity[3, 4] = {next_v[3, 4]:.4f}")

net = gn.Network([gn.Dense(4, 5)], dtype="float64")
dense = net.layers[0]
dense.W[...], dense.dW[...] = w, g
sgd = gn.SGD(lr=1e-3, momentum=0.9)
sgd.velocity = np.zeros_like(net.theta)
sgd.velocity[:20] = v.ravel()  # the weights come first in theta, then five biases
sgd.step(net)

print(dense.W)
assert np.allclose(dense.W, next_w, rtol=1e-15)
assert np.allclose(sgd.velocity[:20].reshape(4, 5), next_v, rtol=1e-15)

# %% [markdown]
# **Adam** (Kingma & Ba 2015, arXiv:1412.6980) divides a running mean of the gradient by the root of a running mean of its
# square. So its steps are of about the size `lr`, whatever the gradient's size; the very first one is exactly that, since
# both means are then of one and the same gradient:

# %%
net = gn.Network([gn.Dense(4, 1)], dtype="float64")
before = net.theta.copy()
net.grad[:] = [1000.0, 1.0, -0.001, 0.0, -5.0]
gn.Adam(lr=0.01).step(net)
print(net.theta - before)

# %% [markdown]
# ## One step of learning, with every number
#
# Forward, loss, backward, step: `gn.trace` does all four on a copy of the network and keeps every number on the way.
# Here is a small classifier, the four rows from above, and SGD with momentum. Read the first table downwards for the
# outputs, upwards for the gradients: `dL/dx` of a layer is `dL/dy` of the one before. The second table follows each
# parameter through the step.

# %%
net = gn.Network([gn.Dense(3, 5), gn.ReLU(), gn.Dense(5, 3)], dtype="float64", seed=2)
classes = np.array([0, 1, 2, 2])
step = gn.trace(net, rows, classes, gn.CrossEntropy(), gn.SGD(lr=0.5, momentum=0.9))
step

# %% [markdown]
# The loss falls, and the network is still what it was: the trace worked on a copy (`apply=True` would make the step on the
# network itself). The loss is the mean of four terms, one for each row; $-\log p$ of the right class, as above:

# %%
print("terms of the loss", step.loss_terms, "mean", step.loss_terms.mean())
p = gn.Softmax().forward(step.layers[-1].output)
print("-log p by hand   ", -np.log(p[np.arange(4), classes]))
assert np.allclose(step.loss_terms, -np.log(p[np.arange(4), classes]))

# %% [markdown]
# Any unit tells how its value came about. Follow row 0 from its input to the score of class 2:

# %%
for unit in range(5):
    print("layer 0:", step.equation(layer=0, unit=unit, row=0))
for unit in range(5):
    print("layer 1:", step.equation(layer=1, unit=unit, row=0))
print("layer 2:", step.equation(layer=2, unit=2, row=0))

# %% [markdown]
# And back. The loss gives `dy` of the last layer, $(\operatorname{softmax}(y) - \text{onehot})/4$; each layer turns the
# `dy` that comes to it into a `dx`. For ReLU the local derivative `local` is 1 or 0, for Dense it is $W^\top$:

# %%
first, relu, last = step.layers
assert np.allclose(last.dy, (p - np.eye(3)[classes]) / 4)
assert np.allclose(last.dx, last.dy @ step.parameters["2.W"].before.T)
assert np.allclose(relu.dx, relu.dy * relu.local)
assert np.allclose(step.parameters["0.W"].gradient, rows.T @ first.dy)
print("dL/dy of the scores\n", last.dy)
print("dL/dy of ReLU\n", relu.dy)
print("its local derivative\n", relu.local)
print("dL/dx of ReLU: their product\n", relu.dx)

# %% [markdown]
# Is one of these gradients right? `step.check` nudges just that number and looks at the loss:

# %%
for name, index in [("2.W", (0, 1)), ("0.W", (2, 3)), ("0.b", 3), ("x", (1, 2))]:
    print(step.check(name, index))

# %% [markdown]
# Last, the update. From rest, the velocity after one step is $-\eta \, g$, and the weight moves by it:

# %%
bias = step.parameters["2.b"]
print("before  ", bias.before)
print("gradient", bias.gradient)
print("velocity", bias.velocity["velocity"])
print("after   ", bias.after)
assert np.allclose(bias.velocity["velocity"], -0.5 * bias.gradient)
assert np.allclose(bias.after, bias.before + bias.velocity["velocity"])

# %% [markdown]
# ## All of it together
#
# A small network of several kinds of layers, checked as a whole, then trained for a hundred steps on its four rows:
# forward, loss, backward, step. There is no more to training than this loop. The network is much larger than the task, so
# it should learn the rows by heart, and it does; to learn something that holds for *new* rows is what the next notebooks
# are about.

# %%
net = gn.Network(
    [gn.Dense(3, 8), gn.LayerNorm(8), gn.SiLU(), gn.Dense(8, 8), gn.ReLU(), gn.Dense(8, 3)], dtype="float64", seed=1
)
loss, adam, labels = gn.CrossEntropy(), gn.Adam(lr=0.01), np.array([0, 1, 2, 2])
print(gn.gradcheck(net, rows, labels, loss), "\n")

for step in range(101):
    value = loss.forward(net.forward(rows, training=True), labels)
    net.backward(loss.backward())
    adam.step(net)
    if step % 20 == 0:
        print(f"step {step:3}: loss {value:.4f}")
print("classes", labels, "predicted", net.predict(rows).argmax(axis=1))
