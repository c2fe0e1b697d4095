"""Pictures with captions for contrastive training: every second one is an edit of the one before."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from toyworld.instructions import instruct
from toyworld.kinds import KINDS
from toyworld.language import captions
from toyworld.scene import Scene
from toyworld.splits import Split, stream

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedTokenizerFast


def near_pairs(split: Split, seed: int, count: int) -> list[Scene]:
    """`count` scenes, the odd ones an edit of the even ones: negatives that only a close look tells apart."""
    rng = random.Random(f"pairs-{split}-{seed}")
    found: list[Scene] = []
    for scene in stream(split, seed):
        if len(found) >= count:
            break
        edit = instruct(scene, rng, seen=True)
        if edit is not None:
            found += [scene, edit.target]
    return found[:count]


def near_values(kind: type, split: Split, seed: int) -> Iterator[Any]:
    """Scenes, clips or sounds without end, every second an edit of the one before, as `near_pairs`."""
    rng = random.Random(f"near-{kind.__name__}-{split}-{seed}")
    for value in KINDS[kind].stream(split, seed):
        edit = KINDS[kind].instruct(value, rng, seen=split != "compositional")
        if edit is not None:
            yield value
            yield edit.target


def caption_ids(tokenizer: PreTrainedTokenizerFast, scenes: list[Scene], seed: int) -> torch.Tensor:
    """One of the five captions of each scene, as int64 [B, L] token ids padded to the longest."""
    rng = random.Random(f"captions-{seed}")
    texts = [rng.choice(captions(scene, rng)) for scene in scenes]
    ids: torch.Tensor = tokenizer(texts, padding=True, truncation=True, return_tensors="pt")["input_ids"]
    return ids


def contrast(logits: torch.Tensor) -> torch.Tensor:
    """The symmetric InfoNCE loss of CLIP and ImageBind over logits [B, B] (texts by pictures)."""
    import torch
    from torch.nn import functional

    truth = torch.arange(len(logits))
    return (functional.cross_entropy(logits, truth) + functional.cross_entropy(logits.T, truth)) / 2
