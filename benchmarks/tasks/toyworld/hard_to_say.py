"""Toyworld, what words say badly: exact places, many things, order in time, each for one, two and three.

name: toy-hard-to-say, toy-hard-to-say-compositional
data set: toyworld pictures to be mirrored, or changed in one thing of several; clips and sounds to be played
    backwards
licence: CC0 1.0
protocol: medium and instruction in, the changed medium out, seed from the sample's id. Right when every
    attribute is, as the oracle of its kind reads it; by what is hard to say and by how many things, deeds or
    events there are of it. (A sound of one event is the same backwards, and is not asked for.)
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from itertools import islice
from types import MappingProxyType

from benchmarks.harness.benchmark import Benchmark, Options, Sample
from benchmarks.tasks.toyworld.scenes import LICENCE, SOURCE, TestSplit
from benchmarks.tasks.toyworld.truths import Truth, truth_uses
from nextgpt.messages import Request, user
from toyworld.clips.clip import Clip
from toyworld.kinds import KINDS, kind_of
from toyworld.scene import Scene
from toyworld.sounds.sound import Sound
from toyworld.splits import Value

PROMPT = "{instruction}."
EACH = 20  # samples of each kind and number


@dataclass(frozen=True)
class _Task:
    """What is hard to say, of what, in which edits, and how many there can be of what is counted."""

    of: type[Scene] | type[Clip] | type[Sound]
    edits: tuple[str, ...]
    counted: str
    counts: tuple[int, ...] = (1, 2, 3)


TASKS: Mapping[str, _Task] = MappingProxyType(
    {
        "exact places": _Task(Scene, ("mirror",), "thing"),
        "many things": _Task(Scene, ("recolour", "resize", "reshape"), "thing"),
        "order in time": _Task(Clip, ("reverse",), "deed"),
        "order in sound": _Task(Sound, ("reverse",), "event", (2, 3)),
    }
)
_CELLS = tuple((what, count) for what, task in TASKS.items() for count in task.counts)


def _count(value: Value) -> int:
    if isinstance(value, Sound):
        return len(value.events)
    return len(value.things if isinstance(value, Scene) else value.acting)


def _asked(what: str, count: int, split: TestSplit) -> Iterator[tuple[Value, str, Value]]:
    task = TASKS[what]
    for value in KINDS[task.of].stream(split, count):
        if _count(value) != count:
            continue
        rng = random.Random(f"hard-to-say-{what}-{value.key}")
        edit = kind_of(value).instruct(value, rng, seen=split == "test", kind=rng.choice(task.edits))
        if edit is not None:
            yield value, edit.text, edit.target


def _load(split: TestSplit, options: Options) -> Iterator[Sample]:
    """One of each in turn, so that the first samples are of all."""
    asked = [islice(_asked(what, count, split), EACH) for what, count in _CELLS]
    for number, row in enumerate(zip(*asked, strict=True), start=1):
        for (what, count), (value, text, target) in zip(_CELLS, row, strict=True):
            truth, kind = Truth(target), kind_of(value)
            yield Sample(
                id=f"{what.replace(' ', '-')}-{count}-{number}",
                request=Request(
                    (user(kind.render(value), PROMPT.format(instruction=text)),),
                    wanted=frozenset({kind.modality}),
                ),
                references={
                    "truths": (truth,),
                    "media": (kind.modality,),
                    "kind": f"{what}, {count} {TASKS[what].counted}{'s' * (count > 1)}",
                },
                group=f"{what}-{value.key}",
                hints={"caption": kind.describe(value), "plan": truth.plan},
            )


def what_is_hard(sample: Sample) -> str:
    """The slice of a sample: what is hard to say, and how many there are of it."""
    return str(sample.references["kind"])


def _benchmark(name: str, split: TestSplit) -> Benchmark:
    return Benchmark(
        name=name,
        family="any-to-any",
        version=1,
        source=SOURCE,
        licence=LICENCE,
        protocol={"prompt": PROMPT, "split": split, "samples": EACH * len(_CELLS)},
        load=partial(_load, split),
        metrics=truth_uses("answer_accuracy"),
        headline="answer_accuracy",
        accepts=frozenset({"text", "image", "video", "audio"}),
        produces=frozenset({"image", "video", "audio"}),
        slices=what_is_hard,
    )


TEST = _benchmark("toy-hard-to-say", "test")
COMPOSITIONAL = _benchmark("toy-hard-to-say-compositional", "compositional")
