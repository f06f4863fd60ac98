"""MNIST: 70,000 handwritten digits (LeCun, Cortes and Burges 1998), in the IDX format of its authors."""

from __future__ import annotations

import math
import struct
from functools import partial

import numpy as np
from numpy.typing import NDArray

from glassnet.data.archive import Archive, gunzip
from glassnet.data.dataset import Dataset, Split, pixel_names
from glassnet.data.resolve import read

MIRRORS = (
    "https://storage.googleapis.com/cvdf-datasets/mnist/",
    "https://ossci-datasets.s3.amazonaws.com/mnist/",
)
SHAPE = (28, 28)
N_TRAIN = 50_000  # of the 60,000 in the training files; the others validate
UINT8 = 0x08  # IDX's code for unsigned bytes


def _archive(name: str, size: int, sha256: str) -> Archive:
    urls = tuple(f"{mirror}{name}.gz" for mirror in MIRRORS)
    return Archive(f"mnist/{name}.gz", urls, sha256, size, partial(gunzip, limit=size))


ARCHIVES = (
    _archive("train-images-idx3-ubyte", 47_040_016, "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db"),
    _archive("train-labels-idx1-ubyte", 60_008, "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5"),
    _archive("t10k-images-idx3-ubyte", 7_840_016, "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7"),
    _archive("t10k-labels-idx1-ubyte", 10_008, "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2"),
)


def parse_idx(content: bytes | bytearray) -> NDArray[np.uint8]:
    """Parse an IDX file of unsigned bytes into an array of the shape that its header gives.

    Format: two zero bytes, a type code, the number of dimensions, each dimension as a big-endian 32-bit integer,
    then the values, the last dimension fastest. Raises ValueError if the header or the length is wrong.
    """
    if len(content) < 4 or content[:2] != b"\0\0":
        raise ValueError("not an IDX file: it doesn't start with two zero bytes and a type")
    code, ndim = content[2], content[3]
    if code != UINT8:
        raise ValueError(f"an IDX file of type 0x{code:02x}; only unsigned bytes (0x08) are read")
    start = 4 + 4 * ndim
    if len(content) < start:
        raise ValueError(f"a truncated IDX file: {len(content)} bytes, its header alone takes {start}")
    shape = struct.unpack(f">{ndim}I", content[4:start])
    size = start + math.prod(shape)
    if len(content) != size:
        fault = "truncated" if len(content) < size else "overlong"
        raise ValueError(f"a {fault} IDX file: {len(content)} bytes, shape {shape} takes {size}")
    values = np.frombuffer(content, np.uint8, offset=start).reshape(shape)
    return values if values.flags.writeable else values.copy()


def load_mnist() -> Dataset:
    """Load MNIST: x uint8 (N, 784) white on black, y the digit.

    The first 50,000 of the 60,000 training images train, the last 10,000 validate, in file order; the test images
    are the 10,000 of the test files. Raises as `resolve.read`.
    """
    x, y, x_test, y_test = (parse_idx(read(archive)) for archive in ARCHIVES)
    x, x_test = x.reshape(len(x), -1), x_test.reshape(len(x_test), -1)
    y, y_test = y.astype(np.int64), y_test.astype(np.int64)
    return Dataset(
        name="mnist",
        train=Split(x[:N_TRAIN], y[:N_TRAIN]),
        val=Split(x[N_TRAIN:], y[N_TRAIN:]),
        test=Split(x_test, y_test),
        task="classification",
        classes=tuple("0123456789"),
        features=pixel_names(SHAPE),
        image_shape=SHAPE,
        target="digit",
    )
