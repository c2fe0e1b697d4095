"""Cards of what is asked about sounds."""

from __future__ import annotations

from functools import partial

from benchmarks.cards.entry import CAPTION_METRICS, BenchmarkEntry, DataFile

_OF = "benchmarks.tasks.sounds"

_captions = partial(
    BenchmarkEntry,
    family="audio-captioning",
    accepts=("text", "audio"),
    produces=("text",),
    metrics=CAPTION_METRICS,
    headline="cider_d",
)

SOUNDS = (
    _captions(
        name="audiocaps",
        about="captions of sounds of AudioSet, five of each",
        target=f"{_OF}.audiocaps:AUDIOCAPS",
        paper="Kim et al., AudioCaps, NAACL 2019",
        origin="https://github.com/cdjkim/audiocaps",
        revision="1.0, dataset/test.csv: 4,875 captions",
        licence="captions MIT; clips of YouTube, research use only",
        split="test",
        samples=975,
        folder="audiocaps",
        files=(DataFile("captions", ("test.csv", "captions.csv"), 4_875),),
        media=("audio", "test", "waveforms/test"),
    ),
    _captions(
        name="clotho",
        about="captions of sounds of Freesound, five of each",
        target=f"{_OF}.clotho:CLOTHO",
        paper="Drossos et al., Clotho, ICASSP 2020, arXiv:1910.09387",
        origin="https://zenodo.org/records/4783391",
        revision="2.1",
        licence="captions Tampere University's own, non-commercial; clips CC, one by one",
        split="evaluation",
        samples=1_045,
        folder="clotho",
        files=(DataFile("captions", ("clotho_captions_evaluation.csv", "clotho_evaluation.csv"), 1_045),),
        media=("evaluation", "clotho_audio_evaluation/evaluation", "audio"),
    ),
)
