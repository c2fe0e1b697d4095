"""The three kinds of things in toyworld, and what its tasks do with each alike: describing and editing.

A task's own file holds its prompt, its metrics and its split; here is how samples are made of things.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import Any

from benchmarks.harness.benchmark import Benchmark, Family, MetricUse, Options, Sample
from benchmarks.tasks.toyworld.scenes import LICENCE, SCENES, SOURCE, TestSplit
from nextgpt.messages import Modality, Request, user
from toyworld.clips import language as clip_language
from toyworld.clips.render import render as render_clip
from toyworld.dialogue import CALL
from toyworld.kinds import call
from toyworld.language import captions as captions_of_scene
from toyworld.language import describe as describe_scene
from toyworld.render import render as render_scene
from toyworld.sounds import language as sound_language
from toyworld.sounds.render import render as render_sound
from toyworld.splits import clips, scenes, sounds

Load = Callable[[TestSplit, Options], Iterator[Any]]


@dataclass(frozen=True)
class Kind:
    """A kind of things.

    Attributes:
        name: what a sample's reference to one is called.
        modality: of its medium.
        drawn: so many of a split.
        render: its medium.
        describe: its true description.
        plan: the true call of the tool that makes it.
        captions: five ways to say it.
    """

    name: str
    modality: Modality
    drawn: Callable[[TestSplit, int], Any]
    render: Callable[[Any], Any]
    describe: Callable[[Any], str]
    plan: Callable[[Any], str]
    captions: Callable[[Any, random.Random], Any]


SCENE = Kind(
    "scene",
    "image",
    scenes,
    render_scene,
    describe_scene,
    lambda scene: CALL.format(caption=describe_scene(scene)),
    captions_of_scene,
)
CLIP = Kind("clip", "video", clips, render_clip, clip_language.describe, call, clip_language.captions)
SOUND = Kind("sound", "audio", sounds, render_sound, sound_language.describe, call, sound_language.captions)


def described(kind: Kind, prompt: str, split: TestSplit, _: Options) -> Iterator[Sample]:
    """Each medium, to be described."""
    for number, thing in enumerate(kind.drawn(split, SCENES), start=1):
        truth = kind.describe(thing)
        captions = kind.captions(thing, random.Random(f"captions-0-{thing.key}"))
        yield Sample(
            id=str(number),
            request=Request((user(kind.render(thing), prompt),), wanted=frozenset({"text"})),
            references={kind.name: thing, "captions": captions},
            group=str(number),
            hints={"caption": truth, "plan": truth},
        )


def edited(
    kind: Kind, instruct: Callable[..., Any], prompt: str, split: TestSplit, _: Options
) -> Iterator[Sample]:
    """Each medium with one instruction; the few things that have none are passed over."""
    for number, (thing, edit) in enumerate(islice(_edits(kind, instruct, split), SCENES), start=1):
        said = user(kind.render(thing), prompt.format(instruction=edit.text))
        yield Sample(
            id=str(number),
            request=Request((said,), wanted=frozenset({kind.modality})),
            references={
                kind.name: edit.target,
                kind.modality: kind.render(edit.target),
                "prompt": edit.text,
                "kind": edit.kind,
            },
            group=str(number),
            hints={"caption": kind.describe(thing), "plan": kind.plan(edit.target)},
        )


def kind_of_edit(sample: Sample) -> str:
    """The slice of a sample of an editing task."""
    return str(sample.references["kind"])


def both(
    name: str,
    family: Family,
    prompt: str,
    load: Load,
    metrics: tuple[MetricUse, ...],
    *,
    accepts: frozenset[Modality],
    produces: frozenset[Modality],
    slices: Callable[[Sample], str | None],
) -> tuple[Benchmark, Benchmark]:
    """A task's two benchmarks: of the test split, and of what never met in training.

    Args:
        name: of the first; the second's ends in ``-compositional``.
        family: as in `Benchmark`.
        prompt: as it stands in the task's file.
        load: the samples of a split.
        metrics: the headline first.
        accepts: as in `Benchmark`.
        produces: as in `Benchmark`.
        slices: as in `Benchmark`.
    """
    parts: tuple[TestSplit, TestSplit] = ("test", "compositional")
    one, other = (
        Benchmark(
            name=name if split == "test" else f"{name}-{split}",
            family=family,
            version=1,
            source=SOURCE,
            licence=LICENCE,
            protocol={"prompt": prompt, "split": split, "samples": SCENES},
            load=partial(load, split),
            metrics=metrics,
            headline=metrics[0].name,
            accepts=accepts,
            produces=produces,
            slices=slices,
        )
        for split in parts
    )
    return one, other


def _edits(kind: Kind, instruct: Callable[..., Any], split: TestSplit) -> Iterator[tuple[Any, Any]]:
    for thing in kind.drawn(split, SCENES + SCENES // 10):
        edit = instruct(thing, random.Random(f"editing-{thing.key}"), seen=split == "test")
        if edit is not None:
            yield thing, edit
