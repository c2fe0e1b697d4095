"""A clip: one to three things, of which one to three act, one after the other."""

from __future__ import annotations

import dataclasses
import hashlib
import itertools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from toyworld.scene import CELLS, HELD_OUT_PAIRS, MOST_THINGS, Scene, Thing

KINDS = ("moves", "appears", "vanishes")
DIRECTIONS = ("left", "right", "up", "down")
SPEEDS = ("slowly", "quickly")
TURNS = MOST_THINGS  # a clip has as many turns; in each at most one thing acts
STAYS = "stays"

# The compositional split, beside the pairs of colour and shape: no training clip shows them moving quickly.
HELD_OUT_QUICK = frozenset({"square", "triangle"})

Moment = Literal["beginning", "end"]
_STEPS = {"left": (0, -1), "right": (0, 1), "up": (-1, 0), "down": (1, 0)}


@dataclass(frozen=True, order=True)
class Deed:
    """What a thing does, or what a text says about it: there direction and speed may be missing.

    Args:
        kind: One of `KINDS`.
        direction: One of `DIRECTIONS` for a move, which goes one cell far; else ``""``.
        speed: One of `SPEEDS` for a move; else ``""``.
    """

    kind: str
    direction: str = ""
    speed: str = ""

    @property
    def complete(self) -> bool:
        """Whether everything is known."""
        return self.kind != "moves" or bool(self.direction and self.speed)


@dataclass(frozen=True)
class Actor:
    """A thing of a clip and what becomes of it.

    Args:
        thing: The thing, in the cell where it is first seen.
        deed: What it does; None when it stays.
        turn: When: in the first, second or third third of the clip, 1 to 3; 0 when it stays.
    """

    thing: Thing
    deed: Deed | None = None
    turn: int = 0

    def cell_after(self, turns: int) -> int | None:
        """Where it is after so many turns, or None where it cannot be seen.

        Example:
            >>> circle = Thing(0, "small", "red", "circle")
            >>> [Actor(circle, Deed("moves", "right", "slowly"), 2).cell_after(turn) for turn in range(4)]
            [0, 0, 1, 1]
            >>> [Actor(circle, Deed("appears"), 2).cell_after(turn) for turn in range(4)]
            [None, None, 0, 0]
        """
        done = self.deed is not None and turns >= self.turn
        if self.deed is None or self.deed.kind == "moves":
            return beside(self.thing.cell, self.deed.direction) if self.deed and done else self.thing.cell
        return self.thing.cell if done == (self.deed.kind == "appears") else None

    @property
    def attributes(self) -> dict[str, object]:
        """Everything that is stated about it: what the F1 counts. Who does nothing stays, said or not."""
        stated: dict[str, object] = {
            "shape": self.thing.shape,
            "colour": self.thing.colour,
            "size": self.thing.size,
            "cell": self.thing.cell + 1,
            "deed": self.deed.kind if self.deed else STAYS,
        }
        if self.deed:
            stated |= {"direction": self.deed.direction, "speed": self.deed.speed, "turn": self.turn}
        return {name: value for name, value in stated.items() if value}


