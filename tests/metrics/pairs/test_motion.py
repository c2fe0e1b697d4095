"""VBench's statistics of motion against its formulas, step by step and in the types that its code has."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from metrics import MetricInputError, TemporalFlickering, is_dynamic, is_static, motion_smoothness
from metrics.pairs.motion import temporal_flickering

RNG = np.random.default_rng(2)
CLIP = RNG.integers(0, 256, (9, 30, 40, 3), dtype=np.uint8)


def published_flicker(frames: Any) -> float:
    differences = [
        np.mean(np.abs(np.float32(frames[k]) - np.float32(frames[k + 1]))) for k in range(len(frames) - 1)
    ]
    return (255.0 - np.mean(np.array(differences)).item()) / 255.0


def published_lengths(flows: Any, share: float) -> list[float]:
    found = []
    for flow in flows:
        radii = np.sqrt(np.square(flow[:, :, 0]) + np.square(flow[:, :, 1])).flatten()
        found.append(np.mean(abs(np.sort(-radii))[: int(len(radii) * share)]))
    return found


def published_dynamic(flows: Any, fps: float) -> bool:
    threshold = max(1.0, 8.0 / fps) * 6.0 * (min(flows.shape[1:3]) / 256.0)
    needed, count = round(4 * ((len(flows) + 1) / 16.0)), 0
    for length in published_lengths(flows, 0.05):
        count += length > threshold
        if count >= needed:
            return True
    return False


def published_static(flows: Any) -> bool:
    threshold, most = 3.0 * (min(flows.shape[1:3]) / 256.0), round(2 * ((len(flows) - 1) / 16.0))
    lengths, count = published_lengths(flows, 0.02), 0
    for length in lengths[:-2]:
        count += length > threshold
        if count > most:
            return False
    return all(length <= threshold * most * 2 for length in lengths[-2:])


def test_flicker_is_vbench_s() -> None:
    assert temporal_flickering(CLIP) == pytest.approx(published_flicker(CLIP), rel=1e-6)
    assert temporal_flickering(np.repeat(CLIP[:1], 4, axis=0)) == 1.0


def test_a_clip_that_flickers_more_scores_less() -> None:
    calm = np.repeat(CLIP[:1] // 2, 8, axis=0)
    scores = []
    for strength in (0, 10, 40, 90):
        noise = RNG.integers(0, strength + 1, calm.shape, dtype=np.uint8)
        scores.append(float(TemporalFlickering().statistics([calm + noise], [None])[0]))
    assert scores == sorted(scores, reverse=True)
    assert len(set(scores)) == 4


@pytest.mark.parametrize("count", [8, 9])
def test_smoothness_compares_each_second_frame_with_what_was_foretold(count: int) -> None:
    clip, foretold = CLIP[:count], RNG.integers(0, 256, ((count - 1) // 2, 30, 40, 3), dtype=np.uint8)
    odd = clip[1::2]
    missed = [np.mean(np.abs(np.int32(odd[k]) - foretold[k])) for k in range(len(foretold))]
    assert motion_smoothness(clip, foretold) == pytest.approx((255.0 - np.mean(missed)) / 255.0, rel=1e-12)
    with pytest.raises(MetricInputError, match="frames between"):
        motion_smoothness(clip, foretold[1:])


def test_moving_and_still_are_as_vbench_decides() -> None:
    decided = set()
    for seed in range(300):
        rng = np.random.default_rng(seed)
        pairs = int(rng.integers(1, 24))
        flows = rng.normal(0, rng.uniform(0.05, 1.2), (pairs, 24, 32, 2)) * rng.uniform(
            0, 1, (pairs, 1, 1, 1)
        )
        fps = float(rng.choice([4, 8, 24]))
        assert is_dynamic(flows, fps) == published_dynamic(flows, fps)
        decided.add(("dynamic", is_dynamic(flows, fps)))
        if pairs >= 3:
            assert is_static(flows) == published_static(flows)
            decided.add(("static", is_static(flows)))
    assert len(decided) == 4


@pytest.mark.parametrize(
    ("made", "why"),
    [
        (lambda: temporal_flickering(CLIP[:1]), "1 frames where 2 are needed"),
        (lambda: temporal_flickering(CLIP.astype(float)), "float64"),
        (
            lambda: TemporalFlickering().statistics([CLIP, CLIP[0]], [None] * 2),
            "item 1: frames are uint8 of shape",
        ),
        (lambda: is_dynamic(np.zeros((3, 4, 4, 2)), 8), "too small"),
        (lambda: is_dynamic(np.full((3, 30, 40, 2), np.nan), 8), "finite"),
        (lambda: is_dynamic(np.zeros((3, 30, 40, 2)), 0), "frame rate"),
    ],
)
def test_what_is_no_clip_or_flow_is_refused(made: Any, why: str) -> None:
    with pytest.raises(MetricInputError, match=why):
        made()
