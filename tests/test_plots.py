"""The pictures hold the right data, survive extremes without a warning, and nothing in them is cut off."""

import subprocess
import sys

import matplotlib
import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image

from glassnet import plots
from glassnet.plots.labels import percent, short

LONG_NAMES = [f"a class with a very long name, {i}" for i in range(26)]


def whole(figure: Figure) -> Figure:
    """Draw the figure; nothing in it may stick out of it."""
    figure.draw_without_rendering()
    box = figure.get_tightbbox()
    width, height = figure.get_size_inches()
    assert box.x0 >= -0.01
    assert box.y0 >= -0.01
    assert box.x1 <= width + 0.01
    assert box.y1 <= height + 0.01
    return figure


def apart(texts) -> bool:
    """No two of these texts or images overlap."""
    boxes = [text.get_window_extent() for text in texts if not hasattr(text, "get_text") or text.get_text()]
    return not any(a.overlaps(b) for i, a in enumerate(boxes) for b in boxes[:i])


def words(figure: Figure) -> list[str]:
    return [text.get_text() for text in figure.texts]


def line(panel, label: str) -> np.ndarray:
    (found,) = [line for line in panel.get_lines() if line.get_label() == label]
    return np.array(found.get_data())


def a_history(epochs: int, task: str = "accuracy", start: float = 2.0) -> dict[str, list[float]]:
    e = np.arange(1, epochs + 1)
    loss = start * np.exp(-e / epochs)
    return {
        "epoch": e.tolist(),
        "lr": [0.1] * epochs,
        "train_loss": loss.tolist(),
        "val_loss": (1.1 * loss).tolist(),
        f"val_{task}": (1 / (1 + loss)).tolist(),
    }


# curves


def test_curves_show_steps_epochs_and_metric():
    history = a_history(3)
    left, right = whole(plots.curves(history, step_losses=[3, 2.5, 2, 1.5, 1.2, 1.0], best_epoch=2)).axes
    np.testing.assert_allclose(line(left, "steps, smoothed"), [[0.5, 1, 1.5, 2, 2.5, 3], [3, 2.5, 2, 1.5, 1.2, 1.0]])
    np.testing.assert_allclose(line(left, "training"), [[1, 2, 3], history["train_loss"]])
    np.testing.assert_allclose(line(left, "validation"), [[1, 2, 3], history["val_loss"]])
    best = history["val_accuracy"][1]
    np.testing.assert_allclose(line(right, f"kept: {best:.2%} after epoch 2"), [[2], [best]])
    assert right.get_ylabel() == "validation accuracy"
    assert all(label.get_text().endswith("%") for label in right.get_yticklabels())


def test_curves_show_the_training_loss_without_noise_where_there_is_one():
    left = plots.curves(a_history(3) | {"train_eval_loss": [0.9, 0.6, 0.5]}).axes[0]
    assert [each.get_text() for each in left.get_legend().get_texts()] == ["training, without noise", "validation"]
    np.testing.assert_allclose(line(left, "training, without noise")[1], [0.9, 0.6, 0.5])


def test_curves_take_rmse_before_mae_and_r2():
    history = a_history(4, "r2") | a_history(4, "mae") | a_history(4, "rmse")
    assert "RMSE" in plots.curves(history).axes[1].get_ylabel()


def test_curves_without_validation_are_one_panel():
    history = a_history(5)
    nothing = [float("nan")] * 5
    figure = whole(plots.curves({"train_loss": history["train_loss"], "val_loss": nothing, "val_accuracy": nothing}))
    (panel,) = figure.axes
    assert [text.get_text() for text in panel.get_legend().get_texts()] == ["training"]
    np.testing.assert_allclose(line(panel, "training")[0], [1, 2, 3, 4, 5])


@pytest.mark.parametrize(("last", "scale"), [(0.2, "linear"), (0.05, "log")])
def test_losses_are_logarithmic_beyond_a_ratio_of_30(last, scale):
    assert plots.curves({"train_loss": [2.0, 1.0, last]}).axes[0].get_yscale() == scale


@pytest.mark.parametrize("epochs", [0, 1, 2, 300])
@pytest.mark.parametrize("task", ["accuracy", "rmse"])
def test_curves_of_any_length(epochs, task):
    steps = np.geomspace(1e5, 1e-6, 50 * epochs) if epochs else [1.0, 0.0]
    whole(plots.curves(a_history(epochs, task), steps, best_epoch=epochs or None))
    whole(plots.curves(a_history(epochs, task, start=1e7)))


