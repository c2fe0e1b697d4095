from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from nextgpt.media import Video
from toyworld.clips.export import write_captions, write_choices, write_open_questions
from toyworld.clips.language import parse
from toyworld.clips.oracle import watch
from toyworld.splits import clips

CLIPS = clips("test", 5)
OFFICIAL = Path(__file__).resolve().parents[3].parent / "shared" / "data" / "nextqa" / "val.csv"


def test_captions_are_msrvtts_format_and_fit_their_clips(tmp_path: Path) -> None:
    data = json.loads(write_captions(tmp_path, CLIPS).read_text())
    assert set(data) == {"info", "videos", "sentences"}
    for record, clip in zip(data["videos"], CLIPS, strict=True):
        seen = watch(Video.open(tmp_path / "videos" / f"{record['video_id']}.mp4")).clip
        told = [parse(s["caption"]) for s in data["sentences"] if s["video_id"] == record["video_id"]]
        assert told == [seen] * 5 == [clip] * 5


def test_open_questions_are_msrvtt_qas_format(tmp_path: Path) -> None:
    records = json.loads(write_open_questions(tmp_path, CLIPS, each=3).read_text())
    assert [record["id"] for record in records] == list(range(15))
    assert all(set(r) == {"answer", "category_id", "id", "question", "video_id"} for r in records)
    assert all((tmp_path / "videos" / f"video{record['video_id']}.mp4").exists() for record in records)


def test_choices_are_nextqas_format(tmp_path: Path) -> None:
    with write_choices(tmp_path, CLIPS).open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert 5 < len(rows) <= 10
    for row in rows:
        assert 0 <= int(row["answer"]) < 5
        assert len({row[f"a{k}"] for k in range(5)}) == 5
        assert row["type"] in {"CH", "TN", "TP", "TC", "DC", "DL", "DO"}
        assert not row["question"].endswith("?")
    if not OFFICIAL.exists():
        pytest.skip("NExT-QA's official val.csv is not beside this repository")
    with OFFICIAL.open(encoding="utf-8", newline="") as file:
        assert next(csv.reader(file)) == list(rows[0])
