"""glassnet: the fully connected neural network, by hand: every layer readable, every gradient checked.

    import glassnet as gn

    data = gn.load("digits")
    net = gn.Network([gn.Standardize(), gn.Dense(64, 128), gn.ReLU(), gn.Dense(128, 10)])
    gn.fit(net, data, gn.CrossEntropy(), gn.SGD(lr=0.1, momentum=0.9), epochs=20)
    print(gn.evaluate(net, data.test, gn.CrossEntropy()))

Importing this loads NumPy alone. Other libraries load when they are used.
"""

from importlib import import_module
from os import environ
from typing import TYPE_CHECKING, Any

from glassnet import program
from glassnet.terminal import doing
from glassnet.version import __version__ as __version__

program.begin()  # on the command line, Ctrl-C prints one line from here on
program.tell_version(__version__)
if program.begun and "_GLASSNET_COMPLETE" not in environ:  # a shell that asks for completions shows no other line
    doing("starting")

# ruff: noqa: E402, F403  a layer, loss or optimizer is listed once, in its room
from glassnet import nn, optim, train
from glassnet.data import Augmentation as Augmentation
from glassnet.data import Dataset as Dataset
from glassnet.data import Distortions as Distortions
from glassnet.data import Split as Split
from glassnet.fast import FastEngine
from glassnet.nn import *
from glassnet.optim import *
from glassnet.train import *

if TYPE_CHECKING:
    from glassnet.data import load as load
    from glassnet.exchange import export as export
    from glassnet.inspection import Doctor as Doctor
    from glassnet.inspection import Explanation as Explanation
    from glassnet.inspection import Finding as Finding
    from glassnet.inspection import Trace as Trace
    from glassnet.inspection import examine as examine
    from glassnet.inspection import explain as explain
    from glassnet.inspection import trace as trace

nn.Network.engine = FastEngine()  # the rooms below know nothing of the kernels

_LATER = {  # names that are imported at their first use, and their modules
    "load": "data",
    "export": "exchange",
    **dict.fromkeys(("Doctor", "Explanation", "Finding", "Trace", "examine", "explain", "trace"), "inspection"),
}


if not TYPE_CHECKING:  # a type checker would accept every name, and doesn't follow lists of other modules
    __all__ = [*nn.__all__, *optim.__all__, *train.__all__, *_LATER, "Augmentation", "Dataset", "Distortions", "Split"]

    def __getattr__(name: str) -> Any:
        if name in _LATER:
            return getattr(import_module(f"glassnet.{_LATER[name]}"), name)
        raise AttributeError(f"module 'glassnet' has no attribute {name!r}")

    def __dir__() -> list[str]:
        return __all__
