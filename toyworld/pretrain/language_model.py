"""The Llama-class language model, pretrained on the text of this world alone."""

from __future__ import annotations

import functools
import itertools
import random
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from toyworld.pretrain.loop import Recipe, fit, hash_seed

if TYPE_CHECKING:
    import torch
    from transformers import LlamaForCausalLM, PreTrainedTokenizerFast

    from toyworld.dialogue import Turn

RECIPE = Recipe("language_model", steps=3400, batch=48, learning_rate=2e-3, warmup=200)
# Afterwards whole conversations, with many answers for one description.
CONVERSATIONS = Recipe("language_model_conversations", steps=1200, batch=32, learning_rate=1e-3, warmup=50)
# Then each kind of question and of instruction alone, one after the other, for so many steps,
_STEPS = {
    "where is the": 300,
    "is the": 200,
    "what color is the": 200,
    "what size is the": 100,
    "what shape is the": 60,
    "is there a": 60,
    "how many": 40,
    "mirror": 100,
    "remove": 120,
    "resize": 80,
    "recolour": 80,
    "reshape": 60,
    "swap": 20,
}
LESSONS = Recipe(
    "language_model_lessons", steps=sum(_STEPS.values()), batch=16, learning_rate=1e-3, warmup=50
)
# and at last all of them together again.
REVISION = Recipe("language_model_revision", steps=400, batch=16, learning_rate=1e-3, warmup=50)
TEMPLATE = "USER: {request} ASSISTANT:"
# First every token of a reply weighs the same, and requests a tenth, which teaches the wording; from this
# step on every reply weighs the same, or answers of one word would hardly count beside descriptions.
_EVEN_FROM = 1400
_REQUEST_WEIGHT = 0.1
# So many batches are drawn together and cut by length: little padding.
_POOL = 8


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

    from toyworld.dialogue import lesson, turns
    from toyworld.pretrain.tokenizer import save

    torch.manual_seed(recipe.seed)
    tokenizer = save(folder, ends=False)
    llama = model(len(tokenizer))

    def of_turns(step: int) -> torch.Tensor:
        drawn = itertools.islice(turns("train", 1 + hash_seed(recipe, step)), recipe.batch)
        batch = [(turn,) for turn in drawn]
        if step >= _EVEN_FROM:
            return reply_loss(llama, tokenizer, batch, length_power=1.0)
        return reply_loss(llama, tokenizer, batch, length_power=0.0, request_weight=_REQUEST_WEIGHT)

    def of_conversations(recipe: Recipe, step: int) -> torch.Tensor:
        return reply_loss(llama, tokenizer, _pool(recipe, step // _POOL)[step % _POOL])

    def of_lessons(step: int) -> torch.Tensor:
        drawn = lesson(_subject(step), "train", 1 + hash_seed(LESSONS, step))
        return reply_loss(llama, tokenizer, list(itertools.islice(drawn, LESSONS.batch)))

    fit(recipe, llama, of_turns, work)
    fit(CONVERSATIONS, llama, functools.partial(of_conversations, CONVERSATIONS), work)
    fit(LESSONS, llama, of_lessons, work)
    fit(REVISION, llama, functools.partial(of_conversations, REVISION), work)
    held_out = list(itertools.islice(turns("validation"), 400))
    llama.eval()
    with torch.no_grad():
        figures = {
            "held_out_loss": float(
                reply_loss(llama, tokenizer, [(turn,) for turn in held_out], length_power=0.0)
            ),
            "exact_replies": exact_replies(llama, tokenizer, held_out),
        }
    llama.half().save_pretrained(folder)
    return figures


def _subject(step: int) -> str:
    """What a step of the lessons is about."""
    for subject, steps in _STEPS.items():
        step -= steps
        if step < 0:
            return subject
    raise ValueError("the lessons are over")


@functools.lru_cache(maxsize=1)
def _pool(recipe: Recipe, number: int) -> list[list[tuple[Turn, ...]]]:
    """Some batches of conversations, drawn together and cut by length."""
    from toyworld.dialogue import conversations

    drawn = conversations("train", 1 + hash_seed(recipe, number))
    by_length = sorted(itertools.islice(drawn, _POOL * recipe.batch), key=_words)
    batches = [by_length[k : k + recipe.batch] for k in range(0, len(by_length), recipe.batch)]
    random.Random(number).shuffle(batches)
    return batches


def reply_loss(
    llama: LlamaForCausalLM,
    tokenizer: PreTrainedTokenizerFast,
    batch: Sequence[Sequence[Turn]],
    *,
    length_power: float = 0.5,
    request_weight: float = 0.0,
) -> torch.Tensor:
    """Mean cross-entropy over the replies' tokens, `</s>` included.

    Args:
        llama: The model.
        tokenizer: Its tokenizer, which adds no ends.
        batch: The conversations.
        length_power: A token of a reply of n tokens weighs n to the minus this: with 0 a description counts
            far more than an answer of one word, with 1 as much.
        request_weight: What a token of a request weighs.
    """
    import torch
    from torch.nn.functional import cross_entropy

    written = [_write(tokenizer, conversation, length_power, request_weight) for conversation in batch]
    width = max(len(ids) for ids, _ in written)
    ids = torch.tensor([row + [0] * (width - len(row)) for row, _ in written])
    weight = torch.tensor([row + [0.0] * (width - len(row)) for _, row in written])
    logits = llama(input_ids=ids, attention_mask=(ids != 0).long()).logits
    each = cross_entropy(logits[:, :-1].flatten(0, 1), ids[:, 1:].flatten(), reduction="none")
    weight = weight[:, 1:].flatten()
    mean: torch.Tensor = (each * weight).sum() / weight.sum()
    return mean


def _words(conversation: Sequence[Turn]) -> int:
    return sum(len(f"{turn.request} {turn.reply}".split()) for turn in conversation)


def _write(
    tokenizer: PreTrainedTokenizerFast,
    conversation: Sequence[Turn],
    length_power: float,
    request_weight: float,
) -> tuple[list[int], list[float]]:
    """A conversation's ids, and what each weighs."""
    ids, weight = [1], [0.0]
    for turn in conversation:
        request = tokenizer(TEMPLATE.format(request=turn.request))["input_ids"]
        reply = [*tokenizer(turn.reply)["input_ids"], 2]
        ids += [*request, *reply]
        weight += [request_weight] * len(request) + [len(reply) ** -length_power] * len(reply)
    return ids, weight


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
