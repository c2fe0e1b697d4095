"""How a published cell finds what was measured: data set to benchmark, metric to metric, row to system.

A benchmark or a system of these names may not have been run, or not exist yet: the cell then says so. What
can't be linked at all (a metric without a name, weights that nobody published) has its reason here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from reports.paper.published import SETTINGS, Cell, Setting

BENCHMARKS: Mapping[tuple[str, str], str] = {
    ("image-captioning", "COCO"): "coco-karpathy",
    ("image-captioning", "NoCaps"): "nocaps",
    ("image-captioning", "Flickr30k"): "flickr30k",
    ("image-qa", "VQAv2"): "vqav2",
    ("image-qa", "VizWiz"): "vizwiz",
    ("image-qa", "OKVQA"): "okvqa",
    ("image-benchmark", "MMB"): "mmbench",
    ("image-benchmark", "SEED"): "seed-bench",
    ("video-captioning", "MSR-VTT"): "msr-vtt",
    ("video-qa", "MSVD-QA"): "msvd-qa",
    ("video-qa", "MSRVTT-QA"): "msrvtt-qa",
    ("video-qa", "NExT-QA"): "next-qa",
    ("audio-captioning", "AudioCaps"): "audiocaps",
    ("text-to-image", "COCO-caption"): "coco-30k",
    ("text-to-video", "MSR-VTT"): "msr-vtt-generation",
    ("text-to-audio", "AudioCaps"): "audiocaps-generation",
    ("image-editing", "COCO"): "coco-editing",
    ("video-editing", "DAVIS"): "davis-editing",
    ("speech-editing", "VCTK"): "vctk-editing",
}
_ACCURACIES = ("vqa_accuracy", "exact_match_normalized", "exact_match", "choice_circular", "choice_accuracy")
METRICS: Mapping[str, tuple[str, ...]] = {
    "CIDEr": ("cider_d",),  # what the field's programs compute under that name
    "BLEU-4": ("bleu_4",),
    "METEOR": ("meteor",),
    "SPIDEr": ("spider",),
    "accuracy": _ACCURACIES,
    "FID": ("fid",),
    "FAD": ("fad",),
    "FD": ("fd",),
    "IS": ("audio_inception_score",),
    "CLIPSIM": ("clipsim",),
    "CLIP": ("clip_t",),
    "CLIP-T": ("clip_t",),
    "CLIP-I": ("clip_i",),
    "MCD": ("mcd_dtw",),
}
_HUNDREDFOLD = frozenset({"CIDEr", "BLEU-4", "METEOR", "accuracy", "CLIPSIM", "CLIP"})
_AS_IT_IS = 11  # the one table that prints its CIDEr as it is

SYSTEMS: Mapping[str, str] = {
    "NExT-GPT (Vicuna-7B)": "nextgpt-7b",
    "NExT-GPT": "nextgpt-7b",
    "NExT-GPT (zero-shot)": "nextgpt-7b",
    "NExT-GPT, grouping": "nextgpt-7b",
    "NExT-GPT, linear": "nextgpt-7b-linear",
    "SD-1.5": "diffusers-stable-diffusion-v1-5",
    "AudioLDM-S": "diffusers-audioldm-s-full",
    "AudioLDM-L": "diffusers-audioldm-l-full",
}

UNNAMED_METRIC = "not run: the paper does not name the metric of this column"
NO_WEIGHTS = "not run: needs weights fine-tuned on this data set, which nobody published"
NO_SYSTEM = "not run: no system here stands for this row; name a run of yours by --row"

RowKey = tuple[str, Setting]
Rows = Mapping[RowKey, str]
"""Names of systems by the row and setting that they stand for: what a person says beyond `SYSTEMS`."""


class LinkError(ValueError):
    """What a person links makes no sense; the message says how to write it."""


@dataclass(frozen=True)
class Measure:
    """Where a cell's figure would be measured.

    Attributes:
        benchmark: name of the benchmark.
        metrics: names that the metric may have there; of several, the benchmark's headline.
        scale: what a measured value is multiplied by to be printed as the paper prints it.
        part: the slice of the benchmark that is meant; None for all of it.
    """

    benchmark: str
    metrics: tuple[str, ...]
    scale: float
    part: str | None = None


def measure_of(cell: Cell) -> Measure | None:
    """Where a cell is measured; None where the paper does not name the metric.

    >>> from reports.paper.published import published_cells
    >>> measure_of(published_cells()[2])
    Measure(benchmark='coco-karpathy', metrics=('cider_d',), scale=100.0, part=None)
    """
    metric, _, part = cell.metric.partition(" (")
    if metric not in METRICS:
        return None
    scale = 100.0 if metric in _HUNDREDFOLD and cell.table != _AS_IT_IS else 1.0
    return Measure(BENCHMARKS[cell.task, cell.dataset], METRICS[metric], scale, part.rstrip(")") or None)


def system_of(cell: Cell, rows: Rows) -> str | None:
    """The name of the system whose run stands for the cell's row at its setting; None where there is none."""
    named = rows.get((cell.system, cell.setting))
    # A pipeline that makes sounds from text stands for that, not for what others edit with its parts.
    edits = cell.task.endswith("-editing") and not cell.system.startswith("NExT-GPT")
    if named is not None or cell.setting == "fine-tuned" or edits:
        return named
    return SYSTEMS.get(cell.system)


def parse_row(text: str) -> tuple[RowKey, str]:
    """``ROW@SETTING=SYSTEM``: a run's system that stands for a row of the paper, or for a row of its own.

    Raises:
        LinkError: of another form.

    >>> parse_row("BLIP-2@unstated=hf-blip2-opt-2.7b")
    (('BLIP-2', 'unstated'), 'hf-blip2-opt-2.7b')
    """
    row, _, system = text.partition("=")
    name, _, stated = row.rpartition("@")
    setting = next((each for each in SETTINGS if each == stated), None)
    if not name or not system or setting is None:
        raise LinkError(
            f"--row {text}: write ROW@SETTING=SYSTEM, the setting one of {', '.join(SETTINGS)}, as in "
            '"BLIP-2@unstated=hf-blip2-opt-2.7b"'
        )
    return (name, setting), system
