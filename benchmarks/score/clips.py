"""Scores of generated clips: their flicker, their frames against a prompt, a set of them against another."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.harness.progress import progress
from benchmarks.score.generated import Generated, Scored, absent_names
from benchmarks.score.material import clips_by_name, open_frames, read_prompts
from benchmarks.score.networks import Network, networks
from benchmarks.score.sets import Rows, add_distances
from benchmarks.tasks.official import DataError
from nextgpt.media import MediaError

Clips = Mapping[str, Sequence[Path]]


def score_clips(asked: Generated) -> Scored:
    """Each clip alone, its frames against its prompt, and the set against a set of true ones."""
    scored = Scored()
    clips = clips_by_name(asked.predictions)
    prompts = read_prompts(asked.prompts) if asked.prompts else {}
    true = clips_by_name(asked.references) if asked.references else {}
    absent = absent_names(asked, clips, prompts, asked.prompts)
    flicker(asked, scored, clips, absent)
    for network in networks(asked, scored) if prompts or true else ():
        sees_clips = not network.embeds
        if (sees_clips and not true) or (not sees_clips and not prompts):
            needed = "--references, a folder of true clips" if sees_clips else "--prompts"
            scored.notes.append(f"{network.name} was not asked: it needs {needed}")
        elif sees_clips:
            distances(asked, scored, network, clips, true, absent)
        else:
            similarity(asked, scored, network, clips, prompts, absent)
    return scored


def flicker(asked: Generated, scored: Scored, clips: Clips, absent: Sequence[str]) -> None:
    """VBench's temporal flickering, which needs no network; of clips of two frames or more."""
    from metrics.pairs.motion import TemporalFlickering, temporal_flickering

    def measured(frames: Any) -> float | None:
        return temporal_flickering(np.stack(frames)) if len(frames) > 1 else None

    lost = list(absent)
    found = _opened("flicker", asked, clips, lost, measured)
    still = [name for name, value in found if value is None]
    if still:
        scored.notes.append(f"temporal_flickering: {len(still)} clips of a single frame, such as {still[0]}")
        return
    rows = Rows(asked.family, asked.predictions.resolve().name, len(lost))
    rows.add_items(TemporalFlickering.signature, np.array([value for _, value in found]))
    scored.results += rows.results


def similarity(
    asked: Generated,
    scored: Scored,
    network: Network,
    clips: Clips,
    prompts: Mapping[str, str],
    absent: Sequence[str],
) -> None:
    """CLIPSIM: each clip's frames against its prompt."""
    from metrics.pairs.similarity import CLIPSim, clipsim_items

    lost, items = list(absent), list[float]()
    for name, frames in _opened(network.name, asked, clips, lost, network.cached.images):
        items += clipsim_items([frames], network.source.texts([prompts[name]])).tolist()
    rows = Rows(asked.family, asked.predictions.resolve().name, len(lost))
    rows.add_items(CLIPSim(network.source).signature, np.array(items))
    scored.results += rows.results


def distances(
    asked: Generated, scored: Scored, network: Network, clips: Clips, true: Clips, absent: Sequence[str]
) -> None:
    """A set of clips against another, over a network that sees whole clips."""
    lost = list(absent)

    def seen(frames: Any) -> Any:
        return network.cached.features([np.stack(frames)])[0]

    predictions = [row for _, row in _opened(network.name, asked, clips, lost, seen)]
    references = [row for _, row in _opened(f"{network.name}, true", asked, true, None, seen)]
    digest = hashlib.sha256(np.stack(references).tobytes()).hexdigest()[:8]
    rows = Rows(asked.family, asked.predictions.resolve().name, len(lost))
    names = (*network.source.distances, "kid", "precision_recall")
    add_distances(rows, names, np.stack(predictions), np.stack(references), network.source, digest)
    scored.results += rows.results


def _opened(
    what: str, asked: Generated, clips: Clips, lost: list[str] | None, use: Callable[[Any], Any]
) -> list[tuple[str, Any]]:
    """What `use` makes of each clip's frames; what can't be read is an error, or appended to lost."""
    found = []
    with progress(f"{what} on {asked.predictions.name}", len(clips)) as tick:
        for name, paths in clips.items():
            tick(1)
            try:
                found.append((name, use(open_frames(paths))))
            except MediaError:
                if lost is None or not asked.allow_missing:
                    raise
                lost.append(name)
    if not found:
        raise DataError(f"{asked.predictions}: none of {len(clips)} clips can be read; make them again.")
    return found
