"""To other programs and back: a network as an ONNX model; weights from PyTorch and scikit-learn.

model.py      a whole network as an ONNX model      graph.py      nodes, constants and types in the making
layers.py     one function for each layer           quantiles.py  QuantileNormalize: a binary search
outputs.py    probabilities and labels
pytorch.py    a state_dict into a network           sklearn.py    a fitted MLP as a network
"""

from glassnet.export.model import export, save, signature, to_onnx
from glassnet.export.pytorch import load_pytorch
from glassnet.export.sklearn import from_sklearn
from glassnet.nn import Ensemble, Network

Network.export = export  # type: ignore[assignment]  # a function becomes a method
Ensemble.export = export  # type: ignore[assignment]

__all__ = ["export", "from_sklearn", "load_pytorch", "save", "signature", "to_onnx"]
