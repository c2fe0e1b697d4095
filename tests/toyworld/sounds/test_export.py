from __future__ import annotations

import csv
from pathlib import Path

import pytest

from nextgpt.media import Audio
from toyworld.sounds.export import write_captions
from toyworld.sounds.language import parse
from toyworld.sounds.oracle import hear
from toyworld.splits import sounds

SOUNDS = sounds("test", 4)
OFFICIAL = Path(__file__).resolve().parents[3].parent / "shared" / "data" / "audiocaps" / "test.csv"


def test_captions_are_audiocaps_format_and_fit_their_sounds(tmp_path: Path) -> None:
    with write_captions(tmp_path, SOUNDS).open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [int(row["audiocap_id"]) for row in rows] == list(range(20))
    for number, sound in enumerate(SOUNDS):
        mine = rows[5 * number : 5 * number + 5]
        (name,) = {f"{row['youtube_id']}_{row['start_time']}.wav" for row in mine}
        assert hear(Audio.open(tmp_path / "audio" / name)).sound == sound
        assert [parse(row["caption"]) for row in mine] == [sound] * 5
    if not OFFICIAL.exists():
        pytest.skip("AudioCaps' official test.csv is not beside this repository")
    with OFFICIAL.open(encoding="utf-8", newline="") as file:
        assert next(csv.reader(file)) == list(rows[0])
