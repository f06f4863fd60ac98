"""Models of PyTorch, saved by safetensors and loaded into networks here: their outputs beside ours. See parity.py."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import save_file
from torch import nn

import glassnet as gn
from glassnet.exchange import load_pytorch
from torch_twin import difference

TOLERANCE = {"float32": 1e-5, "float64": 1e-12}


class Named(nn.Module):  # type: ignore[misc]
    """A model as people write it, with layers in attributes."""

    def __init__(self) -> None:
        super().__init__()
        self.fc1, self.bn1 = nn.Linear(10, 64), nn.BatchNorm1d(64)
        self.fc2, self.bn2 = nn.Linear(64, 64, bias=False), nn.BatchNorm1d(64)
        self.out = nn.Linear(64, 3)

    def forward(self, x: Any) -> Any:
        """Outputs of rows x."""
        x = torch.relu(self.bn1(self.fc1(x)))
        return self.out(torch.tanh(self.bn2(self.fc2(x))))


def models() -> Iterator[tuple[str, Any, list[gn.Layer]]]:
    """Yield a name, a model, and the layers of the same network here."""
    yield (
        "every kind of layer",
        nn.Sequential(
            nn.Linear(10, 32), nn.BatchNorm1d(32), nn.ReLU(), nn.Dropout(0.2), nn.Linear(32, 24), nn.LayerNorm(24),
            nn.GELU(), nn.Linear(24, 16), nn.LeakyReLU(), nn.Linear(16, 8), nn.SiLU(), nn.Linear(8, 8), nn.Sigmoid(),
            nn.Linear(8, 3), nn.Softmax(1),
        ),
        [gn.Dense(10, 32), gn.BatchNorm(32), gn.ReLU(), gn.Dropout(0.2), gn.Dense(32, 24), gn.LayerNorm(24),
         gn.GELU(), gn.Dense(24, 16), gn.LeakyReLU(), gn.Dense(16, 8), gn.SiLU(), gn.Dense(8, 8), gn.Sigmoid(),
         gn.Dense(8, 3), gn.Softmax()],
    )  # fmt: skip
    yield (
        "layers in attributes",
        Named(),
        [gn.Dense(10, 64), gn.BatchNorm(64), gn.ReLU(), gn.Dense(64, 64), gn.BatchNorm(64), gn.Tanh(),
         gn.Dense(64, 3)],
    )  # fmt: skip
    yield (
        "twelve layers of equal width",
        nn.Sequential(*[nn.Linear(10, 10) for _ in range(12)]),
        [gn.Dense(10, 10) for _ in range(12)],
    )


def compare(model: Any, layers: list[gn.Layer], dtype: str) -> float:
    """Train the model a little, load its file and its state_dict; return the larger difference of outputs."""
    model = model.to(getattr(torch, dtype))
    optimizer = torch.optim.Adam(model.parameters(), 1e-2)
    rng = np.random.default_rng(0)
    for _ in range(20):
        optimizer.zero_grad()
        model(torch.tensor(rng.normal(1, 2, (64, 10)).astype(dtype))).square().mean().backward()
        optimizer.step()
    model.eval()
    x = rng.normal(1, 2, (500, 10)).astype(dtype)
    expected = model(torch.tensor(x)).detach().numpy()
    net = gn.Network(layers, dtype)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.safetensors"
        save_file(model.state_dict(), path)
        load_pytorch(net, path)
    found = difference(net.predict(x), expected)
    net.theta[...] = 0
    load_pytorch(net, model.state_dict())
    return max(found, difference(net.predict(x), expected))


def main() -> bool:
    """Print one line for each model and type; return whether all agree."""
    torch.manual_seed(0)
    all_passed = True
    print("\nload_pytorch, largest relative difference of outputs\n")
    for dtype, tolerance in TOLERANCE.items():
        for name, model, layers in models():
            found = compare(model, layers, dtype)
            all_passed = all_passed and found <= tolerance
            print(f"{name:42} {dtype:8} {found:9.1e}{'' if found <= tolerance else f'  more than {tolerance:.0e}'}")
    return all_passed
