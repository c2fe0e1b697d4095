"""What NExT-GPT's three stages are trained on in this world: conversations with pictures, or with all media.

A preset names `toyworld.training:examples` as its data, or `toyworld.training:examples_in_all_media`; the
trainer draws as many as it needs.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator, Sequence

from nextgpt.messages import Message, assistant, user
from nextgpt.training.data import Example
from toyworld.dialogue import CALL, DESCRIBE, DESCRIBE_WORDINGS, DRAW_WORDINGS, SMALL_TALK
from toyworld.drills import drills
from toyworld.exchanges import Exchange, dialogues
from toyworld.instructions import instruct
from toyworld.kinds import KINDS, call, kind_of
from toyworld.language import describe, paraphrase
from toyworld.questions import questions
from toyworld.render import render
from toyworld.scene import Scene
from toyworld.splits import stream

# Questions about one picture in one conversation: what is shown is read once and answered for often.
_QUESTIONS = 8
_STAGES = ("encoding", "decoding", "instruct")


def examples(stage: str, count: int, seed: int = 0) -> Iterator[Example]:
    """Examples of one stage over training scenes, the same for the same seed.

    Args:
        stage: ``encoding`` (picture to caption), ``decoding`` (caption to signal tokens) or ``instruct``
            (captions, questions, drawing, editing and small talk mixed).
        count: How many.
        seed: Of scenes and wordings.

    Raises:
        ValueError: If the stage is unknown.
    """
    if stage not in _STAGES:
        raise ValueError(f"unknown stage {stage!r}: choose one of {', '.join(_STAGES)}")
    rng = random.Random(f"examples-{stage}-{seed}")
    for _, scene in zip(range(count), stream("train", seed + 1_000_000), strict=False):
        if stage == "encoding":
            yield Example((user(render(scene), DESCRIBE), assistant(describe(scene))))
        elif stage == "decoding":
            yield _draw(scene, rng)
        else:
            yield _mixed(scene, rng)


def examples_in_all_media(stage: str, count: int, seed: int = 0) -> Iterator[Example]:
    """Examples of one stage over training scenes, clips and sounds in turn, the same for the same seed.

    Args:
        stage: ``encoding`` (a medium to its caption), ``decoding`` (a caption to its medium) or ``instruct``
            (dialogues of three to five turns in which media are asked about, made, changed and turned into
            each other, and drills of one kind of request by turns).
        count: How many.
        seed: Of values and wordings.

    Raises:
        ValueError: If the stage is unknown.

    Example:
        >>> drawn = examples_in_all_media("decoding", 3)
        >>> [example.conversation[1].media[0].modality for example in drawn]
        ['image', 'video', 'audio']
    """
    if stage not in _STAGES:
        raise ValueError(f"unknown stage {stage!r}: choose one of {', '.join(_STAGES)}")
    yield from map(_example, _conversations(stage, count, seed))


def examples_in_words(stage: str, count: int, seed: int = 0) -> Iterator[Example]:
    """The same examples as `examples_in_all_media`, with descriptions where media stand: a planner's.

    Example:
        >>> (told,) = examples_in_words("encoding", 1)
        >>> told.conversation[0].text.partition(":")[0], told.conversation[0].media
        ('picture', ())
    """
    if stage not in _STAGES:
        raise ValueError(f"unknown stage {stage!r}: choose one of {', '.join(_STAGES)}")
    for exchanges in _conversations(stage, count, seed):
        turns = (exchange.turn for exchange in exchanges)
        yield Example(tuple(m for turn in turns for m in (user(turn.request), assistant(turn.reply))))


def _conversations(stage: str, count: int, seed: int) -> Iterator[tuple[Exchange, ...]]:
    """What a stage learns from, over scenes, clips and sounds in turn."""
    rng = random.Random(f"media-{stage}-{seed}")
    held = {
        kind: itertools.cycle([draw("train", seed + 1_000_000, kind=kind) for draw in (dialogues, drills)])
        for kind in KINDS
    }
    values = {kind: entry.stream("train", seed + 1_000_000) for kind, entry in KINDS.items()}
    for kind, entry in itertools.islice(itertools.cycle(KINDS.items()), count):
        if stage == "instruct":
            yield next(next(held[kind]))
            continue
        value = next(values[kind])
        if stage == "encoding":
            request = (value, rng.choice(entry.describe_requests))
            yield (Exchange(request, (entry.describe(value),), "describe"),)
        else:
            wording = rng.choice(entry.make_requests).format(caption=entry.paraphrase(value, rng))
            yield (Exchange((wording,), (call(value), value), "make"),)


def _example(exchanges: Sequence[Exchange]) -> Example:
    """A conversation with the descriptions of what its replies show."""
    messages = tuple(message for exchange in exchanges for message in exchange.messages)
    made = (part for exchange in exchanges for part in exchange.reply if not isinstance(part, str))
    return Example(messages, tuple(kind_of(value).describe(value) for value in made))


def _mixed(scene: Scene, rng: random.Random) -> Example:
    kind = rng.choices(("describe", "ask", "draw", "edit", "talk"), (6, 34, 38, 20, 2))[0]
    if kind == "describe":
        return Example((user(render(scene), rng.choice(DESCRIBE_WORDINGS)), assistant(describe(scene))))
    if kind == "ask":
        return _ask(scene, rng)
    if kind == "talk":
        hello, answer = rng.choice(SMALL_TALK)
        return Example((user(hello), assistant(answer)))
    if kind == "edit":
        edit = instruct(scene, rng, seen=True)
        if edit is not None:
            return Example((user(render(scene), edit.text), _drawn(edit.target)), (describe(edit.target),))
    return _draw(scene, rng)


def _ask(scene: Scene, rng: random.Random) -> Example:
    conversation: list[Message] = []
    for question in questions(scene, rng, _QUESTIONS):
        shown = () if conversation else (render(scene),)
        conversation += [user(*shown, question.text), assistant(question.answer)]
    return Example(tuple(conversation))


def _draw(scene: Scene, rng: random.Random) -> Example:
    request = rng.choice(DRAW_WORDINGS).format(caption=paraphrase(scene, rng))
    return Example((user(request), _drawn(scene)), (describe(scene),))


def _drawn(scene: Scene) -> Message:
    # Before it shows a picture, the model says what will be in it, as the released model does (its second
    # stage has the assistant repeat the caption before the signals). The language model has learnt to say so
    # for a tool; words that it never wrote would not do: its output rows of rare tokens are all alike, and
    # no adapter can tell them apart.
    return assistant(CALL.format(caption=describe(scene)), render(scene))
