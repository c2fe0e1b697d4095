"""Toyworld sight and sound: two media in one answer.

name: toy-sight-and-sound, toy-sight-and-sound-compositional
data set: toyworld descriptions and pictures, each to be shown and to be heard
licence: CC0 1.0
protocol: one answer with two media in the order asked for. Right when both are; whether the asked media are
    there, in number and order, is read off by plain code; whether sight and sound of one answer agree, right
    or wrong, the oracles and the world's rule say; AV-Align compares onsets with peaks of motion, over clips
    alone. (The world's beat is no film's: what sounds three times moves once, so the truth itself does not
    align to 1.) By what is asked for.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from itertools import islice
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.harness.benchmark import Benchmark, MetricUse, Options, Sample
from benchmarks.tasks.any_to_any.structure import structure_uses
from benchmarks.tasks.toyworld.conversions import cell
from benchmarks.tasks.toyworld.readings import CLIPS, PICTURES, SOUNDS
from benchmarks.tasks.toyworld.scenes import LICENCE, SOURCE, TestSplit
from benchmarks.tasks.toyworld.truths import Answered, Truth, answered, truth_uses
from metrics.metric import FloatArray, MeanMetric, check_lengths
from nextgpt.messages import Message, Part, Request, user
from toyworld.clips.clip import Clip
from toyworld.conversions import convert
from toyworld.kinds import KINDS, kind_of
from toyworld.scene import Scene
from toyworld.ties import agree, heard

if TYPE_CHECKING:
    from metrics.metric import Metric
    from metrics.pairs.alignment import Recording

PROMPT = "draw {caption}, then play what it sounds like."
PROMPTS: Mapping[str, str] = MappingProxyType(
    {
        "text-to-image-and-audio": PROMPT,
        "text-to-audio-and-image": "play what it sounds like, then draw it: {caption}.",
        "text-to-video-and-audio": "film this, then play what it sounds like: {caption}.",
        "image-to-video-and-audio": "{request} then play the clip.",
    }
)
EACH = 25  # samples of each

Asked = tuple[tuple[Part, ...], tuple[Truth, ...]]


class SightSoundAgreement(MeanMetric):
    """Share of answers whose first picture or clip sounds like their first sound, 0 to 1.

    Without one of them, or where the oracles read no scene in it, nothing agrees.
    """

    name = "sight_sound_agreement"
    higher_is_better = True

    @property
    def signature(self) -> str:
        """Who reads the answers."""
        readers = ",".join(reader.name for reader in (PICTURES, CLIPS, SOUNDS))
        return f"{self.name}|reader:{readers}|v:1"

    def statistics(self, predictions: Sequence[Answered], references: Sequence[Any]) -> FloatArray:
        """1 or 0 for each answer, [N]; references are not looked at."""
        check_lengths(self.name, predictions, references)
        return np.array([_agrees(answer) for answer in predictions])


def _agrees(answer: Answered) -> float:
    sound = next((read.value for kind, read in answer.media if kind == "audio"), None)
    sight = next((read.value for kind, read in answer.media if kind != "audio"), None)
    return float(sound is not None and sight is not None and agree(sight, sound))


def _recording(answer: Message) -> Recording | None:
    """What AV-Align judges: the first clip with the first sound; None where one lacks."""
    from metrics.pairs.alignment import Recording

    if not answer.videos or not answer.sounds:
        return None
    clip, sound = answer.videos[0], answer.sounds[0]
    return Recording(clip.frames, clip.fps, sound.samples, sound.rate)


def _av_align() -> Metric[Any]:
    from metrics.pairs.alignment import AVAlign

    return AVAlign()


def _nothing(sample: Sample) -> None:
    """What these metrics compare with: sight with sound, and neither with a truth."""


def _told(value: Scene | Clip, prompt: str, *, backwards: bool = False) -> Asked:
    rng = random.Random(f"sight-and-sound-{value.key}")
    caption = kind_of(value).paraphrase(value, rng)
    truths = Truth(value), Truth(heard(value))
    return (prompt.format(caption=caption),), truths[::-1] if backwards else truths


def _set_in_motion(scene: Scene, prompt: str, *, seen: bool) -> Asked | None:
    found = convert(scene, random.Random(f"sight-and-sound-{scene.key}"), seen=seen, to=Clip)
    if found is None:
        return None
    request = prompt.format(request=found.text)
    assert isinstance(found.target, Clip)
    return (kind_of(scene).render(scene), request), (Truth(found.target), Truth(heard(found.target)))


def _of_kind(name: str, split: TestSplit, seed: int) -> Iterator[Sample]:
    seen, prompt = split == "test", PROMPTS[name]
    make: Callable[[Any], Asked | None] = partial(_told, prompt=prompt)
    if name == "text-to-audio-and-image":
        make = partial(_told, prompt=prompt, backwards=True)
    elif name == "image-to-video-and-audio":
        make = partial(_set_in_motion, prompt=prompt, seen=seen)
    values = KINDS[Clip if name == "text-to-video-and-audio" else Scene].stream(split, seed)
    asked = ((value, found) for value in values if (found := make(value)) is not None)
    for number, (value, (parts, truths)) in enumerate(islice(asked, EACH), start=1):
        media = tuple(truth.modality for truth in truths)
        yield Sample(
            id=f"{name}-{number}",
            request=Request((user(*parts),), wanted=frozenset(media)),  # type: ignore[arg-type]
            references={"truths": truths, "media": media, "kind": name},
            group=f"{name}-{value.key}",
            hints={
                "caption": kind_of(value).describe(value),
                "plan": "\n".join(truth.plan for truth in truths),
            },
        )


def _load(split: TestSplit, options: Options) -> Iterator[Sample]:
    kinds = [_of_kind(name, split, seed) for seed, name in enumerate(PROMPTS, start=1)]
    for row in zip(*kinds, strict=True):
        yield from row


def _benchmark(name: str, split: TestSplit) -> Benchmark:
    return Benchmark(
        name=name,
        family="any-to-any",
        version=1,
        source=SOURCE,
        licence=LICENCE,
        protocol={"prompt": PROMPT, **PROMPTS, "split": split, "samples": len(PROMPTS) * EACH},
        load=partial(_load, split),
        metrics=(
            *truth_uses("answer_accuracy"),
            *structure_uses(),
            MetricUse("sight_sound_agreement", SightSoundAgreement, answered, _nothing),
            MetricUse("av_align", _av_align, _recording, _nothing, failure="left-out"),
        ),
        headline="answer_accuracy",
        accepts=frozenset({"text", "image"}),
        produces=frozenset({"image", "video", "audio"}),
        slices=cell,
    )


TEST = _benchmark("toy-sight-and-sound", "test")
COMPOSITIONAL = _benchmark("toy-sight-and-sound-compositional", "compositional")
