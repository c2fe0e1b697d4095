"""Counts of the full-size models against the numbers that others measured."""

from __future__ import annotations

from dataclasses import replace

import pytest

from nextgpt.parameters import FULL_SIZE, SEVEN_B, PartCount, count, trainable_share


def by_part(counts: list[PartCount]) -> dict[str, int]:
    return {row.part: row.parameters for row in counts}


def test_the_trained_parts_match_what_was_measured() -> None:
    # Without the diffusion models' own networks, whose library takes seconds to import.
    bare = {name: replace(decoder, networks=dict) for name, decoder in SEVEN_B.decoders.items()}
    counts = count(replace(FULL_SIZE["7b-v0"], decoders=bare))
    assert by_part([row for row in counts if row.trainable]) == {
        "input projection, linear": 4_198_400,
        "signal tokens": 2 * 38 * 4096,
        "LoRA": 33_554_432,
        "output projection, image": 31_958_784,
        "output projection, video": 32_090_112,
        "output projection, audio": 31_788_544,
    }
    assert by_part([row for row in counts if not row.trainable]) == {
        "encoder, vision": 632_829_440,
        "encoder, audio": 86_235_648,
        "language model": 6_738_415_616,
    }


@pytest.mark.slow
def test_the_whole_of_the_paper() -> None:
    counts = count("7b")
    sizes = by_part(counts)

    def decoder(modality: str) -> int:
        return sum(size for part, size in sizes.items() if part.startswith(f"{modality} decoder"))

    assert sizes["image decoder, UNet"] == 859_520_964
    assert decoder("image") == pytest.approx(1.066e9, rel=1e-3)  # the paper's 1.3B counts the safety checker
    assert decoder("video") == pytest.approx(1.8e9, rel=0.03)
    assert decoder("audio") == pytest.approx(975e6, rel=1e-3)
    assert 46e6 < sizes["input projection, grouping"] < 47e6
    assert 0.01 < trainable_share(counts) < 0.02


def test_an_unknown_preset_is_refused() -> None:
    with pytest.raises(ValueError, match="'13b', only for 7b, 7b-sd2, 7b-v0"):
        count("13b")
