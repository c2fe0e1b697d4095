"""One line of a preset changed: another language model, another encoder, another diffusion model."""

from __future__ import annotations

import dataclasses
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from nextgpt.config import Config, load_config
from nextgpt.errors import ConfigError
from nextgpt.loading import assemble, load_encoder
from nextgpt.media import Image
from nextgpt.messages import Message, Request, user
from nextgpt.model import NextGPT
from nextgpt.sizing.parameters import count
from nextgpt.sizing.rehearsal import needs
from nextgpt.sizing.structure import parts_of
from nextgpt.training.stages import share
from nextgpt.weights.doctor import examine
from tests.nextgpt.backbones import plain
from tests.nextgpt.pipelines import FAMILIES, build
from tests.nextgpt.reasoning.test_language_model import PROMPTS, say_signal_at

SEE = Request((user(plain("red"), "describe the picture."),), wanted=frozenset({"text"}))
MAKE = Request((user(PROMPTS[0]),), wanted=frozenset({"image"}), seed=5)
SMALL: dict[str, Any] = {
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 96,
    "initializer_range": 0.3,
    "bos_token_id": 1,
    "eos_token_id": 3,
    "pad_token_id": 0,
}


def llama3(vocabulary: int) -> Any:
    from transformers import LlamaConfig, LlamaForCausalLM

    scaling = {
        "rope_type": "llama3",
        "rope_theta": 500000.0,
        "factor": 8.0,
        "low_freq_factor": 1.0,
        "high_freq_factor": 4.0,
        "original_max_position_embeddings": 48,
    }
    return LlamaForCausalLM(LlamaConfig(vocab_size=vocabulary, rope_parameters=scaling, **SMALL))


def qwen2(vocabulary: int) -> Any:
    from transformers import Qwen2Config, Qwen2ForCausalLM

    # Qwen's matrices have more rows than its tokenizer has tokens.
    return Qwen2ForCausalLM(Qwen2Config(vocab_size=vocabulary + 21, tie_word_embeddings=True, **SMALL))


def qwen3(vocabulary: int) -> Any:
    from transformers import Qwen3Config, Qwen3ForCausalLM

    return Qwen3ForCausalLM(Qwen3Config(vocab_size=vocabulary, head_dim=8, **SMALL))


def gpt2(vocabulary: int) -> Any:
    from transformers import GPT2Config, GPT2LMHeadModel

    return GPT2LMHeadModel(GPT2Config(vocab_size=vocabulary, **SMALL))


def bloom(vocabulary: int) -> Any:
    from transformers import BloomConfig, BloomForCausalLM

    return BloomForCausalLM(BloomConfig(vocab_size=vocabulary, hidden_size=32, n_layer=1, n_head=2))


def with_language_model(config: Config, folder: Path, make: Callable[[int], Any], **how: Any) -> Config:
    """The preset with another language model beside its own tokenizer."""
    from transformers import AutoTokenizer

    own = Path(config.weights.language_model)
    torch.manual_seed(0)
    make(len(AutoTokenizer.from_pretrained(own))).save_pretrained(folder, **how)
    for file in own.glob("token*"):
        shutil.copy(file, folder)
    return with_part(config, language_model=folder)


def parts_count(config: Config) -> tuple[int, int]:
    """Parameters that train and that are frozen, counted without weights."""
    rows = count(parts_of(config))
    sizes = {
        trains: sum(row.parameters for row in rows if row.trainable is trains) for trains in (True, False)
    }
    return sizes[True], sizes[False]


def loaded_count(model: NextGPT) -> tuple[int, int]:
    """The same, of what was loaded, diffusion models included."""
    for modality in model.decoders:
        assert model.decoders[modality] is not None
    found = share(model)
    return sum(found.trainable.values()), sum(found.frozen.values())


def with_part(config: Config, **parts: Path) -> Config:
    """The preset with a line of its weights changed."""
    places = {name: str(folder) for name, folder in parts.items()}
    return dataclasses.replace(config, weights=dataclasses.replace(config.weights, **places))


@pytest.mark.parametrize("make", [llama3, qwen2, qwen3, gpt2])
def test_another_language_model_reads_and_asks_for_pictures(
    make: Callable[[int], Any], config: Config, tmp_path: Path
) -> None:
    other = with_language_model(config, tmp_path / "other", make)
    if make is gpt2:
        other = dataclasses.replace(other, lora=dataclasses.replace(other.lora, targets=("c_attn", "c_proj")))
    model = assemble(other, "instruct", device="cpu")
    assert model.language_model.lora()
    assert parts_count(other) == loaded_count(model)
    assert model.language_model.signals.first >= len(model.language_model.tokenizer)
    (answer,) = model.respond([SEE])
    assert isinstance(answer, Message)
    say_signal_at(model, 1)
    together = model.respond([MAKE, SEE])
    assert isinstance(together[0], Message)
    assert together[0].images == model.respond([MAKE])[0].images  # type: ignore[union-attr]


