from __future__ import annotations

import json
from pathlib import Path

from nextgpt.media import Image
from toyworld.export import main, write_captions, write_vqa
from toyworld.language import parse
from toyworld.oracle import read
from toyworld.splits import scenes


def test_captions_are_cocos_format_and_fit_their_pictures(tmp_path: Path) -> None:
    sample = scenes("test", 8)
    data = json.loads(write_captions(tmp_path, sample).read_text())
    assert set(data) == {"info", "licenses", "images", "annotations"}
    assert len(data["annotations"]) == 5 * len(sample)
    for record in data["images"]:
        seen = read(Image.open(tmp_path / "images" / record["file_name"])).scene
        written = {parse(a["caption"]) for a in data["annotations"] if a["image_id"] == record["id"]}
        assert written == {seen}


def test_questions_and_annotations_match_one_to_one(tmp_path: Path) -> None:
    questions, annotations = (
        json.loads(p.read_text()) for p in write_vqa(tmp_path, scenes("test", 8), each=3)
    )
    asked = [q["question_id"] for q in questions["questions"]]
    assert asked == [a["question_id"] for a in annotations["annotations"]]
    assert len(set(asked)) == len(asked) == 24
    assert all(len(a["answers"]) == 10 for a in annotations["annotations"])


def test_the_same_seed_writes_the_same_bytes(tmp_path: Path) -> None:
    first, second = (write_captions(tmp_path / name, scenes("test", 4)) for name in "ab")
    assert first.read_bytes() == second.read_bytes()


def test_the_command_says_how_it_is_used(capsys, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    assert main([]) == 2
    assert "usage" in capsys.readouterr().out
