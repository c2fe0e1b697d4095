"""The world's tokenizer: byte-level BPE; every text has tokens, and the world's words have one each."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast

VOCABULARY = 800
LENGTH = 40  # tokens of a description with its two ends: three things need 32
SPECIAL = {"pad_token": "<pad>", "bos_token": "<s>", "eos_token": "</s>"}
# With ends, `</s>` must not have the id 2: for that id transformers' CLIP pools the text at its largest id.
SPECIAL_WITH_ENDS = {"pad_token": "<pad>", "bos_token": "<s>", "unk_token": "<unk>", "eos_token": "</s>"}


def build(*, ends: bool, seed: int = 0) -> PreTrainedTokenizerFast:
    """Train the tokenizer on the world's own turns.

    Args:
        ends: Whether encoding puts `<s>` and `</s>` around the text, as CLIP's tokenizer does. The
            language model's does not: its prompt template writes them.
        seed: Seed of the turns.
    """
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers
    from transformers import PreTrainedTokenizerFast

    from toyworld.dialogue import turns

    special = SPECIAL_WITH_ENDS if ends else SPECIAL
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=True)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY,
        special_tokens=list(special.values()),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    sample = itertools.islice(turns("train", seed), 20_000)
    tokenizer.train_from_iterator((f"USER: {t.request} ASSISTANT: {t.reply}" for t in sample), trainer)
    if ends:
        first, last = (tokenizer.token_to_id(special[k]) for k in ("bos_token", "eos_token"))
        tokenizer.post_processor = processors.TemplateProcessing(
            single="<s> $A </s>", special_tokens=[("<s>", first), ("</s>", last)]
        )
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, model_max_length=LENGTH if ends else 2048, **special
    )


def save(folder: Path, *, ends: bool) -> PreTrainedTokenizerFast:
    """Build and write `tokenizer.json` beside a model's weights."""
    tokenizer = build(ends=ends)
    tokenizer.save_pretrained(folder)
    return tokenizer
