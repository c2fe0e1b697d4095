"""How a conversation becomes the ids that the language model reads.

Each medium of the user's takes as many places as it has concept tokens; each medium of the assistant's
is the span of signals that asked for it. What people type is tokenised as plain text: neither
``</s>`` nor ``[IMG0]`` nor a template's ``<Img>`` in it means anything.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from nextgpt.config import Prompt
from nextgpt.media import Medium
from nextgpt.messages import Message
from nextgpt.signals import Signals

MEDIUM = -1  # the place of one concept token
_SPACES = ("\u2581", "\u0120")  # how tokenizers write a space: sentencepiece's, and GPT-2's
# Bytes that are no text reach a program as halves of surrogate pairs, which no tokenizer takes.
HALVES = re.compile("[\ud800-\udfff]")


class _Tag(str):
    """A template's own token, as against typed text that spells it."""

    __slots__ = ()


def half_character(text: str) -> str:
    """Half of a character, which no tokenizer takes, if there is one in a text: bytes that were no UTF-8.

    Example:
        >>> half_character("caf" + chr(0xDCE9)), half_character("café")
        ('U+DCE9', '')
    """
    half = HALVES.search(text)
    return f"U+{ord(half.group()):04X}" if half else ""


@dataclass
class Written:
    """A conversation in ids.

    Attributes:
        ids: token ids; `MEDIUM` where a concept token stands, signals from `Signals.first` up.
        learn: which ids belong to the assistant, and are learnt in training.
        media: the media whose concept tokens stand there, in order.
        targets: the media that the assistant's spans ask for, in order.
    """

    ids: list[int] = field(default_factory=list)
    learn: list[bool] = field(default_factory=list)
    media: list[Medium] = field(default_factory=list)
    targets: list[Medium] = field(default_factory=list)

    def add(self, ids: Sequence[int], learn: bool) -> None:
        """Append ids, all learnt or all given."""
        self.ids.extend(ids)
        self.learn.extend([learn] * len(ids))


