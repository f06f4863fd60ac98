"""Calls of the kernels as a file, for systems without this Python: the memory before a call, and what it is to give.

    python tests/windows/record.py float32.calls

replay.c reads it. A call is written in whole numbers of 8 bytes: the function's place in FUNCTIONS, the bytes of a
real, and how many blocks of memory, pointers, arguments and results follow. A block is its address here, its size and
its bytes. A pointer is an address at which one stands. A result is an address, its size, and the bytes that must be
there after the call. The last number is what the function returns, a double.
"""

from __future__ import annotations

import ctypes
import struct
import sys
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

import glassnet as gn
from glassnet.fast.training import FastStep
from glassnet.nn.selfcheck import Case, cases

FUNCTIONS = ["train", "infer"]
THREADS = 8  # at most
ROWS = 4  # of the cases of the gradient check
# Where a gradient is 0 but for rounding, as in front of BatchNorm, Adam with a small eps makes a step of the rounding.
OPTIMIZERS = [lambda: gn.SGD(0.01, momentum=0.9), lambda: gn.AdamW(0.01, eps=0.1), lambda: gn.Adam(0.01, eps=0.1)]
Memory = dict[int, bytes]  # by address


def reachable(thing: object, seen: set[int]) -> Iterator[np.ndarray | ctypes.Structure | ctypes.Array[Any]]:
    """The arrays and C structures that an object holds on to."""
    if id(thing) in seen or isinstance(thing, str | bytes | type | ctypes.CDLL):
        return
    seen.add(id(thing))
    if isinstance(thing, np.ndarray | ctypes.Structure | ctypes.Array):
        yield thing
    elif isinstance(thing, dict):
        for value in list(thing.values()):
            yield from reachable(value, seen)
    elif isinstance(thing, list | tuple | set):
        for value in thing:
            yield from reachable(value, seen)
    elif hasattr(thing, "__dict__"):
        yield from reachable(vars(thing), seen)


def memory(*things: object) -> tuple[Memory, list[int]]:
    """The memory that objects hold on to, without overlaps, and the addresses in it at which pointers stand."""
    spans, structures = [], []
    for each in reachable(things, set()):
        if isinstance(each, np.ndarray):
            if each.dtype.kind in "fiub" and each.size and each.flags.c_contiguous:
                spans.append((each.ctypes.data, each.nbytes))
        else:
            spans.append((ctypes.addressof(each), ctypes.sizeof(each)))
            structures.append(spans[-1])
    found: list[list[int]] = []
    for begin, size in sorted(spans):
        if found and begin < found[-1][1]:
            found[-1][1] = max(found[-1][1], begin + size)
        else:
            found.append([begin, begin + size])
    whole = {begin: ctypes.string_at(begin, end - begin) for begin, end in found}
    words = {place for begin, size in structures for place in range(begin, begin + size, 8)}
    pointers = [p for p in sorted(words) if _inside(whole, *struct.unpack("<q", ctypes.string_at(p, 8)))]
    return whole, pointers


def _inside(whole: Memory, address: int) -> bool:
    return any(begin <= address < begin + len(content) for begin, content in whole.items())


class Recorder:
    """Writes calls to a file."""

    def __init__(self, file: BinaryIO) -> None:
        self.file = file
        self.calls = 0

    def numbers(self, *numbers: int) -> None:
        self.file.write(struct.pack(f"<{len(numbers)}q", *numbers))

    def record(
        self, name: str, function: Callable[..., Any], result: np.ndarray, *arguments: int, held: object
    ) -> None:
        """Call a function with THREADS threads, its last argument, and write down what was there and what came."""
        before, pointers = memory(held)
        for a in arguments:
            assert abs(a) < 1 << 20 or _inside(before, a), f"an argument of {name} lies in memory that isn't known"
        returned = function(*arguments, THREADS) or 0.0
        self.numbers(FUNCTIONS.index(name), result.itemsize, len(before), len(pointers), len(arguments))
        for begin, content in before.items():
            self.numbers(begin, len(content))
            self.file.write(content)
        self.numbers(*pointers, *arguments, result.ctypes.data, result.nbytes)
        self.file.write(result.tobytes() + struct.pack("<d", returned))
        self.calls += 1


def chosen() -> list[Case]:
    """A case of the gradient check for each layer in each setting, and for each loss."""
    found = {}
    for case in cases():
        if case.training and len(case.x) == ROWS:
            found.setdefault(repr(case.net.layers), case)
            found.setdefault(repr(case.loss) + case.t.dtype.name, case)
    return list({id(case): case for case in found.values()}.values())


def record(path: Path, dtype: str) -> int:
    """Write a training step and a prediction of a network for each layer and each loss, and of larger ones."""
    with path.open("wb") as file:
        recorder = Recorder(file)
        for number, case in enumerate(chosen()):
            net = case.net.copy(dtype)
            record_network(recorder, net, case.x, case.t, case.loss, OPTIMIZERS[number % len(OPTIMIZERS)]())
        rng = np.random.default_rng(0)
        for sizes, rows in (((20, 32, 4), 100), ((30, 200, 150, 7), 300)):
            layers = [layer for a, b in pairwise(sizes) for layer in (gn.Dense(a, b), gn.BatchNorm(b), gn.ReLU())][:-2]
            net = gn.Network([gn.Standardize(), *layers], dtype)
            x = rng.normal(size=(rows, sizes[0]))
            net.fit_preprocessing(x)
            t = rng.integers(sizes[-1], size=rows)
            record_network(recorder, net, x, t, gn.CrossEntropy(), gn.SGD(0.1, momentum=0.9))
        return recorder.calls


def record_network(
    recorder: Recorder, net: gn.Network, x: np.ndarray, t: np.ndarray, loss: gn.Loss, optimizer: gn.Optimizer
) -> None:
    """Write a training step and a prediction of a network, if there are kernels for it."""
    net.threads, n = THREADS, len(x)
    x = x.astype(net.dtype)
    if FastStep.uncovered(net, loss, optimizer) is None:
        step = FastStep(net, x, t, loss, optimizer, n)
        step(np.arange(n), 1.0)  # so that the optimizer has a memory
        places = (ctypes.addressof(step.program.c), step.rows_address, 0, 0, n)
        recorder.record("train", step.train, net.theta, *places, held=[step, net])
    net.predict(x[:1])
    for inference in net.compiled:
        record_inference(recorder, inference, np.concatenate([x] * 5))


def record_inference(recorder: Recorder, inference: Any, x: np.ndarray) -> None:
    """Write the call that a prediction of rows x makes."""
    function, called = inference.infer, []

    def infer(*arguments: Any) -> None:
        y = sys._getframe(1).f_locals.get("y", inference.y)  # many rows have an array of their own
        called.extend([y, ctypes.addressof(arguments[0]._obj), *arguments[1:-1]])

    inference.infer = infer
    inference(x, prepared=False)
    y, *places = called
    recorder.record("infer", function, y, *places, held=[inference, x, y])


if __name__ == "__main__":
    for name in sys.argv[1:]:
        print(name, record(Path(name), Path(name).stem), "calls")
