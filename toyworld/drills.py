"""Much about one medium: what is shown once is asked about, or changed, over and over.

Dialogues of `toyworld.exchanges` are what people hold; a model that hears only them learns what is hard last,
if at all. Here every kind of request has its share: many questions about one medium, changes one after the
other, several changes at once, what else it could be, two media in one answer, and questions with options.
"""

from __future__ import annotations

import random
from collections.abc import Iterator

from toyworld.clips.clip import Clip
from toyworld.clips.questions import choices
from toyworld.conversions import convert
from toyworld.exchanges import Exchange
from toyworld.kinds import KINDS, AnyEdit, call, kind_of
from toyworld.scene import Scene
from toyworld.several import MOST
from toyworld.several import several as several_at_once
from toyworld.splits import Split, Value
from toyworld.ties import heard

# What a conversation drills, and how often.
_WEIGHTS = {"ask": 32, "edit": 28, "several": 8, "convert": 8, "describe": 12, "make": 6, "both": 6}
_QUESTIONS, _EDITS = 8, 3
_BOTH = (
    "draw {caption}, then play what it sounds like.",
    "play what it sounds like, then draw it: {caption}.",
)
_BOTH_OF_CLIPS = "film this, then play what it sounds like: {caption}."


def drills(split: Split, seed: int = 0, *, kind: type | None = None) -> Iterator[tuple[Exchange, ...]]:
    """Conversations without end, each about one value; of the training split none shows what is held out.

    Args:
        split: Of the value.
        seed: Another seed, other conversations.
        kind: Scene, Clip or Sound; by default they take turns.

    Example:
        >>> first = next(drills("train"))
        >>> len({type(part) for exchange in first for part in exchange.request}) in (1, 2)
        True
    """
    rng = random.Random(f"drills-{split}-{seed}-{kind.__name__ if kind else 'any'}")
    streams = [entry.stream(split, seed + 500_000) for of, entry in KINDS.items() if kind in (None, of)]
    seen = split != "compositional"
    while True:
        for stream in streams:
            value: Value = next(stream)
            drilled = rng.choices(list(_WEIGHTS), list(_WEIGHTS.values()))[0]
            held = tuple(_drill(drilled, value, rng, seen=seen))
            if held:
                yield held


def _drill(drilled: str, value: Value, rng: random.Random, *, seen: bool) -> Iterator[Exchange]:
    if drilled == "ask":
        yield from _shown(value, _questions(value, rng), "ask")
    elif drilled in ("edit", "several"):
        yield from _changed(value, rng, seen=seen, several=drilled == "several")
    elif drilled == "convert":
        found = convert(value, rng, seen=seen)
        if found is not None:
            yield Exchange((value, found.text), (call(found.target), found.target), "convert")
    elif drilled == "describe":
        kind = kind_of(value)
        yield from _shown(value, [(rng.choice(kind.describe_requests), kind.describe(value))], "describe")
    else:
        yield _made(value, rng, both=drilled == "both")


def _shown(value: Value, asked: list[tuple[str, str]], kind: str) -> Iterator[Exchange]:
    """The value stands before the first request alone."""
    for number, (request, reply) in enumerate(asked):
        yield Exchange((request,) if number else (value, request), (reply,), kind)


def _questions(value: Value, rng: random.Random) -> list[tuple[str, str]]:
    asked = [(q.text, q.answer) for q in kind_of(value).questions(value, rng, _QUESTIONS)]
    if isinstance(value, Clip) and rng.random() < 0.3:
        # An option is named by its text: to find its letter besides is a lesson of its own.
        asked = [(choice.asked, choice.options[choice.answer]) for choice in choices(value, rng, 4)]
    return asked


def _changed(value: Value, rng: random.Random, *, seen: bool, several: bool) -> Iterator[Exchange]:
    shown: tuple[Value, ...] = (value,)
    for _ in range(_EDITS):
        edit: AnyEdit | None = None
        if several and isinstance(value, Scene):
            edit = several_at_once(value, rng, rng.randint(1, MOST), seen=seen)
        edit = edit or kind_of(value).instruct(value, rng, seen=seen)
        if edit is None:
            return
        value = edit.target
        yield Exchange((*shown, f"{edit.text}."), (call(value), value), "edit")
        shown = ()


def _made(value: Value, rng: random.Random, *, both: bool) -> Exchange:
    kind = kind_of(value)
    caption = kind.paraphrase(value, rng)
    if not both or not isinstance(value, Scene | Clip):
        wording = rng.choice(kind.make_requests)
        return Exchange((wording.format(caption=caption),), (call(value), value), "make")
    wording = rng.choice(_BOTH) if isinstance(value, Scene) else _BOTH_OF_CLIPS
    sound = heard(value)
    parts = ((call(value), value), (call(sound), sound))
    first, second = parts[::-1] if wording.startswith("play") else parts
    return Exchange((wording.format(caption=caption),), (*first, *second), "make")
