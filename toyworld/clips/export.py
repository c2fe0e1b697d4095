"""Clips in official files: MSR-VTT's captions, MSRVTT-QA's and NExT-QA's questions, and mp4."""

from __future__ import annotations

import csv
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from toyworld.clips.clip import Clip
from toyworld.clips.language import captions
from toyworld.clips.questions import OPTIONS, choices, questions
from toyworld.clips.render import FRAMES, render
from toyworld.export import INFO, write_json
from toyworld.render import SIDE

NEXT_QA_FIELDS = (
    *("video", "frame_count", "width", "height", "question", "answer", "qid", "type"),
    *(f"a{k}" for k in range(OPTIONS)),
)


def write_videos(folder: Path, clips: Sequence[Clip]) -> list[dict[str, Any]]:
    """Film the clips as `videos/video<number>.mp4`; returns MSR-VTT's video records, numbered from 0."""
    records = []
    for number, clip in enumerate(clips):
        video = render(clip)
        video.save(folder / "videos" / f"video{number}.mp4")
        records.append(
            {
                "id": number,
                "video_id": f"video{number}",
                "category": 0,
                "url": "",
                "start time": 0.0,
                "end time": video.seconds,
                "split": "test",
            }
        )
    return records


def write_captions(folder: Path, clips: Sequence[Clip], seed: int = 0) -> Path:
    """Write `videodatainfo.json` in MSR-VTT's format, five captions a clip, and the clips."""
    sentences: list[dict[str, Any]] = []
    for number, clip in enumerate(clips):
        for caption in captions(clip, random.Random(f"captions-{seed}-{clip.key}")):
            sentences.append({"sen_id": len(sentences), "video_id": f"video{number}", "caption": caption})
    videos = write_videos(folder, clips)
    return write_json(folder / "videodatainfo.json", {"info": INFO, "videos": videos, "sentences": sentences})


def write_open_questions(folder: Path, clips: Sequence[Clip], each: int = 2, seed: int = 0) -> Path:
    """Write `test_qa.json` in MSRVTT-QA's format, and the clips.

    Args:
        folder: Where to write.
        clips: The clips.
        each: Questions a clip.
        seed: Seed of the questions.
    """
    write_videos(folder, clips)
    asked: list[dict[str, Any]] = []
    for number, clip in enumerate(clips):
        for question in questions(clip, random.Random(f"questions-{seed}-{clip.key}"), each):
            asked.append(
                {
                    "answer": question.answer,
                    "category_id": 0,
                    "id": len(asked),
                    "question": question.text,
                    "video_id": number,
                }
            )
    return write_json(folder / "test_qa.json", asked)


def write_choices(folder: Path, clips: Sequence[Clip], each: int = 2, seed: int = 0) -> Path:
    """Write `val.csv` in NExT-QA's multiple-choice format, and the clips.

    Args:
        folder: Where to write.
        clips: The clips.
        each: Questions a clip, at most one of each of NExT-QA's types.
        seed: Seed of the questions and of their options.
    """
    write_videos(folder, clips)
    path = folder / "val.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        rows = csv.DictWriter(file, NEXT_QA_FIELDS)
        rows.writeheader()
        for number, clip in enumerate(clips):
            for k, choice in enumerate(choices(clip, random.Random(f"choices-{seed}-{clip.key}"), each)):
                rows.writerow(
                    {
                        "video": f"video{number}",
                        "frame_count": FRAMES,
                        "width": SIDE,
                        "height": SIDE,
                        "question": choice.text.rstrip("?"),  # as NExT-QA's are
                        "answer": choice.answer,
                        "qid": k,
                        "type": choice.kind,
                        **{f"a{place}": option for place, option in enumerate(choice.options)},
                    }
                )
    return path
