"""Counts of the full-size models against the numbers that others measured."""

from __future__ import annotations

from dataclasses import replace

import pytest

from nextgpt.config import load_config
from nextgpt.sizing.parameters import PartCount, count, trainable_share
from nextgpt.sizing.structure import parts_of

SEVEN_B = parts_of(load_config("7b"))
FULL_SIZE = ("7b", "7b-sd2", "7b-v0")


def by_part(counts: list[PartCount]) -> dict[str, int]:
    return {row.part: row.parameters for row in counts}


def test_the_trained_parts_match_what_was_measured() -> None:
    # Without the diffusion models' own networks, whose library takes seconds to import.
    older = parts_of(load_config("7b-v0"))
    bare = {name: replace(decoder, networks=dict) for name, decoder in older.decoders.items()}
    counts = count(replace(older, decoders=bare))
    assert by_part([row for row in counts if row.trainable]) == {
        "input projection, linear": 4_198_400,
        "token rows": 2 * 32_038 * 4096,
        "LoRA": 33_554_432,
        "output projection, image": 31_958_784,
        "output projection, video": 32_090_112,
        "output projection, audio": 31_788_544,
    }
    assert by_part([row for row in counts if not row.trainable]) == {
        "encoder, vision": 632_829_440,
        "encoder, audio": 86_235_648,
        "language model": 6_738_415_616 - 2 * 32_000 * 4096,
    }
    # Two bytes each come to the 792 MB of the released file.
    assert 2 * sum(row.parameters for row in counts if row.trainable) == pytest.approx(792.1e6, rel=1e-4)


def test_the_paper_trains_no_vocabulary() -> None:
    counts = by_part(count(replace(SEVEN_B, decoders={})))
    assert counts["signal tokens"] == 2 * 36 * 4096
    assert counts["language model"] == 6_738_415_616
    assert 46e6 < counts["input projection, grouping"] < 47e6


@pytest.mark.parametrize("name", FULL_SIZE)
def test_memory_is_counted_for_what_the_preset_makes(name: str) -> None:
    decoders, options = parts_of(load_config(name)).decoders, load_config(name).generation.options
    video, seconds = options["video"], options["audio"]["audio_length_in_s"]
    size = (video["height"] // 8, video["width"] // 8)
    assert decoders["video"].latents == (4, video["num_frames"], *size)
    # A hundred mel frames a second; a VAE that keeps one in four.
    assert decoders["audio"].latents == (8, seconds * 100 / 4, 64 / 4)


def test_what_the_released_grouping_has_more() -> None:
    """The released code's 53.1M, from its shape, and where ours has less: in its two grouping blocks."""

    def linear(inner: int, outer: int, bias: bool = True) -> int:
        return inner * outer + bias * outer

    norm, mlp = 2 * 512, linear(512, 2048) + linear(2048, 512)
    attention = 3 * linear(512, 512, bias=False) + linear(512, 512)
    block = attention + mlp + 2 * norm

    def mixer(inner: int, outer: int) -> int:
        return linear(inner, 256) + linear(256, outer)

    # Each: cross-attention with an MLP, assignment, the MLP over channels, nine norms.
    grouping = 2 * attention + 2 * mlp + 9 * norm
    mixers = mixer(64, 64) + mixer(8, 8) + mixer(64, 8) + norm
    ends = linear(1024, 512) + norm + linear(512, 4096)
    released = 12 * block + 2 * grouping + mixers + (64 + 8) * 512 + ends
    assert released == 53_144_912
    ours = by_part(count(replace(SEVEN_B, decoders={})))["input projection, grouping"]
    # No cross-attention with its MLP, no projection after the assignment, no mixers; but biases in the
    # self-attention, a norm before the first layer, and a temperature in each grouping block.
    less = 2 * (attention + mlp + linear(512, 512) + 5 * norm) + mixers
    more = 12 * 3 * 512 + 2 * 1024 + 2
    assert ours == released - less + more == 46_275_074


@pytest.mark.slow
def test_the_whole_of_the_paper() -> None:
    counts = count(SEVEN_B)
    sizes = by_part(counts)

    def decoder(modality: str) -> int:
        return sum(size for part, size in sizes.items() if part.startswith(f"{modality} decoder"))

    assert sizes["image decoder, UNet"] == 859_520_964
    # The paper says 1.3B; what else it counts, it does not say.
    assert decoder("image") == pytest.approx(1.066e9, rel=1e-3)
    assert decoder("video") == pytest.approx(1.8e9, rel=0.03)
    assert decoder("audio") == pytest.approx(975e6, rel=1e-3)
    assert 46e6 < sizes["input projection, grouping"] < 47e6
    assert 0.01 < trainable_share(counts) < 0.02
