"""The loop: what it does with rows, weights, bad numbers and interruptions."""

from __future__ import annotations

import csv
import io
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

import glassnet as gn
from glassnet.terminal import bar_fits
from glassnet.train import Callback, Training
from glassnet.train.metrics import class_scores, confusion_matrix, score
from glassnet.train.step import many_steps, training_step
from glassnet.train.units import StandardUnits


def data(n: int = 203, seed: int = 0) -> gn.Dataset:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, 4))
    return gn.Dataset.from_arrays(x, (x[:, 0] * x[:, 1] > 0).astype(np.int64) + (x[:, 2] > 1))


def values(n: int = 203) -> gn.Dataset:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(n, 4))
    return gn.Dataset.from_arrays(x, 300 + 50 * np.sin(x[:, 0]) + rng.normal(size=n))


def network(seed: int = 0, dropout: float = 0.2, fast: bool = True) -> gn.Network:
    return gn.Network(
        [gn.Standardize(), gn.Dense(4, 16), gn.BatchNorm(16), gn.ReLU(), gn.Dropout(dropout), gn.Dense(16, 3)],
        seed=seed,
        fast=fast,
    )


def train(net: gn.Network, dataset: gn.Dataset | None = None, **settings) -> gn.History:
    arguments = {"epochs": 6, "batch_size": 32, "schedule": gn.OneCycle(), "seed": 1} | settings
    optimizer = gn.SGD(lr=arguments.pop("lr", 0.05), momentum=0.9)
    return gn.fit(net, dataset or data(), gn.CrossEntropy(), optimizer, **arguments)


class Batches(Callback):
    """Sees what the first readable layer saw."""

    def on_start(self, run: Training) -> None:
        self.sizes: list[int] = []

    def on_step(self, run: Training) -> None:
        self.sizes.append(len(run.net.layers[1].x))


def test_it_learns() -> None:
    dataset = data(2000)
    net = network(dropout=0)
    train(net, dataset, epochs=20)
    result = gn.evaluate(net, dataset.test, gn.CrossEntropy())
    assert result["accuracy"] > 0.9 > gn.baseline(dataset.train, dataset.test, gn.CrossEntropy())["accuracy"]


def test_equal_settings_give_equal_bits_and_another_seed_does_not() -> None:
    nets = [network(), network(), network()]
    for net, seed in zip(nets, (1, 1, 2), strict=True):
        train(net, seed=seed)
    assert np.array_equal(nets[0].theta, nets[1].theta)
    assert not np.array_equal(nets[0].theta, nets[2].theta)


def test_every_row_is_used_once_an_epoch_the_last_batch_being_short() -> None:
    rows = np.arange(10.0)[:, None]
    part = gn.Split(rows, np.zeros(10))
    seen: list[float] = []

    class Seen(Callback):
        def on_step(self, run: Training) -> None:
            seen.extend(run.net.layers[0].x[:, 0])

    dataset = gn.Dataset.from_arrays(rows, np.zeros(10))
    dataset.train = part
    net = gn.Network([gn.Dense(1, 1)], fast=False)
    history = gn.fit(net, dataset, gn.MSE(), gn.SGD(1e-3), epochs=2, batch_size=4, validate=False, callbacks=[Seen()])
    assert sorted(seen[:10]) == sorted(seen[10:]) == rows[:, 0].tolist()
    assert seen[:10] != seen[10:]
    assert len(history.step_loss) == 6


