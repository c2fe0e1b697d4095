"""Toyworld conversions: every input by every output.

name: toy-conversions, toy-conversions-compositional
data set: toyworld descriptions, pictures, clips and sounds, each turned into something of another kind
licence: CC0 1.0
protocol: twelve cells of four inputs by four outputs, as many samples each; the other four are empty, for
    what stays of one kind is no conversion (see editing). The compositional split has no picture for a sound,
    for what is new in sounds there is loud, and pictures are not. An answer is right when every attribute
    that is asked for is; from a sound, what can be heard is: a picture sounds right in any colour. By cell.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from functools import partial
from itertools import islice
from types import MappingProxyType

from benchmarks.harness.benchmark import Benchmark, Options, Sample
from benchmarks.tasks.any_to_any.structure import structure_uses
from benchmarks.tasks.toyworld.scenes import LICENCE, SOURCE, TestSplit
from benchmarks.tasks.toyworld.truths import Truth, truth_uses
from nextgpt.messages import Modality, Part, Request, user
from toyworld.clips.clip import Clip
from toyworld.conversions import convert
from toyworld.kinds import KINDS, kind_of
from toyworld.scene import Scene
from toyworld.sounds.sound import Sound
from toyworld.splits import Value

# Prompts are the world's own: `Kind.make_requests` from a text, `Kind.describe_requests` into one, and those
# of `toyworld.conversions` from medium to medium. This is the first of the first.
PROMPT = "draw a picture of {caption}."
EACH = 25  # samples a cell
TYPES: MappingProxyType[Modality, type[Scene] | type[Clip] | type[Sound]] = MappingProxyType(
    {"image": Scene, "video": Clip, "audio": Sound}
)
MODALITIES: tuple[Modality, ...] = ("text", "image", "video", "audio")
EMPTY: MappingProxyType[tuple[Modality, Modality], frozenset[TestSplit]] = MappingProxyType(
    {
        **{(kind, kind): frozenset({"test", "compositional"}) for kind in MODALITIES},
        # What never met there in sounds is loud, and no picture is.
        ("audio", "image"): frozenset({"compositional"}),
    }
)
"""Cells in which there is nothing to convert, in these splits."""


def cells(split: TestSplit, *, empty: bool = False) -> list[tuple[Modality, Modality]]:
    """The cells of a split that hold samples, or those that hold none, by input and output.

    Example:
        >>> len(cells("test")), cells("test", empty=True)[1]
        (12, ('image', 'image'))
    """
    return [
        (given, wanted)
        for given in MODALITIES
        for wanted in MODALITIES
        if (split in EMPTY.get((given, wanted), ())) == empty
    ]


def cell(sample: Sample) -> str:
    """The slice of a sample: from what to what."""
    return str(sample.references["kind"])


def _asked(
    value: Value, given: Modality, wanted: Modality, rng: random.Random, *, seen: bool
) -> tuple[tuple[Part, ...], Truth] | None:
    """The parts of a request, and its truth; None where no picture or clip sounds so."""
    kind = kind_of(value)
    if given == "text":
        wording = rng.choice(kind.make_requests)
        return (wording.format(caption=kind.paraphrase(value, rng)),), Truth(value)
    if wanted == "text":
        return (kind.render(value), rng.choice(kind.describe_requests)), Truth(value, told=True)
    found = convert(value, rng, seen=seen, to=TYPES[wanted])
    if found is None:
        return None
    return (kind.render(value), found.text), Truth(found.target, exact=found.exact)


def _of_cell(given: Modality, wanted: Modality, split: TestSplit, seed: int) -> Iterator[Sample]:
    name = f"{given}-to-{wanted}"
    rng = random.Random(f"conversions-{split}-{name}")
    about = TYPES[wanted if given == "text" else given]
    values = KINDS[about].stream(split, seed)
    asked = ((value, _asked(value, given, wanted, rng, seen=split == "test")) for value in values)
    for number, (value, found) in enumerate(islice((each for each in asked if each[1]), EACH), start=1):
        assert found is not None
        parts, truth = found
        yield Sample(
            id=f"{name}-{number}",
            request=Request((user(*parts),), wanted=frozenset({wanted})),
            references={
                "truths": (truth,),
                "media": () if wanted == "text" else (wanted,),
                "kind": name,
            },
            group=f"{name}-{value.key}",
            hints={"caption": kind_of(value).describe(value), "plan": truth.plan},
        )


def _load(split: TestSplit, options: Options) -> Iterator[Sample]:
    """Cell by cell in turn, so that the first samples are of all cells."""
    grid = [_of_cell(*ends, split, seed) for seed, ends in enumerate(cells(split), start=1)]
    for row in zip(*grid, strict=True):
        yield from row


def _benchmark(name: str, split: TestSplit) -> Benchmark:
    return Benchmark(
        name=name,
        family="any-to-any",
        version=1,
        source=SOURCE,
        licence=LICENCE,
        protocol={
            "prompt": PROMPT,
            "split": split,
            "samples": len(cells(split)) * EACH,
            "empty cells": ", ".join(f"{given}-to-{wanted}" for given, wanted in cells(split, empty=True)),
        },
        load=partial(_load, split),
        metrics=(*truth_uses("conversion_accuracy"), *structure_uses()),
        headline="conversion_accuracy",
        accepts=frozenset(MODALITIES),
        produces=frozenset(MODALITIES),
        slices=cell,
    )


TEST = _benchmark("toy-conversions", "test")
COMPOSITIONAL = _benchmark("toy-conversions-compositional", "compositional")
