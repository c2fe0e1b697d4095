from __future__ import annotations

from collections import Counter

import pytest

from nextgpt.training.data import Example
from toyworld.kinds import called
from toyworld.training import examples_in_all_media


def media(example: Example, role: str) -> list[str]:
    return [m.modality for message in example.conversation if message.role == role for m in message.media]


@pytest.mark.parametrize(("stage", "role"), [("encoding", "user"), ("decoding", "assistant")])
def test_media_take_turns_in_the_first_two_stages(stage: str, role: str) -> None:
    drawn = list(examples_in_all_media(stage, 9))
    assert Counter(modality for example in drawn for modality in media(example, role)) == {
        "image": 3,
        "video": 3,
        "audio": 3,
    }
    assert all(len(example.captions) == len(media(example, "assistant")) for example in drawn)


def test_the_third_stage_holds_dialogues_and_drills_in_all_media_by_turns() -> None:
    drawn = list(examples_in_all_media("instruct", 60))
    dialogues = [example for place, example in enumerate(drawn) if place // 3 % 2 == 0]
    assert {len(example.conversation) for example in dialogues} == {6, 8, 10}
    assert all(example.captions for example in dialogues)
    for example in drawn:
        shown = [m for m in example.conversation if m.role == "assistant" and m.media]
        assert sum(len(message.media) for message in shown) == len(example.captions)
        said = [part for message in shown for part in message.parts if isinstance(part, str)]
        assert all(called(part) is not None for part in said)
    asked = Counter(len(example.conversation) for example in drawn if example not in dialogues)
    assert asked[2] >= 5, "captions, media to be made, conversions"
    assert sum(count for length, count in asked.items() if length >= 10) >= 5, "many questions about one"


def test_the_same_seed_gives_the_same_examples() -> None:
    first, second, other = (list(examples_in_all_media("instruct", 6, seed)) for seed in (3, 3, 4))
    assert first == second
    assert first != other
    with pytest.raises(ValueError, match="unknown stage"):
        next(examples_in_all_media("mosit", 1))
