"""Preference models: a win rate per prompt, over a CLIP of random weights and over scores that are given."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from metrics import ClipPreference, MetricInputError, PreferenceWinRate, preference_win_rate, prompt_wins
from metrics.extractors import ClipExtractor
from tests.metrics.extractors.tiny_networks import tiny_clip

RNG = np.random.default_rng(0)
PROMPTS = ["a red circle", "a blue square", "circle", "red square a"]


def pictures(seed: int) -> list[np.ndarray]:
    return list(np.random.default_rng(seed).integers(0, 256, (len(PROMPTS), 40, 36, 3), dtype=np.uint8))


def test_clip_s_preference_is_the_cosine_that_hpsv2_and_pickscore_take(tmp_path: Path) -> None:
    folder = tiny_clip(tmp_path / "tiny")
    extractor = ClipExtractor(folder)
    mine, theirs = pictures(1), pictures(2)
    images, texts = (torch.from_numpy(rows) for rows in (extractor.images(mine), extractor.texts(PROMPTS)))
    images, texts = images / images.norm(dim=-1, keepdim=True), texts / texts.norm(dim=-1, keepdim=True)
    published = (98.6 * (images @ texts.T)).diagonal().numpy()  # PickScore: logit_scale.exp() * cosine
    model = ClipPreference(extractor, scale=98.6)
    assert model.scores(mine, PROMPTS) == pytest.approx(published, rel=1e-5)
    metric = PreferenceWinRate(model)
    won = metric.statistics(mine, list(zip(PROMPTS, theirs, strict=True)))
    expected = model.scores(mine, PROMPTS) > model.scores(theirs, PROMPTS)
    assert won.tolist() == expected.astype(float).tolist()
    assert "scale:98.6" in metric.signature
    back = metric.statistics(theirs, list(zip(PROMPTS, mine, strict=True)))
    assert (won + back).tolist() == [1.0] * len(PROMPTS)


def test_prompts_on_other_scales_do_not_drown_each_other() -> None:
    """One prompt's scores lie a hundred higher; a bare mean would see that prompt alone."""
    first = {f"p{k}": [float(k)] for k in range(9)} | {"far": [100.0]}
    second = {f"p{k}": [k - 0.1] for k in range(9)} | {"far": [200.0]}
    assert np.mean([*first.values()]) < np.mean([*second.values()])
    found = preference_win_rate(first, second)
    assert found.value == 0.9
    assert found.low > 0.5
    assert found.n == 10
    assert found.standard_error == pytest.approx(0.1)


def test_several_pictures_of_a_prompt_are_one_comparison() -> None:
    mine, theirs = RNG.normal(size=4), RNG.normal(size=3)
    first, second = {"a": mine, "b": np.ones(1)}, {"a": theirs, "b": np.ones(1)}
    pairs = [(x > y) + 0.5 * (x == y) for x in mine for y in theirs]
    assert prompt_wins(first, second).tolist() == pytest.approx([np.mean(pairs), 0.5])


def test_what_can_not_be_compared_is_refused() -> None:
    with pytest.raises(MetricInputError, match="only one system has pictures of 'b'"):
        prompt_wins({"a": [1.0], "b": [1.0]}, {"a": [1.0]})
    with pytest.raises(MetricInputError, match="prompt 'a': give each system"):
        prompt_wins({"a": [np.nan]}, {"a": [1.0]})
    with pytest.raises(MetricInputError, match="no prompts"):
        prompt_wins({}, {})
