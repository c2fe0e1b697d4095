"""The language model of the whole world: that of pictures, taught about clips, sounds and whole dialogues.

It begins with the blocks of `toyworld.pretrain.language_model`, which have learnt to look things up in
descriptions and to count and compare them, and with its rows for the words that both tokenizers know. Then it
hears dialogues and drills by turns, with descriptions where media stand. Two pieces, each of which ends in
weights: the second begins where the first ended, with a rate that rises and falls once more.
"""

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
    from toyworld.exchanges import Exchange
    from toyworld.splits import Split

RECIPE = Recipe("media_language_model", steps=2000, batch=24, learning_rate=2e-3)
REVISION = Recipe("media_language_model_revision", steps=3000, batch=24, learning_rate=1.5e-3, seed=1)
NEEDS = ("language_model",)
HELD_OUT = 200  # conversations of the measurement
_POOL = 8  # so many batches are drawn together and cut by length: little padding


def pretrain(
    work: Path, folder: Path, recipe: Recipe = RECIPE, revision: Recipe = REVISION
) -> dict[str, float]:
    """Train on the language model beside `folder`, save in half precision, and measure on held-out values.

    Returns:
        Held-out loss per reply token (nats), and of held-out dialogues and drills the share of replies that
        greedy decoding gets exactly right after the true replies before them, by kind of request.
    """
    import torch

    from toyworld.pretrain.language_model import reply_loss
    from toyworld.pretrain.tokenizer import build_for_media

    torch.manual_seed(recipe.seed)
    tokenizer = build_for_media(ends=False)
    tokenizer.save_pretrained(folder)
    llama = grown(folder.parent / "language_model", tokenizer)

    def loss(recipe: Recipe, step: int) -> torch.Tensor:
        return reply_loss(llama, tokenizer, _pool(recipe, step // _POOL)[step % _POOL])

    for piece in (recipe, revision):
        fit(piece, llama, functools.partial(loss, piece), work)
        llama.eval()
        llama.half().save_pretrained(folder)
        llama.float()
    figures = {"held_out_loss": 0.0}
    with torch.no_grad():
        for source, held in conversations("validation", 0, HELD_OUT).items():
            told = [tuple(exchange.turn for exchange in exchanges) for exchanges in held]
            figures["held_out_loss"] += float(reply_loss(llama, tokenizer, told, length_power=0.0)) / 2
            for kind, share in exact_by_kind(llama, tokenizer, held).items():
                figures[f"exact_replies_{source}_{kind}"] = share
    return figures


def grown(folder: Path, tokenizer: PreTrainedTokenizerFast) -> LlamaForCausalLM:
    """The model of a folder with rows for another tokenizer's words.

    A word that both know keeps its row; another begins as the mean of the pieces that it was read as.
    """
    import torch
    from transformers import AutoTokenizer, LlamaForCausalLM

    from toyworld.pretrain.language_model import model

    old = LlamaForCausalLM.from_pretrained(folder, torch_dtype=torch.float32)
    before = AutoTokenizer.from_pretrained(folder)
    llama = model(len(tokenizer))
    weights = old.state_dict()
    rows = weights["model.embed_tokens.weight"]
    taken = torch.empty(len(tokenizer), rows.shape[1])
    known = before.get_vocab()
    for token, place in tokenizer.get_vocab().items():
        own = known.get(token)
        pieces = (
            [own] if own is not None else before(tokenizer.convert_tokens_to_string([token]))["input_ids"]
        )
        taken[place] = rows[pieces].mean(0) if pieces else rows.mean(0)
    weights["model.embed_tokens.weight"] = weights["lm_head.weight"] = taken
    llama.load_state_dict(weights)
    return llama


def conversations(split: Split, seed: int, count: int) -> dict[str, list[tuple[Exchange, ...]]]:
    """So many dialogues, and so many drills."""
    from toyworld.drills import drills
    from toyworld.exchanges import dialogues

    drawn = {"dialogues": dialogues(split, seed), "drills": drills(split, seed)}
    return {name: list(itertools.islice(held, count)) for name, held in drawn.items()}


@functools.lru_cache(maxsize=1)
def _pool(recipe: Recipe, number: int) -> list[list[tuple[Turn, ...]]]:
    """Some batches of dialogues and drills, half of each, drawn together and cut by length."""
    drawn = conversations("train", 1 + hash_seed(recipe, number), _POOL * recipe.batch // 2)
    held = [tuple(e.turn for e in exchanges) for source in drawn.values() for exchanges in source]
    by_length = sorted(held, key=lambda turns: sum(len(f"{t.request} {t.reply}".split()) for t in turns))
    batches = [by_length[k : k + recipe.batch] for k in range(0, len(by_length), recipe.batch)]
    random.Random(number).shuffle(batches)
    return batches


def exact_by_kind(
    llama: LlamaForCausalLM, tokenizer: PreTrainedTokenizerFast, held: Sequence[Sequence[Exchange]]
) -> dict[str, float]:
    """Share of replies that greedy decoding gets exactly right, by kind of request.

    Every token of a reply is read at once, after the true ones before it: where the most likely token is
    always the true one, greedy decoding writes this very reply.
    """
    import torch

    from toyworld.pretrain.language_model import TEMPLATE

    right: dict[str, list[float]] = {}
    for exchanges in held:
        ids, spans = [1], []
        for exchange in exchanges:
            ids += tokenizer(TEMPLATE.format(request=exchange.turn.request))["input_ids"]
            start = len(ids)
            ids += [*tokenizer(exchange.turn.reply)["input_ids"], 2]
            spans.append((exchange.kind, start, len(ids)))
        found = llama(input_ids=torch.tensor([ids])).logits[0].argmax(-1)
        for kind, start, end in spans:
            true = torch.tensor(ids[start:end])
            right.setdefault(kind, []).append(float((found[start - 1 : end - 1] == true).all()))
    return {kind: sum(each) / len(each) for kind, each in sorted(right.items())}
