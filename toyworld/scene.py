"""A scene: one to three things, each with a shape, a colour, a size and a cell of a three by three grid."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

SHAPES = ("circle", "square", "triangle", "star")
COLOURS = ("red", "green", "blue", "yellow", "purple", "black")
SIZES = ("small", "large")
CELLS = (
    "top left",
    "top",
    "top right",
    "left",
    "center",
    "right",
    "bottom left",
    "bottom",
    "bottom right",
)
MOST_THINGS = 3

# The compositional split: a colour and a shape that no training picture, text or question joins.
HELD_OUT_PAIRS = frozenset({("red", "star"), ("blue", "triangle"), ("green", "circle"), ("yellow", "square")})

ATTRIBUTES = ("shape", "colour", "size", "cell")


@dataclass(frozen=True, order=True)
class Thing:
    """One thing of a scene, or what a text says about one: there an attribute may be missing.

    Args:
        cell: Index into `CELLS`, row by row from the top left; -1 when a text does not say.
        size: One of `SIZES`, or ``""``.
        colour: One of `COLOURS`, or ``""``.
        shape: One of `SHAPES`, or ``""``.
    """

    cell: int
    size: str
    colour: str
    shape: str

    @property
    def row(self) -> int:
        """Row of the grid, 0 at the top."""
        return self.cell // 3

    @property
    def column(self) -> int:
        """Column of the grid, 0 at the left."""
        return self.cell % 3

    @property
    def complete(self) -> bool:
        """Whether every attribute is known."""
        return self.cell >= 0 and bool(self.size and self.colour and self.shape)


@dataclass(frozen=True)
class Scene:
    """One to three complete things in different cells, kept in reading order.

    Raises:
        ValueError: If a thing is incomplete, two share a cell, or their number is not 1 to 3.

    Example:
        >>> scene = Scene.of(Thing(4, "large", "blue", "square"), Thing(0, "small", "red", "circle"))
        >>> [thing.shape for thing in scene.things]
        ['circle', 'square']
        >>> Scene.from_json(scene.to_json()) == scene
        True
    """

    things: tuple[Thing, ...]

    def __post_init__(self) -> None:
        if not 1 <= len(self.things) <= MOST_THINGS:
            raise ValueError(f"a scene holds 1 to {MOST_THINGS} things, not {len(self.things)}")
        if not all(thing.complete for thing in self.things):
            raise ValueError(f"a scene's things have every attribute: {self.things}")
        if len({thing.cell for thing in self.things}) != len(self.things):
            raise ValueError(f"two things share a cell: {self.things}")
        object.__setattr__(self, "things", tuple(sorted(self.things)))

    @classmethod
    def of(cls, *things: Thing) -> Scene:
        """A scene of these things, in any order."""
        return cls(tuple(things))

    def to_json(self) -> list[dict[str, Any]]:
        """The scene as plain values, for files."""
        return [
            {"shape": t.shape, "colour": t.colour, "size": t.size, "cell": CELLS[t.cell]} for t in self.things
        ]

    @classmethod
    def from_json(cls, things: Iterable[Mapping[str, Any]]) -> Scene:
        """The scene that `to_json` wrote."""
        return cls(tuple(Thing(CELLS.index(t["cell"]), t["size"], t["colour"], t["shape"]) for t in things))

    @property
    def key(self) -> str:
        """A short stable name: equal scenes, equal names, on every machine."""
        text = "|".join(f"{t.cell}{t.size}{t.colour}{t.shape}" for t in self.things)
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    @property
    def compositional(self) -> bool:
        """Whether a colour and a shape meet here that never meet in training."""
        return any((thing.colour, thing.shape) in HELD_OUT_PAIRS for thing in self.things)


def scene_accuracy(predicted: Scene | None, true: Scene) -> float:
    """1.0 where every attribute of every thing is right and nothing is added, else 0.0."""
    return float(predicted == true)


def attribute_f1(predicted: Iterable[Thing] | Scene | None, true: Scene) -> float:
    """F1 over the attributes of the best matching of predicted things to true ones, in [0, 1].

    An attribute counts as predicted when it is stated at all; a thing too many costs precision, a
    missing one recall. This is the usual slot F1, with the assignment that is kindest to the prediction.

    Example:
        >>> true = Scene.of(Thing(0, "small", "red", "circle"))
        >>> attribute_f1([Thing(0, "small", "red", "square")], true)
        0.75
        >>> attribute_f1(None, true)
        0.0
    """
    things = list(predicted.things if isinstance(predicted, Scene) else predicted or ())
    # A model that babbles hundreds of things is judged on its first nine: one for each cell.
    things = things[: len(CELLS)]
    stated = sum((t.cell >= 0) + bool(t.size) + bool(t.colour) + bool(t.shape) for t in things)
    if not stated:
        return 0.0
    hits = [[_agreements(p, t) for p in things] + [0] * len(true.things) for t in true.things]
    columns = range(len(hits[0]))
    best = max(
        sum(row[c] for row, c in zip(hits, order, strict=True))
        for order in itertools.permutations(columns, len(hits))
    )
    return 2 * best / (stated + len(ATTRIBUTES) * len(true.things))


def _agreements(a: Thing, b: Thing) -> int:
    return sum(getattr(a, name) == getattr(b, name) for name in ATTRIBUTES)
