"""New examples from old: images turned, stretched, slanted, moved and bent at random."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from glassnet.checks import number, positive
from glassnet.configured import Stateless

Array = NDArray[Any]


class Augmentation(Stateless):
    """Makes new rows from a batch's rows. Training uses them instead. They keep their targets."""

    def __call__(self, x: Array, shape: tuple[int, int], rng: np.random.Generator) -> Array:
        """Return an array like x (m, height * width), images of `shape` (height, width), drawing from rng alone."""
        raise TypeError(f"{type(self).__name__} makes no rows: an augmentation defines __call__")


class Distortions(Augmentation):
    """Affine and elastic distortions, drawn anew for each image each time it is used.

    Each number is drawn evenly from -limit to limit. These are the limits: rotation, the angle in degrees; scale, the
    factor of height and of width, minus 1; shear, the slant in columns per row; translation, the shift in either
    direction in pixels.
    alpha, sigma: each pixel is moved by `alpha` times noise, even in -1..1, smoothed by a Gaussian of `sigma` pixels.
    That is a shift of alpha / (sqrt(3) * 2 * sqrt(pi) * sigma) pixels (root mean square, per direction). Simard et al.
    2003 ("Best practices for convolutional neural networks", section 2; alpha 34, sigma 4); Ciresan et al. 2010
    (arXiv:1003.0358, section 2).

    Pixels are found by bilinear interpolation, 0 outside of the image; uint8 is rounded to uint8.
    Raises ValueError for a limit below 0, a scale of 1 or more, or a sigma that isn't above 0.
    """

    def __init__(
        self,
        rotation: float = 0.0,
        scale: float = 0.0,
        shear: float = 0.0,
        translation: float = 0.0,
        alpha: float = 0.0,
        sigma: float = 4.0,
    ) -> None:
        self.rotation: float = number(rotation, "Distortions: rotation", low=0)
        self.scale: float = number(scale, "Distortions: scale", low=0, below=1)
        self.shear: float = number(shear, "Distortions: shear", low=0)
        self.translation: float = number(translation, "Distortions: translation", low=0)
        self.alpha: float = number(alpha, "Distortions: alpha", low=0)
        self.sigma: float = positive(sigma, "Distortions: sigma")

    def __call__(self, x: Array, shape: tuple[int, int], rng: np.random.Generator) -> Array:
        """Return distorted copies of images x (m, height * width)."""
        maps, noise = self.draw(len(x), shape, rng)
        shifts = None
        if noise is not None:
            down, across = self.smoothing(shape)
            shifts = np.matmul(np.matmul(down, noise), across)
        return warp(x.reshape(-1, *shape), maps, shifts).reshape(x.shape)

    def draw(self, n: int, shape: tuple[int, int], rng: np.random.Generator) -> tuple[Array, Array | None]:
        """Draw the numbers for n images: maps (n, 2, 3) for `warp`, and noise (n, 2, height, width) in -0.5..0.5.

        A pixel's place in the new image, by row and column from the middle, comes from A (place - shift) in the old
        one: A turns, then slants, then stretches.
        """
        angle, vertical, horizontal, slant, down, right = rng.uniform(-1, 1, (6, n))
        angle *= math.radians(self.rotation)
        cos, sin = np.cos(angle), np.sin(angle)
        slant *= self.shear
        A = np.array([[cos, sin], [slant * cos - sin, slant * sin + cos]]).transpose(2, 0, 1)
        A /= 1 + self.scale * np.stack([vertical, horizontal], axis=1)[:, :, None]
        middle = (np.array(shape) - 1) / 2
        shift = self.translation * np.stack([down, right], axis=1)
        maps = np.concatenate([A, (middle - np.einsum("nij,nj->ni", A, middle + shift))[:, :, None]], axis=2)
        maps = np.ascontiguousarray(maps, np.float32)
        if not self.alpha:
            return maps, None
        noise = rng.random((n, 2, *shape), dtype=np.float32)
        noise -= 0.5
        return maps, noise

    def smoothing(self, shape: tuple[int, int]) -> tuple[Array, Array]:
        """Return S (height, height) and T (width, width): S noise T is how far each pixel is moved.

        At an edge a part of the Gaussian is missing. The rest is scaled up to the same sum of squares, so that pixels
        there are moved as far as in the middle.
        """
        found = []
        for size in shape:
            distance = np.arange(size)[:, None] - np.arange(size)
            S = np.exp(-0.5 * (distance / self.sigma) ** 2)
            S *= np.sqrt(1 / (2 * math.sqrt(math.pi) * self.sigma) / np.square(S).sum(axis=1, keepdims=True))
            found.append(S)
        down, across = found[0], np.ascontiguousarray(found[1].T)
        return (2 * self.alpha * down).astype(np.float32), across.astype(np.float32)


def warp(images: Array, maps: Array, shifts: Array | None = None) -> Array:
    """Take each pixel of new images from another place: from maps @ (row, column, 1), plus shifts.

    images (n, height, width), maps (n, 2, 3), shifts (n, 2, height, width) or None, in pixels.
    """
    n, height, width = images.shape
    row, column = np.arange(height, dtype=np.float32)[:, None], np.arange(width, dtype=np.float32)
    places = []
    for axis, size in enumerate((height, width)):
        a, b, c = maps[:, axis, :, None, None].transpose(1, 0, 2, 3)
        place = a * row + (b * column + c)
        if shifts is not None:
            place += shifts[:, axis]
        places.append(np.clip(place, -1, size))  # pixels farther outside are as dark as the border's neighbour
    padded = np.zeros((n, height + 3, width + 3), np.float32)
    padded[:, 1:-2, 1:-2] = images
    (top, y), (left, x) = ((whole := np.floor(place), place - whole) for place in places)
    corner = (top.astype(np.int32) + 1) * (width + 3) + left.astype(np.int32) + 1
    corner += np.arange(n, dtype=np.int32)[:, None, None] * padded[0].size
    flat = padded.ravel()
    above = flat.take(corner)
    above += x * (flat.take(corner + 1) - above)
    corner += width + 3
    below = flat.take(corner)
    below += x * (flat.take(corner + 1) - below)
    above += y * (below - above)
    return np.rint(above).astype(images.dtype) if images.dtype.kind in "iu" else above.astype(images.dtype)
