"""What raters are asked: the designs that are shipped, every point of every scale in words.

A design says how many outputs stand side by side, which questions are asked of them, and which rules will
leave a rater out. All of it is written into the study before the first rating, and hashed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal

Layout = Literal["single", "pair", "all"]
NEVER = "never"
SIDES = ("left", "right", "tie", "both bad")


@dataclass(frozen=True)
class Scale:
    """The answers to a question.

    Attributes:
        kind: `points` (whole numbers from `least` to `most`), `choice` (of `SIDES`), or `moment` (seconds
            from the clip's start, or `NEVER`).
        least, most: the ends of the points.
        anchors: what points stand for, in words; every point of a short scale has some.
    """

    kind: str
    least: int = 0
    most: int = 0
    anchors: Mapping[str, str] = field(default_factory=dict)

    @property
    def words(self) -> str:
        """The answers, for an error message."""
        if self.kind == "choice":
            return ", ".join(SIDES)
        if self.kind == "moment":
            return f"seconds from the start, or {NEVER}"
        return f"a whole number from {self.least} to {self.most}"


@dataclass(frozen=True)
class Criterion:
    """One question: its name in tables, how it is put, and its answers."""

    name: str
    question: str
    scale: Scale


@dataclass(frozen=True)
class Rules:
    """When a rater is left out, fixed before the first rating.

    Attributes:
        checks_failed: more than this share of the attention checks failed.
        least_seconds: the median time on a trial is shorter, where times are known.
        duplicate_gap: ratings of three hidden duplicates or more lie further apart on average, as a share of
            the scale; votes are free to change, for two outputs may be as good as each other.
        same_answer: one answer to every question of 20 trials or more leaves a rater out.
        reference_below: MUSHRA: the hidden reference is rated below 90 in more than this share of the trials.
    """

    checks_failed: float = 0.34
    least_seconds: float = 1.0
    duplicate_gap: float = 0.5
    same_answer: bool = True
    reference_below: float = 0.15


@dataclass(frozen=True)
class Protocol:
    """A design of a study.

    Attributes:
        name: what it is asked for by.
        title, instructions: what raters read first.
        layout: one output at a time, a pair, or all side by side.
        criteria: the questions.
        items: how many items it takes, unless told otherwise.
        wants: the medium that an output must hold, if any.
        reference: whether the benchmark's own answer is among what is rated, unmarked.
        rules: when a rater is left out.
    """

    name: str
    title: str
    instructions: str
    layout: Layout
    criteria: tuple[Criterion, ...]
    items: int = 100
    wants: Literal["", "image", "audio", "video"] = ""
    reference: bool = False
    rules: Rules = Rules()


def _points(*words: str) -> Scale:
    """A scale with words at every point, the worst first."""
    return Scale("points", 1, len(words), {str(n): text for n, text in enumerate(words, start=1)})


_HUNDRED = {
    "0": "bad: unusable",
    "20": "poor: far from what was asked",
    "40": "fair: part of what was asked",
    "60": "good: most of what was asked",
    "80": "excellent: all of what was asked",
    "100": "could not be better",
}
_CHOICE = Scale(
    "choice",
    anchors={
        "left": "the left one is better",
        "right": "the right one is better",
        "tie": "both are equally good",
        "both bad": "both are bad, and neither is better",
    },
)
_COMMON = (
    "Take your time, and judge each trial by itself. There are no right answers, except in a few trials "
    "that tell you what to choose, to check that the form is read. You can stop at any time and go on later."
)
_FOLLOWS = "Does the answer do what was asked, all of it and nothing else?"
_QUALITY = "How good is what was made, by itself: sharp, natural, free of faults?"

PROTOCOLS: Mapping[str, Protocol] = MappingProxyType(
    {
        made.name: made
        for made in (
            Protocol(
                "pairwise",
                "Which answer is better?",
                "You see what was asked and two answers to it. Choose the better one, or say that they are "
                f"equally good, or both bad. {_COMMON}",
                "pair",
                (Criterion("preference", "Which answer is better?", _CHOICE),),
            ),
            Protocol(
                "likert",
                "How good is this answer?",
                f"You see what was asked and one answer to it. Answer every question about it. {_COMMON}",
                "single",
                (
                    Criterion(
                        "following",
                        _FOLLOWS,
                        _points(
                            "not at all: something else was made",
                            "barely: a small part of it",
                            "half: some of it is missing or wrong",
                            "mostly: one detail is missing or wrong",
                            "fully: everything that was asked",
                        ),
                    ),
                    Criterion(
                        "quality",
                        _QUALITY,
                        _points(
                            "bad: unusable",
                            "poor: faults that disturb",
                            "fair: faults that can be seen or heard at once",
                            "good: small faults on a second look",
                            "excellent: no fault to be found",
                        ),
                    ),
                ),
            ),
            Protocol(
                "1to10",
                "How well was it converted?",
                "You see what was given and what was made of it. Rate the conversion from 1 to 10. "
                + _COMMON,
                "single",
                (
                    Criterion(
                        "conversion",
                        "How well does what was made carry over what was given?",
                        _points(
                            "nothing carried over",
                            "hardly anything",
                            "a trace, and most of it wrong",
                            "some of it, with large errors",
                            "half of it",
                            "more than half of it",
                            "most of it, with errors that disturb",
                            "most of it, with small errors",
                            "nearly all of it",
                            "all of it, and well made",
                        ),
                    ),
                ),
            ),
            Protocol(
                "paper",
                "How well was the instruction carried out?",
                "You see an instruction and one answer to it, often words and a picture together. Answer "
                f"three questions about it, each from 0 to 100. {_COMMON}",
                "single",
                (
                    Criterion("following", _FOLLOWS, Scale("points", 0, 100, _HUNDRED)),
                    Criterion(
                        "rationality",
                        "Does the answer make sense: its words by themselves, and with what was made?",
                        Scale("points", 0, 100, _HUNDRED),
                    ),
                    Criterion("quality", _QUALITY, Scale("points", 0, 100, _HUNDRED)),
                ),
            ),
            Protocol(
                "mushra",
                "How good do these sounds sound?",
                "Put on headphones. You hear several versions of one sound; one of them is the original. "
                f"Listen to all of them to their end, and rate each from 0 to 100. {_COMMON}",
                "all",
                (
                    Criterion(
                        "quality",
                        "How good does it sound?",
                        Scale(
                            "points",
                            0,
                            100,
                            {
                                "0": "bad",
                                "20": "poor",
                                "40": "fair",
                                "60": "good",
                                "80": "excellent",
                                "100": "the original",
                            },
                        ),
                    ),
                ),
                items=20,
                wants="audio",
                reference=True,
            ),
            Protocol(
                "breaks",
                "Where does the clip break?",
                "You see what was asked and a clip. Watch it to its end. If something impossible happens "
                "(a thing melts, doubles or vanishes), give the second at which it begins; a button takes it "
                f"from the player. If nothing does, say {NEVER}. {_COMMON}",
                "single",
                (Criterion("breaks_at", "At which second does the clip break?", Scale("moment")),),
                wants="video",
            ),
        )
    }
)
