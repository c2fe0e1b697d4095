"""Toyworld dialogues of three to five turns that pass from one medium to another.

name: toy-dialogues, toy-dialogues-compositional
data set: toyworld dialogues: questions, edits, conversions, "it" and "the red one", requests outside the
    world
licence: CC0 1.0
protocol: the whole dialogue is given, with the true replies and their media up to the last request, which is
    to be answered. Right when the last answer is: the words after the VQA normaliser, a description or a
    medium in every attribute that is asked for (of a sound turned into a picture or clip, what can be heard).
    By what is asked.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from itertools import islice

from benchmarks.harness.benchmark import Benchmark, Options, Sample
from benchmarks.tasks.any_to_any.structure import structure_uses
from benchmarks.tasks.toyworld.conversions import MODALITIES
from benchmarks.tasks.toyworld.scenes import LICENCE, SOURCE, TestSplit
from benchmarks.tasks.toyworld.truths import Truth, truth_uses
from nextgpt.messages import Message, Request
from toyworld.exchanges import Exchange, dialogues
from toyworld.kinds import kind_of
from toyworld.sounds.sound import Sound
from toyworld.splits import Value

PROMPT = "{the last request}"
DIALOGUES = 200


def kind_of_request(sample: Sample) -> str:
    """The slice of a sample: what its last request asks for."""
    return str(sample.references["kind"])


def _shown(held: Sequence[Exchange]) -> Value | None:
    """What the last request is about: the medium that was shown or made last before its reply."""
    parts = [part for exchange in held for part in (*exchange.request, *exchange.reply)]
    parts = parts[: len(parts) - len(held[-1].reply)]
    return next((part for part in reversed(parts) if not isinstance(part, str)), None)


def _truth(last: Exchange, about: Value | None) -> Truth:
    made = last.made
    if made is not None:
        unheard = last.kind == "convert" and isinstance(about, Sound)
        return Truth(made, exact=not unheard)
    if last.kind == "describe":
        return Truth(about, told=True)
    return Truth(None, last.turn.reply)


def _load(split: TestSplit, options: Options) -> Iterator[Sample]:
    for number, held in enumerate(islice(dialogues(split), DIALOGUES), start=1):
        about, last = _shown(held), held[-1]
        truth = _truth(last, about)
        said: list[Message] = [message for exchange in held for message in exchange.messages]
        yield Sample(
            id=str(number),
            request=Request(tuple(said[:-1]), wanted=frozenset({truth.modality})),  # type: ignore[arg-type]
            references={
                "truths": (truth,),
                "media": () if truth.modality == "text" else (truth.modality,),
                "kind": last.kind,
            },
            group=str(number),
            hints={
                # Of what the user shows; what was made is told by the calls that made it.
                "caption": "".join(kind_of(v).describe(v) for v in held[0].request if not isinstance(v, str)),
                "plan": truth.plan,
            },
        )


def _benchmark(name: str, split: TestSplit) -> Benchmark:
    return Benchmark(
        name=name,
        family="any-to-any",
        version=2,  # since 2 the caption is that of what the user shows
        source=SOURCE,
        licence=LICENCE,
        protocol={"prompt": PROMPT, "split": split, "samples": DIALOGUES, "replies before": "the true ones"},
        load=partial(_load, split),
        metrics=(*truth_uses("last_turn_accuracy"), *structure_uses()),
        headline="last_turn_accuracy",
        accepts=frozenset(MODALITIES),
        produces=frozenset(MODALITIES),
        slices=kind_of_request,
    )


TEST = _benchmark("toy-dialogues", "test")
COMPOSITIONAL = _benchmark("toy-dialogues-compositional", "compositional")
