"""Questions about a scene, each with its exact answer and ten annotators who sometimes disagree."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from toyworld.language import PLACES
from toyworld.scene import CELLS, COLOURS, SHAPES, Scene, Thing

ANNOTATORS = 10
# VQAv2's question types that are asked here.
TYPES = (
    "is there a",
    "where is the",
    "is the",
    "what color is the",
    "what size is the",
    "what shape is the",
    "how many",
)
# How often one annotator writes something else than the answer: a synonym, or a slip.
_SYNONYM, _SLIP = 0.06, 0.04
_SYNONYMS = {
    "purple": "violet",
    "small": "little",
    "large": "big",
    "center": "middle",
    "black": "dark",
    "vanishes": "disappears",
    "quickly": "fast",
    "slowly": "slow",
    "soft": "quiet",
    "high": "bright",
}
_SLIPS: dict[str, tuple[str, ...]] = {
    "yes": ("no",),
    "no": ("yes",),
    "small": ("large",),
    "large": ("small",),
}


@dataclass(frozen=True)
class Question:
    """One question: its text, the exact answer, and VQAv2's question and answer type.

    Args:
        text: What is asked.
        answer: The exact answer.
        question_type: How it begins.
        answer_type: ``yes/no``, ``number`` or ``other``.
        family: What else the answer could be, the answer included; empty where the answer itself tells.
        kind: NExT-QA's type, of a question that can be asked with options: ``CH``, ``TN``, ...
    """

    text: str
    answer: str
    question_type: str
    answer_type: str
    family: tuple[str, ...] = ()
    kind: str = ""


def questions(scene: Scene, rng: random.Random, count: int | None = None) -> list[Question]:
    """Questions with one right answer each, at most one of each type, in random order.

    Example:
        >>> from toyworld.scene import Thing
        >>> scene = Scene.of(Thing(0, "small", "red", "circle"))
        >>> all(q.answer for q in questions(scene, random.Random(0)))
        True
    """
    askers = rng.sample(_ASKERS, len(_ASKERS))
    found = []
    for ask in askers:
        options = list(ask(scene, rng))
        if options:
            found.append(rng.choice(options))
        if count is not None and len(found) == count:
            break
    return found


def drill(scene: Scene, rng: random.Random, question_type: str, count: int) -> list[Question]:
    """Different questions of one type alone, at most so many: none can be answered by an earlier answer.

    Example:
        >>> from toyworld.scene import Thing
        >>> scene = Scene.of(Thing(0, "small", "red", "circle"))
        >>> sorted(question.text for question in drill(scene, random.Random(0), "where is the", 4))
        ['where is the circle?', 'where is the red object?']
    """
    found: dict[str, Question] = {}
    for _ in range(count):  # some askers draw another question each time
        for question in (question for ask in _ASKERS for question in ask(scene, rng)):
            if question.question_type == question_type:
                found.setdefault(question.text, question)
    return rng.sample(list(found.values()), min(count, len(found)))


def annotate(question: Question, rng: random.Random) -> list[dict[str, Any]]:
    """Ten answers in VQAv2's form. The exact answer is always the most common one.

    Example:
        >>> asked = Question("how many objects are there?", "2", "how many", "number")
        >>> answers = annotate(asked, random.Random(0))
        >>> len(answers), answers[0]["answer_id"]
        (10, 1)
    """
    while True:
        words = [_answer(question, rng) for _ in range(ANNOTATORS)]
        (top, often), *rest = Counter(words).most_common()
        if top == question.answer and (not rest or rest[0][1] < often):
            break
    return [
        {"answer": word, "answer_confidence": "yes" if word == top else "maybe", "answer_id": k + 1}
        for k, word in enumerate(words)
    ]


def _answer(question: Question, rng: random.Random) -> str:
    draw = rng.random()
    if draw < _SYNONYM and question.answer in _SYNONYMS:
        return _SYNONYMS[question.answer]
    if draw < 1 - _SLIP:
        return question.answer
    others = question.family or _confusable(question.answer)
    return rng.choice([w for w in others if w != question.answer])


def _confusable(answer: str) -> tuple[str, ...]:
    for family in (COLOURS, SHAPES, CELLS):
        if answer in family:
            return family
    return _SLIPS.get(answer) or tuple(str(k) for k in range(4))


def _unique(scene: Scene, attribute: str) -> Iterator[Thing]:
    often = Counter(getattr(t, attribute) for t in scene.things)
    return (t for t in scene.things if often[getattr(t, attribute)] == 1)


def _colour_of_shape(scene: Scene, rng: random.Random) -> Iterator[Question]:
    for t in _unique(scene, "shape"):
        yield Question(f"what color is the {t.shape}?", t.colour, "what color is the", "other")


def _colour_at_place(scene: Scene, rng: random.Random) -> Iterator[Question]:
    for t in scene.things:
        yield Question(f"what color is the object {PLACES[t.cell]}?", t.colour, "what color is the", "other")


def _shape_of_colour(scene: Scene, rng: random.Random) -> Iterator[Question]:
    for t in _unique(scene, "colour"):
        yield Question(f"what shape is the {t.colour} object?", t.shape, "what shape is the", "other")


def _shape_at_place(scene: Scene, rng: random.Random) -> Iterator[Question]:
    for t in scene.things:
        yield Question(f"what shape is the object {PLACES[t.cell]}?", t.shape, "what shape is the", "other")


def _size_of_shape(scene: Scene, rng: random.Random) -> Iterator[Question]:
    for t in _unique(scene, "shape"):
        yield Question(f"what size is the {t.shape}?", t.size, "what size is the", "other")


def _place_of_shape(scene: Scene, rng: random.Random) -> Iterator[Question]:
    for t in _unique(scene, "shape"):
        yield Question(f"where is the {t.shape}?", CELLS[t.cell], "where is the", "other")


def _place_of_colour(scene: Scene, rng: random.Random) -> Iterator[Question]:
    for t in _unique(scene, "colour"):
        yield Question(f"where is the {t.colour} object?", CELLS[t.cell], "where is the", "other")


def _count_all(scene: Scene, rng: random.Random) -> Iterator[Question]:
    yield Question("how many objects are there?", str(len(scene.things)), "how many", "number")


def _count_some(scene: Scene, rng: random.Random) -> Iterator[Question]:
    word = rng.choice((rng.choice(SHAPES), rng.choice(scene.things).shape))
    yield Question(
        f"how many {word}s are there?", str(sum(t.shape == word for t in scene.things)), "how many", "number"
    )


def _exists(scene: Scene, rng: random.Random) -> Iterator[Question]:
    thing = rng.choice(scene.things)
    colour, shape = thing.colour, thing.shape
    if rng.random() < 0.5:  # change one attribute, so that half of the answers are no, and not too easily
        if rng.random() < 0.5:
            colour = rng.choice([c for c in COLOURS if c != colour])
        else:
            shape = rng.choice([s for s in SHAPES if s != shape])
    there = any((t.colour, t.shape) == (colour, shape) for t in scene.things)
    yield Question(f"is there a {colour} {shape}?", "yes" if there else "no", "is there a", "yes/no")


def _left_of(scene: Scene, rng: random.Random) -> Iterator[Question]:
    things = list(_unique(scene, "shape"))
    for a in things:
        for b in things:
            if a.column != b.column:
                answer = "yes" if a.column < b.column else "no"
                yield Question(f"is the {a.shape} left of the {b.shape}?", answer, "is the", "yes/no")


def _above(scene: Scene, rng: random.Random) -> Iterator[Question]:
    things = list(_unique(scene, "shape"))
    for a in things:
        for b in things:
            if a.row != b.row:
                answer = "yes" if a.row < b.row else "no"
                yield Question(f"is the {a.shape} above the {b.shape}?", answer, "is the", "yes/no")


_ASKERS: tuple[Callable[[Scene, random.Random], Iterator[Question]], ...] = (
    _colour_of_shape,
    _colour_at_place,
    _shape_of_colour,
    _shape_at_place,
    _size_of_shape,
    _place_of_shape,
    _place_of_colour,
    _count_all,
    _count_some,
    _exists,
    _left_of,
    _above,
)
