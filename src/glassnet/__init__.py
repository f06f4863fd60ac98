"""glassnet: the fully connected neural network, by hand: every layer readable, every gradient checked.

    import glassnet as gn

    data = gn.load("digits")
    net = gn.Network([gn.Standardize(), gn.Dense(64, 128), gn.ReLU(), gn.Dense(128, 10)])
    gn.fit(net, data, gn.CrossEntropy(), gn.SGD(lr=0.1, momentum=0.9), epochs=20)
    print(gn.evaluate(net, data.test, gn.CrossEntropy()))

Importing this loads NumPy alone; what else is needed loads when it is used.
"""

from typing import TYPE_CHECKING, Any

from glassnet.data import Dataset, Split
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

if TYPE_CHECKING:
    from glassnet.data import load

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


def __getattr__(name: str) -> Any:
    if name == "load":  # imported when it is first asked for, as all that finds and reads data
        from glassnet.data import load

        return load
    raise AttributeError(f"module 'glassnet' has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