def test_a_language_model_without_the_adapted_layers_names_its_own(config: Config, tmp_path: Path) -> None:
    other = with_language_model(config, tmp_path / "other", gpt2)
    said = r"a GPT2LMHeadModel has no q_proj, k_proj, v_proj, o_proj; .*lora: \{targets: \[c_attn\]\}"
    for refused in (lambda: assemble(other, "instruct", device="cpu"), lambda: count(parts_of(other))):
        with pytest.raises(ConfigError, match=said):
            refused()


def test_a_language_model_of_another_kind_is_refused_by_what_it_lacks(config: Config, tmp_path: Path) -> None:
    other = with_language_model(config, tmp_path / "other", bloom)
    with pytest.raises(
        ConfigError, match="a BloomForCausalLM knows no position_ids, max_position_embeddings"
    ):
        assemble(other, "decoding", device="cpu")


def test_a_shard_that_is_missing_is_named(config: Config, tmp_path: Path) -> None:
    other = with_language_model(config, tmp_path / "other", llama3, max_shard_size="20KB")
    *_, last = sorted((tmp_path / "other").glob("*.safetensors"))
    last.unlink()
    with pytest.raises(ConfigError, match=rf"1 of the \d+ files that model.*index.json names .*{last.name}"):
        assemble(other, "instruct", device="cpu")


def test_weights_in_half_precision_alone_are_read_and_examined(config: Config, tmp_path: Path) -> None:
    other = with_language_model(config, tmp_path / "other", llama3, variant="fp16")
    assert not (tmp_path / "other" / "model.safetensors").exists()
    encoder = Path(shutil.copytree(config.weights.encoder, tmp_path / "encoder"))
    (encoder / "model.safetensors").rename(encoder / "model.fp16.safetensors")
    other = with_part(other, encoder=encoder)
    assert assemble(other, "instruct", device="cpu").language_model.lora()
    assert all(part.whole for part in examine(other) if part.name in ("encoder", "language_model"))


@pytest.mark.parametrize("part", ["encoder", "language_model", "image"])
@pytest.mark.parametrize("number", [float("nan"), float("inf")])
def test_frozen_weights_that_are_no_numbers_are_refused_by_name(
    config: Config, tmp_path: Path, part: str, number: float
) -> None:
    folder = Path(shutil.copytree(getattr(config.weights, part), tmp_path / part))
    path = next(folder.glob("unet/*.safetensors" if part == "image" else "*.safetensors"))
    tensors = load_file(path)
    name = max(tensors)
    tensors[name].view(-1)[-1] = number
    save_file(tensors, path, {"format": "pt"})
    model = with_part(config, **{part: folder})
    with pytest.raises(ConfigError, match=rf"{part}.*{name.replace('.', '[.]')} holds NaN or infinity"):
        assemble(model, "instruct", device="cpu").decoders["image"]


def clip(folder: Path) -> Path:
    from transformers import CLIPVisionConfig, CLIPVisionModelWithProjection

    torch.manual_seed(0)
    CLIPVisionModelWithProjection(
        CLIPVisionConfig(
            hidden_size=16,
            intermediate_size=32,
            projection_dim=24,
            num_hidden_layers=1,
            num_attention_heads=2,
            image_size=16,
            patch_size=4,
        )
    ).save_pretrained(folder)
    return folder


def test_clip_stands_in_for_imagebind(config: Config, tmp_path: Path) -> None:
    other = with_part(config, encoder=clip(tmp_path / "clip"))
    for projection in ("grouping", "linear"):
        model = assemble(dataclasses.replace(other, projection=projection), "instruct", device="cpu")
        assert model.accepts == {"text", "image"}
        assert parts_count(dataclasses.replace(other, projection=projection)) == loaded_count(model)
        tokens = model.encode([plain("red"), plain("blue", side=40)])
        assert tokens.shape == (2, 17, 24)
        assert torch.allclose(tokens.norm(dim=-1), torch.ones(2, 17), atol=1e-5)
        (answer,) = model.respond([SEE])
        assert isinstance(answer, Message)


@torch.inference_mode()
def test_clips_cls_token_is_its_embedding(tmp_path: Path) -> None:
    from transformers import CLIPVisionModelWithProjection

    from nextgpt.encoding.preprocessing import preprocess_image

    folder = clip(tmp_path)
    theirs = CLIPVisionModelWithProjection.from_pretrained(folder)
    pixels = preprocess_image(plain("red").pixels, 16).unsqueeze(0)
    embedding = theirs(pixel_values=pixels).image_embeds
    ours = load_encoder(folder).encode([plain("red")])[:, 0]
    assert torch.allclose(ours, embedding / embedding.norm(dim=-1, keepdim=True), atol=1e-5)


