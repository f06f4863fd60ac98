"""Distorted images: what they look like, that the kernels make the same, and that training with them is repeatable."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import glassnet as gn
from glassnet.data.augmentation import warp
from glassnet.fast import distorting
from glassnet.fast.training import FastStep
from glassnet.train import Training

compiled = pytest.mark.skipif(
    FastStep.uncovered(gn.Network([gn.Dense(1, 1)]), gn.MSE(), gn.SGD(0.1)) is not None, reason="no kernels here"
)
SHAPE = (12, 9)
ALL = gn.Distortions(rotation=20, scale=0.2, shear=0.2, translation=2, alpha=20, sigma=3)


def images(n: int = 40, shape: tuple[int, int] = SHAPE) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (n, shape[0] * shape[1])).astype(np.uint8)


def rng(seed: int = 1) -> np.random.Generator:
    return np.random.default_rng(seed)


@pytest.mark.parametrize("dtype", ["uint8", "float32", "float64"])
def test_nothing_happens_at_no_strength(dtype: str) -> None:
    x = images().astype(dtype)
    made = gn.Distortions()(x, SHAPE, rng())
    assert made.dtype == x.dtype
    np.testing.assert_allclose(made, x, atol=0 if dtype == "uint8" else 1e-3)


def test_a_quarter_turn_and_a_shift_move_pixels_exactly() -> None:
    x = images(3, (8, 8)).reshape(3, 8, 8)
    turn = np.tile(np.array([[0, 1, 0], [-1, 0, 7]], np.float32), (3, 1, 1))
    assert np.array_equal(warp(x, turn), np.rot90(x, axes=(1, 2)))
    down = np.tile(np.array([[1, 0, -2], [0, 1, 0]], np.float32), (3, 1, 1))
    moved = warp(x, down)
    assert np.array_equal(moved[:, 2:], x[:, :-2])
    assert not moved[:, :2].any()
    half = np.full((3, 2, 8, 8), [[[0.0]], [[0.5]]], np.float32)
    between = (x[:, :, :-1].astype(float) + x[:, :, 1:]) / 2
    np.testing.assert_allclose(
        warp(x.astype(float), np.tile(np.eye(2, 3, dtype="f"), (3, 1, 1)), half)[:, :, :-1], between
    )


def test_maps_are_drawn_within_their_limits() -> None:
    def linear(**limits: float) -> np.ndarray:
        return gn.Distortions(**limits).draw(4000, (28, 28), rng())[0][:, :, :2].astype(float)

    turned = linear(rotation=30)
    np.testing.assert_allclose(np.linalg.det(turned), 1, rtol=1e-5)
    angles = np.degrees(np.arctan2(turned[:, 0, 1], turned[:, 0, 0]))
    assert 29 < np.abs(angles).max() <= 30
    assert np.std(angles) == pytest.approx(30 / 3**0.5, rel=0.05)
    scaled = linear(scale=0.2)
    for factor in (1 / scaled[:, 0, 0], 1 / scaled[:, 1, 1]):
        assert 0.8 <= factor.min() < 0.81 < 1.19 < factor.max() <= 1.2
    assert not scaled[:, [0, 1], [1, 0]].any()
    slanted = linear(shear=0.3)
    assert 0.29 < np.abs(slanted[:, 1, 0]).max() <= 0.3
    assert (slanted[:, 0] == [1, 0]).all()
    maps = gn.Distortions(translation=3).draw(4000, (28, 28), rng())[0]
    assert 2.9 < np.abs(maps[:, :, 2]).max() <= 3
    whole = gn.Distortions(rotation=30, scale=0.2, shear=0.2).draw(100, (28, 28), rng())[0]
    np.testing.assert_allclose(whole @ [13.5, 13.5, 1], 13.5, rtol=1e-5)  # the middle stays where it is


@pytest.mark.parametrize(("alpha", "sigma"), [(34, 4), (10, 2)])
def test_pixels_are_moved_as_far_as_asked_at_the_edges_too(alpha: float, sigma: float) -> None:
    distortions = gn.Distortions(alpha=alpha, sigma=sigma)
    noise = distortions.draw(3000, (28, 20), rng())[1]
    down, across = distortions.smoothing((28, 20))
    shifts = down @ noise @ across
    expected = alpha / (12**0.5 * np.pi**0.5 * sigma)
    np.testing.assert_allclose(np.sqrt(np.square(shifts).mean(axis=(0, 1))), expected, rtol=0.05)
    near = (shifts[:, :, :, 1:] - shifts[:, :, :, :-1]).std() / shifts.std()  # of a Gaussian field: 1 / (sqrt(2) sigma)
    assert near == pytest.approx(1 / (2**0.5 * sigma), rel=0.15)


def test_the_same_random_numbers_make_the_same_images() -> None:
    x = images()
    assert np.array_equal(ALL(x, SHAPE, rng(1)), ALL(x, SHAPE, rng(1)))
    assert not np.array_equal(ALL(x, SHAPE, rng(1)), ALL(x, SHAPE, rng(2)))
    assert np.array_equal(x, images()), "the originals stay as they are"


@compiled
@pytest.mark.parametrize("shape", [(28, 28), (12, 9), (1, 40), (33, 3), (1, 1)])
@pytest.mark.parametrize("distortions", [ALL, gn.Distortions(rotation=180, translation=30), gn.Distortions(alpha=300)])
def test_the_kernels_make_the_same_images(shape: tuple[int, int], distortions: gn.Distortions) -> None:
    x = images(200, shape)
    fast = distorting.compiled(distortions, x, shape)
    assert fast is not None
    for part in (x, x[::2], np.asfortranarray(x)):
        made, wanted = fast(part, shape, rng()), distortions(part, shape, rng())
        difference = np.abs(made.astype(int) - wanted)
        assert difference.max() <= 1  # where rounding to uint8 turns the other way
        assert difference.mean() < 1e-3


@compiled
def test_there_is_no_kernel_for_other_types_and_for_what_is_ones_own() -> None:
    class Own(gn.Distortions):
        pass

    assert distorting.compiled(Own(), images(), SHAPE) is None
    assert distorting.compiled(ALL, images().astype(float), SHAPE) is None


def digits() -> gn.Dataset:
    x = images(200, (8, 8))
    return gn.Dataset.from_arrays(x, x[:, 0] % 3, image_shape=(8, 8))


def train(fast: bool = True, dataset: gn.Dataset | None = None, threads: int | None = None, **more):
    net = gn.Network(
        [gn.Standardize(per_feature=False), gn.Dense(64, 20), gn.BatchNorm(20), gn.ReLU(), gn.Dense(20, 3)],
        fast=fast,
        threads=threads,
    )
    settings = {"augmentation": ALL, "epochs": 4, "batch_size": 32, "seed": 5} | more
    return net, gn.fit(net, dataset or digits(), gn.CrossEntropy(), gn.SGD(0.05, 0.9), **settings)


def test_each_epoch_sees_other_images_with_their_own_targets() -> None:
    class Own(gn.Augmentation):
        def __call__(self, x: np.ndarray, shape: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
            seen.append((x, rng.integers(1000)))
            return (x // 128) * 255  # of which the targets know nothing

    seen: list[tuple[np.ndarray, int]] = []
    dataset = digits()
    train(False, dataset, augmentation=Own(), epochs=2, callbacks=[])
    assert len({number for _, number in seen}) == len(seen) == 2 * 4
    rows = np.concatenate([x for x, _ in seen[:4]])
    assert sorted(map(bytes, rows)) == sorted(map(bytes, dataset.train.x))

    class Rows(gn.Callback):
        def on_step(self, run: Training) -> None:
            assert set(np.unique(run.net.layers[1].x)) == set(run.net.layers[0].forward(np.array([[0, 255]])).ravel())

    train(False, dataset, augmentation=Own(), epochs=2, callbacks=[Rows()])


def test_the_fast_path_trains_on_the_same_images() -> None:
    (a, wanted), (b, found) = train(False), train(True)
    np.testing.assert_allclose(found.step_loss, wanted.step_loss, rtol=2e-3)
    np.testing.assert_allclose(a.theta, b.theta, atol=5e-3)
    floats = digits()
    for part in (floats.train, floats.val, floats.test):
        part.x = part.x.astype(np.float32)
    (a, wanted), (b, found) = train(False, floats), train(True, floats)
    np.testing.assert_allclose(found.step_loss, wanted.step_loss, rtol=1e-4)


def test_bits_depend_on_the_seed_alone() -> None:
    nets = [train(threads=count, average=gn.EMA(0.9))[0] for count in (1, 2, 3)]
    assert all(np.array_equal(nets[0].theta, net.theta) for net in nets)
    assert not np.array_equal(nets[0].theta, train(average=gn.EMA(0.9), seed=6)[0].theta)


@pytest.mark.parametrize("kept", [1, 3])
def test_resuming_gives_the_same_bits(tmp_path: Path, kept: int) -> None:
    class Stop(gn.Callback):
        def on_epoch(self, run: Training) -> None:
            run.stop = len(run.history) == kept

    path, more = tmp_path / "checkpoint", {"average": gn.EMA(0.9), "schedule": gn.OneCycle()}
    whole, expected = train(**more)
    train(callbacks=[gn.Checkpoint(path), Stop()], **more)
    resumed, history = train(resume=path, **more)
    assert history.step_loss == expected.step_loss
    assert all(np.array_equal(value, resumed.arrays()[name]) for name, value in whole.arrays().items())
    with pytest.raises(ValueError, match=r"augmentation was Distortions.*, now it is None"):
        train(resume=path, **more | {"augmentation": None})


def test_an_error_in_an_augmentation_of_ones_own_ends_training() -> None:
    class Broken(gn.Augmentation):
        def __call__(self, x: np.ndarray, shape: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
            raise ZeroDivisionError("broken")

    with pytest.raises(ZeroDivisionError, match="broken"):
        train(augmentation=Broken())


@pytest.mark.parametrize(
    ("limits", "message"),
    [
        ({"rotation": -1}, "Distortions: rotation must be a number of at least 0, not -1"),
        ({"scale": 1}, "Distortions: scale must be a number of at least 0 and below 1, not 1"),
        ({"sigma": 0}, "Distortions: sigma must be a number above 0, not 0"),
        ({"alpha": float("inf")}, "Distortions: alpha must be"),
    ],
)
def test_limits_that_make_no_sense_are_named(limits: dict[str, float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        gn.Distortions(**limits)


def test_rows_that_are_no_images_are_refused() -> None:
    rows = gn.Dataset.from_arrays(images(200, (8, 8)), np.arange(200) % 3)
    with pytest.raises(ValueError, match="augmentation is for images, and the data have no image_shape"):
        train(dataset=rows)
