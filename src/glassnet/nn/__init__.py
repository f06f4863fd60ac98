"""Layers, losses, networks, and the check of their gradients. Importing it loads NumPy alone."""

from glassnet.nn.activations import GELU, Activation, Exp, LeakyReLU, ReLU, Sigmoid, SiLU, Softmax, Tanh
from glassnet.nn.gradcheck import GradientReport, gradcheck
from glassnet.nn.layer import Layer
from glassnet.nn.layers import Dense, Dropout
from glassnet.nn.losses import MAE, MSE, BinaryCrossEntropy, CrossEntropy, Huber, Loss, Poisson
from glassnet.nn.network import Network
from glassnet.nn.normalization import BatchNorm, LayerNorm, Normalization
from glassnet.nn.preprocessing import Preprocessing, QuantileNormalize, Standardize, Unstandardize

__all__ = [
    "GELU", "MAE", "MSE", "Activation", "BatchNorm", "BinaryCrossEntropy", "CrossEntropy", "Dense", "Dropout", "Exp",
    "GradientReport", "Huber", "Layer", "LayerNorm", "LeakyReLU", "Loss", "Network", "Normalization",
    "Poisson", "Preprocessing", "QuantileNormalize", "ReLU", "SiLU", "Sigmoid", "Softmax", "Standardize", "Tanh",
    "Unstandardize", "gradcheck",
]  # fmt: skip
