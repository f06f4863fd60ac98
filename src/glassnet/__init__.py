"""glassnet: the fully connected neural network, by hand: every layer readable, every gradient checked.

    import glassnet as gn

    data = gn.load("digits")
    net = gn.Network([gn.Standardize(), gn.Dense(64, 128), gn.ReLU(), gn.Dense(128, 10)])
    gn.fit(net, data, gn.CrossEntropy(), gn.SGD(lr=0.1, momentum=0.9), epochs=20)
    print(gn.evaluate(net, data.test, gn.CrossEntropy()))

Importing this loads NumPy alone. Other libraries load when they are used.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from glassnet import program

program.begin()  # on the command line, Ctrl-C prints one line from here on

# ruff: noqa: E402
from glassnet.data import Augmentation, Dataset, Distortions, Split
from glassnet.fast import FastEngine
from glassnet.nn import (
    GELU,
    MAE,
    MSE,
    BatchNorm,
    BinaryCrossEntropy,
    CategoryEmbedding,
    Columns,
    CrossEntropy,
    Dense,
    Dropout,
    Ensemble,
    Exp,
    GaussianNoise,
    GradientReport,
    Huber,
    Layer,
    LayerNorm,
    LeakyReLU,
    Loss,
    Network,
    Periodic,
    PiecewiseLinear,
    Poisson,
    QuantileNormalize,
    ReLU,
    RobustScale,
    Rotations,
    Sigmoid,
    SiLU,
    Softmax,
    Standardize,
    Tanh,
    Unstandardize,
    gradcheck,
)
from glassnet.optim import (
    SGD,
    Adam,
    AdamW,
    Constant,
    Cosine,
    ExponentialDecay,
    Linear,
    OneCycle,
    Optimizer,
    Schedule,
    Tail,
)
from glassnet.train import (
    EMA,
    SWA,
    Average,
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
from glassnet.version import __version__ as __version__

if TYPE_CHECKING:
    from glassnet.data import load
    from glassnet.exchange import export
    from glassnet.inspection import Doctor, Finding, Trace, examine, trace

__all__ = [
    "EMA",
    "GELU",
    "MAE",
    "MSE",
    "SGD",
    "SWA",
    "Adam",
    "AdamW",
    "Augmentation",
    "Average",
    "BatchNorm",
    "BinaryCrossEntropy",
    "CSVLog",
    "Callback",
    "CategoryEmbedding",
    "Checkpoint",
    "Columns",
    "Constant",
    "Cosine",
    "CrossEntropy",
    "Dataset",
    "Dense",
    "Distortions",
    "DivergenceError",
    "Doctor",
    "Dropout",
    "Ensemble",
    "Exp",
    "ExponentialDecay",
    "Finding",
    "GaussianNoise",
    "GradientReport",
    "History",
    "Huber",
    "Layer",
    "LayerNorm",
    "LeakyReLU",
    "Linear",
    "Loss",
    "Network",
    "OneCycle",
    "Optimizer",
    "Periodic",
    "PiecewiseLinear",
    "Poisson",
    "Progress",
    "QuantileNormalize",
    "ReLU",
    "RobustScale",
    "Rotations",
    "Schedule",
    "SiLU",
    "Sigmoid",
    "Softmax",
    "Split",
    "Standardize",
    "Tail",
    "Tanh",
    "Trace",
    "Unstandardize",
    "baseline",
    "evaluate",
    "examine",
    "export",
    "fit",
    "gradcheck",
    "load",
    "trace",
]


Network.engine = FastEngine()  # the rooms below know nothing of the kernels

_LATER = {  # names that are imported at their first use, and their modules
    "load": "data",
    "export": "exchange",
    **dict.fromkeys(("Doctor", "Finding", "Trace", "examine", "trace"), "inspection"),
}


if not TYPE_CHECKING:  # a type checker would accept every name

    def __getattr__(name: str) -> Any:
        if name in _LATER:
            return getattr(import_module(f"glassnet.{_LATER[name]}"), name)
        raise AttributeError(f"module 'glassnet' has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
