"""Dialogues of three to five exchanges with media on both sides, which pass from one medium to another.

What is talked about is the medium that was shown or made last. "It", and a name that fits several, mean the
thing last talked about. Now and then somebody asks for what the world does not hold, and is told what does.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from nextgpt.messages import Message, assistant, user
from toyworld import instructions
from toyworld.clips import instructions as of_clips
from toyworld.clips.clip import Clip
from toyworld.conversions import convert
from toyworld.dialogue import SMALL_TALK, Turn
from toyworld.kinds import KINDS, call, kind_of
from toyworld.outside import outside
from toyworld.scene import Scene
from toyworld.sounds import instructions as of_sounds
from toyworld.sounds.sound import Sound
from toyworld.splits import Split, Value

FEWEST, MOST = 3, 5
# What an exchange can be about, and how often; somewhere in a dialogue there is a conversion.
_WEIGHTS = {"ask": 30, "edit": 40, "convert": 20, "describe": 5, "outside": 4, "talk": 1}
_SHOWN = 0.6  # share of dialogues that begin with a medium of the user's, not with a request for one
_SAME = 0.6  # share of edits that go on with the thing last talked about
# Edits that change one thing, and so can be about the one last talked about.
_OF_ONE = {
    Scene: ("recolour", "resize", "reshape", "remove"),
    Clip: ("recolour", "resize", "reshape", "redirect", "hasten", "stop", "start", "remove"),
    Sound: ("retimbre", "retune", "reinforce", "repeat", "remove"),
}

Part = str | Value


@dataclass(frozen=True)
class Exchange:
    """One request and its reply, as parts: text, and values that stand for their media.

    Attributes:
        request: What is asked; a value stands before the text about it.
        reply: What is answered; before a value stands the call that describes it.
        kind: One of ``ask``, ``edit``, ``convert``, ``describe``, ``make``, ``outside`` and ``talk``.
    """

    request: tuple[Part, ...]
    reply: tuple[Part, ...]
    kind: str

    @property
    def made(self) -> Value | None:
        """What the reply shows, or None where it is text alone."""
        return next((part for part in self.reply if not isinstance(part, str)), None)

    @property
    def messages(self) -> tuple[Message, Message]:
        """Both with their media, for systems that take and make them."""
        said, answered = (
            tuple(part if isinstance(part, str) else kind_of(part).render(part) for part in parts)
            for parts in (self.request, self.reply)
        )
        return user(*said), assistant(*answered)

    @property
    def turn(self) -> Turn:
        """Both in text alone, with descriptions where media stand: what a planner reads and writes."""
        told = (
            part if isinstance(part, str) else f"{kind_of(part).noun}: {kind_of(part).describe(part)}"
            for part in self.request
        )
        return Turn(" ".join(told), " ".join(part for part in self.reply if isinstance(part, str)))


def dialogues(split: Split, seed: int = 0, *, kind: type | None = None) -> Iterator[tuple[Exchange, ...]]:
    """Dialogues without end; of the training split none shows what is held out.

    Args:
        split: Of the value that the dialogue begins with.
        seed: Another seed, other dialogues.
        kind: What it begins with: Scene, Clip or Sound; any by default.

    Example:
        >>> first = next(dialogues("train"))
        >>> 3 <= len(first) <= 5, any(exchange.kind == "convert" for exchange in first)
        (True, True)
    """
    rng = random.Random(f"dialogues-{split}-{seed}-{kind.__name__ if kind else 'any'}")
    streams = {k: KINDS[k].stream(split, seed) for k in ([kind] if kind else KINDS)}
    while True:
        start: Value = next(streams[rng.choice(list(streams))])
        held = tuple(_Talk(start, rng, seen=split != "compositional").held())
        if len(held) >= FEWEST and any(exchange.kind == "convert" for exchange in held):
            yield held


class _Talk:
    """A dialogue while it is held: what it is about, and which thing was talked about last."""

    def __init__(self, value: Value, rng: random.Random, *, seen: bool) -> None:
        self.value, self.rng, self.seen = value, rng, seen
        self.place: int | None = None  # of the thing last talked about, among those of the value

    def held(self) -> Iterator[Exchange]:
        length = self.rng.randint(FEWEST, MOST)
        turning = self.rng.randrange(1, length)
        shown: tuple[Part, ...] = ()
        if self.rng.random() < _SHOWN:
            shown = (self.value,)
        else:
            yield self._make()
        for number in range(0 if shown else 1, length):
            kinds, weights = zip(*_WEIGHTS.items(), strict=True)
            kind = "convert" if number == turning else self.rng.choices(kinds, weights)[0]
            if shown and kind in ("outside", "talk"):
                kind = "ask"
            exchange = getattr(self, f"_{kind}")()
            if exchange is None:
                return
            yield Exchange((*shown, *exchange.request), exchange.reply, exchange.kind)
            shown = ()

    def _make(self) -> Exchange:
        kind = kind_of(self.value)
        wording = self.rng.choice(kind.make_requests)
        return self._shows(wording.format(caption=kind.paraphrase(self.value, self.rng)), self.value, "make")

    def _describe(self) -> Exchange:
        kind = kind_of(self.value)
        self.place = None
        request = self.rng.choice(kind.describe_requests)
        return Exchange((request,), (kind.describe(self.value),), "describe")

    def _ask(self) -> Exchange:
        question = self.rng.choice(kind_of(self.value).questions(self.value, self.rng))
        spoken = {place for words, place in _names(self.value) if _mentions(question.text, words)}
        self.place = spoken.pop() if len(spoken) == 1 else None
        return Exchange((question.text,), (question.answer,), "ask")

    def _edit(self) -> Exchange | None:
        kind = kind_of(self.value)
        same = _same(self.value, self.place)
        if same and self.rng.random() < _SAME:
            for of_one in self.rng.sample(_OF_ONE[type(self.value)], len(_OF_ONE[type(self.value)])):
                named = [(words, _thing(self.value, place)) for words, place in same]
                edit = kind.instruct(self.value, self.rng, seen=self.seen, kind=of_one, named=named)
                if edit is not None:
                    place = None if of_one == "remove" else self.place
                    return self._shows(f"{edit.text}.", edit.target, "edit", place)
        edit = kind.instruct(self.value, self.rng, seen=self.seen)
        if edit is None:
            return None
        spoken = {p for words, p in _names(self.value) if _mentions(edit.text, words)}
        stays = len(spoken) == 1 and edit.kind in _OF_ONE[type(self.value)] and edit.kind != "remove"
        return self._shows(f"{edit.text}.", edit.target, "edit", spoken.pop() if stays else None)

    def _convert(self) -> Exchange | None:
        found = convert(self.value, self.rng, seen=self.seen)
        return None if found is None else self._shows(found.text, found.target, "convert")

    def _outside(self) -> Exchange:
        request, reply = outside(self.rng)
        return Exchange((request,), (reply,), "outside")

    def _talk(self) -> Exchange:
        request, reply = self.rng.choice(SMALL_TALK)
        return Exchange((request,), (reply,), "talk")

    def _shows(self, text: str, value: Value, kind: str, place: int | None = None) -> Exchange:
        self.value, self.place = value, place
        return Exchange((text,), (call(value), value), kind)


def _things(value: Value) -> Sequence[Any]:
    """What a value is made of, each of which has a place."""
    if isinstance(value, Sound):
        return value.events
    return value.things if isinstance(value, Scene) else value.actors


def _thing(value: Value, place: int) -> Any:
    """What `instruct` wants of a name: a thing, an actor, or the place of an event."""
    return place if isinstance(value, Sound) else _things(value)[place]


def _names(value: Value) -> Iterator[tuple[str, int]]:
    """Every way to name one thing of a value alone, and its place."""
    if isinstance(value, Sound):
        yield from of_sounds.names(value)
    elif isinstance(value, Scene):
        yield from ((words, value.things.index(thing)) for words, thing in instructions.names(value))
    else:
        yield from ((words, value.actors.index(actor)) for words, actor in of_clips.names(value))


def _same(value: Value, place: int | None) -> list[tuple[str, int]]:
    """How the thing last talked about is called: "it", and by what several share; empty without one."""
    if len(_things(value)) == 1:
        return [("it", 0)]
    if place is None:
        return []
    words = [("it", place)]
    attribute = "pitch" if isinstance(value, Sound) else "colour"
    things = [actor.thing for actor in value.actors] if isinstance(value, Clip) else _things(value)
    said = [getattr(thing, attribute) for thing in things]
    if Counter(said)[said[place]] > 1:
        words.append((f"the {said[place]} one", place))
    return words


def _mentions(text: str, words: str) -> bool:
    """Whether a text says these words, or of a colour "the red object" for "the red one"."""
    return any(f"{form} " in f"{text.rstrip('?.')} " for form in (words, words.replace(" one", " object")))
