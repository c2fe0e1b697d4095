from __future__ import annotations

import itertools
import json
from pathlib import Path

from nextgpt.messages import Message, Part
from nextgpt.training.data import Example
from nextgpt.training.native import read
from toyworld.exchanges import dialogues
from toyworld.kinds import kind_of
from toyworld.native import write_comprehension, write_dialogues, write_generation
from toyworld.splits import Value, clips, scenes, sounds

VALUES: list[Value] = [*scenes("test", 3), *clips("test", 3), *sounds("test", 3)]


def said(message: Message) -> list[Part]:
    return [part for part in message.parts if part != ""]


def test_the_training_reader_gets_every_dialogue_back_with_all_its_media(tmp_path: Path) -> None:
    held = list(itertools.islice(dialogues("train"), 12))
    examples = list(read(write_dialogues(tmp_path, held), "instruct"))
    for example, exchanges in zip(examples, held, strict=True):
        assert isinstance(example, Example), example
        messages = [message for exchange in exchanges for message in exchange.messages]
        assert [m.role for m in example.conversation] == [m.role for m in messages]
        assert [said(m) for m in example.conversation] == [said(m) for m in messages]
        made = [exchange.made for exchange in exchanges if exchange.made is not None]
        assert sorted(example.captions) == sorted(kind_of(value).describe(value) for value in made)


def test_the_training_reader_gets_pairs_back_for_its_first_two_stages(tmp_path: Path) -> None:
    heard = list(read(write_comprehension(tmp_path, VALUES), "encoding"))
    made = list(read(write_generation(tmp_path, VALUES), "decoding"))
    for value, first, second in zip(VALUES, heard, made, strict=True):
        assert isinstance(first, Example)
        assert isinstance(second, Example)
        kind = kind_of(value)
        assert first.conversation[0].media == (kind.render(value),)
        assert first.conversation[1].text == kind.describe(value)
        assert second.conversation[1].media == (kind.render(value),)
        assert second.captions == (kind.describe(value),)


def test_input_media_are_kept_under_the_released_fields(tmp_path: Path) -> None:
    records = json.loads(write_dialogues(tmp_path, itertools.islice(dialogues("test"), 30)).read_text())
    fields = {field for record in records for field in record}
    assert {f"{side}_{m}" for side in ("input", "output") for m in ("image", "video", "audio")} < fields
    for record in records:
        asked = "".join(turn["value"] for turn in record["conversations"] if turn["from"] == "human")
        for modality in ("image", "video", "audio"):
            assert asked.count(f"<{modality}>") == len(record.get(f"input_{modality}", []))
