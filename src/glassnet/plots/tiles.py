"""Many small images in rows. A panel for each would take most of the time in which a run's pictures are drawn."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

FILLED = 0.92  # of a cell: the rest keeps images apart
Place = tuple[float, float, float, float]  # left, top, right, bottom


def sheet(figure: Figure) -> Axes:
    """Return a panel over the whole figure. Its unit is the inch, and its origin the upper left corner."""
    width, height = figure.get_size_inches()
    panel = figure.add_axes((0.0, 0.0, 1.0, 1.0), xlim=(0, width), ylim=(height, 0))
    panel.set_axis_off()
    return panel


def places(count: int, columns: int, top: float, cell: tuple[float, float], room: float, ratio: float) -> list[Place]:
    """Return where images stand in the cells of a grid below `top`, as large as fits; all in inches.

    cell   its width and height.
    room   what is left free above each image, for words.
    ratio  height / width of an image.
    """
    width, height = cell
    high = FILLED * min(height - room, width * ratio)
    lefts = [(i % columns + 0.5) * width - high / ratio / 2 for i in range(count)]
    ends = [top + (i // columns + 1) * height - (height - room - high) / 2 for i in range(count)]
    return [(left, end - high, left + high / ratio, end) for left, end in zip(lefts, ends, strict=True)]


def draw_tiles(panel: Axes, images: Iterable[NDArray[Any]], where: Iterable[Place], **look: Any) -> None:
    """Draw images (h, w) at their places on a sheet. look: what imshow takes."""
    for image, (left, top, right, bottom) in zip(images, where, strict=True):
        panel.imshow(image, extent=(left, right, bottom, top), aspect="auto", **look)
