"""Ranks that train together: the same bits for any number of them. Threads stand in for the processes of MPI."""

from __future__ import annotations

import pickle
import threading
from collections.abc import Callable
from dataclasses import replace
from queue import SimpleQueue
from typing import Any, NoReturn

import numpy as np
import pytest

import glassnet as gn
from glassnet.fast import FastStep
from glassnet.pack import Candidate, fit_pack
from glassnet.ranks import Ranks
from glassnet.train.shards import TRIALS, Overlap, settle_shards, shards_of
from glassnet.train.step import training_step

rng = np.random.default_rng(0)
X = rng.normal(size=(210, 5)).astype(np.float32)
CLASSES = gn.Dataset.from_arrays(X, (X[:, 0] + X[:, 1] ** 2 > 1).astype(int))
VALUES = gn.Dataset.from_arrays(X, X[:, 0] * X[:, 1] + 3)


class World:
    """What the ranks share."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.sent: dict[tuple[int, int], SimpleQueue[Any]] = {
            (a, b): SimpleQueue() for a in range(size) for b in range(size)
        }
        self.barrier = threading.Barrier(size)
        self.gathered: list[Any] = [None] * size


class Comm:
    """One rank's communicator, as mpi4py's."""

    def __init__(self, world: World, rank: int) -> None:
        self.world, self.rank = world, rank

    def Get_rank(self) -> int:  # noqa: N802
        return self.rank

    def Get_size(self) -> int:  # noqa: N802
        return self.world.size

    def Sendrecv(self, sendbuf: Any, dest: int, *, recvbuf: Any, source: int) -> None:  # noqa: N802
        self.world.sent[self.rank, dest].put(sendbuf.copy())
        recvbuf[...] = self.world.sent[source, self.rank].get(timeout=60)

    def allgather(self, sendobj: Any) -> list[Any]:
        self.world.gathered[self.rank] = sendobj
        self.world.barrier.wait(60)
        gathered = pickle.loads(pickle.dumps(self.world.gathered))
        self.world.barrier.wait(60)
        return gathered

    def Abort(self, errorcode: int) -> NoReturn:  # noqa: N802
        self.world.barrier.abort()
        raise SystemExit(errorcode)


def on_ranks(size: int, work: Callable[[Comm], Any]) -> list[Any]:
    """What each rank comes to: a result, or an error."""
    world, found = World(size), [None] * size

    def run(rank: int) -> None:
        try:
            found[rank] = work(Comm(world, rank))
        except BaseException as error:  # SystemExit, too, which ends a process
            found[rank] = error

    threads = [threading.Thread(target=run, args=(rank,)) for rank in range(size)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found


@pytest.mark.parametrize("size", [1, 2, 4, 8])
@pytest.mark.parametrize("n", [1, 7, 5001])
def test_a_sum_over_ranks_is_that_of_one_tree(size: int, n: int) -> None:
    vectors = np.random.default_rng(n).normal(size=(8, n)).astype(np.float32) * 10.0 ** np.arange(8)[:, None]
    tree = vectors.astype(np.float32)
    whole = tree
    while len(whole) > 1:
        whole = whole[::2] + whole[1::2]

    def add(comm: Comm) -> np.ndarray:
        own = tree[comm.rank * 8 // size : (comm.rank + 1) * 8 // size]
        while len(own) > 1:
            own = own[::2] + own[1::2]
        total = own[0].copy()
        Ranks(comm).add_up(total, np.empty_like(total))
        return total

    for total in on_ranks(size, add):
        assert total.tobytes() == whole[0].tobytes()


NETWORKS: dict[str, Callable[[bool], gn.Network]] = {
    "dropout": lambda fast: gn.Network(
        [gn.Standardize(), gn.Dense(5, 16), gn.ReLU(), gn.Dropout(0.3), gn.Dense(16, 2)], fast=fast
    ),
    "batch norm": lambda fast: gn.Network(
        [
            gn.Dense(5, 16),
            gn.BatchNorm(16),
            gn.GELU(),
            gn.Dropout(0.2),
            gn.Dense(16, 8),
            gn.BatchNorm(8),
            gn.Dense(8, 2),
        ],
        fast=fast,
    ),
    "layer norm": lambda fast: gn.Network(
        [gn.Dense(5, 16), gn.LayerNorm(16), gn.SiLU(), gn.Dense(16, 2)], dtype="float64", fast=fast
    ),
    "noise": lambda fast: gn.Network(
        [gn.Standardize(), gn.Dense(5, 16), gn.GaussianNoise(0.2), gn.Tanh(), gn.Dense(16, 2)], fast=fast
    ),
    "wide": lambda fast: gn.Network(
        [gn.Standardize(), gn.Dense(5, 300, max_norm=1.0), gn.ReLU(), gn.Dense(300, 30), gn.ReLU(), gn.Dense(30, 2)],
        fast=fast,
    ),
    "linear": lambda fast: gn.Network([gn.Standardize(), gn.Dense(5, 2)], fast=fast),
}
OPTIMIZERS: dict[str, Callable[[], gn.Optimizer]] = {
    "SGD": lambda: gn.SGD(0.1, momentum=0.9, nesterov=True, clip_norm=0.5),
    "Adam": lambda: gn.Adam(0.01, l2=1e-3, clip_norm=0.2),
    "AdamW": lambda: gn.AdamW(0.01),
}


def trained(comm: Comm | None, network: str, optimizer: str, fast: bool, **settings: Any) -> tuple[bytes, ...]:
    """The bits of the weights, the running statistics and the course."""
    net = NETWORKS[network](fast)
    settings = {"epochs": 2, "batch_size": 50, "shards": 4, "average": gn.EMA(0.9), "comm": comm} | settings
    history = gn.fit(net, CLASSES, gn.CrossEntropy(), OPTIMIZERS[optimizer](), **settings)
    return net.theta.tobytes(), *(a.tobytes() for a in net.state().values()), repr(history.step_loss).encode()


@pytest.mark.parametrize("fast", [True, False])
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("network", NETWORKS)
def test_any_number_of_ranks_trains_to_the_same_bits(network: str, optimizer: str, fast: bool) -> None:
    alone = trained(None, network, optimizer, fast)
    for size in (1, 2, 4):
        assert on_ranks(size, lambda comm: trained(comm, network, optimizer, fast)) == [alone] * size


def test_shards_change_nothing_but_rounding() -> None:
    whole, parts = gn.Network([gn.Dense(5, 8), gn.ReLU(), gn.Dense(8, 1)]), []
    gn.fit(whole, VALUES, gn.MSE(), gn.SGD(0.01), epochs=2)
    for shards in (1, 2, 16, 256):  # at last most have no row
        net = gn.Network([gn.Dense(5, 8), gn.ReLU(), gn.Dense(8, 1)])
        gn.fit(net, VALUES, gn.MSE(), gn.SGD(0.01), epochs=2, shards=shards)
        parts.append(net.theta)
    np.testing.assert_allclose(parts, np.broadcast_to(whole.theta, (4, whole.theta.size)), rtol=1e-4, atol=1e-6)


def test_a_rank_with_many_shards_sums_them_in_the_same_tree() -> None:
    alone = trained(None, "batch norm", "AdamW", True, shards=32)
    for size in (2, 8):
        assert on_ranks(size, lambda comm: trained(comm, "batch norm", "AdamW", True, shards=32)) == [alone] * size


@pytest.mark.parametrize("fast", [True, False])
def test_messages_that_travel_while_a_gradient_is_found_change_no_bit(
    monkeypatch: pytest.MonkeyPatch, fast: bool
) -> None:
    monkeypatch.setattr("glassnet.fast.training.PART", 1)  # a message for each layer
    alone = trained(None, "batch norm", "AdamW", fast, shards=8)
    monkeypatch.setattr(
        "glassnet.train.shards.Overlap.wanted", property(lambda way: True, lambda way, value: None), raising=False
    )
    for size in (1, 2, 8):
        assert on_ranks(size, lambda comm: trained(comm, "batch norm", "AdamW", fast, shards=8)) == [alone] * size


def test_ranks_agree_on_the_faster_way() -> None:
    def choose(comm: Comm) -> list[bool]:
        way, ways = Overlap(Ranks(comm)), []
        for _ in range(2 * TRIALS):
            ways.append(way.wanted)
            way.took([1.0, 1.5, 0.4][way.wanted * (1 + comm.rank)])  # the other way takes 1.5 and 0.4
        return [*ways, way.wanted]

    assert on_ranks(2, choose) == [[*[False, True] * TRIALS, True]] * 2


@pytest.mark.parametrize("fast", [True, False])
def test_ranks_share_the_validation_rows(fast: bool) -> None:
    n = 5000
    x = np.random.default_rng(1).normal(size=(n, 5)).astype(np.float32)
    rows = gn.Split(x, (x[:, 0] > x[:, 1] ** 2).astype(int))
    data = replace(CLASSES, train=rows, val=rows)

    def course(comm: Comm | None) -> str:
        net = gn.Network([gn.Dense(5, 16), gn.ReLU(), gn.Dense(16, 2)], fast=fast)
        history = gn.fit(net, data, gn.CrossEntropy(), gn.SGD(0.1), epochs=2, batch_size=500, shards=4, comm=comm)
        return repr([history["val_loss"], history["val_accuracy"]])

    shares = [Ranks(Comm(World(4), rank)).share(n, 1024) for rank in range(4)]
    assert [x[share].shape[0] for share in shares] == [1024, 1024, 1024, 1928]
    alone = course(None)
    for size in (2, 4):
        assert on_ranks(size, course) == [alone] * size


def test_parts_of_a_gradient_are_there_one_after_the_other_from_the_last_layer_on() -> None:
    net = gn.Network([gn.Standardize(), gn.Dense(5, 300), gn.ReLU(), gn.Dense(300, 300), gn.ReLU(), gn.Dense(300, 2)])
    net.fit_preprocessing(X, CLASSES.train.y)
    step = training_step(net, X, CLASSES.train.y, gn.CrossEntropy(), gn.SGD(0.1), 64)
    last, first = (1500 + 300, net.theta.size), (0, 1500 + 300)
    parts = [last, first] if isinstance(step, FastStep) else [(0, net.theta.size)]
    assert [(part.start, part.stop) for part in step.parts] == parts
    assert not any(step.has(part) for part in step.parts)


def test_a_training_goes_on_with_another_number_of_ranks(tmp_path: Any) -> None:
    class Kill(gn.Callback):
        def on_epoch(self, run: gn.Training) -> None:
            if len(run.history) == 2:
                raise ArithmeticError

    unbroken = trained(None, "batch norm", "AdamW", True, epochs=4)
    path = tmp_path / "checkpoint.safetensors"
    callbacks = [gn.Checkpoint(path), Kill()]
    on_ranks(4, lambda comm: trained(comm, "batch norm", "AdamW", True, epochs=4, callbacks=callbacks))
    for size in (1, 2, 4):
        assert on_ranks(size, lambda comm: trained(comm, "batch norm", "AdamW", True, epochs=4, resume=path)) == (
            [unbroken] * size
        )


def test_one_rank_that_wants_to_stop_stops_all() -> None:
    class Stop(gn.Callback):
        def on_epoch(self, run: gn.Training) -> None:
            run.stop = run.ranks.rank == 1

    found = on_ranks(2, lambda comm: trained(comm, "linear", "SGD", True, epochs=5, callbacks=[Stop()]))
    assert found == [trained(None, "linear", "SGD", True, epochs=1)] * 2


def test_ranks_that_differ_are_told_before_anything_is_trained() -> None:
    def seeds(comm: Comm) -> None:
        trained(comm, "linear", "SGD", True, seed=comm.rank)

    for error in on_ranks(2, seeds):
        assert (
            str(error) == "rank 1 has other settings, data or initial weights than rank 0: all ranks must have the same"
        )


def test_an_error_of_one_rank_is_raised_on_all() -> None:
    def work(comm: Comm) -> None:
        trained(comm, "linear", "SGD", True, patience=-1 if comm.rank else 5)

    first, second = on_ranks(2, work)
    assert str(first) == f"rank 1: {second}"


def test_with_local_steps_ranks_meet_as_an_epoch_ends() -> None:
    settings = {"shards": None, "average": gn.SWA(0.5), "epochs": 3}
    first, *others = on_ranks(4, lambda comm: trained(comm, "batch norm", "Adam", True, sync_every=3, **settings))
    assert isinstance(first, tuple)
    assert others == [first] * 3
    alone = [trained(None, "linear", "Adam", True, sync_every=each, **settings) for each in (None, 3)]
    assert alone[0][0] == alone[1][0]


def test_local_steps_that_meet_each_time_go_by_the_mean_gradient() -> None:
    """Plain SGD is linear in the gradient, and a batch of 50 rows has two equal shares."""

    def weights(comm: Comm | None, sync_every: int | None) -> np.ndarray:
        net = NETWORKS["wide"](True)
        data = gn.Dataset.from_arrays(CLASSES.train.x[:100], CLASSES.train.y[:100])
        gn.fit(net, data, gn.CrossEntropy(), gn.SGD(0.05), epochs=2, batch_size=20, comm=comm, sync_every=sync_every)
        return net.theta

    for found in on_ranks(2, lambda comm: weights(comm, 1)):
        np.testing.assert_allclose(found, weights(None, None), atol=1e-3)


@pytest.mark.parametrize(
    ("settings", "fault"),
    [
        ({"shards": 4}, "leave out shards"),
        ({"average": gn.EMA()}, "EMA.* averages each step"),
        ({"sync_every": 0}, "sync_every"),
    ],
)
def test_what_local_steps_cannot_do_is_refused(settings: dict[str, Any], fault: str) -> None:
    with pytest.raises(ValueError, match=fault):
        trained(None, "linear", "SGD", True, **{"sync_every": 2, "shards": None, "average": None} | settings)


def test_local_steps_that_diverge_on_one_rank_end_on_all() -> None:
    def fit(comm: Comm) -> None:
        x = np.concatenate([CLASSES.train.x, np.full_like(CLASSES.train.x[:1], 3e38)])
        data = gn.Dataset.from_arrays(x, np.append(CLASSES.train.y, 0))
        gn.fit(
            gn.Network([gn.Dense(5, 8), gn.Dense(8, 2)]), data, gn.CrossEntropy(), gn.SGD(9.0), comm=comm, sync_every=2
        )

    assert [type(each) for each in on_ranks(2, fit)] == [gn.DivergenceError] * 2


def test_an_error_in_training_on_one_rank_ends_all(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("glassnet.ranks.PATIENCE", 0)

    class Fail(gn.Callback):
        def on_epoch(self, run: gn.Training) -> None:
            if run.ranks.rank == 0:
                raise RuntimeError("the disk\nis gone")

    found = on_ranks(2, lambda comm: trained(comm, "linear", "SGD", True, callbacks=[Fail()]))
    assert [each.code for each in found] == [2, 2]
    assert "glassnet: RuntimeError: the disk is gone\n" in capfd.readouterr().err


def test_a_batch_has_8_shards_or_16_of_64_rows_or_more() -> None:
    assert [shards_of(rows) for rows in (1, 7, 32, 200, 512, 1024, 10_000)] == [1, 4, 8, 8, 8, 16, 16]
    assert settle_shards(64, 128, 64) == 64


@pytest.mark.parametrize(
    ("shards", "ranks", "fault"), [(3, 1, "shards must"), (None, 3, "ranks must"), (None, 16, "too few")]
)
def test_what_the_ranks_cannot_share_is_refused(shards: int | None, ranks: int, fault: str) -> None:
    with pytest.raises(ValueError, match=fault):
        settle_shards(shards, 128, ranks)


def pack(comm: Comm | None, **settings: Any) -> tuple[bytes, list[str]]:
    net = gn.Network([gn.Standardize(), gn.Dense(5, 8), gn.ReLU(), gn.Dropout(0.1), gn.Dense(8, 2)])
    candidates = [Candidate(f"lr {lr}", net, gn.AdamW(lr), (1, 2, 4)) for lr in (0.01, 0.03)]
    found = fit_pack(CLASSES.train.x, CLASSES.train.y, gn.CrossEntropy(), candidates, threads=1, comm=comm, **settings)
    return found.outputs.tobytes(), found.parts


def test_any_number_of_ranks_trains_a_pack_to_the_same_bits(tmp_path: Any) -> None:
    alone = pack(None)
    for size in (1, 2, 3):
        assert on_ranks(size, pack) == [alone] * size
    on_ranks(3, lambda comm: pack(comm, checkpoint=tmp_path / "pack.safetensors"))
    assert pack(None, checkpoint=tmp_path / "pack.safetensors") == alone