class Writer:
    """Writes conversations by a preset's template.

    Args:
        prompt: the template.
        tokenizer: of the language model.
        signals: the signal ids.
        concepts: how many places a medium takes.
    """

    def __init__(self, prompt: Prompt, tokenizer: Any, signals: Signals, concepts: int) -> None:
        self.prompt = prompt
        self.signals = signals
        self.concepts = concepts
        self._tokenizer = tokenizer
        # Tokens that only a template can write: those that it added, and the tokenizer's own special ones.
        template = "".join((prompt.user, *prompt.media().values()))
        special = [token for token in tokenizer.all_special_tokens if token in template]
        self._tags = (*prompt.tags, *(token for token in special if token not in prompt.tags))
        before, after = prompt.user.split("{content}")
        self._before, self._after = self._tagged(before), self._tagged(after)
        self._gap = "" if after.endswith("\n") else " "  # before a reply
        self._around = {
            modality: tuple(self._tagged(text) for text in template.split("{media}"))
            for modality, template in prompt.media().items()
        }
        # Some tokenizers put a space before text that has none; Llama's put one before any text.
        plain, spaced = (self._ids(text, split_special_tokens=True) for text in ("a", " a"))
        adds_space = tokenizer.convert_ids_to_tokens(plain)[0].startswith(_SPACES)
        self._always_adds_space = adds_space and plain != spaced
        self.end = self._after_text(prompt.end)
        self._first = [] if tokenizer.bos_token_id is None else [tokenizer.bos_token_id]
        begin = prompt.begin.rstrip(" ") if adds_space else prompt.begin
        self._begin = self._first + self.template(begin)

    def typed(self, text: str) -> list[int]:
        """Ids of text from outside: special tokens spelt out in it stay plain text."""
        own = text.removeprefix(" ") if self._always_adds_space else text
        return self._ids(own, split_special_tokens=True)

    def template(self, text: str) -> list[int]:
        """Ids of text from a preset: special tokens in it are meant."""
        return self._ids(text, split_special_tokens=False)

    def _after_text(self, text: str) -> list[int]:
        """Ids of text from a preset that follows other text, without a space of the tokenizer's own."""
        before, whole = self.template("a"), self.template("a" + text)
        return whole[len(before) :] if whole[: len(before)] == before else self.template(text)

    def _ids(self, text: str, *, split_special_tokens: bool) -> list[int]:
        if not text:
            return []
        encoded = self._tokenizer(text, add_special_tokens=False, split_special_tokens=split_special_tokens)
        return list(encoded["input_ids"])

    def _tagged(self, text: str) -> list[str]:
        """A part of the template, its tags apart: texts and tags by turns, a text at both ends.

        Spaces beside a tag that was added belong to it, as tokenizers have it.
        """
        if not self._tags:
            return [text]
        added = [f" *({re.escape(tag)}) *" for tag in self.prompt.tags]
        special = [f"({re.escape(tag)})" for tag in self._tags[len(added) :]]
        pieces = re.split("|".join(added + special), text)
        return [_Tag(piece) if piece in self._tags else piece for piece in pieces if piece is not None]

    def write(self, conversation: Sequence[Message], *, longest: int | None = None) -> Written:
        """Write a conversation; when it ends with the user, up to where the model continues.

        Args:
            conversation: the turns.
            longest: drop the oldest turns until so many ids suffice; the last user turn always stays.
        """
        turns = list(conversation)
        written = self._write(turns)
        while longest is not None and len(written.ids) > longest and len(turns) > 1:
            # A turn of the user goes together with its answer.
            turns = turns[1:]
            while len(turns) > 1 and turns[0].role == "assistant":
                turns = turns[1:]
            written = self._write(turns)
        return written

    def raw(self, text: str) -> Written:
        """A whole prompt in text, template included; special tokens spelt in it are plain text."""
        written = Written()
        written.add([*self._first, *self.typed(text)], False)
        return written

    def _write(self, turns: Sequence[Message]) -> Written:
        written = Written()
        written.add(self._begin, False)
        for message in turns:
            if message.role == "user":
                self._write_user(message, written)
            else:
                self._write_assistant(message, written)
        return written

    def text(self, conversation: Sequence[Message], captions: Sequence[str] = ()) -> str:
        """Write a conversation as plain text, with a caption where each medium's concept tokens stand.

        This is what the text pipelines give the very same language model.

        Args:
            conversation: turns ending with the user; the assistant's media are left out.
            captions: one for each medium of the user's, in order.

        Raises:
            ValueError: the numbers of captions and of media differ.
        """
        media = sum(len(message.media) for message in conversation if message.role == "user")
        if media != len(captions):
            raise ValueError(f"{media} media need as many captions, got {len(captions)}")
        given = iter(captions)
        said = [self.prompt.begin]
        for message in conversation:
            if message.role == "user":
                said += [piece if isinstance(piece, str) else next(given) for piece in self._turn(message)]
            else:
                said.append(f"{self._gap}{message.text}{self.prompt.end}")
        return "".join(said)

    def _turn(self, message: Message) -> list[str | Medium]:
        """A turn of the user in the template's words: texts and media by turns, a text at both ends."""
        *tags, text = self._before
        pieces: list[str | Medium] = [*tags]
        first = True
        for part in message.parts:
            beside_tag = bool(self._tags) and not text
            gap = "" if first or beside_tag or text.endswith("\n") else " "
            if not isinstance(part, str):
                (opening, *tags), closing = self._around[part.modality]
                pieces += [text + gap + opening, *tags, part, *closing[:-1]]
                text = closing[-1]
            elif part.strip():
                text += gap + part.strip()
            else:
                continue
            first = False
        return [*pieces, text + self._after[0], *self._after[1:]]

    def _write_user(self, message: Message, written: Written) -> None:
        # Typed text is tokenised together with the template's words around it, so that the ids are those
        # of the whole sentence.
        pieces = self._turn(message)
        for place, piece in enumerate(pieces):
            if not isinstance(piece, str):
                written.add([MEDIUM] * self.concepts, False)
                written.media.append(piece)
            elif isinstance(piece, _Tag):
                written.add([self._tokenizer.convert_tokens_to_ids(piece)], False)
            else:
                # Text that follows a space begins with it; concept tokens do not.
                last = place == len(pieces) - 1
                written.add(self.typed(piece if last else piece.rstrip(" ")), False)

    def _write_assistant(self, message: Message, written: Written) -> None:
        gap = self._gap
        for part in message.parts:
            if not isinstance(part, str):
                written.add(self.signals.ids(part.modality), True)
                written.targets.append(part)
            elif part.strip():
                written.add(self.typed(gap + part.strip()), True)
            gap = " "
        written.add(self.end, True)
