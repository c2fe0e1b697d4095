"""Cards of what asks for several kinds of media at once."""

from __future__ import annotations

from functools import partial

from benchmarks.cards.entry import BenchmarkEntry, DataFile

_OF = "benchmarks.tasks.any_to_any"

_STRUCTURE = ("structure_exact", "structure_f1")
_structure = partial(
    BenchmarkEntry,
    family="any-to-any",
    metrics=(*_STRUCTURE, "clipsim", "clap_score"),
    headline="structure_exact",
)

ANY_TO_ANY = (
    _structure(
        name="unim",
        about="media named in the text, in and out, in order; what is asked for is read off by plain code",
        target=f"{_OF}.unim:UNIM",
        paper="UniM, CVPR 2026, arXiv:2603.05075",
        origin="https://github.com/Shize-ZHANG/Any2Any-Evaluation-Suite",
        revision="0d80db8",
        licence="not stated in the repository",
        split="the records of the file",
        accepts=("text", "image", "video", "audio"),
        produces=("text", "image", "video", "audio"),
        metrics=_STRUCTURE,
        folder="unim",
        files=(DataFile("records", ("unim_input_gt.jsonl", "unim_input.jsonl")),),
        media=("image", "video", "audio"),
    ),
    _structure(
        name="t2av-compass",
        about="a clip and its sound for a prompt",
        target=f"{_OF}.t2av_compass:T2AV_COMPASS",
        paper="T2AV-Compass, ICML 2026",
        origin="https://github.com/NJU-LINK/T2AV-Compass",
        revision="b726966",
        licence="not stated in the repository",
        split="all",
        samples=500,
        produces=("video", "audio"),
        folder="t2av-compass",
        files=(DataFile("prompts", ("prompts.json", "t2av_compass_prompts.json"), 500),),
    ),
    _structure(
        name="javisbench",
        about="a clip and its sound for a caption; true media cannot be given away",
        target=f"{_OF}.javisbench:JAVISBENCH",
        paper="Liu et al., JavisDiT, 2025, arXiv:2503.23377",
        origin="https://huggingface.co/datasets/JavisDiT/JavisBench",
        revision="515d4f6 of JavisVerse/JavisDiT",
        licence="captions as their owners state; media of YouTube not given away",
        split="all",
        samples=10_140,
        produces=("video", "audio"),
        folder="javisbench",
        files=(DataFile("captions", ("JavisBench.csv",), 10_140),),
    ),
)
