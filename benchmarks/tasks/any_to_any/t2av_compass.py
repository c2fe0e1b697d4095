"""T2AV-Compass: prompts of clips that sound.

name: t2av-compass
data set: ``prompts.json``: index, prompt, and what of it is seen, heard and spoken
protocol: a clip and a sound for each prompt. Here: whether both are there, CLIPSIM with ``video_prompt`` and
    CLAP with ``audio_prompt`` where the file has them, or else with the prompt. The nine other measures and
    the checklists of the suite need its own networks; what it wrote can be scored by ``nextgpt-bench score``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from benchmarks.cards import card
from benchmarks.harness.benchmark import Broken, MetricUse
from benchmarks.tasks.any_to_any.structure import structure_uses
from benchmarks.tasks.generation.judged import clip_uses, sound_uses
from benchmarks.tasks.official import by_id, identity, reference, rows_of, text
from benchmarks.tasks.published import Files, Protocol, Record, published

PROMPT = "Make a video with its sound of this: {prompt}"
MEDIA = ("video", "audio")
SEEN = ("video_prompt", "video_description")
HEARD = ("audio_prompt", "audio_description")


def read(files: Files) -> Iterator[Record | Broken]:
    """The prompts of the file.

    Raises:
        DataError: cut off or of another kind, or an index twice.
    """
    path = files.path("prompts")
    keyed = ((identity(row, "index", where), (where, row)) for where, row in rows_of(path))
    for key, (where, row) in by_id(keyed, "prompt", path).items():
        prompt = text(row, "prompt", where)
        references = {
            "media": MEDIA,
            "prompt": prompt,
            "seen": _first(row, SEEN, prompt),
            "heard": _first(row, HEARD, prompt),
        }
        yield Record(key, (PROMPT.format(prompt=prompt),), references, group=key)


def _first(row: Mapping[str, Any], names: tuple[str, ...], otherwise: str) -> str:
    return next((row[name] for name in names if isinstance(row.get(name), str) and row[name]), otherwise)


def sounding_clip_uses() -> tuple[MetricUse, ...]:
    """Structure, CLIPSIM with a sample's ``seen`` and CLAP with its ``heard``."""
    (similarity,), (clap,) = clip_uses(reference_set=False), sound_uses(reference_set=False)
    return (
        *structure_uses(),
        replace(similarity, reference=reference("seen")),
        replace(clap, reference=reference("heard")),
    )


T2AV_COMPASS = published(card("t2av-compass"), read, Protocol(prompt=PROMPT, metrics=sounding_clip_uses()))