def test_zero_losses_do_not_disturb():
    whole(plots.curves({"train_loss": [1.0, 0.0, 1e-4]}, [1.0, 0.0, 0.5]))
    whole(plots.curves({"train_loss": [0.0, 0.0]}))


def test_perfect_accuracy_does_not_exceed_100_percent():
    panel = plots.curves({"val_accuracy": [1.0, 1.0]}).axes[1]
    assert panel.get_ylim()[1] == 1.0


def test_curves_refuse_what_does_not_fit():
    with pytest.raises(ValueError, match="train_loss 2, val_loss 1"):
        plots.curves({"train_loss": [1, 2], "val_loss": [1]})
    with pytest.raises(ValueError, match="no epoch 4"):
        plots.curves(a_history(3), best_epoch=4)


# confusion


def test_confusion_writes_every_count_where_it_belongs():
    matrix = np.array([[50, 3, 0], [1, 60, 2], [0, 4, 70]])
    figure = whole(plots.confusion(matrix, ["ash", "oak", "elm"]))
    panel = figure.axes[0]
    cells = {text.get_position(): text.get_text() for text in panel.texts}
    assert cells == {(c, r): str(matrix[r, c]) for r in range(3) for c in range(3)}
    assert [label.get_text() for label in panel.get_yticklabels()] == ["ash", "oak", "elm"]
    assert panel.get_title(loc="left") == "180 of 190 right (94.74%)"
    assert (panel.get_xlabel(), panel.get_ylabel()) == ("predicted class", "true class")


def test_confusion_shades_by_share_of_the_row():
    matrix = np.array([[8, 2], [0, 1000]])
    right, wrong = plots.confusion(matrix, "ab").axes[0].images
    np.testing.assert_allclose(right.get_array().compressed(), [0.8, 1.0])
    np.testing.assert_allclose(wrong.get_array().compressed(), [0.2, 0.0])
    assert wrong.norm.vmax == pytest.approx(0.2)


@pytest.mark.parametrize(
    ("size", "long"), [(1, False), (2, False), (2, True), (10, False), (20, True), (26, False), (26, True), (70, True)]
)
def test_confusion_of_any_size_keeps_its_texts_apart(size, long):
    rng = np.random.default_rng(size)
    matrix = rng.integers(0, 10, (size, size)) + 12_345 * np.eye(size, dtype=int)
    names = [LONG_NAMES[i % 26] for i in range(size)] if long else range(size)
    panel = whole(plots.confusion(matrix, names)).axes[0]
    assert len(panel.texts) == (size**2 if size <= 20 else 0)
    assert apart(panel.texts)
    assert apart(panel.get_xticklabels())
    assert apart(panel.get_yticklabels())


def test_confusion_without_rows_and_without_mistakes():
    assert plots.confusion(np.zeros((2, 2), int), "ab").axes[0].get_title(loc="left") == "0 of 0 right"
    whole(plots.confusion(np.diag([3, 4]), "ab"))


def test_confusion_refuses_other_shapes():
    with pytest.raises(ValueError, match=r"\(3, 3\), not \(2, 2\)"):
        plots.confusion(np.eye(2, dtype=int), "abc")


# mistakes


def test_mistakes_are_the_wrong_rows_the_surest_first():
    images = np.arange(4)[:, None, None] * np.ones((4, 5, 5))
    figure = whole(plots.mistakes(images, [7, 2, 3, 4], [1, 2, 5, 9], [0.6, 1.0, 0.99, 0.7], range(10)))
    (sheet,) = figure.axes
    assert [text.get_text() for text in sheet.texts] == ["3 → 5  99.0%", "4 → 9  70%", "7 → 1  60%"]
    assert [image.get_array()[0, 0] for image in sheet.images] == [2, 3, 0]
    assert len({image.get_clim() for image in sheet.images}) == 1
    assert words(figure) == ["All 3 mistakes: true → predicted, confidence"]


@pytest.mark.parametrize("names", [range(26), LONG_NAMES])
@pytest.mark.parametrize(("wrong", "shown"), [(1, 1), (9, 9), (100, 24)])
def test_at_most_24_mistakes_with_titles_apart(names, wrong, shown):
    true = np.arange(100) % 26
    predicted = np.where(np.arange(100) < wrong, (true + 1) % 26, true)
    figure = whole(plots.mistakes(np.ones((100, 8, 8)), true, predicted, np.full(100, 0.9999), names))
    (sheet,) = figure.axes
    assert len(sheet.images) == len(sheet.texts) == shown
    assert apart([*figure.texts, *sheet.texts, *sheet.images])


