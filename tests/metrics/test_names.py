"""Names of levels, variants and directions: one that a metric does not know is refused, never guessed at."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any, Literal, get_args, get_origin

import numpy as np
import pytest

import metrics
from metrics import MetricInputError

NOISE = np.random.default_rng(0).normal(0, 0.1, 4000)
CALLS: dict[tuple[str, str], Callable[[Any], Any]] = {
    ("ImageBindScore", "aggregation"): lambda name: metrics.ImageBindScore(
        SimpleNamespace(signature="toy"), name
    ),
    ("SoftTIFA", "mean"): lambda name: metrics.SoftTIFA(
        SimpleNamespace(signature="toy"), metrics.TEMPLATES["figure"], name
    ),
    ("soft_tifa", "mean"): lambda name: metrics.soft_tifa([0.5], name),
    ("yes_probability", "score"): lambda name: metrics.yes_probability(-1.0, -1.0, name),
    ("Template", "score"): lambda name: metrics.Template("t", "is {}?", score=name),
    ("cohen_kappa", "weights"): lambda name: metrics.cohen_kappa([1, 2, 3], [1, 2, 2], weights=name),
    ("correlation", "coefficient"): lambda name: metrics.correlation([1, 2, 3], [1, 2, 2], coefficient=name),
    ("AudioKL", "direction"): lambda name: metrics.AudioKL(SimpleNamespace(signature="toy"), name),
    ("KLDivergence", "direction"): metrics.KLDivergence,
    ("MelCepstralDistortion", "alignment"): lambda name: metrics.MelCepstralDistortion(alignment=name),
    ("Wups", "variant"): lambda name: metrics.Wups(lambda one, other: 0.0, "toy", variant=name),
    ("krippendorff_alpha", "level"): lambda name: metrics.krippendorff_alpha(
        [[1, 2, 3], [1, 2, 2]], level=name, resamples=2
    ),
    ("mel_cepstral_distortion", "alignment"): lambda name: metrics.mel_cepstral_distortion(
        NOISE, NOISE, alignment=name
    ),
    ("wordnet_similarity", "variant"): metrics.wordnet_similarity,
}


def _named() -> Iterator[tuple[tuple[str, str], tuple[str, ...]]]:
    """Every argument of a public function or class that is one of some names, with those names."""
    for name in metrics.__all__:
        public = getattr(metrics, name)
        if callable(public) and not (isinstance(public, type) and issubclass(public, Exception)):
            for argument in inspect.signature(public, eval_str=True).parameters.values():
                if get_origin(argument.annotation) is Literal:
                    yield (name, argument.name), get_args(argument.annotation)


def test_every_argument_that_takes_a_name_is_tried_here() -> None:
    assert {place for place, _ in _named()} == CALLS.keys()


@pytest.mark.parametrize("place", CALLS, ids=":".join)
def test_an_unknown_name_is_refused_by_name_and_the_known_ones_are_told(place: tuple[str, str]) -> None:
    known = dict(_named())[place]
    for unknown in ("rubbish", known[0].title(), "", None):
        with pytest.raises(MetricInputError, match=f"^{place[1]} {unknown!r} is unknown; choose ") as refused:
            CALLS[place](unknown)
        assert all(name in str(refused.value) for name in known)


@pytest.mark.parametrize(
    "place", [place for place in CALLS if place[0] != "wordnet_similarity"], ids=":".join
)
def test_a_known_name_is_taken(place: tuple[str, str]) -> None:
    for name in dict(_named())[place]:
        CALLS[place](name)
