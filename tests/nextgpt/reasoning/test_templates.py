"""The templates and stop rules of both versions of NExT-GPT, as a tokenizer of Llama's kind reads them."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from nextgpt.config import load_config
from nextgpt.messages import assistant, user
from nextgpt.reasoning.language_model import LanguageModel
from nextgpt.reasoning.prompts import Writer
from nextgpt.signals import Signals

SYSTEM = (
    "A chat between a curious user and an artificial intelligence assistant. The assistant gives helpful, "
    "detailed, and polite answers to the user's questions."
)
NEW, OLD = f"{SYSTEM} USER: draw a cat ASSISTANT:", "### Human: draw a cat\n### Assistant:"


@pytest.fixture(scope="module")
def llama() -> Any:
    """A tokenizer that puts a space before any text, as Llama's does, and knows line breaks."""
    from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    tokenizer = Tokenizer(models.BPE(unk_token="<unk>", fuse_unk=True))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    names = {"unk_token": "<unk>", "bos_token": "<s>", "eos_token": "</s>"}
    trainer = trainers.BpeTrainer(
        vocab_size=200,
        special_tokens=list(names.values()),
        initial_alphabet=["\n", "#", "▁"],
        show_progress=False,
    )
    tokenizer.train_from_iterator([NEW, OLD, "here it is USER: and now? yes"], trainer)
    tokenizer.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    tokenizer.pre_tokenizer = None
    tokenizer.decoder = decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.Fuse(), decoders.Strip(" ", 1, 0)]
    )
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, **names)


def writer(llama: Any, preset: str) -> Writer:
    return Writer(load_config(preset).prompt, llama, Signals(len(llama), {"image": 4}), 8)


def whole(llama: Any, text: str) -> list[int]:
    """Ids of a text read in one go, as the released code read it."""
    return list(llama(text, add_special_tokens=False)["input_ids"])


def test_this_tokenizer_puts_a_space_before_any_text(llama: Any) -> None:
    assert whole(llama, "cat") != whole(llama, " cat")


@pytest.mark.parametrize(("preset", "text"), [("7b", NEW), ("7b-v0", OLD)])
def test_the_first_turn_is_read_as_one_text(llama: Any, preset: str, text: str) -> None:
    written = writer(llama, preset).write([user("draw a cat")])
    assert written.ids == [llama.bos_token_id, *whole(llama, text)]


def test_later_turns_of_the_new_template(llama: Any) -> None:
    turns = [user("draw a cat"), assistant("here it is"), user("and now?")]
    assert writer(llama, "7b").write(turns).ids == [
        llama.bos_token_id,
        *whole(llama, f"{NEW} here it is"),
        llama.eos_token_id,
        *whole(llama, "USER: and now? ASSISTANT:"),
    ]


def test_later_turns_of_the_old_template(llama: Any) -> None:
    turns = [user("draw a cat"), assistant("here it is"), user("and now?")]
    assert writer(llama, "7b-v0").write(turns).ids == [
        llama.bos_token_id,
        *whole(llama, f"{OLD} here it is\n###"),
        *whole(llama, "Human: and now?\n### Assistant:"),
    ]


def test_a_whole_prompt_says_the_system_message_once(llama: Any) -> None:
    own = writer(llama, "7b")
    turn = [user("draw a cat")]
    assert own.raw(own.text(turn)).ids == own.write(turn).ids


@pytest.mark.parametrize(("preset", "ends"), [("7b", ["</s>"]), ("7b-v0", ["\n###", "###", "\n ###"])])
def test_a_reply_ends_however_its_end_is_spelt(llama: Any, preset: str, ends: list[str]) -> None:
    model = _speaker(llama)
    stop = writer(llama, preset).end
    said = whole(llama, "here it is")
    for end in ends:
        ids = [*said, *whole(llama, "a" + end)[len(whole(llama, "a")) :]]
        found = [model._end_of(ids[:count], stop, model.decode(stop)) for count in range(1, len(ids) + 1)]
        assert found == [None] * (len(ids) - 1) + [len(said)]


def test_a_reply_that_shows_something_ends_too(llama: Any) -> None:
    model = _speaker(llama)
    stop = writer(llama, "7b-v0").end
    ids = [*whole(llama, "yes"), *model.signals.ids("image"), *stop]
    assert model._end_of(ids, stop, model.decode(stop)) == len(ids) - len(stop)


def _speaker(llama: Any) -> LanguageModel:
    from transformers import LlamaConfig, LlamaForCausalLM

    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=len(llama),
        hidden_size=16,
        intermediate_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
    )
    return LanguageModel(LlamaForCausalLM(config), llama, {"image": 4})


# SmolLM2's own chat template, as its GGUF file holds it.
CHAT = (
    "{% for message in messages %}{% if loop.first and messages[0]['role'] != 'system' %}"
    "{{ '<|im_start|>system\nYou are a helpful AI assistant named SmolLM, "
    "trained by Hugging Face<|im_end|>\n' }}"
    "{% endif %}{{'<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' + '\n'}}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)


@pytest.fixture(scope="module")
def chatting() -> Any:
    """A tokenizer of bytes with the special tokens of chats, as SmolLM2's has them."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    special = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
    trainer = trainers.BpeTrainer(
        vocab_size=300,
        special_tokens=special,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(["user\nassistant\nsystem\nYou are a helpful AI assistant"], trainer)
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, bos_token=special[1], eos_token=special[2], chat_template=CHAT
    )


@pytest.mark.parametrize(
    "talk",
    [
        (user("What is it?"),),
        (user("hi"), assistant("Hello there."), user("and now?")),
        (user("two\nlines "),),
    ],
)
def test_preset_photo_writes_the_models_own_chat_template(chatting: Any, talk: tuple[Any, ...]) -> None:
    own = Writer(load_config("photo").prompt, chatting, Signals(len(chatting), {}), 8)
    turns = [{"role": turn.role, "content": turn.text} for turn in talk]
    text = chatting.apply_chat_template(turns, tokenize=False, add_generation_prompt=True)
    assert own.write(talk).ids == chatting(text, add_special_tokens=False)["input_ids"]


def test_typed_text_that_spells_a_templates_own_token_stays_text(chatting: Any) -> None:
    own = Writer(load_config("photo").prompt, chatting, Signals(len(chatting), {}), 8)
    plain, spelt = (own.write((user(text),)).ids for text in ("end", "<|im_end|>"))
    (end,) = own.end
    assert spelt.count(end) == plain.count(end)
