"""A sample plugin: how bright is a picture? One benchmark, one system, one metric, one extractor."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from benchmarks.harness import Benchmark, MetricUse, Options, Sample
from metrics import MeanMetric
from nextgpt.media import Image
from nextgpt.messages import Message, Request, assistant, user

PROMPT = "how bright is it, from 0 to 255 ?"


class ShadeError(MeanMetric):
    """How far the brightness that is named lies from the true one; an answer without a number is 255 away."""

    name = "shade_error"
    signature = "shade_error|unread:255|v:1"
    higher_is_better = False

    def statistics(self, predictions: Sequence[str], references: Sequence[float]) -> np.ndarray:
        """The error of each answer, [N]."""
        pairs = zip(predictions, references, strict=True)
        return np.array([abs(float(said) - true) if said.isdigit() else 255.0 for said, true in pairs])


class GreyEye:
    """A system that says the mean of all pixels."""

    name = "grey-eye"
    fingerprint = "1"  # change it whenever an answer could change
    accepts = frozenset({"text", "image"})
    produces = frozenset({"text"})
    given: frozenset[str] = frozenset()

    def respond(self, requests: Sequence[Request]) -> list[Message]:
        """One answer for each request, in order."""
        pictures = [request.conversation[-1].images[0] for request in requests]
        return [assistant(f"{picture.pixels.mean():.0f}") for picture in pictures]


class Brightness:
    """An extractor of one feature: how bright a picture is."""

    signature = "brightness"

    def features(self, items: Sequence[Any]) -> np.ndarray:
        """One row per picture, [N, 1]."""
        return np.array([[np.asarray(getattr(item, "pixels", item)).mean()] for item in items])


def samples(options: Options) -> Iterator[Sample]:
    """Sixteen pictures of one shade each."""
    for shade in range(0, 256, 17):
        picture = Image(np.full((8, 8, 3), shade, dtype=np.uint8))
        yield Sample(str(shade), Request((user(picture, PROMPT),)), {"shade": float(shade)}, group=str(shade))


SHADES = Benchmark(
    name="shades",
    family="vqa",
    version=1,  # raise it with every change that could move a number
    source="made up",
    licence="CC0 1.0",
    protocol={"prompt": PROMPT, "samples": 16},
    load=samples,
    metrics=(
        MetricUse(
            "shade_error",
            ShadeError,
            prediction=lambda answer: answer.text,
            reference=lambda sample: sample.references["shade"],
            failure="left-out",
        ),
    ),
    headline="shade_error",
    accepts=frozenset({"text", "image"}),
    produces=frozenset({"text"}),
)
