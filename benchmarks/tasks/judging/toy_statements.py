"""Statements about toyworld's scenes, true and false: a judge's error is known by construction.

name: toy-statements, toy-statements-in-words
data set: toyworld's test scenes, each with two statements about the whole and two about one thing in it, one
    of either true; the false ones differ from the true ones in one attribute
licence: CC0 1.0
protocol: a picture, or in words its exact description, and a statement; the judge's template asks. Its answer
    is a probability; anything else is off the menu and not judged. By kind of statement.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from functools import partial

from benchmarks.harness.benchmark import Benchmark, MetricUse, Options, Sample
from benchmarks.tasks.official import reference
from benchmarks.tasks.toyworld.scenes import LICENCE, SOURCE
from metrics.judges.calibration import BrierScore, CalibrationError, JudgeAccuracy
from nextgpt.messages import Message, Request, user
from toyworld.kinds import kind_of
from toyworld.language import PLACES, describe, name
from toyworld.scene import CELLS, COLOURS, SHAPES, SIZES, Scene, Thing
from toyworld.splits import scenes

PROMPT = "{statement}"
COUNT = 100  # scenes; four statements each


def statements(scene: Scene, rng: random.Random) -> tuple[tuple[str, str, bool], ...]:
    """Four statements about a scene: their kind, their words and whether they are true.

    Example:
        >>> scene = Scene.of(Thing(0, "small", "red", "circle"))
        >>> [(kind, true) for kind, _, true in statements(scene, random.Random(0))]
        [('whole', True), ('whole', False), ('atom', True), ('atom', False)]
        >>> statements(scene, random.Random(0))[2][1]
        'a red circle'
    """
    thing = rng.choice(scene.things)
    return (
        ("whole", describe(scene), True),
        ("whole", describe(_altered(scene, rng)), False),
        ("atom", f"a {thing.colour} {thing.shape}", True),
        ("atom", _absent(scene, thing, rng), False),
    )


def atoms(scene: Scene) -> list[str]:
    """What a scene consists of, statement by statement: each thing, and where it is.

    Example:
        >>> atoms(Scene.of(Thing(0, "small", "red", "circle")))
        ['a red circle', 'a small red circle', 'a small red circle in the top left']
    """
    return [
        text
        for thing in scene.things
        for text in (f"a {thing.colour} {thing.shape}", name(thing), f"{name(thing)} {PLACES[thing.cell]}")
    ]


def probability(answer: Message) -> float | None:
    """The probability that an answer states; None for anything else, which is off the menu.

    Example:
        >>> from nextgpt.messages import assistant
        >>> [probability(assistant(said)) for said in ("0.25", "yes", "1.5", "0.5 or so")]
        [0.25, None, None, None]
    """
    said = answer.text.strip()
    if not re.fullmatch(r"[01](\.\d+)?|0?\.\d+", said) or float(said) > 1:
        return None
    return float(said)


def _altered(scene: Scene, rng: random.Random) -> Scene:
    """The scene with one attribute of one thing changed."""
    place = rng.randrange(len(scene.things))
    while True:
        thing = scene.things[place]
        kind = rng.choice(("cell", "size", "colour", "shape"))
        options = {"cell": range(len(CELLS)), "size": SIZES, "colour": COLOURS, "shape": SHAPES}[kind]
        value = rng.choice([each for each in options if each != getattr(thing, kind)])
        changed = Thing(**{**vars(thing), kind: value})
        others = [each for number, each in enumerate(scene.things) if number != place]
        if changed.cell not in {each.cell for each in others}:
            return Scene.of(changed, *others)


def _absent(scene: Scene, thing: Thing, rng: random.Random) -> str:
    """A thing of the scene with another colour or shape, such that nothing there is like it."""
    there = {(each.colour, each.shape) for each in scene.things}
    options = [(colour, thing.shape) for colour in COLOURS] + [(thing.colour, shape) for shape in SHAPES]
    colour, shape = rng.choice([each for each in options if each not in there])
    return f"a {colour} {shape}"


def _load(options: Options, *, in_words: bool) -> Iterator[Sample]:
    count = COUNT if options.limit is None else min(COUNT, -(-options.limit // 4))
    for number, scene in enumerate(scenes("test", count)):
        rng = random.Random(f"statements {scene.key}")
        about = f"the picture shows {describe(scene)}." if in_words else kind_of(scene).render(scene)
        for place, (kind, text, true) in enumerate(statements(scene, rng)):
            yield Sample(
                f"{number + 1}-{place + 1}",
                Request((user(about, PROMPT.format(statement=text)),)),
                {"true": float(true), "kind": kind},
                group=str(number + 1),
            )


def _kind(sample: Sample) -> str:
    return str(sample.references["kind"])


def judged_uses() -> tuple[MetricUse, ...]:
    """How a judge's probabilities are held against the truth."""
    kinds = (JudgeAccuracy, BrierScore, CalibrationError)
    return tuple(
        MetricUse(kind.name, kind, probability, reference("true"), failure="left-out") for kind in kinds
    )


def _benchmark(called: str, *, in_words: bool) -> Benchmark:
    return Benchmark(
        name=called,
        family="judging",
        version=1,
        source=SOURCE,
        licence=LICENCE,
        protocol={"prompt": PROMPT, "split": "test", "samples": 4 * COUNT},
        load=partial(_load, in_words=in_words),
        metrics=judged_uses(),
        headline="judge_accuracy",
        accepts=frozenset({"text"}) if in_words else frozenset({"text", "image"}),
        produces=frozenset({"text"}),
        slices=_kind,
        note="half of the statements are true; a shrug has an accuracy of 0.5 and a Brier score of 0.25",
    )


TOY_STATEMENTS = _benchmark("toy-statements", in_words=False)
TOY_STATEMENTS_IN_WORDS = _benchmark("toy-statements-in-words", in_words=True)