def test_batches_drawn_with_replacement_are_all_whole() -> None:
    watcher = Batches()
    history = train(network(fast=False), replacement=True, callbacks=[watcher])
    assert set(watcher.sizes) == {32}
    assert len(history.step_loss) == 6 * (len(data().train) // 32)


def test_a_batch_larger_than_the_data_is_all_of_it() -> None:
    watcher = Batches()
    train(network(fast=False), batch_size=10_000, callbacks=[watcher])
    assert watcher.sizes == [len(data().train)] * 6


def test_history_has_a_number_for_each_step_and_a_row_for_each_epoch(tmp_path: Path) -> None:
    history = train(network(), callbacks=[gn.CSVLog(tmp_path / "history.csv")])
    steps = -(-len(data().train) // 32)
    assert len(history) == 6
    assert len(history.step_loss) == len(history.step_lr) == 6 * steps
    assert history["train_loss"][2] == pytest.approx(np.mean(history.step_loss[2 * steps : 3 * steps]))
    assert max(history.step_lr) <= 0.05
    assert history["epoch"] == [1, 2, 3, 4, 5, 6]
    with (tmp_path / "history.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [float(row["val_accuracy"]) for row in rows] == history["val_accuracy"]
    assert list(rows[0]) == ["epoch", "lr", "train_loss", "train_eval_loss", "val_loss", "val_accuracy", "seconds"]


def test_the_training_loss_beside_validation_is_measured_without_noise_and_moves_nothing() -> None:
    net = gn.Network([gn.Dense(4, 8), gn.BatchNorm(8), gn.Dropout(0.5), gn.Dense(8, 3)], seed=1)
    plain = net.copy()
    train(plain, validate=False)
    rows = data()
    rows.val = rows.train  # so many rows that the sample is all there are
    history = train(net, rows, restore_best=False)
    np.testing.assert_array_equal(net.theta, plain.theta)
    assert history["train_eval_loss"] == pytest.approx(history["val_loss"])
    assert history["train_eval_loss"][-1] == pytest.approx(gn.evaluate(net, rows.train, gn.CrossEntropy())["loss"])


def test_the_best_epochs_weights_are_restored_by_the_metric_asked_for() -> None:
    dataset = data()
    for monitor, best in (("accuracy", max), ("loss", min)):
        net = network()
        history = train(net, dataset, monitor=monitor, epochs=12)
        column = history[f"val_{monitor}"]
        assert history.best_epoch == column.index(best(column)) + 1
        assert gn.evaluate(net, dataset.val, gn.CrossEntropy())[monitor] == pytest.approx(best(column))


def test_without_restoring_or_validation_the_last_weights_stay() -> None:
    nets = [network(), network()]
    last = train(nets[0], restore_best=False)
    assert last.best_epoch is None
    history = train(nets[1], validate=False)
    assert np.array_equal(nets[0].theta, nets[1].theta)
    assert list(history.columns()) == ["epoch", "lr", "train_loss", "seconds"]


def test_patience_stops_training() -> None:
    history = train(network(), epochs=500, patience=4, schedule=gn.Constant())
    assert history.best_epoch is not None
    assert len(history) == history.best_epoch + 4 < 500


def test_values_are_learned_in_their_own_unit() -> None:
    dataset = values(1000)
    net = gn.Network([gn.Standardize(), gn.Dense(4, 32), gn.Tanh(), gn.Dense(32, 1), gn.Unstandardize()])
    gn.fit(net, dataset, gn.MSE(), gn.AdamW(lr=1e-2), epochs=40, batch_size=32)
    result = gn.evaluate(net, dataset.test, gn.MSE())
    assert result["rmse"] < 5 < gn.baseline(dataset.train, dataset.test, gn.MSE())["rmse"]
    assert 200 < net.predict(dataset.test.x).mean() < 400
    assert result["mse"] == pytest.approx(result["rmse"] ** 2)
    assert result["r2"] > 0.95


def test_preprocessing_is_fitted_on_the_training_part_alone_and_only_once() -> None:
    dataset = data()
    net = network()
    train(net, dataset, epochs=1)
    np.testing.assert_allclose(net.layers[0].mean, dataset.train.x.mean(axis=0))
    dataset.train.x += 100
    train(net, dataset, epochs=1)
    assert (np.abs(net.layers[0].mean) < 1).all()


@pytest.mark.parametrize("kept", [1, 3])
def test_resuming_gives_the_bits_of_training_that_was_never_interrupted(tmp_path: Path, kept: int) -> None:
    class Stop(Callback):
        def on_epoch(self, run: Training) -> None:
            run.stop = len(run.history) == kept

    whole = network()
    expected = train(whole, patience=5, epochs=8)
    path = tmp_path / "checkpoint.safetensors"
    train(network(), patience=5, epochs=8, callbacks=[gn.Checkpoint(path), Stop()])
    resumed = network(seed=0)
    history = train(resumed, patience=5, epochs=8, resume=path)
    assert np.array_equal(resumed.theta, whole.theta)
    assert all(np.array_equal(value, whole.state()[name]) for name, value in resumed.state().items())
    assert history.step_loss == expected.step_loss
    assert history.best_epoch == expected.best_epoch
    assert gn.Network.load(path).n_out == 3  # a checkpoint is a network too


KILLED = """
import os, signal, sys
import glassnet as gn
class Kill(gn.Callback):
    def on_step(self, run):
        if len(run.history.step_loss) == 47: os.kill(os.getpid(), signal.SIGKILL)
data = gn.load("digits")
layers = [gn.Standardize(), gn.Dense(64, 32), gn.BatchNorm(32), gn.GELU(), gn.Dropout(0.3), gn.Dense(32, 10)]
net = gn.Network(layers, seed=3)
path, how, out = sys.argv[1:]
gn.fit(net, data, gn.CrossEntropy(), gn.AdamW(lr=1e-2), epochs=4, batch_size=64, schedule=gn.Cosine(), seed=5,
       callbacks=[gn.Checkpoint(path)] + [Kill()] * (how == "kill"), resume=path if how == "resume" else None)
net.save(out)
"""


def test_after_kill_9_resumed_training_ends_in_the_same_bits(tmp_path: Path) -> None:
    def run(checkpoint: str, how: str, out: str) -> int:
        command = [sys.executable, "-c", KILLED, str(tmp_path / checkpoint), how, str(tmp_path / out)]
        return subprocess.run(command, check=False).returncode

    assert run("a", "kill", "x") == -signal.SIGKILL
    assert not (tmp_path / "x").exists()
    assert run("a", "resume", "resumed") == 0
    assert run("b", "whole", "whole") == 0
    assert (tmp_path / "resumed").read_bytes() == (tmp_path / "whole").read_bytes()


@pytest.mark.parametrize(
    ("settings", "net", "message"),
    [
        ({"batch_size": 16}, network(), "batch_size was 32, now it is 16"),
        ({"seed": 9}, network(), "seed was 1, now it is 9"),
        ({"schedule": gn.Constant()}, network(), r"schedule was OneCycle\(warmup=0.1\), now it is Constant"),
        ({}, gn.Network([gn.Dense(4, 3)]), r"network was Network\(\[Standardize"),
        ({"dataset": data(seed=4)}, network(), "data was 130 rows with checksum"),
    ],
)
def test_a_checkpoint_of_another_training_is_refused(tmp_path: Path, settings, net, message: str) -> None:
    path = tmp_path / "checkpoint"
    train(network(), epochs=3, callbacks=[gn.Checkpoint(path)])
    with pytest.raises(ValueError, match=message):
        train(net, **{"epochs": 3, "resume": path} | settings)


def test_a_damaged_checkpoint_and_a_plain_network_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "checkpoint"
    train(network(), epochs=1, callbacks=[gn.Checkpoint(path)])
    path.write_bytes(path.read_bytes()[:-50])
    with pytest.raises(ValueError, match="or it is damaged"):
        train(network(), resume=path)
    network().save(path)
    with pytest.raises(ValueError, match="it is not a checkpoint"):
        train(network(), resume=path)
    with pytest.raises(FileNotFoundError):
        train(network(), resume=tmp_path / "nothing")


def test_ctrl_c_keeps_the_best_weights() -> None:
    class Interrupt(Callback):
        def on_step(self, run: Training) -> None:
            if len(run.history.step_loss) == 17:
                raise KeyboardInterrupt

    net, dataset = network(), data()
    history = train(net, dataset, callbacks=[Interrupt()])
    assert history.interrupted
    assert len(history) == 17 // 5 + 1 - 1
    assert history.best_epoch is not None
    score = gn.evaluate(net, dataset.val, gn.CrossEntropy())["accuracy"]
    assert score == max(history["val_accuracy"])


def test_a_real_sigint_is_taken_as_well(tmp_path: Path) -> None:
    code = (
        "import glassnet as gn\n"
        "data = gn.load('digits')\n"
        "net = gn.Network([gn.Standardize(), gn.Dense(64, 64), gn.ReLU(), gn.Dense(64, 10)])\n"
        "history = gn.fit(net, data, gn.CrossEntropy(), gn.SGD(0.01), epochs=100000, progress=True)\n"
        "print('interrupted', history.interrupted, history.best_epoch is not None)\n"
    )
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    for _ in range(3):
        process.stderr.readline()
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert out == "interrupted True True\n"
    assert "Traceback" not in err


def test_divergence_names_the_step_the_layer_and_what_to_try() -> None:
    net = network()
    before = []

    class Look(Callback):
        def on_step(self, run: Training) -> None:
            before.append(run.history.step_loss[-1])

    with pytest.raises(
        gn.DivergenceError, match=r"in step (\d+) \(epoch \d+\): .*layer \d, .*lower learning rate \(lr is 1e\+30\)"
    ):
        gn.fit(net, data(), gn.CrossEntropy(), gn.SGD(1e30), epochs=5, callbacks=[Look()])
    assert np.isfinite(before).all()


def test_divergence_without_a_bad_layer_blames_the_loss() -> None:
    net = gn.Network([gn.Dense(4, 1)])
    net.layers[0].b[:] = 1e25  # finite, its square isn't
    with pytest.raises(gn.DivergenceError, match=r"step 1 .*every layer's output is finite, but the loss overflows"):
        gn.fit(net, values(), gn.MSE(), gn.SGD(0.1), epochs=1)


def broken(**parts) -> gn.Dataset:
    dataset = data()
    for name, value in parts.items():
        part, what = name.split("_")
        setattr(getattr(dataset, part), what, value)
    return dataset


NAN = np.ones((130, 4))
NAN[7, 2] = np.nan


@pytest.mark.parametrize(
    ("dataset", "settings", "message"),
    [
        (data(), {"epochs": 0}, "epochs must be a whole number of at least 1, not 0"),
        (data(), {"batch_size": -3}, "batch_size must be a whole number of at least 1, not -3"),
        (data(), {"monitor": "rmse"}, "monitor='rmse' is not one of the validation metrics: loss, accuracy"),
        (data(), {"patience": 3, "validate": False}, "patience needs validation rows"),
        (data(), {"patience": 0}, "patience must be a whole number of at least 1"),
        (broken(train_x=NAN, train_y=np.zeros(130, int)), {}, r"x of the training part is nan in row 7, column 2"),
        (broken(val_y=np.full(32, 3)), {}, "labels run from 3 to 3, but 3 outputs allow 0 to 2"),
        (broken(train_y=np.zeros(5, int)), {}, "the training part has 130 rows but 5 targets"),
        (
            broken(train_x=np.ones((130, 5))),
            {},
            r"Dense\(4, 16\) takes an array of shape \(N, 4\), not one of shape \(1, 5\)",
        ),
        (broken(train_x=np.ones((0, 4)), train_y=np.zeros(0, int)), {}, "there are no training rows"),
        (values(), {}, "targets are integer labels"),
    ],
)
def test_bad_input_is_named_before_anything_is_trained(dataset: gn.Dataset, settings, message: str) -> None:
    net = network()
    before = net.theta.copy()
    with pytest.raises(ValueError, match=message):
        train(net, dataset, **settings)
    assert np.array_equal(net.theta, before)


def test_progress_prints_plain_lines_where_there_is_no_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    train(network(), epochs=2, progress=True)
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 2
    assert lines[1].startswith("epoch 2/2  loss ")
    assert "val accuracy " in lines[1]
    assert "\r" not in "".join(lines)


def test_progress_is_a_bar_on_a_terminal() -> None:
    pty = pytest.importorskip("pty", reason="needs a system with pseudo-terminals")
    termios = pytest.importorskip("termios", reason="needs a system with pseudo-terminals")
    code = (
        "import glassnet as gn\n"
        "data = gn.load('digits')\n"
        "net = gn.Network([gn.Standardize(), gn.Dense(64, 64), gn.ReLU(), gn.Dense(64, 10)], fast=False)\n"
        "gn.fit(net, data, gn.CrossEntropy(), gn.SGD(0.01), epochs=300, progress=True)\n"
    )
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (24, 120))
    process = subprocess.Popen([sys.executable, "-c", code], stderr=theirs)
    os.close(theirs)
    shown = b""
    while True:
        try:
            shown += os.read(ours, 4096)
        except OSError:  # the other end has closed
            break
    os.close(ours)
    assert process.wait() == 0
    assert b"epoch " in shown
    assert b"val accuracy=" in shown
    assert b"loss=" in shown


def test_a_failing_callback_ends_training_with_its_own_error() -> None:
    class Fails(Callback):
        ended = False

        def on_epoch(self, run: Training) -> None:
            raise RuntimeError("mine")

        def on_end(self, run: Training) -> None:
            self.ended = True

    watcher = Fails()
    with pytest.raises(RuntimeError, match="mine"):
        train(network(), callbacks=[watcher])
    assert watcher.ended


def test_confusion_precision_and_recall_by_hand() -> None:
    matrix = confusion_matrix(np.array([0, 0, 1, 1, 1, 3]), np.array([0, 1, 1, 1, 0, 0]), 4)
    assert matrix.tolist() == [[1, 1, 0, 0], [1, 2, 0, 0], [0, 0, 0, 0], [1, 0, 0, 0]]
    scores = class_scores(matrix)
    np.testing.assert_allclose(scores.precision, [1 / 3, 2 / 3, np.nan, np.nan])
    np.testing.assert_allclose(scores.recall, [1 / 2, 2 / 3, np.nan, 0])
    assert scores.rows.tolist() == [2, 3, 0, 1]


def test_baselines_are_the_majority_class_and_the_mean() -> None:
    x = np.zeros((4, 1))
    train_part, test_part = gn.Split(x, np.array([1, 1, 1, 0])), gn.Split(x, np.array([1, 0, 1, 2]))
    found = gn.baseline(train_part, test_part, gn.CrossEntropy())
    assert found["accuracy"] == 0.5
    assert found["loss"] == pytest.approx(-np.log(np.array([3, 3, 1, 0.5]) / 4 / (4.5 / 4)).mean())
    found = gn.baseline(gn.Split(x, np.array([1.0, 2, 3, 6])), gn.Split(x, np.array([3.0, 5, 1, 3])), gn.MSE())
    assert found["mse"] == pytest.approx(2)
    assert found["r2"] == pytest.approx(0)


def test_binary_cross_entropy_trains_one_output() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(800, 2))
    dataset = gn.Dataset.from_arrays(x, (x.sum(axis=1) > 0).astype(np.int64))
    net = gn.Network([gn.Dense(2, 8), gn.ReLU(), gn.Dense(8, 1)])
    gn.fit(net, dataset, gn.BinaryCrossEntropy(), gn.Adam(lr=3e-2), epochs=20)
    assert gn.evaluate(net, dataset.test, gn.BinaryCrossEntropy())["accuracy"] > 0.95
    assert gn.baseline(dataset.train, dataset.test, gn.BinaryCrossEntropy())["accuracy"] < 0.65


def test_time_in_the_history_is_cumulative() -> None:
    start = time.perf_counter()
    seconds = train(network())["seconds"]
    assert 0 < seconds[0] < seconds[-1] < time.perf_counter() - start


def test_a_last_step_that_ruins_the_weights_is_noticed() -> None:
    with pytest.raises(gn.DivergenceError, match=r"that of layer 1, Dense\(4, 16\); .*lr is 1e\+39"):
        train(network(), epochs=1, batch_size=10_000, schedule=gn.Constant(), lr=1e39)


@pytest.mark.parametrize("scale", [1e-9, 1.0, 1e12])
@pytest.mark.parametrize("optimizer", [gn.AdamW(lr=1e-2, clip_norm=1.0), gn.SGD(lr=0.05, momentum=0.9)])
def test_training_does_not_depend_on_the_unit_of_the_target(scale: float, optimizer: gn.Optimizer) -> None:
    dataset = values(600)
    for split in (dataset.train, dataset.val, dataset.test):
        split.y = split.y * scale
    net = gn.Network([gn.Standardize(), gn.Dense(4, 32), gn.Tanh(), gn.Dense(32, 1), gn.Unstandardize()])
    history = gn.fit(net, dataset, gn.MSE(), optimizer, epochs=30, batch_size=32)
    assert gn.evaluate(net, dataset.test, gn.MSE())["r2"] > 0.95
    assert history["train_loss"][0] < 10  # in standard units
    assert history["val_rmse"][-1] == pytest.approx(history["val_loss"][-1] ** 0.5 * dataset.train.y.std(), rel=1e-3)


def test_a_loss_in_standard_units_has_the_gradient_that_the_chain_rule_gives() -> None:
    unit = gn.Unstandardize().fit(np.array([100.0, 300.0]))
    y, t = np.array([[150.0], [260.0]]), np.array([180.0, 240.0])
    loss = StandardUnits(gn.Huber(0.25), unit)
    value = loss.forward(y, t)
    dy = loss.backward()
    for i in range(2):
        nudged = y.copy()
        nudged[i] += 1e-4
        assert (loss.forward(nudged, t) - value) / 1e-4 == pytest.approx(dy[i, 0], rel=1e-4)


def test_an_optimizer_used_again_for_another_network_starts_anew() -> None:
    optimizer = gn.SGD(lr=0.05, momentum=0.9)
    thetas = []
    for _ in range(2):
        net = network()
        gn.fit(net, data(), gn.CrossEntropy(), optimizer, epochs=2)
        thetas.append(net.theta)
    assert np.array_equal(*thetas)


def test_with_replacement_a_batch_may_be_larger_than_the_data() -> None:
    watcher = Batches()
    train(network(fast=False), replacement=True, batch_size=500, callbacks=[watcher])
    assert watcher.sizes == [500] * 6


def test_divergence_after_good_epochs_leaves_the_best_weights() -> None:
    class Ruin(Callback):
        def on_epoch(self, run: Training) -> None:
            self.seen = run.history["val_accuracy"]
            if len(run.history) == 3:
                run.optimizer.lr = 1e30

    net, dataset, watcher = network(), data(), Ruin()
    with pytest.raises(gn.DivergenceError, match=r"epoch 4"):
        train(net, dataset, schedule=gn.Constant(), callbacks=[watcher])
    assert gn.evaluate(net, dataset.val, gn.CrossEntropy())["accuracy"] == max(watcher.seen)


def test_ties_between_epochs_go_to_the_lower_loss() -> None:
    history = train(network(), data(60), epochs=60, batch_size=8)
    accuracy, losses = np.array(history["val_accuracy"]), np.array(history["val_loss"])
    tied = np.flatnonzero(accuracy == accuracy.max())
    assert len(tied) > 1
    assert history.best_epoch == tied[losses[tied].argmin()] + 1


def test_accuracy_of_flags_compares_each_output() -> None:
    outputs, t = np.array([[2.0, -1.0], [-3.0, 4.0]]), np.array([[1, 0], [1, 1]])
    assert score(outputs, t, gn.BinaryCrossEntropy())["accuracy"] == 0.75
    assert score(outputs[:, :1], t[:, :1], gn.BinaryCrossEntropy())["accuracy"] == 0.5
    assert score(outputs[:, :1], t[:, 0], gn.BinaryCrossEntropy())["accuracy"] == 0.5


def test_callbacks_may_stop_training_and_resumed_time_goes_on(tmp_path: Path) -> None:
    class Stop(Callback):
        def on_step(self, run: Training) -> None:
            run.stop = len(run.history.step_loss) > 6

    path = tmp_path / "checkpoint"
    first = train(network(), callbacks=[gn.Checkpoint(path), Stop()])
    assert len(first) == 2
    assert train(network(), resume=path)["seconds"][2] > first["seconds"][1]
    with pytest.raises(ValueError, match="every must be a whole number"):
        gn.Checkpoint(path, every=0)


@pytest.mark.parametrize("fast", [True, False])
@pytest.mark.parametrize("noise", [gn.Dropout(0.3), gn.GaussianNoise(0.3)], ids=repr)
def test_many_steps_at_once_are_the_steps_one_by_one(fast: bool, noise: gn.Layer) -> None:
    x, y = np.random.default_rng(0).normal(size=(2, 70, 1))
    rows, factors = np.random.default_rng(1).permutation(70), [1.0, 0.7, 0.4]
    weights, losses = [], []
    for many in (True, False):
        net = gn.Network([gn.Dense(1, 8), gn.ReLU(), type(noise)(noise.strength), gn.Dense(8, 1)], fast=fast)
        step = training_step(net, x, y, gn.MSE(), gn.AdamW(lr=0.01), 32)
        losses.append(
            many_steps(step, rows, factors, 32)
            if many
            else [step(rows[32 * i : 32 * i + 32], f) for i, f in enumerate(factors)]
        )
        weights.append(net.theta)
    assert losses[0] == losses[1]
    np.testing.assert_array_equal(*weights)


def test_masks_of_dropout_are_even_and_unlike_each_other() -> None:
    layer, x = gn.Dropout(0.3), np.ones((500, 400), np.float32)
    layer.reseed([7])
    first, second = (layer.forward(x, training=True) > 0 for _ in range(2))
    for share, expected in ((first.mean(), 0.7), (second.mean(), 0.7), ((first == second).mean(), 0.58)):
        assert abs(share - expected) < 0.005
    assert abs(np.corrcoef(first[:-1].ravel(), first[1:].ravel())[0, 1]) < 0.01
    assert first.mean(axis=0).std() < 1.3 * np.sqrt(0.21 / 500)
    layer.reseed([7])
    np.testing.assert_array_equal(layer.forward(x, training=True) > 0, first)


def test_a_bar_is_shown_where_there_is_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    begun = []
    monkeypatch.setattr("glassnet.train.progress.Progress.on_start", lambda self, run: begun.append(run))
    data = gn.Dataset.from_arrays(np.zeros((20, 2)), np.arange(20.0))
    for terminal in (False, True):
        monkeypatch.setitem(gn.fit.__globals__, "bar_fits", lambda terminal=terminal: terminal)
        history = gn.fit(gn.Network([gn.Dense(2, 1)]), data, gn.MSE(), gn.SGD(lr=0.01), epochs=2)
        assert len(begun) == terminal
    assert [panel.get_ylabel() for panel in history.plot().axes]


def test_a_bar_fits_a_notebook(monkeypatch: pytest.MonkeyPatch) -> None:
    notebook = type("OutStream", (io.StringIO,), {"__module__": "ipykernel.iostream"})
    for stream, fits in ((notebook(), True), (io.StringIO(), False)):
        monkeypatch.setattr("sys.stderr", stream)
        assert bar_fits() is fits
