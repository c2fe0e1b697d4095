"""The world in official files, COCO captions and VQAv2 questions, so that the official readers read it.

`python -m toyworld.export FOLDER` writes the test split.
"""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from nextgpt.terminal import say
from toyworld.language import captions
from toyworld.questions import annotate, questions
from toyworld.render import render
from toyworld.scene import Scene

LICENCE = {"id": 1, "name": "CC0 1.0", "url": "https://creativecommons.org/publicdomain/zero/1.0/"}
_INFO = {"description": "toyworld: drawn scenes with exact answers", "version": "1.0", "year": 2026}


def write_images(folder: Path, scenes: Sequence[Scene]) -> list[dict[str, Any]]:
    """Draw the scenes as `images/<id>.png`; returns COCO's image records, ids counted from 1."""
    records = []
    for number, scene in enumerate(scenes, start=1):
        picture = render(scene)
        name = f"{number:012d}.png"
        (folder / "images").mkdir(parents=True, exist_ok=True)
        picture.save(folder / "images" / name)
        records.append(
            {"id": number, "file_name": name, "width": picture.width, "height": picture.height, "license": 1}
        )
    return records


def write_captions(folder: Path, scenes: Sequence[Scene], seed: int = 0) -> Path:
    """Write `captions.json` in COCO's format, five captions a picture, and the pictures.

    Returns:
        The path of the annotation file.
    """
    images = write_images(folder, scenes)
    annotations: list[dict[str, Any]] = []
    for image, scene in zip(images, scenes, strict=True):
        for caption in captions(scene, random.Random(f"captions-{seed}-{scene.key}")):
            annotations.append({"id": len(annotations) + 1, "image_id": image["id"], "caption": caption})
    return _write(
        folder / "captions.json",
        {"info": _INFO, "licenses": [LICENCE], "images": images, "annotations": annotations},
    )


def write_vqa(folder: Path, scenes: Sequence[Scene], each: int = 2, seed: int = 0) -> tuple[Path, Path]:
    """Write `vqa_questions.json` and `vqa_annotations.json` in VQAv2's format, and the pictures.

    Args:
        folder: Where to write.
        scenes: The scenes, a picture each.
        each: Questions a picture.
        seed: Seed of the questions and of the annotators' slips.

    Returns:
        The paths of questions and annotations.
    """
    images = write_images(folder, scenes)
    asked: list[dict[str, Any]] = []
    answered: list[dict[str, Any]] = []
    for image, scene in zip(images, scenes, strict=True):
        rng = random.Random(f"questions-{seed}-{scene.key}")
        for k, question in enumerate(questions(scene, rng, each)):
            ids = {"image_id": image["id"], "question_id": image["id"] * 1000 + k}
            asked.append({**ids, "question": question.text})
            answered.append(
                {
                    **ids,
                    "question_type": question.question_type,
                    "answer_type": question.answer_type,
                    "multiple_choice_answer": question.answer,
                    "answers": annotate(question, rng),
                }
            )
    head = {"info": _INFO, "license": LICENCE, "task_type": "Open-Ended", "data_type": "toyworld"}
    return (
        _write(folder / "vqa_questions.json", {**head, "data_subtype": "test", "questions": asked}),
        _write(folder / "vqa_annotations.json", {**head, "data_subtype": "test", "annotations": answered}),
    )


def _write(path: Path, value: dict[str, Any]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value, indent=1) + "\n", encoding="utf-8")
    return path


def main(arguments: Sequence[str]) -> int:
    """Write the test split's captions and questions to a folder."""
    from toyworld.splits import scenes

    if len(arguments) != 1 or arguments[0].startswith("-"):
        say("usage: python -m toyworld.export FOLDER   (writes 200 test scenes as COCO and VQAv2 files)")
        return 0 if arguments in (["-h"], ["--help"]) else 2
    sample = scenes("test", 200)
    folder = Path(arguments[0])
    written = [write_captions(folder, sample), *write_vqa(folder, sample)]
    for line in (f"{len(sample)} pictures in {folder / 'images'}", *written):
        say(line)
    return 0


if __name__ == "__main__":
    import sys

    raise SystemExit(main(sys.argv[1:]))
