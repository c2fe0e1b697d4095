"""How conversations are written down for the language model."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nextgpt.messages import assistant, user
from nextgpt.model import NextGPT
from nextgpt.reasoning.prompts import MEDIUM
from tests.nextgpt.backbones import plain

shared = settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], deadline=None
)


def read(model: NextGPT, ids: list[int]) -> str:
    """Ids as text: a dot for each concept token, signals by name."""
    said = ""
    for token in ids:
        if token == MEDIUM:
            said += "·"
        elif token >= model.language_model.signals.first:
            said += model.language_model.signals.name(token)
        else:
            said += model.language_model.tokenizer.decode([token])
    return said


def test_a_turn_with_a_picture(model: NextGPT) -> None:
    written = model.writer.write([user(plain("red"), "describe the picture.")])
    assert read(model, written.ids) == "<s> USER: picture:··· describe the picture. ASSISTANT:"
    assert written.media == [plain("red")]
    assert not any(written.learn)


def test_a_conversation_that_is_learnt(model: NextGPT) -> None:
    turns = [
        user("draw a red circle"),
        assistant("here it is.", plain("red")),
        user("hello"),
        assistant("hi"),
    ]
    written = model.writer.write(turns)
    assert read(model, written.ids) == (
        "<s> USER: draw a red circle ASSISTANT: here it is.[IMG0][IMG1][IMG2][IMG3]</s>"
        " USER: hello ASSISTANT: hi</s>"
    )
    learnt = [token for token, learn in zip(written.ids, written.learn, strict=True) if learn]
    assert read(model, learnt) == " here it is.[IMG0][IMG1][IMG2][IMG3]</s> hi</s>"
    assert written.targets == [plain("red")]


def test_the_text_pipelines_read_the_caption_in_the_same_place(model: NextGPT) -> None:
    turn = [user(plain("red"), "describe the picture.")]
    text = model.writer.text(turn, ["a red circle"])
    assert text == "USER: picture: a red circle describe the picture. ASSISTANT:"
    caption = model.writer.typed(" a red circle")
    with_concepts = model.writer.write(turn).ids
    place = with_concepts.index(MEDIUM)
    assert model.writer.raw(text).ids == with_concepts[:place] + caption + with_concepts[place + 3 :]
    with pytest.raises(ValueError, match="1 media need as many captions, got 0"):
        model.writer.text(turn)


@shared
@given(
    st.lists(st.sampled_from(["[IMG0]", "</s>", "<s>", "<pad>", "[IMG3]", " ", "a", "</s", "·"]), max_size=8)
)
def test_nothing_that_is_typed_becomes_a_special_token(model: NextGPT, pieces: list[str]) -> None:
    text = "".join(pieces)
    ids = model.writer.write([user(text)]).ids
    assert all(token > 3 for token in ids[1:])  # 0 to 3 are the special tokens
    assert max(ids) < model.language_model.signals.first


@shared
@given(st.text(max_size=30))
def test_typed_text_reads_back(model: NextGPT, text: str) -> None:
    assert model.language_model.decode(model.writer.typed(text)) == text.strip()


def test_the_oldest_turns_go_first(model: NextGPT) -> None:
    turns = [user("one"), assistant("two"), user("three"), assistant("four"), user("five")]
    whole = model.writer.write(turns).ids
    assert model.writer.write(turns, longest=len(whole)).ids == whole
    shorter = model.writer.write(turns, longest=len(whole) - 1).ids
    assert read(model, shorter) == "<s> USER: three ASSISTANT: four</s> USER: five ASSISTANT:"
    assert read(model, model.writer.write(turns, longest=1).ids) == "<s> USER: five ASSISTANT:"