def test_mistake_table_names_rows_classes_and_confidence():
    figure = whole(plots.mistake_table([0, 1, 1], [1, 1, 0], [0.5, 1.0, 0.8], ["cat", "dog"]))
    (panel,) = figure.axes
    assert [bar.get_width() for bar in panel.patches] == [0.8, 0.5]
    assert [label.get_text() for label in panel.get_yticklabels()] == ["row 2:  dog → cat", "row 0:  cat → dog"]
    assert [text.get_text().strip() for text in panel.texts] == ["80%", "50%"]


@pytest.mark.parametrize("count", [1, 100])
def test_mistake_table_of_any_length(count):
    figure = whole(plots.mistake_table(np.zeros(count, int), np.ones(count, int), np.ones(count), LONG_NAMES))
    assert len(figure.axes[0].patches) == min(count, 12)
    assert apart(figure.axes[0].get_yticklabels())


def test_no_mistakes_are_a_sentence():
    assert words(whole(plots.mistakes(np.ones((2, 3, 3)), [0, 1], [0, 1], [1, 1], "ab"))) == ["no mistakes"]
    assert words(whole(plots.mistake_table([0, 1], [0, 1], [1, 1], "ab"))) == ["no mistakes"]
    assert words(whole(plots.mistake_table([], [], [], "ab"))) == ["no mistakes"]


def test_mistakes_refuse_what_does_not_fit():
    with pytest.raises(ValueError, match=r"must all have shape \(N,\)"):
        plots.mistake_table([0, 1], [0], [1.0], "ab")
    with pytest.raises(ValueError, match=r"outside 0\.\.1"):
        plots.mistake_table([0], [2], [1.0], "ab")
    with pytest.raises(ValueError, match=r"shape \(1, height, width\), not \(1, 9\)"):
        plots.mistakes(np.ones((1, 9)), [0], [1], [1.0], "ab")


# predictions


def test_predictions_show_points_residuals_and_baseline():
    true, predicted = np.array([1.0, 2.0, 3.0, 6.0]), np.array([1.5, 2.0, 2.5, 6.0])
    figure = whole(plots.predictions(true, predicted, "price ($)"))
    left, right = figure.axes
    np.testing.assert_allclose(left.get_lines()[0].get_data(), [true, predicted])
    assert left.get_xlim() == left.get_ylim()
    assert (left.get_xlabel(), left.get_ylabel()) == ("true price ($)", "predicted price ($)")
    heights = [bar.get_height() for bar in right.patches if hasattr(bar, "get_height")]
    assert sum(heights) == 4
    # Squared errors sum to 0.5; around the mean, 3, they sum to 14.
    assert words(figure) == ["RMSE 0.3536,  R² 0.964    (predicting the mean: RMSE 1.871)"]


def test_many_points_become_densities():
    rng = np.random.default_rng(0)
    true = rng.lognormal(0, 1, 20_000) * 1e6
    figure = whole(
        plots.predictions(true, true + rng.normal(0, 1e5, 20_000), "a very long name of a target, in dollars")
    )
    (bins,) = figure.axes[0].collections
    assert bins.get_array().sum() == 20_000


@pytest.mark.parametrize(("true", "predicted"), [([3.0], [4.0]), ([2, 2, 2], [2, 2, 2]), ([1, 2], [1, 2])])
def test_few_or_constant_values(true, predicted):
    whole(plots.predictions(true, predicted, "y"))


def test_r2_of_a_constant_target_is_undefined():
    assert "R² undefined" in words(plots.predictions([2, 2], [1, 3], "y"))[0]


def test_predictions_refuse_what_cannot_be_drawn():
    with pytest.raises(ValueError, match=r"not \(2,\) and \(2, 1\)"):
        plots.predictions([1, 2], [[1], [2]], "y")
    with pytest.raises(ValueError, match="NaN or infinite"):
        plots.predictions([1, 2], [1, np.inf], "y")


# first layer


@pytest.mark.parametrize("units", [1, 10, 70])
def test_first_layer_shows_the_largest_units_on_one_symmetric_scale(units):
    W = np.random.default_rng(units).normal(size=(12, units)) * np.arange(1, units + 1)
    figure = whole(plots.first_layer(W, (3, 4)))
    sheet, scale = figure.axes
    images = sheet.images
    assert len(images) == min(units, 16)
    assert apart([*figure.texts, *images, scale.yaxis])
    norms = [np.linalg.norm(image.get_array()) for image in images]
    assert norms == sorted(norms, reverse=True)
    largest = W[:, np.argmax(np.linalg.norm(W, axis=0))]
    np.testing.assert_allclose(images[0].get_array(), largest.reshape(3, 4))
    ((low, high),) = {image.get_clim() for image in images}
    assert low == -high < 0


