"""Digits from image files: taken as they are, or prepared as MNIST's own were."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

from glassnet.data import read_digit

MNIST, DIGITS = (28, 28), (8, 8)


def drawing(size=(300, 400), ink=20, paper=235, at=(30, 200), mode="L") -> Image.Image:
    """A seven: a bar, and below its right end a stroke down."""
    image = Image.new(mode, size, paper)
    draw = ImageDraw.Draw(image)
    x, y = at
    draw.rectangle((x, y, x + 89, y + 19), fill=ink)
    draw.rectangle((x + 70, y, x + 89, y + 149), fill=ink)
    return image


def saved(image: Image.Image, path: Path) -> Path:
    image.save(path)
    return path


def box(picture: np.ndarray) -> tuple[int, int]:
    rows, columns = np.nonzero(picture.any(axis=1))[0], np.nonzero(picture.any(axis=0))[0]
    return rows[-1] - rows[0] + 1, columns[-1] - columns[0] + 1


def test_an_image_of_the_right_size_is_taken_as_it_is(tmp_path: Path) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, MNIST, dtype=np.uint8)
    path = saved(Image.fromarray(pixels), tmp_path / "digit.png")
    row = read_digit(path, MNIST, 255)
    assert (row.shape, row.dtype) == ((1, 784), np.uint8)
    np.testing.assert_array_equal(row[0], pixels.ravel())


def test_levels_are_scaled_to_the_maximum(tmp_path: Path) -> None:
    levels = np.arange(64).reshape(DIGITS) % 17
    path = saved(Image.fromarray(np.rint(levels * 255 / 16).astype(np.uint8)), tmp_path / "digit.png")
    np.testing.assert_array_equal(read_digit(path, DIGITS, 16)[0], levels.ravel())


def test_a_drawing_is_made_like_mnist(tmp_path: Path) -> None:
    digit = read_digit(saved(drawing(), tmp_path / "seven.png"), MNIST, 255).reshape(MNIST)
    assert box(digit) == (20, 12)  # 150 x 90 in a box of 20
    assert digit.max() == 255
    assert digit[0].max() == 0  # ink is bright, paper black
    for axis in (0, 1):
        mass = digit.sum(axis=axis, dtype=float)
        assert np.average(np.arange(28), weights=mass) == pytest.approx(14, abs=0.5)
    top, bottom = digit[:14], digit[20:]
    assert box(top)[1] == 12
    assert box(bottom)[1] <= 4


@pytest.mark.parametrize(
    "other",
    [
        drawing(ink=235, paper=20),
        drawing(at=(150, 10)),
        drawing(size=(1000, 700)),
        drawing(ink=(20, 20, 20), paper=(235, 235, 235), mode="RGB"),
        drawing(ink=(0, 0, 0, 255), paper=(0, 0, 0, 0), mode="RGBA"),
        drawing(ink=20 * 257, paper=235 * 257, mode="I;16"),
    ],
    ids=["light on dark", "elsewhere", "on a larger page", "colour", "transparent", "16 bits"],
)
def test_only_the_ink_counts(tmp_path: Path, other: Image.Image) -> None:
    plain = read_digit(saved(drawing(), tmp_path / "plain.png"), MNIST, 255)
    np.testing.assert_array_equal(read_digit(saved(other, tmp_path / "other.png"), MNIST, 255), plain)


def test_a_noisy_photo_gives_nearly_the_same(tmp_path: Path) -> None:
    image = np.asarray(drawing(), dtype=float)
    noisy = image + np.random.default_rng(0).normal(0, 4, image.shape)
    photo = Image.fromarray(np.clip(noisy, 0, 255).astype(np.uint8))
    plain = read_digit(saved(drawing(), tmp_path / "plain.png"), MNIST, 255).astype(float)
    photographed = read_digit(saved(photo, tmp_path / "photo.jpg"), MNIST, 255)
    assert np.abs(photographed - plain).max() < 30


def test_small_images_are_filled(tmp_path: Path) -> None:
    digit = read_digit(saved(drawing(), tmp_path / "seven.png"), DIGITS, 16).reshape(DIGITS)
    assert box(digit) == (8, 5)
    assert digit.max() == 16


def test_a_single_stroke_stays_a_stroke(tmp_path: Path) -> None:
    image = Image.new("L", (200, 200), 255)
    ImageDraw.Draw(image).line((100, 20, 100, 180), fill=0, width=2)
    digit = read_digit(saved(image, tmp_path / "one.png"), MNIST, 255).reshape(MNIST)
    assert box(digit) == (20, 1)
    assert digit[:, 14].max() == 255


@pytest.mark.parametrize("size", [(28, 28), (300, 200)])
@pytest.mark.parametrize("grey", [0, 255])
def test_blank(tmp_path: Path, size, grey) -> None:
    path = saved(Image.new("L", size, grey), tmp_path / "blank.png")
    with pytest.raises(ValueError, match=r"blank\.png is blank"):
        read_digit(path, MNIST, 255)


def test_an_empty_page_with_noise_is_blank(tmp_path: Path) -> None:
    pixels = np.random.default_rng(0).integers(220, 240, (200, 200), dtype=np.uint8)
    with pytest.raises(ValueError, match="is blank"):
        read_digit(saved(Image.fromarray(pixels), tmp_path / "page.png"), MNIST, 255)


def test_not_an_image(tmp_path: Path) -> None:
    text = tmp_path / "rows.png"
    text.write_text("a,b\n1,2\n")
    whole = saved(drawing(), tmp_path / "whole.png").read_bytes()
    cut = tmp_path / "cut.png"
    cut.write_bytes(whole[: len(whole) // 2])
    for path in (text, cut):
        with pytest.raises(ValueError, match=f"{path.name} can't be read as an image") as caught:
            read_digit(path, MNIST, 255)
        assert "\n" not in str(caught.value)
    with pytest.raises(FileNotFoundError, match=r"no such file: .*none\.png"):
        read_digit(tmp_path / "none.png", MNIST, 255)
    with pytest.raises(ValueError, match="is a folder"):
        read_digit(tmp_path, MNIST, 255)
