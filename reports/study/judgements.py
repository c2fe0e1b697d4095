"""Judgements, unsealed: ratings of systems and votes between them, from this project's sheets or others'."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from reports.study.protocols import NEVER, Scale
from reports.study.ratings import Sheet
from reports.study.records import Hidden, Key, Study, Value

_BELOW = 90  # MUSHRA: what the hidden reference is to be rated, at least


@dataclass(frozen=True, slots=True)
class Rating:
    """A rating of one output. `item` names what was rated; `value` is as the scale has it."""

    rater: str
    item: str
    criterion: str
    system: str
    value: float


@dataclass(frozen=True, slots=True)
class Vote:
    """A vote between two outputs: 1 where the first won, 0.5 a tie, 0 where it lost."""

    rater: str
    item: str
    criterion: str
    first: str
    second: str
    outcome: float
    both_bad: bool = False


@dataclass(frozen=True)
class Judgements:
    """All that people said of systems."""

    ratings: tuple[Rating, ...] = ()
    votes: tuple[Vote, ...] = ()

    def without(self, raters: frozenset[str]) -> Judgements:
        """Those of all other raters."""
        return Judgements(
            tuple(each for each in self.ratings if each.rater not in raters),
            tuple(each for each in self.votes if each.rater not in raters),
        )

    @property
    def all(self) -> tuple[Rating | Vote, ...]:
        """Both kinds."""
        return (*self.ratings, *self.votes)


@dataclass(frozen=True)
class Quality:
    """How carefully one rater judged.

    Attributes:
        rater: a number.
        trials: answered, checks and duplicates included.
        checks, passed: attention checks that were answered, and as they asked.
        gap: mean distance between the answers to a trial and to its duplicate, as a share of the scale; None
            where no duplicate was answered.
        seconds: median time on a trial, None where times are not known.
        reasons: why the rules leave this rater out, empty where they do not.
    """

    rater: str
    trials: int
    checks: int
    passed: int
    gap: float | None
    seconds: float | None
    reasons: tuple[str, ...]


def unseal(study: Study, key: Key, sheets: Sequence[Sheet]) -> Judgements:
    """Ratings and votes by the names of systems; checks and duplicates are no judgements."""
    ratings, votes = list[Rating](), list[Vote]()
    for sheet in sheets:
        who = str(sheet.rater)
        for trial in study.trials[sheet.rater - 1]:
            hidden, answer = key.trials[trial.id], sheet.answers.get(trial.id)
            if hidden.kind != "item" or answer is None:
                continue
            item = "/".join(key.items[hidden.item])
            for name, criterion in trial.fields.items():
                value = answer[name]
                if study.protocol.layout == "pair":
                    outcome = {"left": 1.0, "right": 0.0}.get(str(value), 0.5)
                    first, second = hidden.slots
                    if first > second:  # one order for both sides
                        first, second, outcome = second, first, 1 - outcome
                    votes.append(Vote(who, item, criterion, first, second, outcome, value == "both bad"))
                else:
                    system = _slot(hidden, name, study)
                    number = _number(value, study.criteria[criterion].scale, hidden)
                    ratings.append(Rating(who, item, criterion, system, number))
    return Judgements(tuple(ratings), tuple(votes))


def quality(study: Study, key: Key, sheet: Sheet, reference: str) -> Quality:
    """Hold a rater against the rules that were fixed in advance.

    Args:
        study: with its rules.
        key: tells which trials are checks and duplicates.
        sheet: the rater's.
        reference: name of the hidden reference, in listening tests.
    """
    rules, trials = study.protocol.rules, {t.id: t for t in study.trials[sheet.rater - 1]}
    checks = [t for t in trials if key.trials[t].kind == "check" and t in sheet.answers]
    passed = sum(_passes(study, trials[t].fields, key.trials[t], sheet.answers[t]) for t in checks)
    gaps = [
        gap
        for t in trials
        if key.trials[t].kind == "duplicate" and t in sheet.answers and key.trials[t].of in sheet.answers
        for gap in _gaps(study, key, trials[t].fields, t, sheet)
    ]
    times = [seconds for t, seconds in sheet.seconds.items() if t in sheet.answers and seconds > 0]
    gap = sum(gaps) / len(gaps) if gaps else None
    usual = median(times) if times else None
    reasons = []
    if checks and 1 - passed / len(checks) > rules.checks_failed:
        reasons.append(f"{len(checks) - passed} of {len(checks)} attention checks failed")
    if usual is not None and usual < rules.least_seconds:
        reasons.append(f"{usual:.1f} s on a trial, by the median")
    if gap is not None and gap > rules.duplicate_gap and len(gaps) >= 3 and study.protocol.layout != "pair":
        reasons.append(f"answers to the same trial lie {100 * gap:.0f} % of the scale apart")
    if rules.same_answer and _always_the_same(key, sheet):
        reasons.append("one answer to everything")
    below = _reference_below(study, key, sheet, reference)
    if below is not None and below > rules.reference_below:
        reasons.append(f"the hidden reference is rated below {_BELOW} in {100 * below:.0f} % of the trials")
    return Quality(str(sheet.rater), len(sheet.answers), len(checks), passed, gap, usual, tuple(reasons))


def _slot(hidden: Hidden, name: str, study: Study) -> str:
    """The system that a field is about."""
    return hidden.slots[ord(name[-1]) - ord("A")] if study.protocol.layout == "all" else hidden.slots[0]


def _number(value: Value, scale: Scale, hidden: Hidden) -> float:
    """A rating as a number; of a clip that breaks, the share of it that comes before."""
    if scale.kind != "moment":
        return float(value)
    if value == NEVER or not hidden.seconds:
        return 1.0
    return min(1.0, float(value) / hidden.seconds)


def _passes(study: Study, fields: Mapping[str, str], hidden: Hidden, answer: Mapping[str, Value]) -> bool:
    """Whether a check was answered as it asked; a slider may be off by one in twenty of its scale."""
    for name, wanted in hidden.expected.items():
        scale, said = study.criteria[fields[name]].scale, answer[name]
        room = (scale.most - scale.least) // 20 if scale.kind == "points" else 0
        if said != wanted and not (room and abs(float(said) - float(wanted)) <= room):
            return False
    return True


def _gaps(study: Study, key: Key, fields: Mapping[str, str], trial: str, sheet: Sheet) -> list[float]:
    """Distance of each answer to a duplicate from the answer to the trial that it repeats, from 0 to 1."""
    again, first = key.trials[trial], key.trials[key.trials[trial].of]
    found = []
    for name, criterion in fields.items():
        scale = study.criteria[criterion].scale
        said = sheet.answers[trial][name]
        # The outputs stand the other way round.
        there = name
        if study.protocol.layout == "all":
            place = first.slots.index(_slot(again, name, study))
            there = f"{criterion} {chr(ord('A') + place)}"
        before = sheet.answers[again.of][there]
        if scale.kind == "choice":
            turned = {"left": "right", "right": "left"}.get(str(said), said)
            found.append(float(turned != before))
        else:
            width = float(scale.most - scale.least) if scale.kind == "points" else 1.0
            found.append(abs(_number(said, scale, again) - _number(before, scale, first)) / width)
    return found


def _always_the_same(key: Key, sheet: Sheet) -> bool:
    said = [answer for trial, answer in sheet.answers.items() if key.trials[trial].kind != "check"]
    return len(said) >= 20 and len({value for answer in said for value in answer.values()}) == 1


def _reference_below(study: Study, key: Key, sheet: Sheet, reference: str) -> float | None:
    if not study.protocol.reference:
        return None
    rated = [
        float(answer[name])
        for trial, answer in sheet.answers.items()
        if key.trials[trial].kind == "item"
        for name in answer
        if _slot(key.trials[trial], name, study) == reference
    ]
    return sum(value < _BELOW for value in rated) / len(rated) if rated else None