def test_first_layer_shows_the_units_that_are_heard():
    W = np.random.default_rng(0).normal(size=(12, 20)) * np.arange(1, 21)
    listened = np.zeros(20)
    listened[[3, 7]] = 1
    shown = [image.get_array().ravel() for image in plots.first_layer(W, (3, 4), listened).axes[0].images]
    np.testing.assert_allclose(shown[:2], [W[:, 3], W[:, 7]])
    with pytest.raises(ValueError, match=r"heard must have shape \(20,\)"):
        plots.first_layer(W, (3, 4), np.ones(3))


def test_one_row_far_out_leaves_room_for_the_others():
    true = np.random.default_rng(0).normal(size=1000)
    predicted = true + 0.1
    predicted[0] = 1e6
    edges = plots.predictions(true, predicted, "y").axes[1].get_xlim()
    assert np.ptp(edges) < 100


def test_a_headline_says_what_a_picture_is_of():
    figure = plots.predictions([1.0, 2.0], [1.0, 2.5], "y")
    plots.entitle(figure, "houses")
    assert figure.get_suptitle().startswith("houses: RMSE 0.3536")


def test_first_layer_of_zeros():
    whole(plots.first_layer(np.zeros((6, 2)), (2, 3)))


def test_first_layer_refuses_what_does_not_fit():
    with pytest.raises(ValueError, match=r"\(9, units\), not \(8, 2\)"):
        plots.first_layer(np.ones((8, 2)), (3, 3))
    with pytest.raises(ValueError, match="NaN or infinite"):
        plots.first_layer(np.full((9, 2), np.nan), (3, 3))


# style, labels, files


def test_save_writes_a_png_of_sensible_size(tmp_path):
    plots.save(plots.curves(a_history(5)), tmp_path / "curves.png")
    with Image.open(tmp_path / "curves.png") as image:
        assert image.format == "PNG"
        assert image.size == (1200, 480)
        assert image.info["dpi"] == pytest.approx((150, 150), abs=0.1)
    assert 5_000 < (tmp_path / "curves.png").stat().st_size < 200_000
    assert [path.name for path in tmp_path.iterdir()] == ["curves.png"]


def test_save_refuses_other_formats_and_leaves_nothing(tmp_path):
    with pytest.raises(ValueError, match=r"'curves.pdf' ends in neither"):
        plots.save(Figure(), tmp_path / "curves.pdf")
    assert not list(tmp_path.iterdir())


def test_any_class_name_can_be_drawn(tmp_path):
    figure = plots.confusion(np.eye(3, dtype=int), ["$5 to $10 \\frac", "日本", "two\nlines"])
    plots.save(figure, tmp_path / "names.png")
    names = [label.get_text() for label in figure.axes[0].get_xticklabels()]
    assert names == ["$5 to $10 \\frac", "日本", "two lines"]


def test_the_users_style_neither_shows_nor_changes(tmp_path):
    plots.save(plots.curves(a_history(3)), tmp_path / "plain.png")
    with matplotlib.rc_context({"font.size": 30, "axes.facecolor": "black", "savefig.facecolor": "black"}):
        plots.save(plots.curves(a_history(3)), tmp_path / "styled.png")
        assert matplotlib.rcParams["font.size"] == 30
    assert (tmp_path / "plain.png").read_bytes() == (tmp_path / "styled.png").read_bytes()


def test_importing_the_room_loads_neither_matplotlib_nor_pyplot():
    code = (
        "import sys, glassnet.plots as p; assert 'matplotlib' not in sys.modules;"
        "p.curves({'train_loss': [1.0]}); assert 'matplotlib.pyplot' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_labels():
    assert percent(0.87) == "87%"
    assert percent(0.99) == "99.0%"
    assert percent(1.0) == percent(0.99999) == ">99.9%"
    assert short("ankle boot", 10) == "ankle boot"
    assert short("a class number 12", 10) == "a clas… 12"
    assert len(short("x" * 99, 10)) == 10


def test_augmented_images_stand_below_their_originals() -> None:
    images = np.random.default_rng(0).random((3, 4, 8, 6))
    figure = whole(plots.augmented(images))
    (sheet,) = figure.axes
    shown = [image.get_array() for image in sheet.images]
    assert np.array_equal(np.reshape(shown, images.shape), images)
    assert apart([*figure.texts, *sheet.images])
    tops = [image.get_window_extent().y0 for image in sheet.images]
    assert tops[0] > tops[4] > tops[8]
    for shape in [(3, 4, 8), (1, 4, 8, 6), (2, 0, 8, 6)]:
        with pytest.raises(ValueError, match="the images must have shape"):
            plots.augmented(np.zeros(shape))
