"""What toyworld's benchmarks share: their scenes, and two metrics that compare scenes with scenes.

An answer, picture or text, is read back into a scene, a picture by the oracle and a text by the parser,
neither of which has learnt anything; then it is right or wrong, attribute by attribute.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from benchmarks.harness.benchmark import MetricUse, Sample
from benchmarks.tasks.official import said
from metrics.metric import FloatArray, MeanMetric, check_lengths
from nextgpt.media import Image
from nextgpt.messages import Message
from toyworld import oracle
from toyworld.language import mentions, parse
from toyworld.oracle import Reading
from toyworld.scene import Scene, Thing, attribute_f1, scene_accuracy

TestSplit = Literal["test", "compositional"]

SCENES = 200
LICENCE = "CC0 1.0"
SOURCE = "toyworld, generated on the spot"
# What is read from texts changes with the words that `toyworld.language` knows: raise it with them.
PARSER_VERSION = 1
COUNTS = {1: "one object", 2: "two objects", 3: "three objects"}

Judged = Image | str | None


@dataclass(frozen=True)
class Reader:
    """How answers become scenes: what it is called in signatures, and its two readings."""

    name: str
    scene: Callable[[Any], Scene | None]
    things: Callable[[Any], Sequence[Thing]]


# By the hash of the picture: both metrics read each picture, and the pictures must not be held.
_READINGS: dict[str, Reading] = {}
_MOST_READINGS = 4096


def _reading(picture: Image) -> Reading:
    key = picture.content_hash
    if key not in _READINGS:
        if len(_READINGS) == _MOST_READINGS:
            _READINGS.clear()
        _READINGS[key] = oracle.read(picture)
    return _READINGS[key]


PICTURES = Reader(
    f"oracle-{oracle.VERSION}",
    lambda picture: None if picture is None else _reading(picture).scene,
    lambda picture: () if picture is None else _reading(picture).things,
)
TEXTS = Reader(f"parser-{PARSER_VERSION}", parse, mentions)


class SceneAccuracy(MeanMetric):
    """Share of answers whose scene is exactly the true one, 0 to 1: all things, all attributes, nothing more.

    Example:
        >>> true = Scene.of(Thing(0, "small", "red", "circle"))
        >>> metric = SceneAccuracy(TEXTS)
        >>> said = ["a small red circle in the top left", "a small red circle"]
        >>> metric.value(metric.statistics(said, [true, true])), metric.signature
        (0.5, 'scene_accuracy|reader:parser-1|v:1')
    """

    name = "scene_accuracy"
    higher_is_better = True

    def __init__(self, reader: Reader) -> None:
        self.reader = reader

    @property
    def signature(self) -> str:
        """Who reads the answers."""
        return f"{self.name}|reader:{self.reader.name}|v:1"

    def statistics(self, predictions: Sequence[Any], references: Sequence[Scene]) -> FloatArray:
        """1 or 0 for each item, [N]; None, no answer, is 0."""
        check_lengths(self.name, predictions, references)
        pairs = zip(predictions, references, strict=True)
        return np.array([scene_accuracy(self.reader.scene(said), true) for said, true in pairs])


class AttributeF1(MeanMetric):
    """Mean F1 over shape, colour, size and cell of the best matched things, 0 to 1.

    Example:
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
        return f"{self.name}|reader:{self.reader.name}|match:best|v:1"

    def statistics(self, predictions: Sequence[Any], references: Sequence[Scene]) -> FloatArray:
        """F1 of each item, [N]; None, no answer, is 0."""
        check_lengths(self.name, predictions, references)
        pairs = zip(predictions, references, strict=True)
        return np.array([attribute_f1(self.reader.things(said), true) for said, true in pairs])


def scene_accuracy_of(reader: Reader) -> MetricUse:
    """Exact scenes, of what `reader` reads, against a sample's ``scene``."""
    return MetricUse("scene_accuracy", lambda: SceneAccuracy(reader), _judged(reader), true_scene)


def attribute_f1_of(reader: Reader) -> MetricUse:
    """Attribute F1, of what `reader` reads, against a sample's ``scene``."""
    return MetricUse("attribute_f1", lambda: AttributeF1(reader), _judged(reader), true_scene)


def first_picture(answer: Message) -> Image | None:
    """The picture that is judged: the first, where an answer has several."""
    return answer.images[0] if answer.images else None


def true_scene(sample: Sample) -> Scene:
    """The scene that the answer should show or describe."""
    scene: Scene = sample.references["scene"]
    return scene


def number_of_objects(sample: Sample) -> str:
    """The slice of a sample: one, two or three objects."""
    return COUNTS[len(true_scene(sample).things)]


def _judged(reader: Reader) -> Callable[[Message], Judged]:
    return first_picture if reader is PICTURES else said