def test_a_clip_without_its_projection_is_refused(tmp_path: Path) -> None:
    from transformers import CLIPVisionConfig, CLIPVisionModel

    small = CLIPVisionConfig(
        hidden_size=16, intermediate_size=16, num_hidden_layers=1, num_attention_heads=2, image_size=16
    )
    CLIPVisionModel(small).save_pretrained(tmp_path)
    # transformers 5.6 also writes the other tensors under shorter names.
    with pytest.raises(ConfigError, match=r"config\.json: \S+ is missing"):
        load_encoder(tmp_path)


def test_another_diffusion_model_gets_a_condition_of_its_own_shape(config: Config, tmp_path: Path) -> None:
    folder = build("Stable Diffusion XL", tmp_path / "xl")
    model = assemble(with_part(config, image=folder), "instruct", device="cpu")
    assert model.output_projection is not None
    states = torch.zeros(1, 4, model.language_model.width)
    assert model.condition(states).shape == (1, 13, 40)
    say_signal_at(model, 0)
    (answer,) = model.respond([MAKE])
    assert isinstance(answer, Message)
    assert isinstance(answer.images[0], Image)


@pytest.mark.parametrize("name", FAMILIES)
def test_every_diffusion_model_is_counted_without_its_weights(
    name: str, config: Config, tmp_path: Path
) -> None:
    folder, modality = build(name, tmp_path / "other"), FAMILIES[name][1]
    signals: dict[Any, int] = {modality: 4}
    other = dataclasses.replace(with_part(config, **{modality: folder}), signals=signals)
    for path in folder.glob("*/config.json"):
        # As AudioLDM's were written, in names of their time.
        text = path.read_text(encoding="utf-8")
        path.write_text(text.replace('"speecht5_hifigan"', '"hifigan"'), encoding="utf-8")
    model = assemble(other, "instruct", device="cpu")
    assert parts_count(other) == loaded_count(model)
    assert [row.part for row in count(parts_of(other)) if row.part.startswith(f"{modality} decoder")]


@pytest.mark.parametrize("name", ["Wan", "AudioLDM 2", "Stable Diffusion XL"])
def test_what_is_told_more_than_a_text_cannot_be_rehearsed(name: str, config: Config, tmp_path: Path) -> None:
    folder, modality = build(name, tmp_path / "other"), FAMILIES[name][1]
    signals: dict[Any, int] = {modality: 4}
    other = dataclasses.replace(with_part(config, **{modality: folder}), signals=signals)
    with pytest.raises(ConfigError, match="other: of diffusion models only those with a UNet"):
        needs(other)


def test_a_clip_cannot_be_rehearsed(config: Config, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="only an ImageBind can be rehearsed"):
        needs(with_part(config, encoder=clip(tmp_path / "clip")))


def test_a_preset_keeps_its_name_and_counts_what_it_has(config: Config, tmp_path: Path) -> None:
    """The published shapes are those of the places that a preset names, not of its name."""
    own = load_config("7b")
    swapped = dataclasses.replace(
        own, weights=dataclasses.replace(own.weights, language_model=config.weights.language_model)
    )
    assert parts_of(own).language_model["hidden_size"] == 4096
    assert parts_of(swapped).language_model["hidden_size"] == 32
    assert parts_of(swapped).encoder == parts_of(own).encoder


def test_a_diffusion_model_of_the_wrong_kind_is_refused_before_anything_is_loaded(
    config: Config, tmp_path: Path
) -> None:
    folder = build("AudioLDM", tmp_path / "sounds")
    with pytest.raises(ConfigError, match="makes audio, but the preset has it for image"):
        assemble(with_part(config, image=folder), "instruct", device="cpu")


def test_the_published_layout_of_imagebind_is_read(tmp_path: Path, config: Config) -> None:
    """Six modalities in one file; those that the configuration names are taken, strictly."""
    from safetensors.torch import load_file, save_file

    own = Path(config.weights.encoder)
    tensors = load_file(own / "model.safetensors")
    tensors["modality_trunks.depth.blocks.0.norm_1.weight"] = torch.zeros(4)
    tensors["modality_postprocessors.imu.1.log_logit_scale"] = torch.zeros(())
    save_file(tensors, tmp_path / "model.safetensors")
    shutil.copy(own / "config.json", tmp_path)
    ours, theirs = load_encoder(own).encode([plain("red")]), load_encoder(tmp_path).encode([plain("red")])
    assert torch.equal(ours, theirs)
    tensors["modality_trunks.vision.blocks.9.norm_1.weight"] = torch.zeros(4)
    save_file(tensors, tmp_path / "model.safetensors")
    with pytest.raises(ConfigError, match=r"(?s)no encoder that fits: .*blocks\.9"):
        load_encoder(tmp_path)
