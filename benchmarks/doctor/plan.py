"""What gn.examine is asked about, before the network is built: a fault changes this."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import glassnet as gn

Half = Literal["tune", "held"]
HALVES: tuple[Half, Half] = ("tune", "held")


@dataclass
class Plan:
    """A training. `layers` are in no network yet; `weights`, if given, sets some by hand once they are."""

    data: gn.Dataset
    layers: list[gn.Layer]
    loss: gn.Loss
    optimizer: gn.Optimizer
    batch_size: int
    epochs: int
    seed: int
    weights: Callable[[gn.Network], None] | None = None

    def network(self) -> gn.Network:
        """Build the network; once only, for a layer can be in one network."""
        net = gn.Network(self.layers, seed=self.seed, threads=1)
        if self.weights is not None:
            self.weights(net)
        return net

    def train(self, net: gn.Network) -> None:
        """Train the network to the last epoch, as gn.examine does."""
        gn.fit(
            net,
            self.data,
            self.loss,
            self.optimizer,
            self.epochs,
            self.batch_size,
            seed=self.seed,
            restore_best=False,
        )

    @property
    def widths(self) -> tuple[int, int]:
        """Inputs and outputs of the trained layers."""
        return self.data.n_in, n_out(self.data, self.loss)

    def dense(self) -> list[int]:
        """The places of the Dense layers in `layers`."""
        return [i for i, layer in enumerate(self.layers) if isinstance(layer, gn.Dense)]

    def replace_trained(self, layers: Sequence[gn.Layer]) -> None:
        """Put other layers between the preprocessing and Unstandardize."""
        dense = self.dense()
        self.layers = [*self.layers[: dense[0]], *layers, *self.layers[dense[-1] + 1 :]]


@dataclass(frozen=True)
class Case:
    """A training whose diagnosis is known.

    kind: "healthy", or the fault. expected: the names of findings that are right, none for a healthy one.
    plan: makes it, anew at each call. twin: makes it without the fault.
    """

    id: str
    kind: str
    expected: tuple[str, ...]
    half: Half
    plan: Callable[[], Plan]
    twin: Callable[[], Plan]


def n_out(data: gn.Dataset, loss: gn.Loss) -> int:
    """Width of the outputs: two classes need one logit with BinaryCrossEntropy."""
    return 1 if isinstance(loss, gn.BinaryCrossEntropy) else data.n_out
