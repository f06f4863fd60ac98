"""A digit from an image file, prepared like the images that a network was trained on."""

from __future__ import annotations

import math
import os
import warnings
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from glassnet.data.checks import require_file
from glassnet.extras import need

if TYPE_CHECKING:
    from PIL.Image import Image

BOX = 20 / 28  # share of the side that MNIST's digits fill
TIGHT = 20  # pixels; smaller images, such as scikit-learn's 8 x 8 digits, are filled without a margin
FAINTEST = 32  # grey levels between ink and paper; with fewer, a picture counts as blank
MOST = 1 << 26  # pixels of a picture: more than 8,000 x 8,000
ENOUGH = 1 << 22  # pixels; larger pictures are made smaller before anything is done with them
TEXTURE = 0.2  # share of the contrast; with less, a pixel is paper


def read_digit(path: str | os.PathLike[str], image_shape: tuple[int, int], maximum: int) -> NDArray[np.uint8]:
    """Read an image as one row (1, height * width) of bright ink, 0..`maximum`, on black.

    An image of exactly `image_shape` (height, width) is taken as it is. Any other is a photo or a drawing. It is
    prepared like MNIST's images (LeCun et al. 1998, "Gradient-based learning applied to document recognition"): dark
    ink on light paper is inverted, the digit is cropped, fitted into 20/28 of the image with its proportions kept, and
    its centre of mass is put into the middle. Images of less than 20 pixels a side are filled instead.
    Raises FileNotFoundError, or ValueError for a file that isn't a PNG or JPEG image, is blank, or is larger than 64
    million pixels. The size is read from the file's header, before any pixel.
    """
    grey = _grey(path)
    contrast = grey.max() - grey.min()
    exact = grey.shape == image_shape
    if contrast == 0 or (not exact and contrast < FAINTEST):
        raise ValueError(f"{path} is blank: there is no digit in it")
    ink = grey / 255 if exact else _centred(_fitted(_ink(grey), image_shape), image_shape)
    return np.rint(ink * maximum).astype(np.uint8).reshape(1, -1)


def _grey(path: str | os.PathLike[str]) -> NDArray[np.float64]:
    """Grey levels 0..255 (height, width). Transparent pixels are white."""
    need("data", "PIL")
    from PIL import Image, ImageOps

    path = require_file(path)
    try:
        # Formats are named: for others, such as PostScript, Pillow starts programs.
        with warnings.catch_warnings(action="ignore"), Image.open(path, formats=("PNG", "JPEG")) as file:
            if file.width * file.height <= MOST:
                return _levels(ImageOps.exif_transpose(file))
    except MemoryError:
        raise
    except Image.DecompressionBombError:  # Pillow's own limit is higher
        pass
    except Exception as error:  # Pillow's decoders raise many kinds of errors for damaged files
        raise ValueError(f"{path} can't be read as an image; give a PNG or JPEG file") from error
    raise ValueError(f"{path} has more than {MOST:,} pixels: make it smaller")


def _levels(image: Image) -> NDArray[np.float64]:
    from PIL import Image

    step = math.ceil(math.sqrt(image.width * image.height / ENOUGH))
    if image.mode.startswith("I"):  # 16 bits a pixel
        return np.asarray(image)[::step, ::step] / 257
    image = image.convert("RGBA").reduce(step)
    paper = Image.new("RGBA", image.size, "white")
    return np.asarray(Image.alpha_composite(paper, image).convert("L"), dtype=np.float64)


def _ink(grey: NDArray[np.float64]) -> NDArray[np.float64]:
    """How much ink a pixel holds, 0..1: its distance from the paper, whose level most of the border has."""
    paper = np.median(np.concatenate([grey[0], grey[-1], grey[:, 0], grey[:, -1]]))
    if paper > (grey.min() + grey.max()) / 2:
        grey, paper = 255 - grey, 255 - paper
    ink = np.clip((grey - paper) / (grey.max() - paper), 0, 1)
    return np.where(ink < TEXTURE, 0, ink)


def _fitted(ink: NDArray[np.float64], image_shape: tuple[int, int]) -> NDArray[np.float64]:
    """Crop to the ink and scale the crop so that it just fits into the box, the darkest ink being 1."""
    from PIL import Image

    rows, columns = np.flatnonzero(ink.any(axis=1)), np.flatnonzero(ink.any(axis=0))
    crop = ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    box = BOX if min(image_shape) >= TIGHT else 1
    scale = min(box * side / length for side, length in zip(image_shape, crop.shape, strict=True))
    height, width = (max(1, round(scale * length)) for length in crop.shape)
    image = Image.fromarray(crop.astype(np.float32))
    small = np.asarray(image.resize((width, height), Image.Resampling.BILINEAR), dtype=np.float64)
    return small / small.max()


def _centred(digit: NDArray[np.float64], image_shape: tuple[int, int]) -> NDArray[np.float64]:
    """Place the digit so that its centre of mass is the image's centre, as long as it stays inside."""
    image = np.zeros(image_shape)
    half = 0.0 if min(image_shape) >= TIGHT else 0.5  # MNIST's own centre lies half a pixel beyond the middle
    corner = []
    for axis, side in enumerate(image_shape):
        mass = digit.sum(axis=1 - axis)
        centre = np.average(np.arange(len(mass)), weights=mass)
        corner.append(int(np.clip(round(side / 2 - half - centre), 0, side - len(mass))))
    top, left = corner
    image[top : top + digit.shape[0], left : left + digit.shape[1]] = digit
    return image
