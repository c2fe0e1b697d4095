"""Runs on invented benchmarks that bear the names of the paper's data sets."""

from __future__ import annotations

from pathlib import Path

from benchmarks.harness.benchmark import MetricUse, Sample
from metrics.answers.accuracy import ExactMatch
from tests.reports.invented import Length, Speak, benchmark, play, right_below


def truth(sample: Sample) -> str:
    return str(sample.references["captions"][0])


def answer(out: Path, name: str, right: int, on: str = "vqav2", speak: Speak | None = None) -> None:
    """A run that is right on the first `right` of forty samples: exact match is right / 40."""
    play(out, name, speak or right_below(right, draws=False), benchmark(on))


def caption(out: Path, name: str, right: int, on: str = "coco-karpathy") -> None:
    """A run whose headline is a made-up CIDEr-D."""
    uses = (
        MetricUse("cider_d", Length, lambda said: said.text, truth),
        MetricUse("exact_match", ExactMatch, lambda said: said.text, truth),
    )
    play(out, name, right_below(right, draws=False), benchmark(on, metrics=uses, headline="cider_d"))
