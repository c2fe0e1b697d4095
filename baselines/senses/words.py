"""Pictures, clips and sounds in words: what each small network has found, one after another."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from baselines.optional import fingerprint
from nextgpt.media import Audio, Image, Medium, Video
from nextgpt.messages import Failure, Message, Request, assistant

VERSION = 1
FRAMES = 8  # of a clip, evenly spread
_SURE = 0.15  # probability from which a class of ImageNet is told
_SPOKEN = ("Speech", "Conversation", "Narration, monologue")
_MUCH_SPEECH = 0.3
_LONGEST = 120  # characters of what is read or said
Pixels = NDArray[np.uint8]


class Seer(Protocol):
    """A detector or a classifier."""

    fingerprint: str

    def see(self, pixels: Pixels) -> list[tuple[str, float]]:
        """Names and scores."""


class Reader(Protocol):
    """What reads writing."""

    fingerprint: str

    def see(self, pixels: Pixels) -> list[str]:
        """Lines."""


class Tagger(Protocol):
    """What names sounds."""

    fingerprint: str

    def hear(self, sound: Audio) -> list[tuple[str, float]]:
        """Names and scores."""


class Listener(Protocol):
    """What understands speech."""

    fingerprint: str

    def hear(self, sound: Audio) -> str:
        """Words."""


class InWords:
    """A worker that describes what a request shows; the same medium is looked at once.

    Args:
        describe: a medium to words.
        parts: fingerprints of what that rests on.
    """

    def __init__(self, describe: Callable[[Medium], str], parts: Sequence[str]) -> None:
        self._describe = describe
        self._known: dict[str, str] = {}
        self.fingerprint = fingerprint(VERSION, *parts)

    def respond(self, requests: Sequence[Request]) -> list[Message | Failure]:
        """Words for the first medium of each request."""
        return [self._answer(request) for request in requests]

    def _answer(self, request: Request) -> Message | Failure:
        media = [medium for turn in request.conversation for medium in turn.media]
        if not media:
            return Failure("describe", "there is nothing to be described")
        key = media[0].content_hash
        if key not in self._known:
            self._known[key] = self._describe(media[0])
        return assistant(self._known[key])


def of_pictures(things: Seer, looks: Seer, writing: Reader) -> InWords:
    """Pictures in words."""

    def describe(medium: Medium) -> str:
        assert isinstance(medium, Image)
        pixels = medium.pixels
        found = Counter(name for name, _ in things.see(pixels))
        return _told(found, looks.see(pixels), writing.see(pixels))

    return InWords(describe, [things.fingerprint, looks.fingerprint, writing.fingerprint])


def of_clips(things: Seer, looks: Seer) -> InWords:
    """Clips in words: of the frames, the things that most show, and the likeliest classes."""

    def describe(medium: Medium) -> str:
        assert isinstance(medium, Video)
        count = min(FRAMES, len(medium.frames))
        chosen = np.linspace(0, len(medium.frames) - 1, count).round().astype(int)
        seen = [Counter(name for name, _ in things.see(medium.frames[k])) for k in chosen]
        names = Counter(name for one in seen for name in one)
        often = {name: n for name, n in names.items() if 2 * n >= count}
        found = Counter({name: max(one[name] for one in seen) for name in often})
        shares: Counter[str] = Counter()
        for k in chosen:
            for name, share in looks.see(medium.frames[k]):
                shares[name] += share / count  # type: ignore[assignment]
        return _told(found, shares.most_common(3), ())

    return InWords(describe, [things.fingerprint, looks.fingerprint, str(FRAMES)])


def of_sounds(tags: Tagger, speech: Listener) -> InWords:
    """Sounds in words: what is heard most, and what is said where somebody speaks."""

    def describe(medium: Medium) -> str:
        assert isinstance(medium, Audio)
        heard = tags.hear(medium)
        told = ", ".join(name for name, _ in heard).lower()
        spoken = max((score for name, score in heard if name in _SPOKEN), default=0.0)
        words = speech.hear(medium)[:_LONGEST] if spoken >= _MUCH_SPEECH else ""
        return f'{told}; words: "{words}"' if words else told

    return InWords(describe, [tags.fingerprint, speech.fingerprint])


def _told(found: Mapping[str, int], looks: Sequence[tuple[str, float]], lines: Sequence[str]) -> str:
    """The findings on a picture in a line.

    Example:
        >>> _told({"dog": 2, "car": 1}, [("beagle", 0.6), ("kite", 0.01)], ["STOP"])
        '2 dogs, car; looks like: beagle; writing: "STOP"'
    """
    things = ", ".join(name if count == 1 else f"{count} {_plural(name)}" for name, count in found.items())
    likely = ", ".join(name for name, share in looks if share >= _SURE)
    writing = " ".join(lines)[:_LONGEST]
    parts = [things, f"looks like: {likely}" if likely else "", f'writing: "{writing}"' if writing else ""]
    return "; ".join(part for part in parts if part) or "nothing that is known"


def _plural(name: str) -> str:
    """Several of a thing.

    Example:
        >>> [_plural(name) for name in ("person", "sheep", "bus", "knife")]
        ['people', 'sheep', 'buses', 'knives']
    """
    odd = {"person": "people", "sheep": "sheep", "skis": "skis", "scissors": "scissors", "mouse": "mice"}
    if name in odd:
        return odd[name]
    if name.endswith("fe"):
        return f"{name[:-2]}ves"
    return f"{name}es" if name.endswith(("s", "sh", "ch", "x")) else f"{name}s"
