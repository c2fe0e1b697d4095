"""What is missing on this machine, and what that disables; nothing is downloaded.

Each thing is looked for by building it, and each program is started and asked once, so its own code says
what is missing or goes wrong, and the list can't lie.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from benchmarks.harness.provenance import redact
from benchmarks.registry import EXTRACTORS, SYSTEMS, load_extractor, load_packaged, load_system

CLIP, CLAP = "openai/clip-vit-base-patch32", "laion/clap-htsat-unfused"
CAPTION = (["two dogs"], [["two dogs"]])  # what programs are asked about, with its reference
_FOR_DISTANCES = {
    "clip-336": "cmmd as published",
    "dinov2": "fd_dinov2",
    "videomae": "fvd over VideoMAE features",
    "imagebind": "imagebind_score, avh_score, javis_score",
}
TOYWORLD_CLIP = ("fid and clip_score of toyworld's benchmarks",)


@dataclass(frozen=True)
class Finding:
    """One thing that metrics or systems need.

    Attributes:
        what: the tool, weights or system.
        present: whether it is at hand and can be used.
        disables: what does not work without it.
        reason: what is wrong with it; empty where it is present.
    """

    what: str
    present: bool
    disables: str
    reason: str = ""


def examine(packaged: Path | None = None) -> Iterator[Finding]:
    """Look for everything, in a fixed order; systems, which take longest, come last.

    Args:
        packaged: the folder of packaged weights; by default where they are looked for.
    """
    from benchmarks.tasks.toyworld.extractor import WEIGHTS
    from metrics.answers.wups import wordnet_similarity
    from metrics.captions.java import check_java
    from metrics.captions.spice import spice_scores
    from metrics.extractors import (
        ClapExtractor,
        ClipExtractor,
        InceptionExtractor,
        PannsExtractor,
        VGGishExtractor,
        clap,
        clip,
        inception,
        panns,
        vggish,
    )

    captions = ("bleu_1..bleu_4", "rouge_l", "cider_d", "meteor")
    yield _look("Java", captions, check_java)
    yield _look("PTB tokeniser", captions, _tokenise)
    yield _look("METEOR 1.5", captions[3:], _align)
    yield _look("SPICE 1.0 with CoreNLP 3.6.0", ("spice", "spider"), partial(spice_scores, *CAPTION))
    yield _look("WordNet", ("wups of NExT-QA and DAQUAR",), partial(wordnet_similarity, "next-qa"))
    yield _look("toyworld's extractor", TOYWORLD_CLIP, partial(ClipExtractor, WEIGHTS))
    yield _look(f"CLIP {CLIP}", clip.DISABLES, partial(ClipExtractor, CLIP))
    for name, what in _FOR_DISTANCES.items():
        yield _look(f"{name}, {EXTRACTORS[name].source}", (what,), partial(load_extractor, name))
    yield _look("FID's Inception", inception.DISABLES, InceptionExtractor)
    yield _look("VGGish", vggish.DISABLES, VGGishExtractor)
    for rate in panns.VARIANTS:
        yield _look(f"PANNs Cnn14 {rate} Hz", panns.DISABLES, partial(PannsExtractor, rate=rate))
    yield _look(f"CLAP {CLAP}", clap.DISABLES, partial(ClapExtractor, CLAP))
    for standing in load_packaged("standings")(packaged):
        entry = standing.entry
        what = f"packaged {entry.name}: {entry.about}; {entry.bytes / 1e6:.1f} MB, {entry.licence}"
        yield Finding(what, standing.whole, ", ".join(entry.used_by), standing.why)
    for name in (name for name in SYSTEMS if ":" not in name):  # the others are whatever a person names
        yield _look(f"system {name}", (f"runs of {name}",), partial(load_system, name))


def _tokenise() -> None:
    """Start the tokeniser; what it said earlier in this process is no sign that it runs."""
    from metrics.captions.java import JavaError
    from metrics.captions.tokenizer import run_tokenizer

    found = run_tokenizer(["Two dogs."])
    if found != CAPTION[0]:
        raise JavaError(f"the PTB tokeniser reads 'Two dogs.' as {found}, not as {CAPTION[0]}")


def _align() -> None:
    """Start METEOR, unless it runs already."""
    from metrics.captions.java import JavaError
    from metrics.captions.meteor import meteor_scores, meteor_statistics

    found = meteor_scores(meteor_statistics(*CAPTION)).tolist()
    if found != [1.0]:
        raise JavaError(f"METEOR gives {found} to a caption that equals its reference, not [1.0]")


def _look(what: str, disables: Sequence[str], build: Callable[[], object]) -> Finding:
    try:
        build()
    except (ValueError, OSError, RuntimeError, ImportError) as error:
        reason = str(error).partition("; without it")[0]  # what it disables has its own column
        return Finding(what, False, ", ".join(disables), redact(" ".join(reason.split())))
    return Finding(what, True, ", ".join(disables))
