"""Sounds in official files: AudioCaps' captions, and wav."""

from __future__ import annotations

import csv
import random
from collections.abc import Sequence
from pathlib import Path

from toyworld.sounds.language import captions
from toyworld.sounds.render import render
from toyworld.sounds.sound import Sound

FIELDS = ("audiocap_id", "youtube_id", "start_time", "caption")
START = 0  # seconds into a recording that there is none of


def write_captions(folder: Path, sounds: Sequence[Sound], seed: int = 0) -> Path:
    """Write `test.csv` in AudioCaps' format, five captions a sound, and `audio/<youtube_id>_<start>.wav`.

    Args:
        folder: Where to write.
        sounds: The sounds.
        seed: Seed of the captions and of how the sounds are played.
    """
    path = folder / "test.csv"
    path.parent.mkdir(parents=True, exist_ok=True)
    written = 0
    with path.open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(FIELDS)
        for number, sound in enumerate(sounds):
            name = f"toy{number:08d}"  # as long as YouTube's
            render(sound, seed).save(folder / "audio" / f"{name}_{START}.wav")
            for caption in captions(sound, random.Random(f"captions-{seed}-{sound.key}")):
                rows.writerow((written, name, START, caption))
                written += 1
    return path
