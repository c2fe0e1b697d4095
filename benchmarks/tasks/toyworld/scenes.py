"""What toyworld's benchmarks share: two metrics that compare scenes, clips and sounds with true ones.

An answer, medium or text, is read back (see `readings`); then it is right or wrong, attribute by attribute.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Literal

import numpy as np

from benchmarks.harness.benchmark import MetricUse, Sample
from benchmarks.tasks.official import reference, said
from benchmarks.tasks.toyworld.readings import Reader
from metrics.metric import FloatArray, MeanMetric, check_lengths
from nextgpt.media import Image, Medium
from nextgpt.messages import Message
from toyworld.scene import Scene
from toyworld.splits import Value

TestSplit = Literal["test", "compositional"]

SCENES = 200
LICENCE = "CC0 1.0"
SOURCE = "toyworld, generated on the spot"
NUMBERS = {1: "one", 2: "two", 3: "three"}


class SceneAccuracy(MeanMetric):
    """Share of answers whose scene is exactly the true one, 0 to 1: all things, all attributes, nothing more.

    Of clips and sounds it is ``clip_accuracy`` and ``sound_accuracy``: deeds and events, in order of time.

    Example:
        >>> from benchmarks.tasks.toyworld.readings import TEXTS
        >>> from toyworld.scene import Thing
        >>> true = Scene.of(Thing(0, "small", "red", "circle"))
        >>> metric = SceneAccuracy(TEXTS)
        >>> said = ["a small red circle in the top left", "a small red circle"]
        >>> metric.value(metric.statistics(said, [true, true])), metric.signature
        (0.5, 'scene_accuracy|reader:parser-1|v:1')
    """

    higher_is_better = True

    def __init__(self, reader: Reader) -> None:
        self.reader, self.name = reader, f"{reader.what}_accuracy"

    @property
    def signature(self) -> str:
        """Who reads the answers."""
        return f"{self.name}|reader:{self.reader.name}|v:1"

    def statistics(self, predictions: Sequence[Any], references: Sequence[Value]) -> FloatArray:
        """1 or 0 for each item, [N]; None, no answer, is 0."""
        check_lengths(self.name, predictions, references)
        pairs = zip(predictions, references, strict=True)
        return np.array([float(self.reader.read(said).value == true) for said, true in pairs])


class AttributeF1(MeanMetric):
    """Mean F1 over the attributes of the best matched things, actors or events, 0 to 1.

    Example:
        >>> from benchmarks.tasks.toyworld.readings import TEXTS
        >>> from toyworld.scene import Thing
        >>> true = Scene.of(Thing(0, "small", "red", "circle"))
        >>> metric = AttributeF1(TEXTS)
        >>> metric.value(metric.statistics(["a small red square in the top left"], [true]))
        0.75
    """

    name = "attribute_f1"
    higher_is_better = True

    def __init__(self, reader: Reader) -> None:
        self.reader = reader

    @property
    def signature(self) -> str:
        """Who reads the answers, and how things are matched."""
        return f"{self.name}|reader:{self.reader.name}|match:{self.reader.match}|v:1"

    def statistics(self, predictions: Sequence[Any], references: Sequence[Value]) -> FloatArray:
        """F1 of each item, [N]; None, no answer, is 0."""
        check_lengths(self.name, predictions, references)
        pairs = zip(predictions, references, strict=True)
        return np.array([self.reader.f1(self.reader.read(said).parts, true) for said, true in pairs])


def accuracy_of(reader: Reader) -> MetricUse:
    """Exact scenes, clips or sounds, of what `reader` reads, against a sample's reference of that name."""
    name = f"{reader.what}_accuracy"
    return MetricUse(name, lambda: SceneAccuracy(reader), _judged(reader), reference(reader.what))


def attribute_f1_of(reader: Reader) -> MetricUse:
    """Attribute F1, of what `reader` reads, against a sample's ``scene``, ``clip`` or ``sound``."""
    return MetricUse("attribute_f1", lambda: AttributeF1(reader), _judged(reader), reference(reader.what))


def first_of(kind: type, answer: Message) -> Medium | None:
    """The medium of a kind that is judged: the first, where an answer has several."""
    return next((medium for medium in answer.media if isinstance(medium, kind)), None)


def first_picture(answer: Message) -> Image | None:
    """The picture that is judged: the first, where an answer has several."""
    return answer.images[0] if answer.images else None


def true_scene(sample: Sample) -> Scene:
    """The scene that the answer should show or describe."""
    scene: Scene = sample.references["scene"]
    return scene


def number_of_objects(sample: Sample) -> str:
    """The slice of a sample: one, two or three objects."""
    return _counted(len(true_scene(sample).things), "object")


def number_of_deeds(sample: Sample) -> str:
    """The slice of a sample: how many things of its clip move, appear or vanish."""
    return _counted(len(sample.references["clip"].acting), "deed")


def number_of_events(sample: Sample) -> str:
    """The slice of a sample: how many instruments its sound has, one after the other."""
    return _counted(len(sample.references["sound"].events), "event")


def _counted(count: int, what: str) -> str:
    return f"{NUMBERS[count]} {what}{'s' * (count > 1)}"


def _judged(reader: Reader) -> Callable[[Message], Any]:
    return said if reader.medium is None else partial(first_of, reader.medium)
