"""Pictures from conditions, by a random Stable Diffusion."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from nextgpt.config import Config
from nextgpt.decoding.image import ImageDecoder
from nextgpt.errors import ConfigError
from nextgpt.sizing.structure import condition_of
from tests.nextgpt.backbones import plain

HOW: dict[str, Any] = {"steps": 2, "guidance": 3.0}


@pytest.fixture(scope="module")
def decoder(config: Config) -> ImageDecoder:
    return ImageDecoder.load(Path(config.weights.image), torch.float32, torch.device("cpu"))


def test_shapes_are_those_of_the_pipeline(decoder: ImageDecoder, config: Config) -> None:
    assert (decoder.length, decoder.width, decoder.size) == (12, 16, 16)
    assert condition_of(config.weights.image, "image") == (12, 16)
    assert decoder.encode_text(["a red circle", ""]).shape == (2, 12, 16)
    assert decoder.encode_latents([plain("red", side=40)]).shape == (1, 4, 8, 8)


def test_batch_and_order_change_nothing(decoder: ImageDecoder) -> None:
    condition = decoder.encode_text(["a red circle", "a blue square", "hello"])
    together = decoder.generate(condition, [1, 2, 3], **HOW)
    alone = [decoder.generate(condition[k : k + 1], [k + 1], **HOW)[0] for k in range(3)]
    backwards = decoder.generate(condition.flip(0), [3, 2, 1], **HOW)[::-1]
    for one, other in ((together, alone), (together, backwards)):
        for left, right in zip(one, other, strict=True):
            # Sums in another order may round one level differently.
            assert abs(left.pixels.astype(int) - right.pixels.astype(int)).max() <= 1


def test_the_seed_makes_the_picture(decoder: ImageDecoder) -> None:
    condition = decoder.encode_text(["a red circle"] * 3)
    first, same, other = decoder.generate(condition, [1, 1, 2], **HOW)
    assert first == same
    assert first != other


def test_text_goes_the_same_way_as_a_condition(decoder: ImageDecoder) -> None:
    from_text = decoder.generate_from_text(["a red circle"], [4], **HOW)
    assert from_text == decoder.generate(decoder.encode_text(["a red circle"]), [4], **HOW)
    assert decoder.generate_from_text([], [], **HOW) == []


def test_long_prompts_are_cut_off(decoder: ImageDecoder) -> None:
    assert decoder.encode_text(["a red circle " * 50]).shape == (1, 12, 16)


@pytest.mark.parametrize("kind", ["epsilon", "v_prediction", "sample"])
def test_the_denoising_target_follows_the_scheduler(
    decoder: ImageDecoder, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    """A UNet that answers the right thing has no loss, whatever the right thing is."""
    latents = torch.randn(64, 4, 8, 8)
    asked: dict[str, torch.Tensor] = {}

    def perfect(noisy: torch.Tensor, step: torch.Tensor, **_: object) -> tuple[torch.Tensor]:
        alpha = decoder.noising.alphas_cumprod[step].view(-1, 1, 1, 1)
        noise = (noisy - alpha.sqrt() * latents) / (1 - alpha).sqrt()
        velocity = alpha.sqrt() * noise - (1 - alpha).sqrt() * latents
        asked["step"] = step
        return ({"epsilon": noise, "v_prediction": velocity, "sample": latents}[kind],)

    perfect.dtype = torch.float32  # type: ignore[attr-defined]
    monkeypatch.setattr(decoder.pipeline, "unet", perfect)
    decoder.noising.register_to_config(prediction_type=kind)
    try:
        for gamma in (0.0, 5.0):
            loss = decoder.denoising_loss(
                torch.zeros(64, 12, 16), latents, torch.Generator().manual_seed(0), min_snr=gamma
            )
            assert loss.item() < 1e-4
    finally:
        decoder.noising.register_to_config(prediction_type="v_prediction")
    assert asked["step"].min() < 200
    assert asked["step"].max() > 800


def test_min_snr_weights_are_those_of_the_paper(decoder: ImageDecoder) -> None:
    step = torch.tensor([0, 300, 999])
    alpha = decoder.noising.alphas_cumprod[step]
    snr = alpha / (1 - alpha)
    capped = torch.minimum(snr, torch.tensor(5.0))
    assert torch.allclose(decoder._snr_weight(step, "epsilon", 5.0), capped / snr)
    assert torch.allclose(decoder._snr_weight(step, "v_prediction", 5.0), capped / (snr + 1))
    assert torch.allclose(decoder._snr_weight(step, "sample", 5.0), capped)


def test_gradients_reach_the_condition_and_nothing_else(decoder: ImageDecoder) -> None:
    condition = decoder.encode_text(["a red circle"]).requires_grad_()
    latents = decoder.encode_latents([plain("red")])
    decoder.denoising_loss(condition, latents, torch.Generator().manual_seed(0)).backward()
    assert condition.grad is not None
    assert condition.grad.abs().sum() > 0
    assert all(value.grad is None for part in decoder.parts().values() for value in part.parameters())


def test_large_pictures_go_through_the_autoencoder_some_at_a_time(
    decoder: ImageDecoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    pictures = [plain("red"), plain("blue"), plain("green")]
    together = decoder.encode_latents(pictures)
    vae, sizes = decoder.pipeline.vae, []
    encode = vae.encode

    def counted(inputs: torch.Tensor) -> Any:
        sizes.append(len(inputs))
        return encode(inputs)

    monkeypatch.setattr(vae, "encode", counted)
    monkeypatch.setattr("nextgpt.decoding.decoder._PIXELS_AT_ONCE", 2 * 16 * 16)
    torch.testing.assert_close(decoder.encode_latents(pictures), together)
    assert sizes == [2, 1]


def test_a_folder_that_is_no_pipeline_is_refused(config: Config) -> None:
    with pytest.raises(ConfigError, match="no diffusion pipeline"):
        ImageDecoder.load(Path(config.weights.encoder), torch.float32, torch.device("cpu"))
    with pytest.raises(ConfigError, match="no diffusion pipeline"):
        condition_of(config.weights.encoder, "image")
