"""The same network in PyTorch, and how far two arrays are apart."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

import glassnet as gn

SAME = {gn.ReLU: torch.nn.ReLU, gn.Tanh: torch.nn.Tanh, gn.Dropout: torch.nn.Identity}


def twin(net: gn.Network) -> Any:
    """Build the PyTorch network with the same layers and weights; what isn't trained takes no gradient."""
    modules: list[Any] = []
    for layer in net.layers:
        if isinstance(layer, gn.Dense):
            module = torch.nn.Linear(layer.fan_in, layer.fan_out)
            module.weight.data, module.bias.data = torch.tensor(layer.W.T.copy()), torch.tensor(layer.b.copy())
        elif isinstance(layer, gn.BatchNorm):
            module = torch.nn.BatchNorm1d(layer.width, eps=layer.eps, momentum=layer.momentum)
        elif isinstance(layer, gn.Unstandardize):
            module = torch.nn.Linear(len(layer.scale), len(layer.scale)).requires_grad_(False)
            module.weight.data, module.bias.data = torch.diag(torch.tensor(layer.scale)), torch.tensor(layer.mean)
        else:
            module = SAME[type(layer)]()
        modules.append(module)
    return torch.nn.Sequential(*modules).to(torch.float64 if net.dtype == np.float64 else torch.float32)


def difference(ours: Any, theirs: Any) -> float:
    """Relative difference: norm of the difference over the norm of theirs."""
    ours, theirs = np.asarray(ours, np.float64), np.asarray(theirs, np.float64)
    return float(np.linalg.norm(ours - theirs) / np.linalg.norm(theirs))
