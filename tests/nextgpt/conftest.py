"""Random backbones, each of the class that a preset names, built in a moment."""

from __future__ import annotations

import dataclasses
import json
import os
from pathlib import Path

os.environ.setdefault("HF_HUB_OFFLINE", "1")

import numpy as np
import pytest

from nextgpt.config import Config, Projection, Weights, load_config
from nextgpt.media import Image

COLOURS = {"red": (220, 30, 30), "green": (30, 200, 60), "blue": (40, 60, 220), "yellow": (230, 220, 40)}
SENTENCES = [
    f"USER: picture: a {size} {colour} {shape} on the left describe the picture. ASSISTANT: draw: here it is."
    for size in ("small", "large")
    for colour in COLOURS
    for shape in ("circle", "square")
]


def plain(colour: str, side: int = 16) -> Image:
    """A picture of one colour."""
    return Image(np.full((side, side, 3), COLOURS[colour], np.uint8))


def save_tokenizer(folder: Path, *, ends: bool, length: int) -> int:
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers
    from transformers import PreTrainedTokenizerFast

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=True)
    tokenizer.decoder = decoders.ByteLevel()
    special = ["<pad>", "<s>", "<unk>", "</s>"]
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=330, special_tokens=special, initial_alphabet=alphabet, show_progress=False
    )
    tokenizer.train_from_iterator(SENTENCES, trainer)
    if ends:
        tokenizer.post_processor = processors.TemplateProcessing(
            single="<s> $A </s>", special_tokens=[("<s>", 1), ("</s>", 3)]
        )
    PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, pad_token="<pad>", bos_token="<s>", unk_token="<unk>", eos_token="</s>",
        model_max_length=length,
    ).save_pretrained(folder)
    return tokenizer.get_vocab_size()


def save_language_model(folder: Path) -> None:
    from transformers import LlamaConfig, LlamaForCausalLM

    vocabulary = save_tokenizer(folder, ends=False, length=256)
    LlamaForCausalLM(
        LlamaConfig(
            vocab_size=vocabulary, hidden_size=32, intermediate_size=64, num_hidden_layers=2,
            num_attention_heads=2, max_position_embeddings=256, tie_word_embeddings=True, initializer_range=0.3,
            bos_token_id=1, eos_token_id=3, pad_token_id=0,
        )
    ).half().save_pretrained(folder)


def save_diffusion(folder: Path) -> None:
    from diffusers import AutoencoderKL, DDIMScheduler, StableDiffusionPipeline, UNet2DConditionModel
    from transformers import AutoTokenizer, CLIPTextConfig, CLIPTextModel

    import torch
    vocabulary = save_tokenizer(folder / "text", ends=True, length=12)
    StableDiffusionPipeline(
        vae=AutoencoderKL(
            down_block_types=("DownEncoderBlock2D",) * 2, up_block_types=("UpDecoderBlock2D",) * 2,
            block_out_channels=(8, 8), latent_channels=4, norm_num_groups=4, sample_size=16,
        ),
        text_encoder=CLIPTextModel(
            CLIPTextConfig(
                vocab_size=vocabulary, hidden_size=16, intermediate_size=32, num_hidden_layers=1,
                num_attention_heads=2, max_position_embeddings=12, bos_token_id=1, eos_token_id=3, pad_token_id=0,
            )
        ),
        tokenizer=AutoTokenizer.from_pretrained(folder / "text"),
        unet=UNet2DConditionModel(
            sample_size=8, in_channels=4, out_channels=4, layers_per_block=1, block_out_channels=(8, 16),
            down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"), norm_num_groups=4,
            up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"), cross_attention_dim=16, attention_head_dim=4,
        ),
        scheduler=DDIMScheduler(prediction_type="v_prediction", clip_sample=False),
        safety_checker=None, feature_extractor=None, requires_safety_checker=False,
    ).to(dtype=torch.float16).save_pretrained(folder / "pipeline")


def save_encoder(folder: Path) -> None:
    from safetensors.torch import save_file

    from nextgpt.encoding.imagebind import ImageBind, ImageBindConfig, TrunkConfig

    config = ImageBindConfig(
        out_dim=16, modalities={"vision": TrunkConfig(16, 1, 2)}, kernel=(2, 4, 4), image_size=16
    )
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps(dataclasses.asdict(config)))
    save_file({k: v.half().contiguous() for k, v in ImageBind(config).state_dict().items()}, folder / "model.safetensors")


@pytest.fixture(scope="session")
def backbones(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with encoder/, language_model/ and diffusion/pipeline/, random but fixed."""
    import torch

    folder = tmp_path_factory.mktemp("backbones")
    torch.manual_seed(0)
    save_encoder(folder / "encoder")
    save_language_model(folder / "language_model")
    save_diffusion(folder / "diffusion")
    return folder


@pytest.fixture(scope="session")
def config(backbones: Path) -> Config:
    """The tiny preset, on random backbones and smaller still."""
    tiny = load_config("tiny")
    return dataclasses.replace(
        tiny,
        name="random",
        weights=Weights(
            str(backbones / "encoder"), str(backbones / "language_model"), str(backbones / "diffusion" / "pipeline")
        ),
        input_projection={
            "grouping": {"width": 16, "stages": [{"depth": 1, "groups": 3}], "refine": 0, "heads": 2},
            "linear": {},
        },
        output_projection=Projection(
            "transformer", {"width": 16, "heads": 2, "encoder_layers": 1, "decoder_layers": 1, "feedforward": 16}
        ),
        lora=dataclasses.replace(tiny.lora, rank=4),
        generation=dataclasses.replace(tiny.generation, max_new_tokens=12, steps=2),
    )
