"""A kind of network that a pack trains: what it makes of a row, how large it is, and for how long it trains."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from glassnet import nn

NOISE = 1e-3  # in standard deviations, before quantiles are taken: it spreads frequent values out
DIM = 8  # trained values for a number, and for a category
BINS = 32


@dataclass(frozen=True)
class Candidate:
    """Plain hidden layers of ReLU and dropout over embedded columns, trained by AdamW in cycles.

    inputs: "quantiles", the values' ranks as normal numbers, or "robust", their distance from the median.
    width, depth: of the hidden layers. ends: after how many epochs a cycle ends, whose learning rate falls from `lr`
    to 0 in a straight line; the network as it is at each end may take part in the mixture.
    """

    name: str
    inputs: str = "quantiles"
    width: int = 128
    depth: int = 2
    dropout: float = 0.1
    weight_decay: float = 0.02
    lr: float = 3e-3
    ends: tuple[int, ...] = (8, 24, 80)

    def preprocessing(self, columns: dict[str, Any]) -> list[nn.Layer]:
        """Return the layers that prepare rows; columns: the arguments of a first layer Columns, if there is one."""
        scaled = nn.QuantileNormalize(noise=NOISE) if self.inputs == "quantiles" else nn.RobustScale()
        return [*([nn.Columns(**columns)] if columns else []), scaled]

    def trained(self, columns: dict[str, Any], n_in: int, n_out: int) -> list[nn.Layer]:
        """Return the layers after them, for rows of n_in columns and n_out outputs."""
        first = nn.Columns(**columns) if columns else None
        numbers = n_in if first is None else len(first.numbers)
        width = n_in if first is None else first.width_out(None)
        categories = [] if first is None else [n for n in first.categories if n]
        layers: list[nn.Layer] = []
        if categories:  # whatever the layers before made of 0 and 1, this takes back
            layers.append(nn.CategoryEmbedding(categories, DIM, plain=width - sum(categories)))
            width = layers[-1].width_out(width) or width
        if numbers:
            layers.append(nn.PiecewiseLinear(numbers, DIM, BINS, plain=width - numbers, distinct=True))
            width = layers[-1].width_out(width) or width
        for _ in range(self.depth):
            layers += [nn.Dense(width, self.width), nn.ReLU(), nn.Dropout(self.dropout)]
            width = self.width
        return [*layers, nn.Dense(width, n_out)]


CANDIDATES = (
    Candidate("plain"),
    Candidate("held", dropout=0.4, weight_decay=0.2),
    Candidate("robust", inputs="robust"),
)
