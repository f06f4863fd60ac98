"""Processes that train together: the ranks of MPI, on one machine or many."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cache
from typing import Any, NoReturn, Protocol, TypeVar

import numpy.typing as npt

from glassnet.extras import need
from glassnet.terminal import shown

SIZES = ("OMPI_COMM_WORLD_SIZE", "PMI_SIZE")  # what Open MPI and MPICH tell a process that mpiexec has started
PATIENCE = 2.0  # seconds for the first rank to speak
SMALL = 1 << 14  # bytes that are sent whole: it is the delay that counts

Array = npt.NDArray[Any]
Result = TypeVar("Result")


class Communicator(Protocol):
    """The part of an mpi4py communicator that is used."""

    def Get_rank(self) -> int: ...  # noqa: N802, D102
    def Get_size(self) -> int: ...  # noqa: N802, D102
    def Sendrecv(self, sendbuf: Any, dest: int, *, recvbuf: Any, source: int) -> None: ...  # noqa: N802, D102
    def allgather(self, sendobj: Any) -> list[Any]: ...  # noqa: D102
    def Abort(self, errorcode: int) -> None: ...  # noqa: N802, D102


class Ranks:
    """All ranks of a communicator, seen by one of them; without one, this process alone.

    shared: whether it trains as ranks do, to the same bits, even if it is the only one.
    """

    def __init__(self, comm: Communicator | None = None, shared: bool | None = None) -> None:
        self.comm = comm
        self.shared: bool = comm is not None if shared is None else shared
        self.rank: int = 0 if comm is None else comm.Get_rank()
        self.size: int = 1 if comm is None else comm.Get_size()
        self.errors: int = 2  # the number of the file for the last line

    def add_up(self, a: Array, spare: Array) -> None:
        """Replace the vector a (n,) by its sum over all ranks, in place; spare (n,) is overwritten.

        The sum is that of a binary tree, whose lowest nodes are pairs of neighbours. a + b has the same bits as b + a,
        so all ranks come to the same ones. Of a large vector each rank adds a part, and gets the others back: by
        halving and doubling, as Thakur et al. 2005 describe (Int. J. High Perform. Comput. Appl. 19:49-66, section
        4.4). The number of ranks must be a power of two.
        """
        comm, parts, mine, distance = self.comm, [], slice(0, len(a)), 1
        while comm is not None and distance < self.size:
            partner, theirs = self.rank ^ distance, mine
            if a.nbytes > SMALL:
                middle = (mine.start + mine.stop) // 2
                halves = slice(mine.start, middle), slice(middle, mine.stop)
                mine, theirs = halves if self.rank < partner else halves[::-1]
                parts.append((partner, mine, theirs))
            comm.Sendrecv(a[theirs], partner, recvbuf=spare[mine], source=partner)
            a[mine] += spare[mine]
            distance *= 2
        for partner, mine, theirs in reversed(parts):
            assert comm is not None
            comm.Sendrecv(a[mine], partner, recvbuf=a[theirs], source=partner)

    def share(self, n: int, block: int) -> slice:
        """Return which of n rows are this rank's: whole blocks of so many."""
        blocks = -(-n // block)
        return slice(self.rank * blocks // self.size * block, (self.rank + 1) * blocks // self.size * block)

    def of_all(self, work: Callable[[], Result]) -> list[Result]:
        """Do the work on each rank, and return all results. If it fails on one, raise its ValueError on all."""
        if self.comm is None:
            return [work()]
        fault = result = None
        try:
            result = work()
        except Exception as error:
            fault = error
        found = self.comm.allgather((result, fault))
        for rank, (_, each) in enumerate(found):
            if each is not None:
                raise each if rank == self.rank else ValueError(f"rank {rank}: {each}")
        return [each for each, _ in found]

    def of_first(self, work: Callable[[], Result]) -> Result:
        """Do the work on rank 0, and return its result on all. If it fails, all raise ValueError."""
        return self.of_all(lambda: work() if self.rank == 0 else None)[0]  # type: ignore[return-value]

    def require_equal(self, mine: str, what: str) -> None:
        """Raise ValueError on all ranks unless all say the same."""
        said = self.of_all(lambda: mine)
        other = next((rank for rank, each in enumerate(said) if each != said[0]), None)
        if other is not None:
            raise ValueError(f"rank {other} has other {what} than rank 0: all ranks must have the same")

    @contextmanager
    def together(self) -> Iterator[None]:
        """Let an error in the block end all ranks, as the others would wait for this one for ever.

        An ArithmeticError is passed on: the numbers are alike on all ranks, so all raise it. So is Ctrl-C: mpiexec
        sends it to all.
        """
        try:
            yield
        except (ArithmeticError, KeyboardInterrupt):
            raise
        except BaseException as error:
            if self.size > 1:
                self.abort(f"{'' if isinstance(error, ValueError) else type(error).__name__ + ': '}{error}")
            raise

    def abort(self, line: str) -> NoReturn:
        """Print a line and end all ranks. What all find at the same time, the first one says."""
        if self.rank:
            time.sleep(PATIENCE)
        where = f" (rank {self.rank} of {self.size})" if self.rank else ""
        with suppress(OSError):
            os.write(self.errors, (shown(f"glassnet: {' '.join(line.split())}{where}") + "\n").encode())
        assert self.comm is not None
        self.comm.Abort(2)
        os._exit(2)  # MPICH's returns

    def mute(self) -> None:
        """Let nothing more be printed by this process but the line of `abort`."""
        self.errors = os.dup(2)
        with open(os.devnull, "w") as nothing:  # noqa: PTH123
            os.dup2(nothing.fileno(), 1)
            os.dup2(nothing.fileno(), 2)

    def finish(self) -> None:
        """End MPI, which waits for all ranks: a process that ends at once must."""
        if self.size > 1:
            from mpi4py import MPI

            MPI.Finalize()


def require_power(what: str, number: int) -> None:
    """Raise ValueError unless a number is a power of two."""
    if number < 1 or number & (number - 1):
        raise ValueError(f"{what} must be a power of two, such as 1, 2, 4 or 8, not {number}")


@cache
def world() -> Ranks:
    """Return the ranks that mpiexec has started. MPI is imported only then: the environment says so.

    Raises NotInstalledError without mpi4py, ValueError if its MPI isn't that of mpiexec.
    """
    names = (*SIZES, "SLURM_STEP_NUM_TASKS") if "PMIX_RANK" in os.environ else SIZES  # srun --mpi=pmix says so
    started = next((int(value) for name in names if (value := os.environ.get(name, "")).isdigit()), 0)
    if started < 2:
        return Ranks(shared=started == 1)
    need("mpi", "mpi4py")
    os.environ.setdefault("OMPI_MCA_mpi_yield_when_idle", "1")  # a rank that waits leaves its core to others
    from mpi4py import MPI

    ranks = Ranks(MPI.COMM_WORLD)
    if ranks.size != started:
        raise ValueError(
            f"mpiexec has started {started} processes, but mpi4py sees {ranks.size}: take the mpiexec of the MPI that"
            " mpi4py was built for"
        )
    return ranks
