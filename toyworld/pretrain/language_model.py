"""The Llama-class language model, pretrained on the text of this world alone."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import TYPE_CHECKING

from toyworld.pretrain.loop import Recipe, fit, hash_seed

if TYPE_CHECKING:
    import torch
    from transformers import LlamaForCausalLM, PreTrainedTokenizerFast

    from toyworld.dialogue import Turn

RECIPE = Recipe("language_model", steps=3400, batch=48, learning_rate=2e-3, warmup=200)
TEMPLATE = "USER: {request} ASSISTANT:"
# First every token of a reply weighs the same, and requests a tenth, which teaches the wording; from this
# step on every reply weighs the same, or answers of one word would hardly count beside descriptions.
_EVEN_FROM = 1400
_REQUEST_WEIGHT = 0.1


def model(vocabulary: int) -> LlamaForCausalLM:
    """A Llama of 1.9 million parameters with random weights."""
    from transformers import LlamaConfig, LlamaForCausalLM

    return LlamaForCausalLM(
        LlamaConfig(
            vocab_size=vocabulary,
            hidden_size=192,
            intermediate_size=512,
            num_hidden_layers=4,
            num_attention_heads=6,
            num_key_value_heads=6,
            max_position_embeddings=512,
            pad_token_id=0,
            bos_token_id=1,
            eos_token_id=2,
            tie_word_embeddings=True,
        )
    )


def pretrain(work: Path, folder: Path, recipe: Recipe = RECIPE) -> dict[str, float]:
    """Train, save to `folder` in half precision, and measure on held-out scenes.

    Returns:
        Held-out loss per reply token (nats) and the share of replies that greedy decoding gets exactly right.
    """
    import torch

    from toyworld.dialogue import turns
    from toyworld.pretrain.tokenizer import save

    torch.manual_seed(recipe.seed)
    tokenizer = save(folder, ends=False)
    llama = model(len(tokenizer))

    def loss(step: int) -> torch.Tensor:
        batch = list(itertools.islice(turns("train", 1 + hash_seed(recipe, step)), recipe.batch))
        if step >= _EVEN_FROM:
            return reply_loss(llama, tokenizer, batch, 0.0, even=True)
        return reply_loss(llama, tokenizer, batch, _REQUEST_WEIGHT)

    fit(recipe, llama, loss, work)
    held_out = list(itertools.islice(turns("validation"), 400))
    llama.eval()
    with torch.no_grad():
        figures = {
            "held_out_loss": float(reply_loss(llama, tokenizer, held_out, 0.0)),
            "exact_replies": exact_replies(llama, tokenizer, held_out),
        }
    llama.half().save_pretrained(folder)
    return figures


def reply_loss(
    llama: LlamaForCausalLM,
    tokenizer: PreTrainedTokenizerFast,
    batch: list[Turn],
    request_weight: float,
    *,
    even: bool = False,
) -> torch.Tensor:
    """Mean cross-entropy over the replies' tokens, `</s>` included.

    Args:
        llama: The model.
        tokenizer: Its tokenizer, which adds no ends.
        batch: The turns.
        request_weight: What a token of a request weighs beside one of a reply.
        even: Give every reply the same weight, however long it is.
    """
    import torch
    from torch.nn import functional

    requests = tokenizer([TEMPLATE.format(request=t.request) for t in batch])["input_ids"]
    replies = tokenizer([t.reply for t in batch])["input_ids"]
    rows = [[1, *q, *r, 2] for q, r in zip(requests, replies, strict=True)]
    width = max(map(len, rows))
    ids = torch.tensor([row + [0] * (width - len(row)) for row in rows])
    weight = torch.zeros(ids.shape)
    for k, (q, r) in enumerate(zip(requests, replies, strict=True)):
        weight[k, 1 : 1 + len(q)] = request_weight
        weight[k, 1 + len(q) : 2 + len(q) + len(r)] = 1 / (1 + len(r)) if even else 1.0
    logits = llama(input_ids=ids, attention_mask=(weight > -1).long() * (ids != 0)).logits
    each = functional.cross_entropy(logits[:, :-1].flatten(0, 1), ids[:, 1:].flatten(), reduction="none")
    weight = weight[:, 1:].flatten()
    mean: torch.Tensor = (each * weight).sum() / weight.sum()
    return mean


def exact_replies(llama: LlamaForCausalLM, tokenizer: PreTrainedTokenizerFast, batch: list[Turn]) -> float:
    """Share of turns whose greedy reply is the true one, token by token."""
    import torch

    prompts = [
        [1, *ids] for ids in tokenizer([TEMPLATE.format(request=t.request) for t in batch])["input_ids"]
    ]
    width = max(map(len, prompts))
    ids = torch.tensor([[0] * (width - len(p)) + p for p in prompts])
    out = llama.generate(
        input_ids=ids, attention_mask=(ids != 0).long(), max_new_tokens=40, do_sample=False, pad_token_id=0
    )
    replies = tokenizer.batch_decode(out[:, width:], skip_special_tokens=True)
    right = [bool(r.strip() == t.reply) for r, t in zip(replies, batch, strict=True)]
    return sum(right) / len(batch)
