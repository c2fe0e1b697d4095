"""Scores of generated clips: each clip's frames against its prompt."""

from __future__ import annotations

import numpy as np

from benchmarks.harness.progress import progress
from benchmarks.score.generated import Generated, Scored, absent_names
from benchmarks.score.material import clips_by_name, open_frames, read_prompts
from benchmarks.score.networks import networks
from benchmarks.score.sets import Rows
from benchmarks.tasks.official import DataError
from nextgpt.media import MediaError


def score_clips(asked: Generated) -> Scored:
    """Each clip's frames against its prompt."""
    from metrics.pairs.similarity import CLIPSim, clipsim_items

    if asked.prompts is None:
        raise DataError(
            f"{asked.family}: folders of clips are scored against --prompts; for an FVD give features of a "
            "video network in --references and --predictions, as .npy."
        )
    scored = Scored()
    clips, prompts = clips_by_name(asked.predictions), read_prompts(asked.prompts)
    absent = absent_names(asked, clips, prompts, asked.prompts)
    for network in networks(asked, scored, embeds=True):
        lost, items = list(absent), list[float]()
        with progress(f"{network.name} on {asked.predictions.name}", len(clips)) as tick:
            for name, paths in clips.items():
                tick(1)
                try:
                    frames = network.cached.images(open_frames(paths))
                except MediaError:
                    if not asked.allow_missing:
                        raise
                    lost.append(name)
                    continue
                items += clipsim_items([frames], network.source.texts([prompts[name]])).tolist()
        rows = Rows(asked.family, asked.predictions.resolve().name, len(lost))
        rows.add_items(CLIPSim(network.source).signature, np.array(items))
        scored.results += rows.results
    return scored
