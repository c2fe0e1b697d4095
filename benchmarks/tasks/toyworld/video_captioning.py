"""Toyworld captioning of clips.

name: toy-video-captioning, toy-video-captioning-compositional
data set: toyworld clips with five captions each, as its export in MSR-VTT's format holds them
licence: CC0 1.0
protocol: one caption for each clip, nine frames in two seconds. Attribute F1 and exact clips, as the parser
    reads the caption, beside the usual caption metrics, for which a right answer in other words costs points.
"""

from __future__ import annotations

from functools import partial

from benchmarks.tasks.toyworld.captioning import caption_metrics
from benchmarks.tasks.toyworld.kinds import CLIP, both, described
from benchmarks.tasks.toyworld.readings import CLIP_TEXTS
from benchmarks.tasks.toyworld.scenes import number_of_deeds

PROMPT = "describe the clip."

TEST, COMPOSITIONAL = both(
    "toy-video-captioning",
    "video-captioning",
    PROMPT,
    partial(described, CLIP, PROMPT),
    caption_metrics(CLIP_TEXTS),
    accepts=frozenset({"text", "video"}),
    produces=frozenset({"text"}),
    slices=number_of_deeds,
)
