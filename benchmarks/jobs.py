"""Jobs: which systems meet which benchmarks, in one command, with one line that says how far all of it is.

`tox -e bench` is the main job. A system whose weights are not here is left out by name, with the reason and
with the families of benchmarks that go without it: nothing goes missing silently.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from benchmarks.registry import benchmark_names, load_benchmark
from benchmarks.systems import needs

_PIPELINE = ("caption-then-tool+caption", "caption-then-tool+plan")
_TUNED = "caption-then-tool-media-tuned"
_CLAIM = ("toy-attributes", "toy-hard-to-say")


@dataclass(frozen=True)
class Part:
    """Some systems on some benchmarks or suites, on all samples or on the first so many."""

    benchmarks: tuple[str, ...]
    systems: tuple[str, ...]
    limit: int | None = None


@dataclass(frozen=True)
class Piece:
    """One run of a job.

    Attributes:
        system, benchmark: their names.
        limit: only so many samples; None for all.
        share: what it takes of the whole job, in seconds of one core, roughly.
    """

    system: str
    benchmark: str
    limit: int | None
    share: float


JOBS: Mapping[str, tuple[Part, ...]] = MappingProxyType(
    {
        "bench": (
            Part(("toyworld",), ("nextgpt-tiny", "caption-then-tool")),
            # Guessing without the picture; the paper's ablation; the pipeline with its caption, then its
            # plan, given; the claim as a curve.
            Part(("toy-vqa",), ("nextgpt-tiny-blind",)),
            Part(("toy-captioning", "toy-vqa", "toy-editing"), ("nextgpt-tiny-linear",)),
            Part(("toy-vqa", "toy-text-to-image", "toy-editing"), _PIPELINE),
            Part(
                ("toy-attributes",), ("nextgpt-tiny", "nextgpt-tiny-caption", "caption-then-tool", *_PIPELINE)
            ),
            # The same in all media.
            Part(("toyworld", "toyworld-media"), ("nextgpt-tiny-media", "caption-then-tool-media", _TUNED)),
            Part(
                (
                    "toy-vqa",
                    "toy-editing",
                    "toy-video-editing",
                    "toy-audio-editing",
                    "toy-dialogues",
                    *_CLAIM,
                ),
                (f"{_TUNED}+caption", f"{_TUNED}+plan"),
            ),
            Part(_CLAIM, ("nextgpt-tiny-media-words",)),
            Part(("toy-vqa", "toy-video-qa", "toy-video-qa-choice"), ("nextgpt-tiny-media-blind",)),
            Part(("toy-audio-captioning", "toy-dialogues"), ("nextgpt-tiny-media-deaf",)),
            Part(
                ("toy-captioning", "toy-video-captioning", "toy-audio-captioning", "toy-vqa", "toy-video-qa"),
                ("nextgpt-tiny-media-linear",),
            ),
        )
    }
)
# Seconds of one core that an answer takes, by what is made in it; what else is asked for is text.
_SECONDS = {"image": 0.25, "video": 1.2, "audio": 0.8}
_SECONDS_OF_TEXT = 0.06


def pieces(job: Sequence[Part], limit: int | None = None) -> list[Piece]:
    """The runs of a job, each once, a system's together.

    Args:
        job: its parts; where two hold the same pair, the first counts.
        limit: only so many samples of each benchmark, whatever the parts say.

    Example:
        >>> [piece.benchmark for piece in pieces((Part(("coco-mini", "toy-vqa"), ("null",)),))]
        ['coco-captions', 'coco-vqa', 'toy-vqa']
    """
    found: dict[tuple[str, str], Piece] = {}
    for part in job:
        few = min((n for n in (part.limit, limit) if n is not None), default=None)
        for name in (name for each in part.benchmarks for name in benchmark_names(each)):
            for system in part.systems:
                found.setdefault((system, name), Piece(system, name, few, share(name, few)))
    order = list(dict.fromkeys(system for system, _ in found))
    return sorted(found.values(), key=lambda piece: order.index(piece.system))


def lacking(system: str) -> str:
    """Why a system cannot be loaded, as far as is known without loading it; empty where it can."""
    wrong = [(what, why) for what, why in needs(system) or [] if why]
    return f"{wrong[0][0]}: {wrong[0][1]}" if wrong else ""


def left_out(job: Sequence[Piece]) -> Iterator[tuple[str, str]]:
    """Systems that cannot be loaded, and a line on each: the families that go without it, and why."""
    for system in dict.fromkeys(piece.system for piece in job):
        if why := lacking(system):
            names = [piece.benchmark for piece in job if piece.system == system]
            families = ", ".join(dict.fromkeys(load_benchmark(name).family for name in names))
            yield system, f"left out: {system} on {families}: {why}"


def share(benchmark: str, limit: int | None) -> float:
    """What a benchmark takes of a job, in seconds of one core, roughly.

    Example:
        >>> share("toy-vqa", 100) < share("toy-text-to-image", 100)
        True
    """
    about = load_benchmark(benchmark)
    samples = about.protocol.get("samples")
    count = min(n for n in (samples, limit, 10_000) if isinstance(n, int))
    made: Iterable[float] = (_SECONDS[kind] for kind in about.produces if kind in _SECONDS)
    return count * max(made, default=_SECONDS_OF_TEXT)
