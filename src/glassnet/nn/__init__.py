"""Layers, losses, networks, and the check of their gradients. Importing it loads NumPy alone."""

from glassnet.nn.activations import GELU, Activation, Exp, LeakyReLU, ReLU, Sigmoid, SiLU, Softmax, Tanh
from glassnet.nn.categories import CategoryEmbedding
from glassnet.nn.columns import Columns
from glassnet.nn.embeddings import Embedding, Periodic, PiecewiseLinear
from glassnet.nn.ensemble import Ensemble, load_model
from glassnet.nn.gradcheck import GradientReport, gradcheck
from glassnet.nn.layer import Layer
from glassnet.nn.layers import Dense
from glassnet.nn.losses import MAE, MSE, BinaryCrossEntropy, CrossEntropy, Huber, Loss, Poisson
from glassnet.nn.means import TargetMeans
from glassnet.nn.network import Network
from glassnet.nn.noise import Dropout, GaussianNoise, Noise
from glassnet.nn.normalization import BatchNorm, LayerNorm, Normalization
from glassnet.nn.preprocessing import Preprocessing, QuantileNormalize, RobustScale, Standardize, Unstandardize
from glassnet.nn.rotations import Rotations

__all__ = [
    "GELU",
    "MAE",
    "MSE",
    "Activation",
    "BatchNorm",
    "BinaryCrossEntropy",
    "CategoryEmbedding",
    "Columns",
    "CrossEntropy",
    "Dense",
    "Dropout",
    "Embedding",
    "Ensemble",
    "Exp",
    "GaussianNoise",
    "GradientReport",
    "Huber",
    "Layer",
    "LayerNorm",
    "LeakyReLU",
    "Loss",
    "Network",
    "Noise",
    "Normalization",
    "Periodic",
    "PiecewiseLinear",
    "Poisson",
    "Preprocessing",
    "QuantileNormalize",
    "ReLU",
    "RobustScale",
    "Rotations",
    "SiLU",
    "Sigmoid",
    "Softmax",
    "Standardize",
    "Tanh",
    "TargetMeans",
    "Unstandardize",
    "gradcheck",
    "load_model",
]
