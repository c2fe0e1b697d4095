"""The world's tokenizer: byte-level BPE; every text has tokens, and the world's words have one each."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast

VOCABULARY = 800
MEDIA_LENGTH = 64  # of the longest caption of a clip, with its two ends
LENGTH = 40  # tokens of a description with its two ends: three things need 32
SPECIAL = {"pad_token": "<pad>", "bos_token": "<s>", "eos_token": "</s>"}
# With ends, `</s>` must not have the id 2: for that id transformers' CLIP pools the text at its largest id.
SPECIAL_WITH_ENDS = {"pad_token": "<pad>", "bos_token": "<s>", "unk_token": "<unk>", "eos_token": "</s>"}


def build(*, ends: bool, seed: int = 0) -> PreTrainedTokenizerFast:
    """Train the tokenizer of the picture world on its own turns.

    Args:
        ends: Whether encoding puts `<s>` and `</s>` around the text, as CLIP's tokenizer does. The
            language model's does not: its prompt template writes them.
        seed: Seed of the turns.
    """
    from toyworld.dialogue import turns

    sample = itertools.islice(turns("train", seed), 20_000)
    return _trained(
        (f"USER: {t.request} ASSISTANT: {t.reply}" for t in sample), VOCABULARY, LENGTH, ends=ends
    )


def build_for_media(*, ends: bool, seed: int = 0) -> PreTrainedTokenizerFast:
    """Train the tokenizer of the whole world on dialogues in all media; it reads what people type loosely.

    The rules of `toyworld.wording` stand in its file: small letters, no blank before marks.

    Args:
        ends: As for `build`.
        seed: Seed of the dialogues.
    """
    from tokenizers import Regex, normalizers

    from toyworld.exchanges import dialogues
    from toyworld.wording import RULES

    held = itertools.islice(dialogues("train", seed), 8_000)
    texts = (f"user: {e.turn.request} assistant: {e.turn.reply}" for exchanges in held for e in exchanges)
    rules = [normalizers.Replace(Regex(found), written) for found, written in RULES]
    normalizer = normalizers.Sequence([normalizers.Lowercase(), *rules, normalizers.Strip()])
    return _trained(texts, VOCABULARY, MEDIA_LENGTH, ends=ends, normalizer=normalizer)


def _trained(
    texts: Iterable[str], vocabulary: int, length: int, *, ends: bool, normalizer: Any = None
) -> PreTrainedTokenizerFast:
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers
    from transformers import PreTrainedTokenizerFast

    special = SPECIAL_WITH_ENDS if ends else SPECIAL
    tokenizer = Tokenizer(models.BPE())
    if normalizer is not None:
        tokenizer.normalizer = normalizer
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=True)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary,
        special_tokens=list(special.values()),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    if ends:
        first, last = (tokenizer.token_to_id(special[k]) for k in ("bos_token", "eos_token"))
        tokenizer.post_processor = processors.TemplateProcessing(
            single="<s> $A </s>", special_tokens=[("<s>", first), ("</s>", last)]
        )
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, model_max_length=length if ends else 2048, **special
    )


def save(folder: Path, *, ends: bool) -> PreTrainedTokenizerFast:
    """Build and write `tokenizer.json` beside a model's weights."""
    tokenizer = build(ends=ends)
    tokenizer.save_pretrained(folder)
    return tokenizer
