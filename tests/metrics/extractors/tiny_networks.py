"""Networks of the real classes with random weights, small enough to be made in a test."""

from __future__ import annotations

import json
from pathlib import Path

WORDS = ["<pad>", "<s>", "<unk>", "</s>", "a", "red", "circle", "blue", "square"]
TOWER = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2}


def tiny_clip(folder: Path, *, size: int = 32) -> Path:
    """A CLIP as transformers saves it, with tokenizer and preprocessing."""
    import torch
    from transformers import CLIPConfig, CLIPModel

    torch.manual_seed(0)
    ends = {"bos_token_id": 1, "eos_token_id": 3, "pad_token_id": 0}
    CLIPModel(
        CLIPConfig(
            text_config={**TOWER, **ends, "vocab_size": len(WORDS), "max_position_embeddings": 8},
            vision_config={**TOWER, "image_size": size, "patch_size": 8},
            projection_dim=12,
        )
    ).save_pretrained(folder)
    _tokenizer(folder, "<s>", "</s>")
    preprocessing = {"size": {"shortest_edge": size}, "crop_size": {"height": size, "width": size}}
    (folder / "preprocessor_config.json").write_text(json.dumps(preprocessing))
    return folder


def tiny_dinov2(folder: Path) -> Path:
    """A DINOv2 of 28 pixels, so that its positions are interpolated to 224 as the large one's are."""
    import torch
    from transformers import Dinov2Config, Dinov2Model

    torch.manual_seed(0)
    Dinov2Model(
        Dinov2Config(
            hidden_size=16,
            num_hidden_layers=2,
            num_attention_heads=2,
            mlp_ratio=2,
            image_size=28,
            patch_size=14,
        )
    ).save_pretrained(folder)
    return folder


def tiny_videomae(folder: Path) -> Path:
    """A VideoMAE of 4 frames at 32 pixels."""
    import torch
    from transformers import VideoMAEConfig, VideoMAEModel

    torch.manual_seed(0)
    VideoMAEModel(
        VideoMAEConfig(**TOWER, image_size=32, patch_size=16, num_frames=4, tubelet_size=2)
    ).save_pretrained(folder)
    return folder


def tiny_sentences(folder: Path) -> Path:
    """A BERT that embeds sentences."""
    import torch
    from transformers import BertConfig, BertModel

    torch.manual_seed(0)
    BertModel(
        BertConfig(vocab_size=len(WORDS), max_position_embeddings=16, **TOWER), add_pooling_layer=False
    ).save_pretrained(folder)
    _tokenizer(folder, "<s>", "</s>")
    return folder


def _tokenizer(folder: Path, begin: str, end: str) -> None:
    from tokenizers import Tokenizer, models, pre_tokenizers, processors

    tokenizer = Tokenizer(models.WordLevel({word: k for k, word in enumerate(WORDS)}, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    places = [(begin, WORDS.index(begin)), (end, WORDS.index(end))]
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{begin} $A {end}", special_tokens=places
    )
    tokenizer.save(str(folder / "tokenizer.json"))
