"""Plots of the pages, drawn by matplotlib: `forest`, `scatter`, `curves`; each says its values in words."""

from reports.plots.alone import standalone
from reports.plots.canvas import Plot
from reports.plots.curve import Curve, curves
from reports.plots.forest import Band, Mark, forest
from reports.plots.scatter import Dot, scatter

__all__ = ["Band", "Curve", "Dot", "Mark", "Plot", "curves", "forest", "scatter", "standalone"]