@dataclass(frozen=True)
class Clip:
    """One to three complete things in different cells, in reading order, at least one of which acts.

    Those who act do so in turns counted from 1, one thing a turn and one turn a thing. Nobody leaves the grid
    or comes to where another is.

    Raises:
        ValueError: If this does not hold.

    Example:
        >>> circle, star = Thing(0, "small", "red", "circle"), Thing(4, "large", "blue", "star")
        >>> clip = Clip.of(Actor(star), Actor(circle, Deed("moves", "right", "slowly"), 1))
        >>> [thing.cell for thing in clip.after(0)], [thing.cell for thing in clip.after(1)]
        ([0, 4], [1, 4])
        >>> Clip.from_json(clip.to_json()) == clip
        True
    """

    actors: tuple[Actor, ...]

    def __post_init__(self) -> None:
        Scene(tuple(actor.thing for actor in self.actors))
        object.__setattr__(self, "actors", tuple(sorted(self.actors, key=lambda actor: actor.thing)))
        acting = self.acting
        if not acting:
            raise ValueError(f"in a clip something moves, appears or vanishes: {self.actors}")
        if any(actor.turn and not actor.deed for actor in self.actors) or not all(
            actor.deed and actor.deed.complete for actor in acting
        ):
            raise ValueError(f"a clip's deeds have every attribute: {self.actors}")
        if [actor.turn for actor in acting] != list(range(1, len(acting) + 1)):
            raise ValueError(f"a clip's turns are counted from 1, one thing a turn: {self.actors}")
        for turn in range(len(acting) + 1):
            cells = [cell for a in self.actors if (cell := a.cell_after(turn)) is not None]
            if -1 in cells or len(set(cells)) != len(cells):
                raise ValueError(f"a thing leaves the grid or meets another: {self.actors}")

    @classmethod
    def of(cls, *actors: Actor) -> Clip:
        """A clip of these actors, in any order."""
        return cls(tuple(actors))

    @property
    def acting(self) -> tuple[Actor, ...]:
        """Those who act, in order of time."""
        return tuple(sorted((a for a in self.actors if a.deed), key=lambda actor: actor.turn))

    @property
    def staying(self) -> tuple[Actor, ...]:
        """Those who stay, in reading order."""
        return tuple(actor for actor in self.actors if not actor.deed)

    def after(self, turns: int) -> tuple[Thing, ...]:
        """What is seen after so many turns, in reading order; may be nothing."""
        seen = [(actor, actor.cell_after(turns)) for actor in self.actors]
        return tuple(sorted(dataclasses.replace(a.thing, cell=c) for a, c in seen if c is not None))

    def still(self, moment: Moment) -> Scene | None:
        """The picture of the beginning or of the end; None where nothing is to be seen."""
        things = self.after(0 if moment == "beginning" else TURNS)
        return Scene(things) if things else None

    def to_json(self) -> list[dict[str, Any]]:
        """The clip as plain values, for files."""
        written = []
        for actor, thing in zip(
            self.actors, Scene(tuple(a.thing for a in self.actors)).to_json(), strict=True
        ):
            deed = dataclasses.asdict(actor.deed) | {"turn": actor.turn} if actor.deed else None
            written.append({**thing, "deed": deed})
        return written

    @classmethod
    def from_json(cls, actors: Iterable[Mapping[str, Any]]) -> Clip:
        """The clip that `to_json` wrote."""
        read = []
        for record in actors:
            (thing,) = Scene.from_json([record]).things
            deed = record["deed"]
            known = Deed(deed["kind"], deed["direction"], deed["speed"]) if deed else None
            read.append(Actor(thing, known, deed["turn"] if deed else 0))
        return cls(tuple(read))

    @property
    def key(self) -> str:
        """A short stable name: equal clips, equal names, on every machine."""
        text = "|".join("/".join(map(str, actor.attributes.values())) for actor in self.actors)
        return hashlib.sha256(f"clip {text}".encode()).hexdigest()[:16]

    @property
    def compositional(self) -> bool:
        """Whether attributes meet here that never meet in training."""
        return any(
            (actor.thing.colour, actor.thing.shape) in HELD_OUT_PAIRS
            or (
                actor.deed is not None
                and actor.deed.speed == "quickly"
                and actor.thing.shape in HELD_OUT_QUICK
            )
            for actor in self.actors
        )


def beside(cell: int, direction: str) -> int:
    """The next cell in a direction, or -1 where the grid ends.

    Example:
        >>> beside(4, "up"), beside(2, "right")
        (1, -1)
    """
    down, across = _STEPS[direction]
    row, column = cell // 3 + down, cell % 3 + across
    return 3 * row + column if 0 <= row < 3 and 0 <= column < 3 else -1


def clip_accuracy(predicted: Clip | None, true: Clip) -> float:
    """1.0 where every attribute of every thing and deed is right and nothing is added, else 0.0."""
    return float(predicted == true)


def clip_f1(predicted: Iterable[Actor] | Clip | None, true: Clip) -> float:
    """F1 over the attributes of the best matching of predicted actors to true ones, in [0, 1].

    As `toyworld.scene.attribute_f1`, with what a thing does, whither, how fast and when beside what it is.

    Example:
        >>> circle = Thing(0, "small", "red", "circle")
        >>> true = Clip.of(Actor(circle, Deed("moves", "right", "slowly"), 1))
        >>> clip_f1([Actor(circle, Deed("moves", "down", "slowly"), 1)], true)
        0.875
        >>> clip_f1(None, true)
        0.0
    """
    actors = list(predicted.actors if isinstance(predicted, Clip) else predicted or ())
    actors = actors[: len(CELLS)]  # a model that babbles is judged on its first nine
    stated = sum(len(actor.attributes) for actor in actors)
    if not stated:
        return 0.0
    hits = [
        [_agreements(actor, wanted) for actor in actors] + [0] * len(true.actors) for wanted in true.actors
    ]
    best = max(
        sum(row[c] for row, c in zip(hits, order, strict=True))
        for order in itertools.permutations(range(len(hits[0])), len(hits))
    )
    return 2 * best / (stated + sum(len(actor.attributes) for actor in true.actors))


def _agreements(actor: Actor, true: Actor) -> int:
    return len(actor.attributes.items() & true.attributes.items())
