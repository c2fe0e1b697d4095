"""What is known of systems that were trained on what a benchmark asks.

An entry names who, what and where it is written; each was read there. It says nothing of systems that it does
not name, nor of what their makers do not tell.
"""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Literal


@dataclass(frozen=True)
class Overlap:
    """A known overlap.

    Attributes:
        systems: names, with ``*`` for any.
        benchmarks: names of benchmarks.
        why: what of them was trained on.
        source: where that is written.
        learnt: ``test``, what is asked, itself; or ``training``, the same data set's training part, so that
            nothing is given away and nothing is zero-shot either.
    """

    systems: tuple[str, ...]
    benchmarks: tuple[str, ...]
    why: str
    source: str
    learnt: Literal["test", "training"]

    @property
    def verdict(self) -> str:
        """In two words, what a number is worth less for."""
        return "contaminated" if self.learnt == "test" else "not zero-shot"


_NEXTGPT = ("nextgpt-7b*", "nextgpt-released*")
_LLAVA = ("*llava-1.5*", "*llava-v1.5*", "*llava-v1.6*", "*llava-next*")
_BLIP2 = ("*blip2*", "*blip-2*", "*instructblip*")
_AUDIOLDM = (*_NEXTGPT, "*audioldm*", "caption-then-tool-7b*")
_COCO_CAPTIONS = ("coco-captions", "coco-karpathy", "coco-2017")

KNOWN = (
    Overlap(
        _NEXTGPT,
        ("audiocaps", "audiocaps-generation"),
        "the published recipe trains on AudioCaps' train, validation and test captions together, 44,665 rows",
        "NExT-GPT/NExT-GPT, data/prepare_data.py, preprocess_audiocap",
        "test",
    ),
    Overlap(
        _AUDIOLDM,
        ("audiocaps-generation",),
        "AudioLDM, which makes its sounds, is trained on AudioCaps",
        "Liu et al., AudioLDM, arXiv:2301.12503, abstract",
        "training",
    ),
    Overlap(
        (*_BLIP2, "caption-then-tool-7b*"),
        _COCO_CAPTIONS,
        "BLIP-2 is pretrained on 129M pictures that include COCO's and their captions",
        "Li et al., BLIP-2, arXiv:2301.12597, pre-training data",
        "training",
    ),
    Overlap(
        ("*blip2*vqa*", "*blip-2*vqa*"),
        ("vqav2", "coco-vqa"),
        "BLIP-2 as it is tuned for questions has seen VQA v2's training and validation questions",
        "salesforce/LAVIS, lavis/configs/datasets/coco/defaults_vqa.yaml; arXiv:2301.12597, section 4.3",
        "test",
    ),
    Overlap(
        _LLAVA,
        ("vqav2", "coco-vqa", "gqa", "okvqa"),
        "tuned on 83,000 questions of VQA v2, 72,000 of GQA and 9,000 of OK-VQA",
        "Liu et al., Improved Baselines with Visual Instruction Tuning, arXiv:2310.03744, Table 7",
        "training",
    ),
    Overlap(
        _LLAVA,
        ("textvqa",),
        "tuned on 22,000 captions of TextCaps, which describe TextVQA's training pictures",
        "haotian-liu/LLaVA, README.md, and arXiv:2310.03744, Table 7",
        "training",
    ),
    Overlap(
        ("words-then-llm",),
        ("photo-captions", "photo-vqa"),
        "its detector is trained on the pictures of COCO 2017's training split and the things in them",
        "TensorFlow's detection model zoo, ssd_mobilenet_v2_coco_2018_03_29",
        "test",
    ),
    Overlap(
        ("words-then-llm",),
        ("sound-captions", "sound-retrieval"),
        "its tagger is trained on AudioSet, of which AudioCaps' clips are, and on the tags of these",
        "tensorflow/models, research/audioset/yamnet, README.md; Kim et al., AudioCaps, NAACL 2019",
        "test",
    ),
    Overlap(
        ("nextgpt-photo", "nearest-caption"),
        ("sound-captions", "sound-retrieval"),
        "its frozen ears are YAMNet's, trained on AudioSet, of which AudioCaps' clips are",
        "tensorflow/models, research/audioset/yamnet, README.md; Kim et al., AudioCaps, NAACL 2019",
        "test",
    ),
)


def known_overlaps(system: str, benchmark: str) -> list[Overlap]:
    """The known overlaps of a system, by its name, with a benchmark.

    >>> [overlap.verdict for overlap in known_overlaps("nextgpt-7b", "audiocaps")]
    ['contaminated']
    >>> known_overlaps("nextgpt-tiny", "audiocaps")
    []
    """
    return [
        overlap
        for overlap in KNOWN
        if benchmark in overlap.benchmarks
        and any(fnmatchcase(system.lower(), pattern) for pattern in overlap.systems)
    ]
