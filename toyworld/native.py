"""The world in NExT-GPT's own json, for `nextgpt.training.native` and for the released code.

Unlike the published files, these keep the input media of every turn: pictures as png, clips as mkv and sounds
as wav, without loss, in folders beside the json file.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from toyworld.exchanges import Exchange, Part
from toyworld.export import write_json
from toyworld.kinds import Modality, call, kind_of
from toyworld.splits import Value

ENDINGS: dict[Modality, str] = {"image": ".png", "video": ".mkv", "audio": ".wav"}


def write_dialogues(folder: Path, dialogues: Iterable[Sequence[Exchange]]) -> Path:
    """Write `dialogues.json`, multi-turn and in all media, as MosIT is, and the media."""
    return write_json(folder / "dialogues.json", [_record(folder, held) for held in dialogues])


def write_comprehension(folder: Path, values: Iterable[Value], seed: int = 0) -> Path:
    """Write `comprehension.json`, a medium and its caption each: what the first stage learns from."""
    held = []
    for value in values:
        kind = kind_of(value)
        rng = random.Random(f"comprehension-{seed}-{value.key}")
        request = (value, rng.choice(kind.describe_requests))
        held.append([Exchange(request, (kind.describe(value),), "describe")])
    return write_json(folder / "comprehension.json", [_record(folder, one) for one in held])


def write_generation(folder: Path, values: Iterable[Value], seed: int = 0) -> Path:
    """Write `generation.json`, a caption and its medium each: what the second stage learns from."""
    held = []
    for value in values:
        kind = kind_of(value)
        rng = random.Random(f"generation-{seed}-{value.key}")
        request = rng.choice(kind.make_requests).format(caption=kind.paraphrase(value, rng))
        reply = (call(value), value)
        held.append([Exchange((request,), reply, "make")])
    return write_json(folder / "generation.json", [_record(folder, one) for one in held])


def _record(folder: Path, held: Sequence[Exchange]) -> dict[str, Any]:
    """One conversation: turns with `<image>` and so on where media stand, and what these are, in order."""
    turns: list[dict[str, str]] = []
    media: dict[str, list[str]] = {}
    for exchange in held:
        for role, side, parts in (("human", "input", exchange.request), ("gpt", "output", exchange.reply)):
            turns.append({"from": role, "value": "\n".join(map(_written, parts))})
            for value in (part for part in parts if not isinstance(part, str)):
                kind = kind_of(value)
                media.setdefault(f"{side}_{kind.modality}", []).append(_saved(folder, value))
                if side == "output":
                    media.setdefault(f"{kind.modality}_captions", []).append(kind.describe(value))
    return {**media, "conversations": turns}


def _written(part: Part) -> str:
    return part if isinstance(part, str) else f"<{kind_of(part).modality}>"


def _saved(folder: Path, value: Value) -> str:
    """The name of the value's file, written unless it is there."""
    kind = kind_of(value)
    name = f"{value.key}{ENDINGS[kind.modality]}"
    path = folder / f"{kind.modality}s" / name
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        medium: Any = kind.render(value)
        medium.save(path)
    return name
