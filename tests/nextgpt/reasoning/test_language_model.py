"""Generation with signals beside a frozen language model."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
import torch
from torch import Tensor

from nextgpt.checkpoints import tensors_hash
from nextgpt.config import Lora
from nextgpt.errors import ConfigError
from nextgpt.messages import user
from nextgpt.model import NextGPT
from nextgpt.reasoning.language_model import Generated, LanguageModel
from nextgpt.reasoning.pretrained import Bits
from nextgpt.training.stages import _numbers

IMAGE = frozenset({"image"})
PROMPTS = ("draw a red circle", "hello", "what is on the left of the small blue square? say it")


def embedded(model: NextGPT, texts: tuple[str, ...] = PROMPTS) -> list[Tensor]:
    return model._embed([model.writer.write([user(text)]) for text in texts])


def generate(
    model: NextGPT, prompts: list[Tensor], length: int = 8, media: frozenset = IMAGE
) -> list[Generated]:
    return model.language_model.generate(
        prompts, end=model.writer.end, max_new_tokens=length, media=[media] * len(prompts)
    )


def say_signal_at(model: NextGPT, position: int) -> None:
    """Make [IMG0] the best next token at one position of the reply to the first prompt."""
    lm = model.language_model
    ids = generate(model, embedded(model), position + 1, frozenset())[0].ids
    whole = model.writer.write([user(PROMPTS[0])]).ids + ids[:position]
    with torch.no_grad():
        *before, state = lm.hidden(lm.embed(torch.tensor([whole])))[0, -position - 1 :]
        row = state
        if before:  # nothing of what it has in common with the positions before
            basis = torch.linalg.qr(torch.stack(before).T)[0]
            row = state - basis @ (basis.T @ state)
        lm.signal_logits.zero_()
        lm.signal_logits[0] = 1000 * row / row.norm()


def test_a_batch_says_what_each_prompt_alone_would(model: NextGPT) -> None:
    prompts = embedded(model)
    together = generate(model, prompts)
    alone = [generate(model, [prompt])[0] for prompt in prompts]
    assert [reply.ids for reply in together] == [reply.ids for reply in alone]
    backwards = generate(model, prompts[::-1])[::-1]
    assert [reply.ids for reply in together] == [reply.ids for reply in backwards]


def test_text_is_what_transformers_itself_generates(model: NextGPT) -> None:
    lm = model.language_model
    for prompt, reply in zip(
        embedded(model), generate(model, embedded(model), media=frozenset()), strict=True
    ):
        theirs = lm.causal.generate(
            inputs_embeds=prompt[None], max_new_tokens=8, do_sample=False, pad_token_id=0
        )[0].tolist()
        assert reply.ids == theirs[: len(reply.ids)]


def test_a_span_once_begun_is_finished_and_every_state_kept(model: NextGPT) -> None:
    say_signal_at(model, 0)
    lm = model.language_model
    reply = generate(model, embedded(model))[0]
    first = lm.signals.first
    assert reply.ids[:4] == [first, first + 1, first + 2, first + 3]
    assert sorted(reply.states) == [0, 1, 2, 3]
    # The states are those of one pass over the whole sequence.
    whole = torch.tensor([model.writer.write([user(PROMPTS[0])]).ids + reply.ids])
    states = lm.hidden(lm.embed(whole))[0, -len(reply.ids) :]
    for position in range(4):
        assert torch.allclose(reply.states[position], states[position], atol=1e-4)


def test_the_last_state_is_there_even_where_the_length_limit_cuts(model: NextGPT) -> None:
    say_signal_at(model, 2)
    reply = generate(model, embedded(model), length=3)[0]
    assert len(reply.ids) == 6
    assert sorted(reply.states) == [2, 3, 4, 5]
    assert not reply.finished


def test_one_medium_of_a_kind_per_reply(model: NextGPT) -> None:
    say_signal_at(model, 0)
    ids = generate(model, embedded(model), length=20)[0].ids
    assert ids.count(model.language_model.signals.first) == 1


def test_signals_are_unsayable_where_no_medium_is_wanted(model: NextGPT) -> None:
    say_signal_at(model, 0)
    reply = generate(model, embedded(model), media=frozenset())[0]
    assert max(reply.ids) < model.language_model.signals.first
    assert not reply.states


def test_without_lora_it_is_the_frozen_model(model: NextGPT) -> None:
    lm = model.language_model
    plain = LanguageModel.load(_folder(model), {"image": 4}, torch.float32)
    ids = torch.tensor([model.writer.typed(" a small red circle")])
    adapted = lm.hidden(lm.embed(ids))
    with lm.without_lora():
        assert torch.equal(lm.hidden(lm.embed(ids)), plain.hidden(plain.embed(ids)))
    assert torch.equal(lm.hidden(lm.embed(ids)), adapted)
    assert not torch.allclose(adapted, plain.hidden(plain.embed(ids)))


def test_states_and_gradients_are_the_same_where_the_front_is_given(model: NextGPT) -> None:
    lm = model.language_model
    first = lm.signals.first
    rows = [[5, 6, 7, first, first + 1, 8], [9, 5, 6, 7, first, 0]]
    found = []
    for given in (0, 1, 3):
        lm.zero_grad()
        embeds = lm.embed(torch.tensor(rows))
        states = lm.hidden(embeds, given=given)
        states[:, 3:, ::3].sum().backward()
        assert lm.signal_embeddings.grad is not None
        found.append((states.detach(), lm.signal_embeddings.grad.clone()))
    assert found[0][1].any()
    for states, gradient in found[1:]:
        torch.testing.assert_close(states, found[0][0])
        atol = 1e-5 * found[0][1].abs().max().item()  # single numbers of it may be near zero
        torch.testing.assert_close(gradient, found[0][1], rtol=0, atol=atol)


def test_the_vocabulary_stays_as_it_was(model: NextGPT) -> None:
    plain = LanguageModel.load(_folder(model), {"image": 4}, torch.float32)
    ours, theirs = (lm.causal.get_input_embeddings().weight for lm in (model.language_model, plain))
    assert tensors_hash([("", ours)]) == tensors_hash([("", theirs)])
    assert len(model.language_model.tokenizer) == model.language_model.signals.first


def test_places_and_concept_tokens_must_agree(model: NextGPT) -> None:
    with pytest.raises(ValueError, match="2 places for concept tokens, but 3 concept tokens"):
        model.language_model.embed(torch.tensor([[5, -1, -1]]), torch.zeros(1, 3, 32))


def test_concept_tokens_stand_in_their_places(model: NextGPT) -> None:
    lm = model.language_model
    concepts = torch.arange(2 * 2 * 32).float().view(2, 2, 32)
    embeds = lm.embed(torch.tensor([[5, -1, -1, lm.signals.first], [-1, -1, 6, 7]]), concepts)
    assert torch.equal(embeds[0, 1:3], concepts[0])
    assert torch.equal(embeds[1, :2], concepts[1])
    assert torch.equal(embeds[0, 3], lm.signal_embeddings[0])
    assert torch.equal(embeds[1, 2], lm.causal.get_input_embeddings().weight[6])


def test_without_bitsandbytes_quantising_says_what_to_install(
    model: NextGPT, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "bitsandbytes", None)
    with pytest.raises(ConfigError, match=r"in 4 bits needs bitsandbytes.*pip install"):
        LanguageModel.load(_folder(model), {"image": 4}, torch.float32, bits=4)


@pytest.mark.parametrize("bits", [8, 4])
def test_a_quantised_model_speaks_and_its_adapters_train(model: NextGPT, bits: Bits) -> None:
    pytest.importorskip("bitsandbytes")
    lm = LanguageModel.load(_folder(model), {"image": 4}, torch.float32, bits=bits)
    assert sum(map(_numbers, lm.causal.parameters())) == sum(
        value.numel() for name, value in model.language_model.causal.named_parameters() if "lora" not in name
    )
    linear = lm.causal.model.layers[0].self_attn.q_proj
    assert type(linear).__name__ == {8: "Linear8bitLt", 4: "Linear4bit"}[bits]
    lm.add_lora(Lora(2, 4))
    embeds = lm.embed(torch.tensor([model.writer.typed(" a small red circle")]))
    assert lm.generate([embeds[0]], end=model.writer.end, max_new_tokens=3)[0].ids
    for parameter in lm.lora().values():
        parameter.requires_grad_(True)
    lm.hidden(embeds).sum().backward()
    assert any(value.grad is not None and value.grad.any() for value in lm.lora().values())


def _folder(model: NextGPT) -> Path:
    from nextgpt.weights.places import locate

    return locate(model.config.weights.language_model)
