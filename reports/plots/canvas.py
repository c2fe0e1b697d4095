"""Where plots are drawn: matplotlib's SVG, in the page's own colours, one unit to a CSS pixel.

The colours are those of the style sheet, so that a plot follows the page from light to dark; a system keeps
its colour and its shape on every plot, so that it is known without colour too. Text stays text: it can be
searched, read aloud and shown in the page's own type.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from nextgpt.terminal import one_line

if TYPE_CHECKING:
    from markupsafe import Markup
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Kind = Literal["wide", "narrow", "only"]

# matplotlib knows no variables of a style sheet: it draws in colours that nobody uses, which stand for them.
_VARIABLES = ("ink", "muted", "line", "paper", "s0", "s1", "s2", "s3")
INK, MUTED, LINE, PAPER, *SERIES = (f"#0a0b{place:02x}" for place in range(len(_VARIABLES)))
MARKERS = ("o", "s", "D", "^")
_PLACEHOLDER = re.compile("#0a0b([0-9a-f]{2})")

_SETTINGS: Any = {  # typed by name for each one in matplotlib
    "svg.fonttype": "none",
    "text.parse_math": False,  # a system may have dollars in its name
    "font.size": 12,
    "text.color": INK,
    "axes.edgecolor": LINE,
    "axes.labelcolor": MUTED,
    "axes.labelsize": 12,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.facecolor": "none",
    "figure.facecolor": "none",
    "grid.color": LINE,
    "grid.linewidth": 1,
    "xtick.color": LINE,
    "ytick.color": LINE,
    "xtick.labelcolor": MUTED,
    "ytick.labelcolor": MUTED,
    "xtick.labelsize": 12,
    "ytick.labelsize": 12,
    "lines.markersize": 8,
    "lines.linewidth": 2,
    "errorbar.capsize": 0,
}


@dataclass(frozen=True)
class Plot:
    """A plot, ready for a page, and what a reader who can't see it is told.

    Attributes:
        name: unique on the page; the prefix of its element ids.
        title: what it shows, in one line.
        description: every value in words.
        drawings: SVG elements: one, or one for desks and paper and one for phones.
    """

    name: str
    title: str
    description: str
    drawings: tuple[Markup, ...]


def series_style(series: int, *, solid: bool = True) -> dict[str, Any]:
    """Colour and marker of a system, as matplotlib's keywords; hollow for what tells nothing apart."""
    colour = SERIES[series % len(SERIES)]
    return {
        "color": colour,
        "marker": MARKERS[series % len(MARKERS)],
        "markerfacecolor": colour if solid else PAPER,
        "markeredgecolor": colour,
        "markeredgewidth": 2 if not solid else 1,
    }


@contextmanager
def canvas(width: float, height: float) -> Iterator[Figure]:
    """A figure of so many pixels, with the settings that hold for all plots while it is drawn."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    with mpl.rc_context(_SETTINGS):
        yield Figure((width / 72, height / 72), dpi=72)


def axes(figure: Figure, left: float, top: float, right: float, bottom: float) -> Axes:
    """Axes whose inner edges lie so many pixels from the left and the top of the figure."""
    width, height = figure.get_size_inches() * 72
    return figure.add_axes(
        (left / width, 1 - bottom / height, (right - left) / width, (bottom - top) / height)
    )


def to_svg(
    figure: Figure, name: str, kind: Kind, title: str, description: str, points: Sequence[str] = ()
) -> Markup:
    """The figure as one element for a page: no style of its own, no two ids alike, the same bytes each time.

    Args:
        figure: what was drawn, inside of `canvas`.
        name: as in `Plot`.
        kind: whether it is for wide pages, for narrow ones, or the only drawing.
        title: as in `Plot`.
        description: as in `Plot`.
        points: what a pointer is told over the groups with the ids ``point-0``, ``point-1`` and so on.
    """
    import matplotlib as mpl
    from markupsafe import Markup, escape

    whole = io.StringIO()
    prefix = f"{name}-{kind}"
    with mpl.rc_context({"svg.hashsalt": prefix}):
        figure.savefig(whole, format="svg", metadata={"Date": None, "Creator": None})
    drawn = whole.getvalue()
    drawn = drawn[drawn.index("<g id=") : drawn.rindex("</svg>")]
    drawn = re.sub(r"<!--.*?-->", "", drawn, flags=re.DOTALL)  # each text once more, as a remark
    drawn = re.sub(r' id="', f' id="{prefix}-', drawn)
    drawn = re.sub(r'(href="#|url\(#)', rf"\g<1>{prefix}-", drawn)
    drawn = re.sub(r"font-family: [^;\"]*; ", "", drawn)  # the page's own
    drawn = _PLACEHOLDER.sub(lambda found: f"var(--{_VARIABLES[int(found[1], 16)]})", drawn)
    for place, words in enumerate(points):
        group = f'<g id="{prefix}-point-{place}">'
        drawn = drawn.replace(group, f"{group}<title>{escape(one_line(words))}</title>", 1)
    width, height = figure.get_size_inches() * 72
    head = (
        f'<svg class="plot {kind}" viewBox="0 0 {width:g} {height:g}" role="img" '
        f'aria-labelledby="{prefix}-title {prefix}-desc">'
        f'<title id="{prefix}-title">{escape(one_line(title))}</title>'
        f'<desc id="{prefix}-desc">{escape(one_line(description))}</desc>'
    )
    # Every text in it was escaped, here or by matplotlib.
    return Markup(f"{head}{drawn.strip()}</svg>")


def label(text: str, longest: int) -> str:
    """Foreign text as a label, on one line and short enough."""
    text = one_line(text)
    return text if len(text) <= longest else f"{text[: longest - 1]}…"
