"""A conversation with one system, or with two, whose sides are drawn by seed and told after the vote."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from benchmarks.harness.system import System
from nextgpt.media import Medium
from nextgpt.messages import Failure, Message, Modality, Request, seed_of, user
from reports.study.judgements import Vote
from reports.talk.answering import STOPPED, Answering, Making

NOUNS: dict[Modality, str] = {"text": "text", "image": "pictures", "video": "clips", "audio": "sounds"}
VOTES = {"left": (1.0, False), "right": (0.0, False), "tie": (0.5, False), "both bad": (0.5, True)}
SIDES = ("Left", "Right")
_MOST_MEDIA = 8


class TalkError(ValueError):
    """Something that can't be said now; the message says why and what to do."""


@dataclass
class Pane:
    """One side of the page: a system and what was said with it.

    Attributes:
        system: who answers.
        turns: what was said, and what came back; None while it is being made.
        making: how far that has come.
    """

    system: System
    turns: list[tuple[Message, Message | Failure | None]] = field(default_factory=list)
    making: Making = field(default_factory=Making)

    def request(self, said: Message, wanted: frozenset[Modality] | None, seed: int) -> Request:
        """What the system is asked: all that it said itself before, as far as it reads back."""
        earlier = [m for asked, got in self.turns if isinstance(got, Message) for m in (asked, got)]
        count: int | None = getattr(self.system, "history", None)
        if count is not None:
            earlier = earlier[-count:] if count else []
        while earlier and earlier[0].role == "assistant":
            earlier = earlier[1:]
        return Request((*earlier, said), wanted=wanted, seed=seed)


class Talk:
    """All that one visitor says.

    Args:
        systems: one, or two to be compared.
        turn: held while a system answers.
        who: a name that tells nothing, for votes.
        seed: draws sides and all randomness of answers.

    Attributes:
        attached: what goes with the next message.
        panes: from left to right.
        voted: what was voted; empty before. A vote ends a round: what is said next begins another, its sides
            drawn anew.
    """

    def __init__(self, systems: Sequence[System], turn: threading.Lock, who: str, seed: int = 0) -> None:
        self._systems, self._turn, self.who, self._seed = tuple(systems), turn, who, seed
        self._round = 0
        self._stop = threading.Event()
        self._busy = threading.Lock()
        self.attached: list[Medium] = []
        self.panes: tuple[Pane, ...] = ()
        self.voted = ""
        self._begin()

    @property
    def blind(self) -> bool:
        """Whether nobody is to know who answers."""
        return len(self.panes) > 1 and not self.voted

    def name(self, place: int) -> str:
        """What a side is called: the system's name, or where it stands as long as that is all to be known."""
        if len(self.panes) == 1:
            return self.panes[0].system.name
        return SIDES[place] if self.blind else f"{SIDES[place]}: {self.panes[place].system.name}"

    @property
    def open_to_votes(self) -> bool:
        """Whether there are two answers to compare, and no vote yet."""
        return self.blind and all(
            pane.turns and isinstance(pane.turns[-1][1], Message) for pane in self.panes
        )

    def _refusal(self, wanted: frozenset[Modality]) -> str:
        """Why this can't be asked, in words; empty where it can."""
        for pane in self.panes:
            who = "one of the two systems" if self.blind else pane.system.name
            for unable, known, verb in (
                (frozenset(medium.modality for medium in self.attached), pane.system.accepts, "reads"),
                (wanted, pane.system.produces, "makes"),
            ):
                if missing := unable - known:
                    can = "" if self.blind else f"it {verb} {_and(known)}; "
                    return f"{who} {verb} no {_and(missing)}: {can}take that back, or ask another system"
        return ""

    def attach(self, medium: Medium) -> None:
        """Put a medium beside the next message.

        Raises:
            TalkError: there are too many.
        """
        if len(self.attached) >= _MOST_MEDIA:
            raise TalkError(f"at most {_MOST_MEDIA} pictures, clips and sounds go with a message")
        self.attached.append(medium)

    def say(self, text: str, wanted: frozenset[Modality] = frozenset()) -> Iterator[None]:
        """Ask each side in turn, with what was attached; yields whenever something is new to be shown.

        Raises:
            TalkError: nothing is said, it is said while another answer is made, or a system can't take it.
        """
        if not text.strip() and not self.attached:
            raise TalkError("write something, or add a picture, a clip or a sound")
        if not self._busy.acquire(blocking=False):
            raise TalkError("an answer is being made; stop it first, or wait")
        try:
            if self.voted:
                self._begin()
            if why := self._refusal(wanted):
                raise TalkError(why)
            self._stop.clear()
            # A half of a surrogate pair is no text to any tokenizer.
            said = user(*self.attached, text.encode(errors="replace").decode())
            self.attached.clear()
            seed = seed_of(f"talk/{len(self.panes[0].turns)}", self._seed)
            for pane in self.panes:
                yield from self._ask(pane, said, wanted, seed)
        finally:
            self._stop.set()  # the page may have been closed in the middle
            for pane in self.panes:
                if pane.turns and pane.turns[-1][1] is None:
                    pane.turns[-1] = (pane.turns[-1][0], STOPPED)
            self._busy.release()

    def _ask(self, pane: Pane, said: Message, wanted: frozenset[Modality], seed: int) -> Iterator[None]:
        request = pane.request(said, wanted or None, seed)
        pane.turns.append((said, None))
        pane.making = Making(waits=True)
        yield
        for news in Answering(pane.system, request, self._turn, self._stop):
            if isinstance(news, Making):
                pane.making = news
            else:
                pane.turns[-1] = (said, news)
            yield

    def stop(self) -> None:
        """Want no more of what is being made."""
        self._stop.set()

    def begin_anew(self) -> None:
        """Forget everything.

        Raises:
            TalkError: an answer is being made.
        """
        if not self._busy.acquire(blocking=False):
            raise TalkError("an answer is being made; stop it first, or wait")
        self._begin()
        self.attached.clear()
        self._busy.release()

    def vote(self, choice: str) -> Vote:
        """Prefer a side; from then on the names are shown.

        Raises:
            TalkError: there is nothing to vote on.
        """
        if choice not in VOTES or not self.open_to_votes or self._busy.locked():
            raise TalkError("there are no two answers to vote on; ask something first")
        outcome, both_bad = VOTES[choice]
        left, right = (pane.system.name for pane in self.panes)
        return Vote(self.who, self._item(), "preference", left, right, outcome, both_bad)

    def tell(self, choice: str) -> None:
        """Show the names: the vote is on the disk."""
        self.voted = choice

    def _begin(self) -> None:
        self._round += 1
        turned = len(self._systems) > 1 and seed_of(f"sides/{self.who}/{self._round}", self._seed) % 2
        order = self._systems[::-1] if turned else self._systems
        self.panes = tuple(Pane(system) for system in order)
        self.voted = ""

    def _item(self) -> str:
        """Names what was asked in this round by its content, so that others' votes on it are on one item."""
        digest = hashlib.sha256()
        for said, _ in self.panes[0].turns:
            for part in said.parts:
                digest.update((part if isinstance(part, str) else part.content_hash).encode() + b"\0")
        return digest.hexdigest()[:16]


def _and(kinds: frozenset[Modality]) -> str:
    """Kinds of media in words.

    >>> _and(frozenset({"text", "image", "audio"}))
    'text, pictures and sounds'
    """
    *first, last = [noun for kind, noun in NOUNS.items() if kind in kinds]
    return f"{', '.join(first)} and {last}" if first else last
