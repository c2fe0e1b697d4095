"""Cosine scores: the published definitions, by hand."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from metrics.metric import MetricInputError
from metrics.pairs.similarity import (
    CLIPI,
    CLIPT,
    CLIPScore,
    CLIPSim,
    clip_score,
    clip_score_items,
    clipsim,
    clipsim_items,
    cosines,
    ref_clip_score,
    ref_clip_score_items,
)

ANGLES = st.lists(st.floats(-np.pi, np.pi), min_size=1, max_size=8)


def _at(angles: Sequence[float], length: float = 1.0) -> NDArray[np.float64]:
    return length * np.column_stack([np.cos(angles), np.sin(angles)])


class Compass:
    """An embedder of angles: a picture's pixels hold half its degrees, a text spells its degrees."""

    signature = "compass@1"

    def images(self, pictures: Sequence[Any]) -> NDArray[np.float64]:
        return _at([np.deg2rad(2.0 * picture[0, 0, 0]) for picture in pictures])

    def texts(self, texts: Sequence[str]) -> NDArray[np.float64]:
        return _at([np.deg2rad(float(text.removeprefix("A photo depicts "))) for text in texts])


def _picture(degrees: int) -> NDArray[np.uint8]:
    return np.full((1, 1, 3), degrees // 2, np.uint8)


@given(ANGLES, st.floats(0.01, 100))
def test_cosines_ignore_length(angles: list[float], length: float) -> None:
    zero = [0.0] * len(angles)
    assert cosines(_at(angles, length), _at(zero)) == pytest.approx(np.cos(angles), abs=1e-12)


def test_clip_score_clamps_each_pair_and_not_the_mean() -> None:
    images, texts = _at([0, 0]), _at([0, np.pi])
    assert clip_score_items(images, texts).tolist() == [2.5, 0]
    assert clip_score(images, texts) == 1.25
    assert clip_score(images, texts, weight=100) == 50


def test_ref_clip_score_is_the_harmonic_mean_with_the_closest_reference() -> None:
    image, text = _at([0]), _at([np.pi / 3])
    references = _at([np.pi / 3 + 0.5, np.pi / 3 - 0.2, np.pi])
    plain, closest = 2.5 * 0.5, np.cos(0.2)
    assert ref_clip_score(image, text, [references]) == pytest.approx(2 * plain * closest / (plain + closest))


def test_ref_clip_score_of_nothing_alike_is_zero() -> None:
    assert ref_clip_score_items(_at([0]), _at([np.pi]), [_at([0])]).tolist() == [0]


def test_clipsim_averages_in_the_video_first() -> None:
    long, short = _at([np.pi / 2] * 9), _at([0])
    assert clipsim([long, short], _at([0, 0])) == pytest.approx(0.5)  # not 0.1, the mean over all frames
    assert clipsim_items([_at([0, np.pi])], _at([0])).tolist() == pytest.approx([0])  # not clamped


ONE, NAN = _at([0]), np.array([[np.nan, 1.0]])


@pytest.mark.parametrize(
    ("call", "reason"),
    [
        (
            lambda: clip_score(_at([0, 1]), np.array([[1.0, 0], [0, 0]])),
            "second embeddings: row 1 has no direction",
        ),
        (lambda: cosines(NAN, ONE), "first embeddings: row 0"),
        (lambda: cosines(ONE, _at([0, 1])), "pairs from one network"),
        (lambda: cosines(np.ones(2), np.ones(2)), "one embedding per item"),
        (lambda: clip_score(np.zeros((0, 2)), np.zeros((0, 2))), "no items"),
        (lambda: clipsim([ONE, np.zeros((0, 2))], _at([0, 0])), "video 1 has no frames"),
        (lambda: clipsim([ONE], _at([0, 0])), "1 predictions but 2 references"),
        (lambda: clipsim([np.zeros((1, 2))], ONE), "frames of video 0: row 0 has no direction"),
        (lambda: ref_clip_score(ONE, ONE, [np.zeros((0, 2))]), "item 0 has no reference"),
        (lambda: CLIPScore(Compass()).statistics([_picture(0)], [_picture(0)]), "one side must be texts"),
    ],
)
def test_bad_input_names_the_item(call: Callable[[], Any], reason: str) -> None:
    with pytest.raises(MetricInputError, match=reason):
        call()


def test_clip_score_takes_texts_on_either_side() -> None:
    metric = CLIPScore(Compass())
    assert metric.statistics([_picture(60)], ["0"]) == pytest.approx([1.25])
    assert metric.statistics(["0"], [_picture(60)]) == pytest.approx([1.25])
    assert metric.signature == 'clip_score|model:compass@1|prompt:"A photo depicts "|w:2.5|clamp:0|v:1'
    assert "prompt:none" in CLIPScore(Compass(), prompt="").signature


def test_the_other_metrics_take_pictures_and_videos() -> None:
    assert CLIPSim(Compass()).statistics([[_picture(0), _picture(120)]], ["0"]) == pytest.approx([0.25])
    assert CLIPT(Compass()).statistics([_picture(120)], ["0"]) == pytest.approx([-0.5])
    assert CLIPI(Compass()).statistics([_picture(60)], [_picture(0)]) == pytest.approx([0.5])
    assert len({metric(Compass()).signature for metric in (CLIPSim, CLIPT, CLIPI)}) == 3
