"""The world's language: what people say to a system there, and what it should answer, in text alone.

The language model is pretrained on these turns only. Where a picture would stand, a description of it
stands: `picture: {description} {request}`. A request for a picture is answered by a call of the tool,
`draw: {description}`. So the frozen language model can plan for a caption-then-tool pipeline, and the
concept tokens of NExT-GPT take the place of the description.

Whoever is tested hears single turns; training hears whole conversations, in which a picture or a drawing is
asked about eight times or changed three times: many answers for one description.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass

from toyworld.instructions import EDITS, instruct
from toyworld.language import describe, paraphrase
from toyworld.questions import TYPES, drill, questions
from toyworld.scene import Scene
from toyworld.splits import Split, stream

DESCRIBE = "describe the picture."
DRAW = "draw a picture of {caption}."
CALL = "draw: {caption}"
PICTURE = "picture: {caption} {request}"
DESCRIBE_WORDINGS = (DESCRIBE, "what is in the picture?", "what do you see?", "caption this picture.")
DRAW_WORDINGS = (DRAW, "show me {caption}.", "please paint {caption}.", "i want a picture of {caption}.")
SMALL_TALK = (
    ("hello.", "hello! what shall we look at?"),
    ("hi there.", "hi! show me a picture or ask for one."),
    ("how are you?", "i am fine, thank you."),
    ("who are you?", "i am a small model of a small world."),
    ("what can you do?", "i can describe pictures, answer questions about them, draw and change them."),
    ("which shapes do you know?", "i know the circle, the square, the triangle and the star."),
    ("which colors do you know?", "i know red, green, blue, yellow, purple and black."),
    ("thank you.", "you are welcome."),
    ("goodbye.", "goodbye!"),
)
# Of the conversations about a picture: which share opens with its description, which asks, how long.
_DESCRIBED, _ASKED, _QUESTIONS, _EDITS = 0.15, 0.5, 8, 3


@dataclass(frozen=True)
class Turn:
    """One turn in text: what is asked, what is answered."""

    request: str
    reply: str


def turns(split: Split, seed: int = 0) -> Iterator[Turn]:
    """Turns without end over the scenes of a split."""
    rng = random.Random(f"turns-{split}-{seed}")
    for scene in stream(split, seed):
        yield _turn(scene, rng)


def _turn(scene: Scene, rng: random.Random) -> Turn:
    kind = rng.choices(("describe", "ask", "edit", "draw", "talk"), (20, 32, 32, 12, 4))[0]
    if kind == "talk":
        return Turn(*rng.choice(SMALL_TALK))
    if kind == "draw":
        wording = rng.choice(DRAW_WORDINGS)
        return Turn(wording.format(caption=paraphrase(scene, rng)), CALL.format(caption=describe(scene)))
    if kind == "describe":
        request, reply = rng.choice(DESCRIBE_WORDINGS), describe(scene)
    elif kind == "ask":
        question = questions(scene, rng, 1)[0]
        request, reply = question.text, question.answer
    else:
        edit = instruct(scene, rng, seen=True)
        if edit is None:
            return _turn(scene, rng)
        request, reply = edit.text, CALL.format(caption=describe(edit.target))
    return Turn(PICTURE.format(caption=paraphrase(scene, rng), request=request), reply)


def conversations(split: Split, seed: int = 0) -> Iterator[tuple[Turn, ...]]:
    """Conversations without end over the scenes of a split, each about one picture, shown or asked for.

    Example:
        >>> first = next(conversations("train"))
        >>> all(turn.request and turn.reply for turn in first)
        True
    """
    rng = random.Random(f"conversations-{split}-{seed}")
    for scene in stream(split, seed):
        yield tuple(_conversation(scene, rng))


# One kind of question or of instruction at a time; see `lesson`.
SUBJECTS = (*TYPES, *EDITS)


def lesson(subject: str, split: Split, seed: int = 0) -> Iterator[tuple[Turn, ...]]:
    """Conversations without end about one subject: questions of one type, or one instruction of a kind.

    Mixed with everything else, what is hard is learnt last if at all; alone, and in the canonical words, it
    is learnt in minutes.

    Example:
        >>> (turn,) = next(lesson("mirror", "train"))
        >>> turn.request.endswith(" mirror the scene")
        True
    """
    rng = random.Random(f"lesson-{subject}-{split}-{seed}")
    for scene in stream(split, seed):
        turns = list(_taught(subject, scene, rng))
        if turns:
            shown = PICTURE.format(caption=describe(scene), request=turns[0].request)
            first = Turn(shown, turns[0].reply)
            yield (first, *turns[1:])


def _taught(subject: str, scene: Scene, rng: random.Random) -> Iterator[Turn]:
    if subject in TYPES:
        for question in drill(scene, rng, subject, _QUESTIONS):
            yield Turn(question.text, question.answer)
    elif (edit := instruct(scene, rng, seen=True, kind=subject)) is not None:
        yield Turn(edit.text, CALL.format(caption=describe(edit.target)))


def _conversation(scene: Scene, rng: random.Random) -> Iterator[Turn]:
    opening = rng.choices(("picture", "draw", "talk"), (84, 13, 3))[0]
    shown = "{request}"
    if opening == "talk":
        yield Turn(*rng.choice(SMALL_TALK))
    elif opening == "draw":
        wording = rng.choice(DRAW_WORDINGS)
        yield Turn(wording.format(caption=paraphrase(scene, rng)), CALL.format(caption=describe(scene)))
    else:
        shown = PICTURE.format(caption=paraphrase(scene, rng), request="{request}")
    if opening != "talk":
        for k, turn in enumerate(_about(scene, rng)):
            yield Turn(shown.format(request=turn.request), turn.reply) if k == 0 else turn


def _about(scene: Scene, rng: random.Random) -> Iterator[Turn]:
    if rng.random() < _DESCRIBED:
        yield Turn(rng.choice(DESCRIBE_WORDINGS), describe(scene))
    if rng.random() < _ASKED:
        for question in questions(scene, rng, _QUESTIONS):
            yield Turn(question.text, question.answer)
        return
    for _ in range(_EDITS):
        edit = instruct(scene, rng, seen=True)
        if edit is None:
            return
        yield Turn(edit.text, CALL.format(caption=describe(edit.target)))
        scene = edit.target


__all__ = [
    "CALL",
    "DESCRIBE",
    "DRAW",
    "PICTURE",
    "SMALL_TALK",
    "SUBJECTS",
    "Turn",
    "conversations",
    "lesson",
    "turns",
]
