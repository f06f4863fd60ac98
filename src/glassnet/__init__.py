"""glassnet: the fully connected neural network, by hand: every layer readable, every gradient checked.

    import glassnet as gn

    data = gn.load("digits")
    net = gn.Network([gn.Standardize(), gn.Dense(64, 128), gn.ReLU(), gn.Dense(128, 10)])
    gn.fit(net, data, gn.CrossEntropy(), gn.SGD(lr=0.1, momentum=0.9), epochs=20)
    print(gn.evaluate(net, data.test, gn.CrossEntropy()))

Importing this loads NumPy alone; what else is needed loads when it is used.
"""

from glassnet.data import Dataset, Split, load
from glassnet.nn import (
    GELU,
    MAE,
    MSE,
    BatchNorm,
    BinaryCrossEntropy,
    CrossEntropy,
    Dense,
    Dropout,
    GradientReport,
    Huber,
    Layer,
    LayerNorm,
    LeakyReLU,
    Loss,
    Network,
    QuantileNormalize,
    ReLU,
    Sigmoid,
    SiLU,
    Softmax,
    Standardize,
    Tanh,
    Unstandardize,
    gradcheck,
)
from glassnet.optim import SGD, Adam, AdamW, Constant, Cosine, ExponentialDecay, OneCycle, Optimizer, Schedule
from glassnet.train import (
    Callback,
    Checkpoint,
    CSVLog,
    DivergenceError,
    History,
    Progress,
    baseline,
    evaluate,
    fit,
)

__version__ = "0.1.0"

__all__ = [
    "GELU",
    "MAE",
    "MSE",
    "SGD",
    "Adam",
    "AdamW",
    "BatchNorm",
    "BinaryCrossEntropy",
    "CSVLog",
    "Callback",
    "Checkpoint",
    "Constant",
    "Cosine",
    "CrossEntropy",
    "Dataset",
    "Dense",
    "DivergenceError",
    "Dropout",
    "ExponentialDecay",
    "GradientReport",
    "History",
    "Huber",
    "Layer",
    "LayerNorm",
    "LeakyReLU",
    "Loss",
    "Network",
    "OneCycle",
    "Optimizer",
    "Progress",
    "QuantileNormalize",
    "ReLU",
    "Schedule",
    "SiLU",
    "Sigmoid",
    "Softmax",
    "Split",
    "Standardize",
    "Tanh",
    "Unstandardize",
    "baseline",
    "evaluate",
    "fit",
    "gradcheck",
    "load",
]
