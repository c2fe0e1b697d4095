"""ImageBind's three aggregations against JavisBench's formulas over torch, and on clips of a known offset."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from metrics import AVAlign, ImageBindScore, MetricInputError, Recording, avh_score, javis_score
from metrics.pairs.media import window_members, window_spans

RNG = np.random.default_rng(4)
FRAMES, SOUNDS = RNG.normal(size=(32, 8)), RNG.normal(size=(5, 8))


def published(frames: Any, sounds: Any, members: Any, share: float = 0.4) -> float:
    """JavisBench's: top-k of the smallest cosines in each window, k = int(N * 0.4), their mean of means."""
    cos = torch.nn.CosineSimilarity(dim=-1, eps=1e-6)
    video = torch.from_numpy(frames)[torch.tensor(members)]
    grid = cos(video, torch.from_numpy(sounds).unsqueeze(1))
    k = int(video.shape[1] * share)
    return float(torch.topk(grid, k, dim=1, largest=False, sorted=False)[0].mean(dim=1).mean(dim=0))


def test_avh_is_the_mean_over_frames() -> None:
    cos = torch.nn.CosineSimilarity(dim=-1, eps=1e-6)
    expected = cos(torch.from_numpy(FRAMES), torch.from_numpy(SOUNDS[:1])).mean().item()
    assert avh_score(FRAMES, SOUNDS[0]) == pytest.approx(expected, rel=1e-9)


def test_javis_takes_the_frames_that_fit_worst_in_each_window() -> None:
    spans = window_spans(4.0)
    members = window_members(32, 8.0, spans)
    assert [len(each) for each in members] == [16] * 5
    assert javis_score(FRAMES, SOUNDS, members) == pytest.approx(published(FRAMES, SOUNDS, members), rel=1e-9)
    with pytest.raises(MetricInputError, match="window 0 has 2 frames"):
        javis_score(FRAMES, SOUNDS[:1], [[0, 1]])


@pytest.mark.parametrize(("seconds", "count"), [(0.7, 1), (2.0, 1), (2.4, 1), (2.5, 2), (10.0, 17)])
def test_windows_of_two_seconds_overlap_by_one_and_a_half(seconds: float, count: int) -> None:
    spans = window_spans(seconds)
    assert len(spans) == count
    assert spans[0][0] == 0
    assert all(end - start == pytest.approx(min(2.0, seconds)) for start, end in spans)
    assert spans[-1][1] <= seconds + 1e-9


class Brightness:
    """Sees how bright a frame is and hears how loud a moment is, on one circle."""

    signature = "brightness"

    def media(self, items: Any) -> Any:
        return np.array([self._point(np.asarray(item).mean() / 255) for item in items])

    def frames(self, recording: Recording) -> Any:
        return np.array([self._point(frame.mean() / 255) for frame in recording.frames])

    def windows(self, recording: Recording, spans: Any) -> Any:
        pieces = [recording.samples[int(a * recording.rate) : int(b * recording.rate)] for a, b in spans]
        return np.array([self._point(float(np.abs(piece).mean())) for piece in pieces])

    @staticmethod
    def _point(level: float) -> Any:
        return np.array([np.cos(level), np.sin(level)])


def recording(shift: float) -> Recording:
    """Bright from second 2 on, and loud from so many seconds later on."""
    frames = np.zeros((32, 4, 4, 3), np.uint8)
    frames[16:] = 255
    samples = np.zeros(64_000)
    samples[int(16_000 * (2 + shift)) :] = 1.0
    return Recording(frames, 8.0, samples, 16_000)


def test_sound_that_comes_late_fits_worse() -> None:
    metric = ImageBindScore(Brightness(), "windows")
    scores = metric.statistics([recording(shift) for shift in (0.0, 0.5, 1.5)], [None] * 3).tolist()
    assert scores == sorted(scores, reverse=True)
    assert len(set(scores)) == 3


def test_the_three_are_told_apart_by_name_and_signature() -> None:
    made = [ImageBindScore(Brightness(), each) for each in ("whole", "frames", "windows")]
    assert [each.name for each in made] == ["imagebind_score", "avh_score", "javis_score"]
    assert "windows:2s,overlap:1.5s,lowest:0.4" in made[2].signature
    item = recording(0.0)
    assert made[1].statistics([item], [None])[0] == pytest.approx(
        avh_score(Brightness().frames(item), Brightness().windows(item, [(0.0, 4.0)])[0])
    )
    with pytest.raises(MetricInputError, match="item 0 is str"):
        made[1].statistics(["clip"], [None])


def test_toyworld_s_clips_fit_their_sound_less_the_later_it_comes() -> None:
    """A click for each peak of motion of rendered clips, moved by a known offset; a frame is 0.22 s."""
    from metrics.pairs.alignment import motion_peaks
    from toyworld.kinds import kind_of
    from toyworld.splits import clips

    rendered: list[Any] = [kind_of(clip).render(clip) for clip in clips("test", 12)]
    found = []
    for offset in (0.0, 0.1, 0.5, 1.0, 4.0):
        recordings = []
        for film in rendered:
            peaks = motion_peaks(film.frames, film.fps)
            samples = np.zeros(int(16_000 * (len(film.frames) / film.fps + 6)))
            samples[((peaks + offset) * 16_000).round().astype(int)] = 1.0
            recordings.append(Recording(film.frames, film.fps, samples, 16_000))
        found.append(AVAlign().statistics(recordings, [None] * len(recordings)))
    means = [items.mean() for items in found]
    assert found[0].tolist() == [1.0] * len(rendered)
    assert means[1] > 0.9
    assert means[2] < 0.5
    assert means[3] < 0.5
    assert means[4] == 0.0
