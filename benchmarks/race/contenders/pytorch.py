"""PyTorch as most people use it: eager, with the fused optimizer, which is its fastest here."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn.functional import cross_entropy

from race.cases import MOMENTUM, THREADS, Case, Parameters, parameters
from race.contenders import Predict
from race.digits import Digits

torch.set_num_threads(THREADS)


def network(weights: Parameters) -> Any:
    """Build Linear layers with ReLU between them, of these weights."""
    layers: list[Any] = []
    for W, b in weights:
        layer = torch.nn.Linear(*W.shape)
        layer.weight.data, layer.bias.data = torch.tensor(W.T.copy()), torch.tensor(b)
        layers += [layer, torch.nn.ReLU()]
    return torch.nn.Sequential(*layers[:-1])


class Trainer:
    """The data are tensors; a batch is gathered by its rows."""

    def __init__(self, case: Case, digits: Digits) -> None:
        x, x_test = digits.standardised(case.rows)
        self.case = case
        self.x, self.y, self.x_test = torch.tensor(x), torch.tensor(digits.y[: case.rows]), torch.tensor(x_test)
        self.net = network(parameters(case.widths))
        self.optimizer = torch.optim.SGD(self.net.parameters(), case.lr, momentum=MOMENTUM, fused=True)

    def epoch(self) -> None:
        """The loop of every tutorial."""
        for rows in torch.randperm(len(self.x)).split(self.case.batch):
            self.optimizer.zero_grad()
            with torch.autocast("cpu", torch.bfloat16, enabled=self.case.dtype == "bfloat16"):
                loss = cross_entropy(self.net(self.x[rows]), self.y[rows])
            loss.backward()
            self.optimizer.step()

    def labels(self) -> NDArray[np.int64]:
        """The classes with the highest scores."""
        with torch.inference_mode():
            return self.net(self.x_test).argmax(dim=1).numpy()


def predictor(weights: Parameters) -> Predict:
    """Tensors share memory with NumPy's arrays."""
    net = network(weights).eval()

    def predict(x: NDArray[np.float32]) -> NDArray[Any]:
        with torch.inference_mode():
            return net(torch.from_numpy(x)).numpy()

    return predict
