"""Random backbones, each of the class that a preset names, and a world of plain colours."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import numpy as np

from nextgpt.config import Config, Lora, Projection, Weights, load_config
from nextgpt.media import Image
from nextgpt.messages import assistant, user
from nextgpt.training.data import Example

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


def seeing(count: int) -> list[Example]:
    """Pictures to be described."""
    shown = [
        Example((user(plain(colour), "describe the picture."), assistant(f"a {colour} circle")))
        for colour in COLOURS
    ]
    return (shown * count)[:count]


def making(count: int) -> list[Example]:
    """Pictures to be made."""
    asked = [
        Example(
            (user(f"draw a {colour} circle"), assistant("here it is.", plain(colour))),
            (f"a {colour} circle",),
        )
        for colour in COLOURS
    ]
    return (asked * count)[:count]


def random_config(folder: Path) -> Config:
    """The tiny preset, smaller still, on the backbones in a folder."""
    tiny = load_config("tiny")
    small = {"width": 16, "heads": 2, "encoder_layers": 1, "decoder_layers": 1, "feedforward": 16}
    return dataclasses.replace(
        tiny,
        name="random",
        weights=Weights(str(folder / "encoder"), str(folder / "language_model"), str(folder / "diffusion")),
        input_projection={
            "grouping": {"width": 16, "stages": [{"depth": 1, "groups": 3}], "refine": 0, "heads": 2},
            "linear": {},
        },
        output_projection=Projection("transformer", small),
        signals={"image": 4},
        lora=Lora(rank=4, alpha=8),
        generation=dataclasses.replace(tiny.generation, max_new_tokens=12, steps=2),
    )


def build(folder: Path) -> None:
    """Write encoder/, language_model/ and diffusion/, random but always the same."""
    import torch

    torch.manual_seed(0)
    save_encoder(folder / "encoder")
    save_language_model(folder / "language_model")
    save_stable_diffusion(folder / "diffusion", folder / "words")


def save_tokenizer(folder: Path, *, ends: bool, length: int) -> int:
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers
    from transformers import PreTrainedTokenizerFast

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=True)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=330,
        special_tokens=["<pad>", "<s>", "<unk>", "</s>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(SENTENCES, trainer)
    if ends:
        tokenizer.post_processor = processors.TemplateProcessing(
            single="<s> $A </s>", special_tokens=[("<s>", 1), ("</s>", 3)]
        )
    names = {"pad_token": "<pad>", "bos_token": "<s>", "unk_token": "<unk>", "eos_token": "</s>"}
    fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer, model_max_length=length, **names)
    fast.save_pretrained(folder)
    return len(fast)


def save_encoder(folder: Path, *, hears: bool = False) -> None:
    from safetensors.torch import save_file

    from nextgpt.encoding.imagebind import ImageBind, ImageBindConfig, TrunkConfig

    trunks = {"vision": TrunkConfig(16, 1, 2)}
    if hears:
        trunks["audio"] = TrunkConfig(16, 1, 2)
    config = ImageBindConfig(out_dim=16, modalities=trunks, kernel=(2, 4, 4), image_size=16)
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps(dataclasses.asdict(config)))
    halves = {name: value.half().contiguous() for name, value in ImageBind(config).state_dict().items()}
    save_file(halves, folder / "model.safetensors")


def save_language_model(folder: Path, *, longest: int = 96) -> None:
    from transformers import LlamaConfig, LlamaForCausalLM

    vocabulary = save_tokenizer(folder, ends=False, length=256)
    config = LlamaConfig(
        vocab_size=vocabulary,
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=2,
        max_position_embeddings=longest,
        tie_word_embeddings=True,
        initializer_range=0.3,  # large, or nothing that is read could change what is said
        bos_token_id=1,
        eos_token_id=3,
        pad_token_id=0,
    )
    LlamaForCausalLM(config).half().save_pretrained(folder)


def save_stable_diffusion(folder: Path, words: Path) -> None:
    import torch
    from diffusers import AutoencoderKL, DDIMScheduler, StableDiffusionPipeline, UNet2DConditionModel
    from transformers import AutoTokenizer, CLIPTextConfig, CLIPTextModel

    vocabulary = save_tokenizer(words, ends=True, length=12)
    vae = AutoencoderKL(
        down_block_types=("DownEncoderBlock2D",) * 2,
        up_block_types=("UpDecoderBlock2D",) * 2,
        block_out_channels=(8, 8),
        latent_channels=4,
        norm_num_groups=4,
        sample_size=16,
    )
    text = CLIPTextConfig(
        vocab_size=vocabulary,
        hidden_size=16,
        intermediate_size=32,
        num_hidden_layers=1,
        num_attention_heads=2,
        max_position_embeddings=12,
        bos_token_id=1,
        eos_token_id=3,
        pad_token_id=0,
    )
    unet = UNet2DConditionModel(
        sample_size=8,
        in_channels=4,
        out_channels=4,
        layers_per_block=1,
        block_out_channels=(8, 16),
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
        norm_num_groups=4,
        cross_attention_dim=16,
        attention_head_dim=4,
    )
    StableDiffusionPipeline(
        vae=vae,
        text_encoder=CLIPTextModel(text),
        tokenizer=AutoTokenizer.from_pretrained(words),
        unet=unet,
        scheduler=DDIMScheduler(prediction_type="v_prediction", clip_sample=False, steps_offset=1),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    ).to(dtype=torch.float16).save_pretrained(folder)
