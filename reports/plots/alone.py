"""A plot as a file of its own: the same drawing, with the colours that it otherwise takes from its page."""

from __future__ import annotations

import re
from pathlib import Path

from reports.plots.canvas import Plot

_STYLE = Path(__file__).parent.parent / "templates" / "style.css"


def standalone(plot: Plot) -> str:
    """The first drawing of a plot as an SVG file, light or dark as whoever looks at it wants.

    Example:
        >>> from reports.plots import Curve, curves
        >>> line = Curve("a", ((1, 0.9, 0.8, 1.0), (2, 0.7, 0.6, 0.8)))
        >>> standalone(curves("carried", "Attributes", [line], x="attributes", y="right"))[:34]
        '<svg xmlns="http://www.w3.org/2000'
    """
    style = _STYLE.read_text(encoding="utf-8")
    light, dark = re.findall(r":root[^{]*\{(.*?)\}", style, flags=re.DOTALL)[:2]
    look = (
        f"svg{{{light}background:var(--paper);font-family:system-ui,sans-serif}}"
        f"@media (prefers-color-scheme:dark){{svg{{{dark}}}}}"
    )
    head = '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"'
    drawing = str(plot.drawings[0]).replace("<svg", head, 1)
    return drawing.replace(">", f"><style>{' '.join(look.split())}</style>", 1) + "\n"
