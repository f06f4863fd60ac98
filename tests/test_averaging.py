"""Averages of weights, and rates that change during training: by hand, in the fast path, and after an interruption."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import glassnet as gn
from glassnet.train import Training


def data(n: int = 203) -> gn.Dataset:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(n, 4))
    return gn.Dataset.from_arrays(x, (x[:, 0] * x[:, 1] > 0).astype(np.int64) + (x[:, 2] > 1))


def network(fast: bool = True, norm: bool = True, dropout: float = 0.3, **more) -> gn.Network:
    middle = [gn.BatchNorm(16)] if norm else []
    return gn.Network(
        [gn.Standardize(), gn.Dense(4, 16), *middle, gn.ReLU(), gn.Dropout(dropout), gn.Dense(16, 3)], fast=fast, **more
    )


def train(net: gn.Network, **settings) -> gn.History:
    arguments = {"epochs": 6, "batch_size": 32, "seed": 1} | settings
    optimizer = arguments.pop("optimizer", None) or gn.SGD(lr=0.05, momentum=0.9, weight_decay=0.01)
    return gn.fit(net, arguments.pop("dataset", None) or data(), gn.CrossEntropy(), optimizer, **arguments)


class Watch(gn.Callback):
    """Keeps the weights after each step and epoch, and the rates in each step."""

    def on_start(self, run: Training) -> None:
        self.steps, self.epochs, self.rates = [], [], []

    def on_step(self, run: Training) -> None:
        self.steps.append(run.net.theta.astype(float))
        self.rates.append((run.net.layers[-2].rate, run.optimizer.weight_decay, run.optimizer.l2))

    def on_epoch(self, run: Training) -> None:
        self.epochs.append(run.net.theta.astype(float))


both_paths = pytest.mark.parametrize("fast", [False, True])
AVERAGES = [gn.EMA(0.8), gn.SWA(0.5), gn.SWA(0)]
averages = pytest.mark.parametrize("average", AVERAGES, ids=repr)


@both_paths
def test_ema_is_the_sum_that_its_name_says(fast: bool) -> None:
    net, watch = network(fast), Watch()
    train(net, average=gn.EMA(0.8), callbacks=[watch], validate=False)
    shares = 0.8 ** np.arange(len(watch.steps))[::-1]
    np.testing.assert_allclose(net.theta, shares @ np.array(watch.steps) / shares.sum(), atol=1e-6)


@both_paths
def test_swa_is_the_mean_of_the_last_epochs(fast: bool) -> None:
    net, watch = network(fast), Watch()
    train(net, average=gn.SWA(0.5), callbacks=[watch], restore_best=False)
    np.testing.assert_allclose(net.theta, np.mean(watch.epochs[3:], axis=0), atol=1e-6)


@averages
def test_what_is_validated_is_what_is_kept(average: gn.Average) -> None:
    net, plain, dataset = network(), Watch(), data()
    history = train(net, average=average, dataset=dataset, monitor="loss")
    found = gn.evaluate(net, dataset.val, gn.CrossEntropy())
    assert found["loss"] == pytest.approx(min(history["val_loss"]))
    train(network(), dataset=dataset, monitor="loss", callbacks=[plain])
    watch = Watch()
    train(network(), average=average, dataset=dataset, monitor="loss", callbacks=[watch])
    assert np.array_equal(watch.steps, plain.steps), "the average must not change the course of training"


@averages
def test_statistics_of_batch_norm_are_those_of_the_averaged_weights(average: gn.Average) -> None:
    dataset = data(2000)
    net = network(dropout=0)
    train(net, average=average, dataset=dataset, validate=False, batch_size=128)
    before = net.layers[1].forward(net.layers[0].forward(dataset.train.x).astype(np.float32))
    np.testing.assert_allclose(net.layers[2].running_mean, before.mean(axis=0), atol=0.02)
    np.testing.assert_allclose(net.layers[2].running_var, before.var(axis=0), rtol=0.05)
    assert net.layers[2].momentum == 0.1


@both_paths
def test_statistics_of_batch_norm_are_those_without_the_noise_of_training(fast: bool) -> None:
    dataset = data(2000)
    noises = [gn.GaussianNoise(2.0), gn.Dropout(0.5)]
    net = gn.Network([gn.Standardize(), gn.Dense(4, 16), *noises, gn.BatchNorm(16), gn.Dense(16, 3)], fast=fast)
    train(net, average=gn.EMA(0.8), dataset=dataset, validate=False, batch_size=128)
    before = net.layers[1].forward(net.layers[0].forward(dataset.train.x).astype(np.float32))
    np.testing.assert_allclose(net.layers[4].running_var, before.var(axis=0), rtol=0.05)
    assert (net.layers[2].std, net.layers[3].rate) == (2.0, 0.5)


@averages
def test_the_fast_path_averages_to_the_same_numbers(average: gn.Average) -> None:
    nets = network(False), network(True)
    histories = [train(net, average=average) for net in nets]
    np.testing.assert_allclose(nets[0].theta, nets[1].theta, atol=1e-5)
    np.testing.assert_allclose(histories[0]["val_loss"], histories[1]["val_loss"], rtol=1e-4)
    for name, value in nets[0].state().items():
        np.testing.assert_allclose(nets[1].state()[name], value, rtol=1e-4, atol=1e-5)


@averages
def test_bits_dont_depend_on_the_number_of_threads(average: gn.Average) -> None:
    nets = [network(threads=count) for count in (1, 2, 3)]
    for net in nets:
        train(net, average=average, dropout_schedule=gn.Linear(0, 1))
    for net in nets[1:]:
        assert all(np.array_equal(value, net.arrays()[name]) for name, value in nets[0].arrays().items())


@averages
@pytest.mark.parametrize("kept", [2, 4])
@pytest.mark.parametrize("validate", [True, False])
def test_resuming_gives_the_same_bits(tmp_path: Path, average: gn.Average, kept: int, validate: bool) -> None:
    class Stop(gn.Callback):
        def on_epoch(self, run: Training) -> None:
            run.stop = len(run.history) == kept

    more = {
        "average": average,
        "dropout_schedule": gn.Linear(0, 1),
        "weight_decay_schedule": gn.Cosine(),
        "schedule": gn.Tail(0.5, warmup=0.2),
        "validate": validate,
    }
    whole, path = network(), tmp_path / "checkpoint"
    expected = train(whole, **more)
    train(network(), callbacks=[gn.Checkpoint(path), Stop()], **more)
    resumed = network()
    history = train(resumed, resume=path, **more)
    assert history.step_loss == expected.step_loss
    assert all(np.array_equal(value, resumed.arrays()[name]) for name, value in whole.arrays().items())
    with pytest.raises(ValueError, match=r"average was .*, now it is None"):
        train(network(), resume=path, **more | {"average": None})


def test_interrupted_training_leaves_the_average() -> None:
    class Interrupt(Watch):
        def on_step(self, run: Training) -> None:
            super().on_step(run)
            if len(self.steps) == 17:
                raise KeyboardInterrupt

    net, watch = network(norm=False), Interrupt()
    assert train(net, average=gn.EMA(0.5), callbacks=[watch], validate=False, dropout_schedule=gn.Linear()).interrupted
    shares = 0.5 ** np.arange(17)[::-1]
    np.testing.assert_allclose(net.theta, shares @ np.array(watch.steps) / shares.sum(), atol=1e-6)
    assert net.layers[3].rate == 0.3


@both_paths
def test_schedules_of_dropout_and_weight_decay(fast: bool) -> None:
    net, watch, optimizer = network(fast), Watch(), gn.SGD(0.05, weight_decay=0.2, l2=0.1)
    train(
        net,
        dropout_schedule=gn.Linear(0.5, 1),
        weight_decay_schedule=gn.Linear(1, 0),
        callbacks=[watch],
        optimizer=optimizer,
    )
    shares = np.linspace(0, 1, len(watch.rates))
    np.testing.assert_allclose(watch.rates, np.stack([0.15 + 0.15 * shares, 0.2 - 0.2 * shares, 0.1 - 0.1 * shares], 1))
    assert (net.layers[-2].rate, optimizer.weight_decay, optimizer.l2) == (0.3, 0.2, 0.1)


def test_the_fast_path_follows_the_schedules() -> None:
    nets = network(False), network(True)
    losses = [train(net, dropout_schedule=gn.Linear(0, 2), weight_decay_schedule=gn.Cosine()).step_loss for net in nets]
    np.testing.assert_allclose(*losses, rtol=1e-4)
    np.testing.assert_allclose(nets[0].theta, nets[1].theta, atol=1e-5)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: gn.EMA(1.0), "EMA: decay must be a number of at least 0 and below 1"),
        (lambda: gn.SWA(1), "SWA: start must be"),
        (lambda: gn.Tail(start=0.1, warmup=0.2), "Tail: it takes 0 <= warmup < start < 1"),
        (lambda: gn.Tail(high=0.1, low=0.2), "Tail: it takes 0 < low <= high <= 1"),
        (lambda: gn.Linear(-1), "Linear: first must be a number of at least 0"),
        (lambda: gn.Dense(2, 2, max_norm=0), "Dense: max_norm must be a number above 0, not 0"),
        (lambda: gn.Dense(2, 2, lr_factor=-1), "Dense: lr_factor must be a number above 0, not -1"),
        (lambda: gn.LayerNorm(2, lr_factor=0), "LayerNorm: lr_factor"),
    ],
)
def test_settings_that_make_no_sense_are_named(make, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()
