"""Questions about a clip: open-ended in the manner of MSRVTT-QA, with options in that of NExT-QA."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from toyworld.clips.clip import DIRECTIONS, KINDS, SPEEDS, STAYS, TURNS, Actor, Clip, Moment
from toyworld.clips.language import act
from toyworld.questions import Question
from toyworld.scene import CELLS, COLOURS, MOST_THINGS, SHAPES

# How questions begin that are asked here, each with one right answer.
TYPES = (
    "what does the",
    "which way does the",
    "how fast does the",
    "which object",
    "what color is the",
    "what happens",
    "how does the",
    "how many",
    "where is the",
    "where does the",
    "does the",
)
# NExT-QA's types: how; next, previous and current in time; descriptive: count, location, other.
KINDS_WITH_OPTIONS = ("CH", "TN", "TP", "TC", "DC", "DL", "DO")
OPTIONS = 5
_MANNERS = tuple(
    f"{speed} {way}" for speed in SPEEDS for way in ("up", "down", "to the left", "to the right")
)
_COUNTS = tuple(map(str, range(MOST_THINGS + 2)))
_PHRASES = tuple(
    f"the {shape} {deed}"
    for shape in SHAPES
    for deed in (*(f"moves {way}" for way in DIRECTIONS), "appears", "vanishes", STAYS)
)
_INFINITIVES = {"moves": "move", "appears": "appear", "vanishes": "vanish"}


@dataclass(frozen=True)
class Choice:
    """A question with five options, one of which is right.

    Attributes:
        text: What is asked.
        options: Five different answers.
        answer: Which of them is right, from 0.
        kind: One of `KINDS_WITH_OPTIONS`.
    """

    text: str
    options: tuple[str, ...]
    answer: int
    kind: str

    @property
    def asked(self) -> str:
        """The question with its options, a letter before each."""
        options = "\n".join(
            f"{letter}. {option}" for letter, option in zip("ABCDE", self.options, strict=True)
        )
        return f"{self.text}\n{options}\nanswer with the letter of the right option."


def questions(clip: Clip, rng: random.Random, count: int | None = None) -> list[Question]:
    """Open-ended questions with one right answer each, at most one of each asker, in random order.

    Example:
        >>> from toyworld.clips.clip import Deed
        >>> from toyworld.scene import Thing
        >>> star = Thing(4, "large", "blue", "star")
        >>> clip = Clip.of(Actor(star, Deed("moves", "up", "slowly"), 1))
        >>> "the star moves up" in {question.answer for question in questions(clip, random.Random(0))}
        True
    """
    found = []
    for ask in rng.sample(_ASKERS, len(_ASKERS)):
        options = list(ask(clip, rng))
        if options:
            found.append(rng.choice(options))
        if count is not None and len(found) == count:
            break
    return found


def choices(clip: Clip, rng: random.Random, count: int | None = None) -> list[Choice]:
    """Questions with five options, of different kinds, in random order.

    Options that are wrong are wrong for certain: what happens in the clip at another time may be among them
    only where the question says which time it means.
    """
    found: dict[str, Choice] = {}
    asked = [question for ask in _ASKERS for question in ask(clip, rng) if question.kind]
    for question in rng.sample(asked, len(asked)):
        if question.kind not in found and (count is None or len(found) < count):
            others = [option for option in question.family if option != question.answer]
            likely = [option for option in others if option in _true_phrases(clip)]
            wrong = likely[: OPTIONS - 1]
            rest = [option for option in others if option not in wrong]
            wrong += rng.sample(rest, OPTIONS - 1 - len(wrong))
            options = rng.sample([question.answer, *wrong], OPTIONS)
            found[question.kind] = Choice(
                question.text, tuple(options), options.index(question.answer), question.kind
            )
    return list(found.values())


def _called(clip: Clip) -> Iterator[tuple[str, Actor]]:
    """Every way to name exactly one thing by its shape or colour."""
    for attribute, words in (("shape", "the {}"), ("colour", "the {} object")):
        often = Counter(getattr(actor.thing, attribute) for actor in clip.actors)
        for actor in clip.actors:
            word = getattr(actor.thing, attribute)
            if often[word] == 1:
                yield words.format(word), actor


def _shape_is_name(clip: Clip, actor: Actor) -> bool:
    return sum(other.thing.shape == actor.thing.shape for other in clip.actors) == 1


def _phrase(actor: Actor) -> str:
    deed = actor.deed
    told = f"moves {deed.direction}" if deed and deed.kind == "moves" else act(deed)
    return f"the {actor.thing.shape} {told}"


def _true_phrases(clip: Clip) -> set[str]:
    return {_phrase(actor) for actor in clip.actors}


def _what_it_does(clip: Clip, rng: random.Random) -> Iterator[Question]:
    for words, actor in _called(clip):
        answer = actor.deed.kind if actor.deed else STAYS
        yield Question(f"what does {words} do?", answer, "what does the", "other", (*KINDS, STAYS))


def _which_way(clip: Clip, rng: random.Random) -> Iterator[Question]:
    for words, actor in _called(clip):
        if actor.deed and actor.deed.direction:
            text = f"which way does {words} move?"
            yield Question(text, actor.deed.direction, "which way does the", "other", DIRECTIONS)


def _how_fast(clip: Clip, rng: random.Random) -> Iterator[Question]:
    for words, actor in _called(clip):
        if actor.deed and actor.deed.speed:
            text = f"how fast does {words} move?"
            yield Question(text, actor.deed.speed, "how fast does the", "other", SPEEDS)


def _how(clip: Clip, rng: random.Random) -> Iterator[Question]:
    for words, actor in _called(clip):
        if actor.deed and actor.deed.speed:
            way = actor.deed.direction
            answer = f"{actor.deed.speed} {way if way in ('up', 'down') else f'to the {way}'}"
            yield Question(f"how does {words} move?", answer, "how does the", "other", _MANNERS, "CH")


def _who(clip: Clip, rng: random.Random) -> Iterator[Question]:
    for kind in KINDS:
        doing = [actor for actor in clip.acting if actor.deed and actor.deed.kind == kind]
        if len(doing) == 1:
            thing = doing[0].thing
            yield Question(f"which object {kind}?", thing.shape, "which object", "other", SHAPES)
            text = f"what color is the object that {kind}?"
            yield Question(text, thing.colour, "what color is the", "other", COLOURS, "DO")


def _who_is_first_or_last(clip: Clip, rng: random.Random) -> Iterator[Question]:
    if len(clip.acting) > 1:
        for place, actor in (("first", clip.acting[0]), ("last", clip.acting[-1])):
            text = f"which object acts {place}?"
            yield Question(text, actor.thing.shape, "which object", "other", SHAPES)


def _what_happens_first_or_last(clip: Clip, rng: random.Random) -> Iterator[Question]:
    for place, actor in (("first", clip.acting[0]), ("last", clip.acting[-1])):
        if _shape_is_name(clip, actor):
            yield Question(f"what happens {place}?", _phrase(actor), "what happens", "other", _PHRASES, "TC")


def _what_happens_next(clip: Clip, rng: random.Random) -> Iterator[Question]:
    for before, after in zip(clip.acting, clip.acting[1:], strict=False):
        if _shape_is_name(clip, before) and _shape_is_name(clip, after):
            text = f"what happens right after {_phrase(before)}?"
            yield Question(text, _phrase(after), "what happens", "other", _PHRASES, "TN")
            text = f"what happens right before {_phrase(after)}?"
            yield Question(text, _phrase(before), "what happens", "other", _PHRASES, "TP")


def _how_many(clip: Clip, rng: random.Random) -> Iterator[Question]:
    kind = rng.choice(KINDS)
    count = sum(actor.deed is not None and actor.deed.kind == kind for actor in clip.actors)
    text = f"how many objects {_INFINITIVES[kind]}?"
    yield Question(text, str(count), "how many", "number", _COUNTS, "DC")
    moment: Moment = rng.choice(("beginning", "end"))
    there = len(clip.after(0 if moment == "beginning" else TURNS))
    text = f"how many objects are there at the {moment}?"
    yield Question(text, str(there), "how many", "number", _COUNTS, "DC")


def _where_at_the_end(clip: Clip, rng: random.Random) -> Iterator[Question]:
    for words, actor in _called(clip):
        cell = actor.cell_after(TURNS)
        if cell is not None:
            text = f"where is {words} at the end?"
            yield Question(text, CELLS[cell], "where is the", "other", CELLS, "DL")


def _where_it_appears(clip: Clip, rng: random.Random) -> Iterator[Question]:
    for words, actor in _called(clip):
        if actor.deed and actor.deed.kind != "moves":
            text = f"where does {words} {_INFINITIVES[actor.deed.kind]}?"
            yield Question(text, CELLS[actor.thing.cell], "where does the", "other", CELLS, "DL")


def _which_is_earlier(clip: Clip, rng: random.Random) -> Iterator[Question]:
    named = [actor for actor in clip.acting if _shape_is_name(clip, actor)]
    for a in named:
        for b in named:
            if a is not b and a.deed and b.deed:
                text = f"does the {a.thing.shape} {_INFINITIVES[a.deed.kind]} before {_phrase(b)}?"
                yield Question(text, "yes" if a.turn < b.turn else "no", "does the", "yes/no")


_ASKERS: tuple[Callable[[Clip, random.Random], Iterator[Question]], ...] = (
    _what_it_does,
    _which_way,
    _how_fast,
    _how,
    _who,
    _who_is_first_or_last,
    _what_happens_first_or_last,
    _what_happens_next,
    _how_many,
    _where_at_the_end,
    _where_it_appears,
    _which_is_earlier,
)
