"""The world in official files, so that the official readers read it; here COCO captions and VQAv2 questions.

`python -m toyworld.export FOLDER` writes the test split, clips and sounds too.
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
COUNT = 200  # of pictures, of clips, of sounds and of dialogues that the command writes
USAGE = f"""usage: python -m toyworld.export FOLDER
Writes {COUNT} pictures, clips, sounds and dialogues of the test split as COCO captions, VQA v2, MSR-VTT
captions, MSRVTT-QA, NExT-QA, AudioCaps, and NExT-GPT's own json."""
INFO = {"description": "toyworld: drawn scenes with exact answers", "version": "1.0", "year": 2026}


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
    return write_json(
        folder / "captions.json",
        {"info": INFO, "licenses": [LICENCE], "images": images, "annotations": annotations},
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
    head = {"info": INFO, "license": LICENCE, "task_type": "Open-Ended", "data_type": "toyworld"}
    return (
        write_json(folder / "vqa_questions.json", {**head, "data_subtype": "test", "questions": asked}),
        write_json(
            folder / "vqa_annotations.json", {**head, "data_subtype": "test", "annotations": answered}
        ),
    )


def write_json(path: Path, value: Any) -> Path:
    """Write a json file and return its path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value, indent=1) + "\n", encoding="utf-8")
    return path


def main(arguments: Sequence[str]) -> int:
    """Write the test split to a folder, in all formats."""
    import itertools

    from toyworld.card import write_card
    from toyworld.clips import export as of_clips
    from toyworld.exchanges import dialogues
    from toyworld.native import write_comprehension, write_dialogues, write_generation
    from toyworld.sounds import export as of_sounds
    from toyworld.splits import clips, scenes, sounds

    if len(arguments) != 1 or arguments[0].startswith("-"):
        say(USAGE)
        return 0 if arguments in (["-h"], ["--help"]) else 2
    folder = Path(arguments[0])
    pictures, films, tones = scenes("test", COUNT), clips("test", COUNT), sounds("test", COUNT)
    for line in (
        write_captions(folder, pictures),
        *write_vqa(folder, pictures),
        of_clips.write_captions(folder, films),
        of_clips.write_open_questions(folder, films),
        of_clips.write_choices(folder, films),
        of_sounds.write_captions(folder, tones),
        write_comprehension(folder / "native", [*pictures, *films, *tones]),
        write_generation(folder / "native", [*pictures, *films, *tones]),
        write_dialogues(folder / "native", itertools.islice(dialogues("test"), COUNT)),
        write_card(folder, COUNT),
    ):
        say(line)
    return 0


if __name__ == "__main__":
    import sys

    raise SystemExit(main(sys.argv[1:]))
