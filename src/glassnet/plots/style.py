"""One look for every picture, and the one way to write a picture to a file."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

from glassnet.extras import need
from glassnet.files import replacing
from glassnet.plots.labels import short

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.colors import Colormap
    from matplotlib.figure import Figure

WIDTH = 8.0  # inches: 1200 pixels in the file
DPI = 150
PictureFormat = Literal["png", "svg"]
HEAD = 0.35  # inches above images, for the headline

# From the palette of Okabe and Ito, "Color Universal Design" (2008): distinct for every kind of colour vision.
BLUE = "#0072B2"
ORANGE = "#D55E00"
INK = "#333333"
GREY = "#8C8C8C"
FAINT = "#E3E3E3"
PALE_BLUE = "#B9D8EA"
POSITIVE, NEGATIVE = ORANGE, BLUE  # the signs, everywhere: here, in the explorer, in the tutorial

STYLE: dict[Any, Any] = {
    "font.family": "DejaVu Sans",  # comes with matplotlib: the same picture on every machine
    "font.size": 9,
    "text.color": INK,
    "text.parse_math": False,  # a class may be called "$5 to $10"
    "figure.titlesize": 10,
    "figure.constrained_layout.w_pad": 0.08,  # inches
    "figure.constrained_layout.h_pad": 0.08,
    "axes.titlesize": 9,
    "axes.labelsize": 9,
    "axes.labelcolor": INK,
    "axes.edgecolor": GREY,
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": FAINT,
    "grid.linewidth": 0.6,
    "xtick.color": GREY,
    "xtick.labelcolor": INK,
    "xtick.labelsize": 8,
    "ytick.color": GREY,
    "ytick.labelcolor": INK,
    "ytick.labelsize": 8,
    "legend.fontsize": 8,
    "legend.frameon": False,
    "legend.handlelength": 1.6,
    "lines.linewidth": 1.6,
    "lines.solid_capstyle": "round",
    "agg.path.chunksize": 10_000,  # a line through every step of a long run is longer than Agg takes whole
}

_inside: ContextVar[bool] = ContextVar("inside a styled block", default=False)


@contextmanager
def styled() -> Iterator[None]:
    """Draw in the house's style inside the block, or, as the decorator `@styled()`, in a whole function.

    Starts from matplotlib's own defaults, so that a user's matplotlibrc doesn't show, and puts it back after. That
    takes a while, so of blocks inside each other the outermost alone does it.
    """
    if _inside.get():
        yield
        return
    need("plots", "matplotlib")
    import matplotlib

    token = _inside.set(True)
    try:
        with matplotlib.rc_context():
            matplotlib.rcdefaults()
            matplotlib.rcParams.update(STYLE)
            yield
    finally:
        _inside.reset(token)


def signed() -> Colormap:
    """Return the colours of numbers with a sign: blue below 0, orange above, as in the explorer and the tutorial."""
    from matplotlib.colors import LinearSegmentedColormap

    return LinearSegmentedColormap.from_list("signed", [NEGATIVE, "#F7F7F5", POSITIVE])


def entitle(figure: Figure, of: str) -> None:
    """Put in front of a figure's headline what it is of: the run and its data."""
    headline = figure.get_suptitle()
    with styled():
        figure.suptitle(f"{short(of, 40)}: {headline}" if headline else short(of, 40), x=0.01, ha="left")


def legend_above(panel: Axes) -> None:
    """Name what `panel` shows in one row above it, where no data can be hidden."""
    if panel.get_legend_handles_labels()[0]:
        panel.legend(loc="lower right", bbox_to_anchor=(1, 1), ncols=4, borderaxespad=0.2, columnspacing=1.4)


def save(figure: Figure, path: str | os.PathLike[str]) -> None:
    """Write `figure` to `path` as PNG, of 150 dots per inch, or SVG, by its ending: the whole file, or none.

    The same figure gives the same bytes. Raises ValueError for another ending, OSError if the file can't be written.
    """
    path = Path(path)
    if path.suffix.lower()[1:] not in get_args(PictureFormat):
        raise ValueError(f"pictures are written as .png or .svg, and {path.name!r} ends in neither: rename it")
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    with replacing(path) as part, styled(), warnings.catch_warnings():
        # A name in a script that the font lacks shows as boxes; that is no reason to disturb a run.
        warnings.filterwarnings("ignore", message="Glyph .* missing from", category=UserWarning)
        if path.suffix.lower() == ".svg":
            write_svg(figure, part, path.stem)
            return
        figure.set_dpi(DPI)
        canvas: Any = FigureCanvasAgg(figure)
        # savefig draws twice, to put things in their places first. More compression takes twice as long for little.
        canvas.print_png(part, pil_kwargs={"compress_level": 3})


def write_svg(figure: Figure, file: Any, name: str) -> None:
    """Write `figure` as SVG to a path or a file. Text becomes outlines: the same picture on every machine.

    name: a word from which the names inside are made, so that the same figure gives the same bytes.
    """
    import matplotlib

    with matplotlib.rc_context({"svg.hashsalt": name, "svg.fonttype": "path"}):
        figure.savefig(file, format="svg", dpi=DPI, metadata={"Date": None})
