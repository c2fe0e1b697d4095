"""What is known of systems that were trained on what a benchmark asks.

An entry names who, what and where it is written. It says nothing of systems that it does not name.
"""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase


@dataclass(frozen=True)
class Overlap:
    """A known overlap.

    Attributes:
        systems: names, with ``*`` for any.
        benchmarks: names of benchmarks.
        why: what of them was trained on.
        source: where that is written.
    """

    systems: tuple[str, ...]
    benchmarks: tuple[str, ...]
    why: str
    source: str


_NEXTGPT = ("nextgpt-7b*", "nextgpt-released*")

KNOWN = (
    Overlap(
        _NEXTGPT,
        ("audiocaps", "audiocaps-generation"),
        "the published recipe trains on AudioCaps' train, validation and test captions together, 44,665 rows",
        "NExT-GPT/NExT-GPT, data/prepare_data.py",
    ),
    Overlap(
        ("*blip2*", "*blip-2*", "*instructblip*"),
        ("coco-karpathy", "coco-2017", "vqav2"),
        "pretrained on COCO's training captions; the fine-tuned checkpoints on COCO captions or VQA v2",
        "Li et al., BLIP-2, arXiv:2301.12597, section 4; Dai et al., InstructBLIP, arXiv:2305.06500, Table 1",
    ),
    Overlap(
        ("*llava*",),
        ("vqav2", "gqa", "okvqa", "textvqa"),
        "version 1.5 on is tuned on the training splits of these",
        "Liu et al., Improved Baselines with Visual Instruction Tuning, arXiv:2310.03744, Table 7",
    ),
)


def known_overlaps(system: str, benchmark: str) -> list[Overlap]:
    """The known overlaps of a system, by its name, with a benchmark.

    >>> [overlap.source for overlap in known_overlaps("nextgpt-7b", "audiocaps")]
    ['NExT-GPT/NExT-GPT, data/prepare_data.py']
    >>> known_overlaps("nextgpt-tiny", "audiocaps")
    []
    """
    return [
        overlap
        for overlap in KNOWN
        if benchmark in overlap.benchmarks
        and any(fnmatchcase(system.lower(), pattern) for pattern in overlap.systems)
    ]
