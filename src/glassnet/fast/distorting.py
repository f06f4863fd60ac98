"""Distortions of images by the kernels: the arithmetic of data/augmentation.py, with the same random numbers."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from glassnet.data.augmentation import Augmentation, Distortions
from glassnet.fast.library import NoKernelsError
from glassnet.fast.loading import load_kernels
from glassnet.memory import address, aligned_zeros
from glassnet.nn.layer import Array

Augment = Callable[[Array, tuple[int, int], np.random.Generator], Array]


def compiled(augmentation: Augmentation, x: Array, shape: tuple[int, int]) -> Augment | None:
    """Return a kernel for an augmentation of rows like x, images of `shape`; None if there is none."""
    library = load_kernels(np.dtype(np.float32))
    if type(augmentation) is not Distortions or x.dtype != np.uint8 or isinstance(library, NoKernelsError):
        return None
    height, width = shape
    down, across = augmentation.smoothing(shape)
    memory = aligned_zeros((int(library.distortion_memory(height, width)),), np.dtype(np.float32))

    def distort(images: Array, shape: tuple[int, int], rng: np.random.Generator) -> Array:
        images = np.ascontiguousarray(images)
        maps, noise = augmentation.draw(len(images), shape, rng)
        made = np.empty_like(images)
        library.distort(
            address(images),
            address(maps),
            None if noise is None else address(noise),
            address(down),
            address(across),
            len(images),
            height,
            width,
            address(memory),
            address(made),
        )
        return made

    return distort
