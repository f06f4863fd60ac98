"""The fast path: layers, losses and optimizers once more, in C, from the wheel or compiled at the first use.

    c/            the kernels: matrix products in register tiles, layers, losses, optimizers, threads
    loading.py    which kernels are used, and the warning if there are none
    shipped.py    those that came with the wheel
    compiling.py  finds a C compiler, compiles c/ once per machine and number type, keeps it in the user's cache
    library.py    opens either        flags.py      what compilers are told
    structures.py the structures of c/, compared with the library's when it is loaded
    kernels.py    the layers, losses and optimizers that have a kernel, and its facts
    preparing.py  the layers that take raw rows, as steps before a program
    program.py    a network as a program: which kernel for which layer, and the memory it works in
    training.py   a training step
    inference.py  what Network.predict and Ensemble.predict call
    threads.py    how many threads

The readable layers are the reference. They compute any network that isn't covered here (`uncovered` says why).
"""

from glassnet.fast.inference import FastEngine
from glassnet.fast.loading import missing, tell_slow
from glassnet.fast.program import uncovered
from glassnet.fast.training import EachStep, FastStep, ReadyRows

__all__ = ["EachStep", "FastEngine", "FastStep", "ReadyRows", "missing", "tell_slow", "uncovered"]
