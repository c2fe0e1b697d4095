"""A study from its material: trials, labels, attention checks, hidden duplicates, all drawn by one seed."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from string import ascii_uppercase

import numpy as np

from reports.study.design import Showing, StudyError, pairs_of, showings, williams_square
from reports.study.material import REFERENCE, Exhibit, Item, Material, Shown
from reports.study.protocols import NEVER, SIDES, Criterion, Protocol
from reports.study.records import Hidden, Key, Study, Trial, Value, study_id

_ANCHOR = "the reference below 3.5 kHz"
_NEAREST = 5  # trials that lie between a trial and its duplicate, where there are so many


@dataclass(frozen=True)
class Page:
    """One trial with all that it shows: what was asked, and the outputs under their labels."""

    trial: Trial
    asked: Shown
    outputs: tuple[tuple[str, Shown], ...]


@dataclass(frozen=True)
class Made:
    """A study, its key, and the pages of each rater."""

    study: Study
    key: Key
    pages: tuple[tuple[Page, ...], ...]


def make_study(folder: Path, protocol: Protocol, material: Material, *, raters: int, seed: int = 0) -> Made:
    """Lay out a study: who sees what, under which labels.

    Every rater meets a check and a duplicate in about 20 trials, two of each at least where there is room.

    Args:
        folder: where it will lie; nothing is written yet.
        protocol: the design.
        material: what is shown.
        raters: how many people judge.
        seed: draws order, sides, checks and duplicates; the labels' nonce is drawn anew each time.

    Raises:
        StudyError: no rater, no item, or more outputs side by side than there are letters.
    """
    rng = np.random.default_rng(seed)
    items = material.items
    if protocol.reference:
        items = tuple(_with_anchor(item) for item in items)
    systems = (*material.systems, *(name for name in (REFERENCE, _ANCHOR) if name in items[0].answers))
    if len(systems) > len(ascii_uppercase):
        raise StudyError(f"{len(systems)} outputs are too many to be told apart; compare fewer systems")
    nonce = secrets.token_hex(16)
    sets = _treatments(protocol, len(systems))
    paired = protocol.layout == "pair"
    drawn = showings(len(items), raters, len(sets), paired=paired, rng=rng)
    hidden: dict[str, Hidden] = {}
    pages = []
    for number, order in enumerate(drawn, start=1):
        made = _Rater(number, nonce, protocol, items, systems, rng)
        pages.append(tuple(made.pages(order, sets)))
        hidden |= made.hidden
    key = Key(
        nonce,
        seed,
        material.systems,
        tuple((item.benchmark, item.sample) for item in items),
        hidden,
        material.metrics,
    )
    trials = tuple(tuple(page.trial for page in mine) for mine in pages)
    name = study_id(protocol, key.commitment)
    study = Study(folder, name, protocol, trials, len(material.systems), len(items), key.commitment)
    return Made(study, key, tuple(pages))


def _treatments(protocol: Protocol, systems: int) -> list[tuple[int, ...]]:
    """What can stand together on one page, by numbers of systems."""
    if protocol.layout == "single":
        return [(number,) for number in range(systems)]
    return list(pairs_of(systems)) if protocol.layout == "pair" else [tuple(range(systems))]


class _Rater:
    """Makes the pages of one rater and keeps what they hide."""

    def __init__(
        self,
        number: int,
        nonce: str,
        protocol: Protocol,
        items: Sequence[Item],
        systems: Sequence[str],
        rng: np.random.Generator,
    ) -> None:
        self.number, self.nonce, self.protocol = number, nonce, protocol
        self.items, self.systems, self.rng = items, systems, rng
        self.hidden: dict[str, Hidden] = {}

    def pages(self, order: Sequence[Showing], sets: Sequence[tuple[int, ...]]) -> list[Page]:
        pages = [self._item(showing, sets, place) for place, showing in enumerate(order)]
        extra = max(2, round(len(pages) / 20))
        for page in self._repeated(pages, min(extra, len(pages) // 3)):
            original = next(
                i for i, each in enumerate(pages) if each.trial.id == self.hidden[page.trial.id].of
            )
            first = min(original + _NEAREST, len(pages))
            pages.insert(int(self.rng.integers(first, len(pages) + 1)), page)
        for number in range(extra):
            pages.insert(int(self.rng.integers(1, len(pages) + 1)), self._check(number))
        return pages

    def _item(self, showing: Showing, sets: Sequence[tuple[int, ...]], place: int) -> Page:
        chosen = [self.systems[number] for number in sets[showing.treatment]]
        if self.protocol.layout == "all":
            rows = williams_square(len(chosen))
            chosen = [chosen[number] for number in rows[(place + self.number) % len(rows)]]
        elif showing.swapped:
            chosen.reverse()
        return self._page(Hidden("item", showing.item, tuple(chosen)), f"item {place}")

    def _repeated(self, pages: Sequence[Page], count: int) -> list[Page]:
        """Some trials a second time, their outputs the other way round."""
        repeated = []
        for place in self.rng.choice(len(pages), size=count, replace=False):
            first = pages[place].trial.id
            known = self.hidden[first]
            again = replace(known, kind="duplicate", slots=known.slots[::-1], of=first)
            repeated.append(self._page(again, f"duplicate {place}"))
        return repeated

    def _page(self, hidden: Hidden, what: str) -> Page:
        item = self.items[hidden.item]
        shown = [item.answers[system] for system in hidden.slots]
        lengths = [part.seconds for answer in shown for part in answer if isinstance(part, Exhibit)]
        trial = self._trial(what, replace(hidden, seconds=max(lengths, default=0.0)))
        return Page(trial, item.asked, tuple(zip(self._labels(len(shown)), shown, strict=True)))

    def _check(self, number: int) -> Page:
        count = {"single": 1, "pair": 2, "all": len(self.systems)}[self.protocol.layout]
        wanted = {c.name: _expected(c, int(self.rng.integers(1 << 30))) for c in self.protocol.criteria}
        fields = self._fields(count)
        expected = {name: wanted[criterion] for name, criterion in fields.items()}
        told = "; ".join(f"{c.question} {wanted[c.name]}" for c in self.protocol.criteria)
        trial = self._trial(f"check {number}", Hidden("check", -1, ("",) * count, expected))
        words = f"This trial checks that the form is read. Please answer exactly this: {told}"
        return Page(trial, (words,), tuple((label, ()) for label in self._labels(count)))

    def _trial(self, what: str, hidden: Hidden) -> Trial:
        """A trial under a name that tells nothing without the nonce."""
        name = hashlib.sha256(f"{self.nonce}:{self.number}:{what}".encode()).hexdigest()[:10]
        self.hidden[name] = hidden
        return Trial(name, self._fields(len(hidden.slots)))

    def _labels(self, count: int) -> tuple[str, ...]:
        if self.protocol.layout == "pair":
            return ("left", "right")
        return tuple(ascii_uppercase[:count]) if self.protocol.layout == "all" else ("answer",)

    def _fields(self, count: int) -> Mapping[str, str]:
        names = [criterion.name for criterion in self.protocol.criteria]
        if self.protocol.layout != "all":
            return {name: name for name in names}
        return {f"{name} {label}": name for name in names for label in self._labels(count)}


def _expected(criterion: Criterion, draw: int) -> Value:
    """An answer for a check to ask for, different from check to check."""
    scale = criterion.scale
    if scale.kind == "choice":
        return SIDES[draw % len(SIDES)]
    if scale.kind == "moment":
        return NEVER
    step = max(1, (scale.most - scale.least) // 10)
    return scale.least + step * (draw % ((scale.most - scale.least) // step + 1))


def _with_anchor(item: Item) -> Item:
    """The item with a low anchor beside its reference, as in listening tests: all above 3.5 kHz gone."""
    from scipy.signal import butter, sosfiltfilt

    from nextgpt.media import Audio

    first = next(part for part in item.answers[REFERENCE] if isinstance(part, Exhibit))
    sound = Audio.decode(first.data, REFERENCE)
    if sound.rate <= 8000:
        return item
    low = sosfiltfilt(butter(8, 3500, fs=sound.rate, output="sos"), sound.samples)
    filtered = Audio(np.clip(low, -1, 1).astype(np.float32), sound.rate)
    answers = {**item.answers, _ANCHOR: (Exhibit("audio", filtered.wav(), filtered.seconds),)}
    return replace(item, answers=answers)
