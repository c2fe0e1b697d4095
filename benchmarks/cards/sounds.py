"""Cards of what is asked about sounds."""

from __future__ import annotations

from functools import partial

from benchmarks.cards.entry import CAPTION_METRICS, BenchmarkEntry, DataFile

AUDIOCAPS_LICENCE = "captions MIT by its LICENSE, academic purposes only by its README; clips of YouTube"
AUDIOCAPS_MEDIA = ("audio", "test", "waveforms/test")
AUDIOCAPS_FILE = DataFile(
    "captions",
    ("test.csv", "captions.csv"),
    4_875,
    others={49_838: "the training split", 2_475: "the validation split"},
    counted="counted in dataset/test.csv; its README says 4,876",
)

_captions = partial(
    BenchmarkEntry,
    room="sounds",
    family="audio-captioning",
    accepts=("text", "audio"),
    metrics=CAPTION_METRICS,
    headline="cider_d",
    scored="coco-caption's measures, and SPICE; SPIDEr is not computed here",
)

SOUNDS = (
    _captions(
        name="audiocaps",
        about="captions of sounds of AudioSet, five of each",
        paper="Kim et al., AudioCaps, NAACL 2019",
        origin="https://github.com/cdjkim/audiocaps",
        revision="1.0, dataset/test.csv: 4,875 captions",
        licence=AUDIOCAPS_LICENCE,
        split="test",
        samples=975,
        references="5 captions of each",
        folder="audiocaps",
        files=(AUDIOCAPS_FILE,),
        media=AUDIOCAPS_MEDIA,
        sources={
            "paper origin": "cdjkim/audiocaps, README.md",
            "licence": "cdjkim/audiocaps, LICENSE and README.md",
            "samples references": "counted in dataset/test.csv; its README says 4,876",
            "scored": "cdjkim/audiocaps, code/utils/pycocoevalcap",
        },
    ),
    _captions(
        name="clotho",
        about="captions of sounds of Freesound, five of each",
        paper="Drossos et al., Clotho, ICASSP 2020, arXiv:1910.09387",
        origin="https://zenodo.org/records/4783391",
        revision="2.1; its evaluation split is that of 1.0",
        licence="captions under Tampere University's own; clips each under its licence of Freesound",
        split="evaluation",
        samples=1_045,
        references="5 captions of each",
        folder="clotho",
        files=(
            DataFile(
                "captions",
                ("clotho_captions_evaluation.csv", "clotho_evaluation.csv"),
                1_045,
                others={3_839: "the development split", 2_893: "the development split of 1.0"},
            ),
        ),
        media=("evaluation", "clotho_audio_evaluation/evaluation", "audio"),
        sources={
            "paper origin references": "zenodo.org/record/4783391",
            "samples": "aac-datasets.readthedocs.io, Clotho: 1,045 files",
            "scored": "audio-captioning/caption-evaluation-tools, README.md",
            "licence": "zenodo.org/record/3490684, and 6590983 for the captions",
        },
    ),
)
