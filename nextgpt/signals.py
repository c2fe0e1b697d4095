"""The modality table, and the signal tokens by which the language model asks for media.

A modality is one entry of `MODALITIES`, and joins by adding its own. A signal token is a row
appended after the language model's vocabulary. It is never registered with the tokenizer, so text
that spells ``[IMG0]`` stays text: no string that a person types can become a signal.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nextgpt.messages import Modality

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class ModalityEntry:
    """What the model knows of a modality besides text.

    Attributes:
        noun: what people call one item.
        trunk: the encoder's name for it.
        signal: the stem of its signal tokens' names.
        signals: how many signal tokens make a span; a preset may choose another number.
        at_once: as many of them are encoded in one go as memory holds at full size.
        template: how it stands in a prompt where the preset says nothing of it, with ``{media}`` for its
            concept tokens; empty for one that is read only where the preset has a template.
        encoder: of one that the preset's encoder does not take: media to float ``[N, 1 + P, D]``, the CLS
            token first, as wide as the preset's encoder's.
        decoder: of one that no folder of the preset's makes: a class that is made with a device and says its
            condition's ``length`` and ``width``; see `nextgpt.decoding.decoder.Decoder` for what it does.
    """

    noun: str
    trunk: str
    signal: str
    signals: int
    at_once: int = 16
    template: str = ""
    encoder: Callable[[Sequence[Any]], Tensor] | None = None
    decoder: Callable[[Any], Any] | None = None


# Another modality joins by its own entry, in this order of reading and making.
MODALITIES: dict[Modality, ModalityEntry] = {
    "image": ModalityEntry(noun="picture", trunk="vision", signal="IMG", signals=4, at_once=64),
    "video": ModalityEntry(noun="clip", trunk="vision", signal="VID", signals=24, at_once=4),
    "audio": ModalityEntry(noun="sound", trunk="audio", signal="AUD", signals=8),
}


@dataclass(frozen=True)
class Span:
    """One complete span of signal tokens: the wish for one medium.

    Attributes:
        modality: what is wished for.
        start: where its first signal stands among the generated ids.
        length: how many signals it has.
    """

    modality: Modality
    start: int
    length: int


@dataclass(frozen=True)
class Parsed:
    """Generated ids, told apart.

    Attributes:
        pieces: text (a tuple of ids, never empty) and spans, in order.
        problems: what was malformed and has been left out, in words.
    """

    pieces: tuple[tuple[int, ...] | Span, ...]
    problems: tuple[str, ...]


class Signals:
    """The ids of the signal tokens.

    Args:
        first: the first id after the language model's own vocabulary.
        counts: signal tokens per modality; the order gives the order of the ids.

    Raises:
        ValueError: a modality that the table does not hold, or a count below 1.

    Example:
        >>> signals = Signals(1000, {"image": 4})
        >>> signals.ids("image"), signals.name(1003)
        (range(1000, 1004), '[IMG3]')
        >>> signals.parse([7, 1000, 1001, 1002, 1003, 8])
        Parsed(pieces=((7,), Span(modality='image', start=1, length=4), (8,)), problems=())
    """

    def __init__(self, first: int, counts: Mapping[Modality, int]) -> None:
        self.first = first
        self._ids: dict[Modality, range] = {}
        for modality, count in counts.items():
            if modality not in MODALITIES or count < 1:
                raise ValueError(
                    f"signals: {modality}: {count} is not possible; give one of "
                    f"{', '.join(MODALITIES)} and a count of at least 1"
                )
            self._ids[modality] = range(first, first + count)
            first += count
        self.total = first - self.first

    @property
    def modalities(self) -> tuple[Modality, ...]:
        """The modalities that have signals, in the order of their ids."""
        return tuple(self._ids)

    def ids(self, modality: Modality) -> range:
        """The ids of a modality's span, in order."""
        return self._ids[modality]

    def modality_of(self, token: int) -> Modality | None:
        """Whose signal a token is; None for text."""
        return next((modality for modality, ids in self._ids.items() if token in ids), None)

    def name(self, token: int) -> str:
        """What people call a signal token."""
        modality = self.modality_of(token)
        if modality is None:
            raise ValueError(f"token {token} is no signal; the signals are {self.first} and up")
        return f"[{MODALITIES[modality].signal}{token - self._ids[modality].start}]"

    def after(self, token: int) -> int | None:
        """The signal that has to follow a signal; None after a span's last one and after text."""
        modality = self.modality_of(token)
        return token + 1 if modality is not None and token + 1 in self._ids[modality] else None

    def parse(self, tokens: Sequence[int]) -> Parsed:
        """Tell text and spans apart, whatever the tokens are.

        A signal out of its place is reported and left out; the text around it stays.

        Example:
            >>> Signals(1000, {"image": 2}).parse([7, 1001, 8]).problems
            ('[IMG1] at position 1 begins no span',)
        """
        pieces: list[tuple[int, ...] | Span] = []
        problems: list[str] = []
        text: list[int] = []
        position = 0
        while position < len(tokens):
            token = tokens[position]
            modality = self.modality_of(token)
            if modality is None:
                text.append(token)
                position += 1
                continue
            if text:
                pieces.append(tuple(text))
                text = []
            ids = self._ids[modality]
            run = _common(ids, tokens[position : position + len(ids)])
            if run == len(ids):
                pieces.append(Span(modality, position, run))
            elif run:
                problems.append(f"the span at position {position} stops after {run} of {len(ids)} signals")
            else:
                problems.append(f"{self.name(token)} at position {position} begins no span")
            position += max(run, 1)
        if text:
            pieces.append(tuple(text))
        return Parsed(tuple(pieces), tuple(problems))


def _common(expected: Sequence[int], found: Sequence[int]) -> int:
    """How many leading items of two sequences agree."""
    length = 0
    for left, right in zip(expected, found, strict=False):
        if left != right:
            break
        length += 1
    return length
