"""To other programs and back: a network as an ONNX model; weights from PyTorch and scikit-learn.

model.py      a whole network as an ONNX model      graph.py      nodes, constants and types in the making
networks.py   a network layer by layer, and a mean  bounds.py     intervals of a run
layers.py     one function for each layer           quantiles.py  QuantileNormalize: a binary search
columns.py    a table's columns as inputs           outputs.py    probabilities and labels
pytorch.py    a state_dict into a network           sklearn.py    a fitted MLP as a network
"""

from glassnet.exchange.columns import columns_of
from glassnet.exchange.model import export, save, signature, to_onnx
from glassnet.exchange.pytorch import load_pytorch
from glassnet.exchange.sklearn import from_sklearn

__all__ = ["columns_of", "export", "from_sklearn", "load_pytorch", "save", "signature", "to_onnx"]
