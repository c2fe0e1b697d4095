"""Cards of what asks for several kinds of media at once."""

from __future__ import annotations

from functools import partial

from benchmarks.cards.entry import BenchmarkEntry, DataFile

_STRUCTURE = ("structure_exact", "structure_f1")
_structure = partial(
    BenchmarkEntry,
    room="any_to_any",
    family="any-to-any",
    produces=("video", "audio"),
    metrics=(*_STRUCTURE, "clipsim", "clap_score"),
    headline="structure_exact",
    references="none: prompts",
)

ANY_TO_ANY = (
    _structure(
        name="unim",
        about="media named in the text, in and out, in order; what is asked for is read off by plain code",
        paper="Li et al., UniM, CVPR 2026, arXiv:2603.05075",
        origin="https://github.com/Shize-ZHANG/Any2Any-Evaluation-Suite",
        revision="0d80db8",
        licence="not stated in the repository",
        split="the records of the file; the paper has 31,000",
        references="an answer to each, its media named in the text",
        scored="language models judge captions of the media, 1 to 5; here the structure, by plain code",
        accepts=("text", "image", "video", "audio"),
        produces=("text", "image", "video", "audio"),
        metrics=_STRUCTURE,
        folder="unim",
        files=(DataFile("records", ("unim_input_gt.jsonl", "unim_input.jsonl")),),
        media=("image", "video", "audio"),
        sources={
            "paper": "arXiv",
            "origin references": "Shize-ZHANG/Any2Any-Evaluation-Suite, README.md",
            "licence": "Shize-ZHANG/Any2Any-Evaluation-Suite, which holds no LICENSE",
            "scored": "Shize-ZHANG/Any2Any-Evaluation-Suite, semantic_correctness/unified_eval_reverse.py",
        },
    ),
    _structure(
        name="t2av-compass",
        about="a clip and its sound for a prompt",
        paper="Cao et al., T2AV-Compass, ICML 2026, arXiv:2512.21094",
        origin="https://github.com/NJU-LINK/T2AV-Compass",
        revision="b726966",
        licence="not stated in the repository",
        split="all",
        samples=500,
        scored="nine measures by networks of their own, and checklists that a language model fills",
        folder="t2av-compass",
        files=(DataFile("prompts", ("prompts.json", "t2av_compass_prompts.json"), 500),),
        sources={
            "paper": "arXiv; en.papernotes.org, ICML 2026",
            "origin samples references scored": "NJU-LINK/T2AV-Compass, README.md",
            "licence": "NJU-LINK/T2AV-Compass, which holds no LICENSE",
        },
    ),
    _structure(
        name="javisbench",
        about="a clip and its sound for a caption; true media cannot be given away",
        paper="Liu et al., JavisDiT, ICLR 2026, arXiv:2503.23377",
        origin="https://huggingface.co/datasets/JavisVerse/JavisBench",
        revision="515d4f6 of JavisVerse/JavisDiT",
        licence="captions MIT; media of YouTube not given away",
        split="all",
        samples=10_140,
        scored="FVD, KVD, FAD against features that it ships; ImageBind, CLIP, CLAP; JavisScore",
        folder="javisbench",
        files=(DataFile("captions", ("JavisBench.csv",), 10_140, others={1_000: "JavisBench-mini"}),),
        sources={
            "paper origin": "JavisVerse/JavisDiT, README.md",
            "samples references scored": "JavisVerse/JavisDiT, eval/javisbench/README.md",
            "licence": "card of JavisVerse/JavisBench on the hub; eval/javisbench/README.md",
        },
    ),
)
