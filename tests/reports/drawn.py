"""Reads a drawing back: where its points lie, and whether they are solid."""

from __future__ import annotations

from typing import NamedTuple
from xml.etree import ElementTree as ET

_SVG, _XLINK = "http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"


class Point(NamedTuple):
    """A marker, in pixels from the left and the top, and whether it is filled with its own colour."""

    x: float
    y: float
    solid: bool


def parse(drawing: str) -> ET.Element:
    """The drawing as a tree; fails where it is not well formed."""
    head = f'<svg xmlns="{_SVG}" xmlns:xlink="{_XLINK}"'
    return ET.fromstring(str(drawing).replace("<svg", head, 1))


def points(drawing: str) -> list[Point]:
    """The points of a drawing, in their order."""
    groups = [g for g in parse(drawing).iter(f"{{{_SVG}}}g") if "-point-" in g.get("id", "")]
    found = []
    for group in groups:
        (use,) = group.iter(f"{{{_SVG}}}use")
        style = dict(part.split(": ") for part in use.get("style", "").split("; "))
        found.append(
            Point(float(use.get("x", "")), float(use.get("y", "")), style["fill"] == style["stroke"])
        )
    return found


def zero(drawing: str) -> float | None:
    """Where the line at nought is, or None."""
    for group in parse(drawing).iter(f"{{{_SVG}}}g"):
        if group.get("id", "").endswith("-zero"):
            path = group.find(f"{{{_SVG}}}path")
            assert path is not None
            return float(path.get("d", "").split()[1])
    return None


def texts(drawing: str) -> list[str]:
    """All that is written on it."""
    return ["".join(text.itertext()) for text in parse(drawing).iter(f"{{{_SVG}}}text")]


def size(drawing: str) -> tuple[float, float]:
    """Width and height in pixels."""
    *_, width, height = map(float, parse(drawing).get("viewBox", "").split())
    return width, height
