"""What the shipped picture world says and shows, byte for byte: expected scores and weights stand on it."""

from __future__ import annotations

import hashlib
import itertools
import random
from collections.abc import Iterable
from pathlib import Path

from toyworld.dialogue import SUBJECTS, conversations, lesson, turns
from toyworld.export import write_captions, write_vqa
from toyworld.instructions import instruct
from toyworld.render import pixels
from toyworld.splits import scenes
from toyworld.training import examples

SCENES = [*scenes("test", 100), *scenes("compositional", 50)]


def digest(parts: Iterable[object]) -> str:
    found = hashlib.sha256()
    for part in parts:
        found.update(part if isinstance(part, bytes) else repr(part).encode())
    return found.hexdigest()[:16]


def test_the_same_seeds_draw_the_same_pictures() -> None:
    assert digest(pixels(scene).tobytes() for scene in SCENES) == "942db57cfa31c9ac"


def test_the_same_seeds_export_the_same_captions_and_questions(tmp_path: Path) -> None:
    assert digest([write_captions(tmp_path, SCENES[:30]).read_bytes()]) == "91d543592244b7e2"
    assert digest(path.read_bytes() for path in write_vqa(tmp_path, SCENES[:30])) == "ec00a6129f3a69a1"


def test_the_same_seeds_give_the_same_dialogues_and_instructions() -> None:
    assert digest(itertools.islice(turns("train"), 500)) == "d85c4843e7059b88"
    assert digest(itertools.islice(conversations("train"), 200)) == "05c8309307fe8323"
    lessons = (list(itertools.islice(lesson(subject, "train"), 10)) for subject in SUBJECTS)
    assert digest(lessons) == "1ae7fd1eb0ab74bb"
    assert digest(instruct(scene, random.Random(scene.key)) for scene in SCENES) == "e38357bd62481e70"


def test_the_same_seeds_give_the_same_training_examples() -> None:
    for stage, expected in (
        ("encoding", "3f48b587fcd57863"),
        ("decoding", "d7e5cf8eeec3bdf4"),
        ("instruct", "be531a66c7122dab"),
    ):
        said = (
            (message.role, [part if isinstance(part, str) else part.content_hash for part in message.parts])
            for example in examples(stage, 60)
            for message in example.conversation
        )
        assert digest(said) == expected
