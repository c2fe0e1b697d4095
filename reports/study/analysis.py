"""What judgements show: means, win rates and strengths with intervals, and whether they agree.

Every interval is clustered by rater and by item. All comparisons of one study are one family of tests, and a
winner is called only where Holm's correction leaves p below 0.05; where it does not, the account says how
many more items or raters would show a difference as large as the one that was seen.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from itertools import combinations
from typing import Any

import numpy as np

from metrics.metric import Estimate, FloatArray, MetricInputError
from metrics.people.agreement import Level, agreement_intervals, krippendorff_alpha
from metrics.people.crossed import (
    Spread,
    crossed_difference,
    crossed_mean,
    crossed_win_rate,
    seen_gap,
)
from metrics.people.power import Variances, items_needed, raters_needed
from metrics.people.preferences import crossed_strengths
from metrics.statistics import holm
from reports.study.judgements import Judgements, Quality, Rating, Vote
from reports.study.records import Measured

LEVEL = 0.05


@dataclass(frozen=True)
class Score:
    """One system under one criterion: a mean rating, a win rate, or a strength on Elo's scale."""

    criterion: str
    system: str
    kind: str
    value: float | None
    low: float | None
    high: float | None
    n: int
    method: str


@dataclass(frozen=True)
class Comparison:
    """Two systems under one criterion.

    Attributes:
        first, second: their names.
        kind: `difference` of mean ratings, or `win rate` of the first.
        value, low, high: it, with its 95 % interval.
        p, p_adjusted: against "no difference", alone and after Holm.
        n: judgements.
        both_bad: share of votes that called both bad; None for ratings.
        better: the winner, None where none was shown.
        words: the finding in a sentence.
    """

    criterion: str
    first: str
    second: str
    kind: str
    value: float
    low: float | None
    high: float | None
    p: float
    p_adjusted: float
    n: int
    both_bad: float | None
    better: str | None
    words: str


@dataclass(frozen=True)
class Agreed:
    """How far raters agree under one criterion; without a value, `method` says why."""

    criterion: str
    level: str
    value: float | None
    low: float | None
    high: float | None
    n: int
    method: str


@dataclass(frozen=True)
class Followed:
    """How an automatic metric goes along with people under one criterion, at one level."""

    criterion: str
    metric: str
    benchmark: str
    signature: str
    level: str
    value: float | None
    low: float | None
    high: float | None
    n: int
    method: str


@dataclass(frozen=True)
class Findings:
    """What a set of judgements shows."""

    raters: int
    items: int
    judgements: int
    scores: tuple[Score, ...]
    comparisons: tuple[Comparison, ...]
    agreement: tuple[Agreed, ...]


@dataclass(frozen=True)
class Result:
    """All that a study says, as ``study-result.json`` holds it.

    Attributes:
        title, study, design: which study it is; empty for judgements of other tools.
        kept: what the raters show whom the rules keep.
        everyone: what all show; None where nobody is left out.
        quality: how carefully each rater judged.
        metrics: how automatic metrics go along with people.
        remarks: what to bear in mind, a line each.
    """

    title: str
    study: str
    design: str
    kept: Findings
    everyone: Findings | None
    quality: tuple[Quality, ...] = ()
    metrics: tuple[Followed, ...] = ()
    remarks: tuple[str, ...] = field(default=())

    def json(self) -> Any:
        """For a file of JSON: what is not finite is null."""
        return _finite(asdict(self))

    @property
    def rows(self) -> list[dict[str, Any]]:
        """Of the raters whom the rules keep: a row for each score, each comparison and each agreement."""
        rows = [{"row": "score"} | asdict(each) for each in self.kept.scores]
        rows += [{"row": "comparison"} | asdict(each) for each in self.kept.comparisons]
        rows += [{"row": "agreement"} | asdict(each) for each in self.kept.agreement]
        return list(map(_finite, rows))


def findings(judgements: Judgements) -> Findings:
    """Analyse judgements.

    Raises:
        MetricInputError: there are none.
    """
    said = judgements.all
    if not said:
        raise MetricInputError("no judgements that count; has anyone answered a trial?")
    scores, drafts, agreement = list[Score](), list[tuple[Comparison, Spread | None, int]](), list[Agreed]()
    for criterion in dict.fromkeys(each.criterion for each in said):
        ratings = [each for each in judgements.ratings if each.criterion == criterion]
        votes = [each for each in judgements.votes if each.criterion == criterion]
        if ratings:
            scores += _means(ratings)
            drafts += _differences(ratings)
        if votes:
            scores += _wins(votes)
            drafts += _contests(votes)
        agreement.append(_alpha(criterion, ratings, votes))
    adjusted = holm([draft.p for draft, _, _ in drafts])
    comparisons = tuple(
        _concluded(replace(draft, p_adjusted=float(p)), found, items)
        for (draft, found, items), p in zip(drafts, adjusted, strict=True)
    )
    raters, items = {each.rater for each in said}, {each.item for each in said}
    return Findings(len(raters), len(items), len(said), tuple(scores), comparisons, tuple(agreement))


def followed(judgements: Judgements, measured: Iterable[Measured], items: Sequence[str]) -> list[Followed]:
    """How metrics go along with people.

    Args:
        judgements: by people.
        measured: metrics, each with a value per item.
        items: names of the items, in the order of these values.
    """
    rows = []
    for criterion in dict.fromkeys(each.criterion for each in judgements.all):
        people = _people(judgements, criterion, items)
        for each in measured:
            systems = [name for name in each.values if name in people]
            turn = -1.0 if each.lower_is_better else 1.0
            metric = turn * np.array(
                [[np.nan if v is None else float(v) for v in each.values[name]] for name in systems]
            )
            if not systems or metric.size == 0:
                continue
            found = agreement_intervals(metric, np.array([people[name] for name in systems]))
            rows += [
                Followed(criterion, each.metric, each.benchmark, each.signature, level, *_plain(estimate))
                for level, estimate in found.items()
            ]
    return rows


# --- ratings -------------------------------------------------------------------------------------


def _means(ratings: Sequence[Rating]) -> list[Score]:
    rows = []
    for system in sorted({each.system for each in ratings}):
        mine = [each for each in ratings if each.system == system]
        estimate, _ = crossed_mean([e.value for e in mine], [e.rater for e in mine], [e.item for e in mine])
        rows.append(Score(mine[0].criterion, system, "mean", *_plain(estimate)))
    return rows


def _differences(ratings: Sequence[Rating]) -> list[tuple[Comparison, Spread | None, int]]:
    rows = []
    for first, second in combinations(sorted({each.system for each in ratings}), 2):
        both = [each for each in ratings if each.system in (first, second)]
        values, mine = [each.value for each in both], [each.system == first for each in both]
        found, spread = crossed_difference(values, mine, [e.rater for e in both], [e.item for e in both])
        low, high = _bounds(found.low), _bounds(found.high)
        what = (first, second, "difference", found.difference, low, high, found.p, found.p, found.n, None)
        rows.append((Comparison(both[0].criterion, *what, None, ""), spread, len({e.item for e in both})))
    return rows


# --- votes ---------------------------------------------------------------------------------------


def _wins(votes: Sequence[Vote]) -> list[Score]:
    """Each system's win rate against all others, and its strength."""
    rows = []
    criterion = votes[0].criterion
    for system in sorted({name for vote in votes for name in (vote.first, vote.second)}):
        mine = [vote for vote in votes if system in (vote.first, vote.second)]
        outcomes = [vote.outcome if vote.first == system else 1 - vote.outcome for vote in mine]
        estimate, _ = crossed_win_rate(outcomes, [v.rater for v in mine], [v.item for v in mine])
        rows.append(Score(criterion, system, "win rate", *_plain(estimate)))
    try:
        strengths = crossed_strengths(
            [(vote.first, vote.second, vote.outcome) for vote in votes],
            [vote.rater for vote in votes],
            [vote.item for vote in votes],
        )
    except MetricInputError as error:  # one rater, or systems that nobody compared
        return [
            *rows,
            Score(criterion, "all", "strength", None, None, None, len(votes), f"undefined: {error}"),
        ]
    rows += [Score(criterion, name, "strength", *_plain(estimate)) for name, estimate in strengths.items()]
    return rows


def _contests(votes: Sequence[Vote]) -> list[tuple[Comparison, Spread | None, int]]:
    rows = []
    for pair in sorted({(vote.first, vote.second) for vote in votes}):
        mine = [vote for vote in votes if (vote.first, vote.second) == pair]
        estimate, spread = crossed_win_rate(
            [vote.outcome for vote in mine], [v.rater for v in mine], [v.item for v in mine]
        )
        p = 1.0 if spread is None else spread.p_even(estimate)
        bad = sum(vote.both_bad for vote in mine) / len(mine)
        low, high = _bounds(estimate.low), _bounds(estimate.high)
        what = (*pair, "win rate", estimate.value, low, high, p, p, len(mine), bad)
        rows.append((Comparison(mine[0].criterion, *what, None, ""), spread, len({v.item for v in mine})))
    return rows


# --- conclusions ---------------------------------------------------------------------------------


def _concluded(found: Comparison, spread: Spread | None, items: int) -> Comparison:
    """A comparison with its sentence, and its winner where there is one."""
    neutral = 0.5 if found.kind == "win rate" else 0.0
    gap = found.value - neutral
    if found.p_adjusted < LEVEL and gap:
        better, worse = (found.first, found.second) if gap > 0 else (found.second, found.first)
        if found.kind == "win rate":
            share = found.value if gap > 0 else 1 - found.value
            words = f"{better} is preferred to {worse} in {100 * share:.0f} % of the votes"
        else:
            words = f"{better} is rated higher than {worse} by {abs(gap):.2f}"
        return replace(found, better=better, words=f"{words} (p {_p(found.p_adjusted)}).")
    words = f"Inconclusive: no difference between {found.first} and {found.second} was shown"
    return replace(found, words=f"{words} (p {_p(found.p_adjusted)}){_more(gap, spread, items, found)}.")


def _more(gap: float, spread: Spread | None, items: int, found: Comparison) -> str:
    """How much more would show a difference as large as this one."""
    if spread is None or not gap:
        return "; what was seen is no difference, or too little to tell"
    n = found.n
    if found.kind == "win rate":
        gap = seen_gap(found.value, n)
    raters = max(2, round(n / items))
    variances = Variances.of(spread, raters, items, n)
    more_items = items_needed(gap, variances, raters)
    more_raters = raters_needed(gap, variances, items)
    ways = []
    if more_items is not None and more_items < 100 * items:
        ways.append(f"{max(1, more_items - items)} more items with as many raters")
    if more_raters is not None and more_raters < 100 * raters:
        ways.append(f"{max(1, more_raters - raters)} more raters on as many items")
    if not ways:
        return "; a difference as small as the one seen is beyond any study of this kind"
    return f"; to show one as large as was seen takes about {', or '.join(ways)}"


def _alpha(criterion: str, ratings: Sequence[Rating], votes: Sequence[Vote]) -> Agreed:
    """Krippendorff's alpha over outputs, or pairs of outputs, that two raters or more judged."""
    level: Level = "interval" if ratings else "nominal"
    cells: dict[tuple[str, str], dict[str, float]] = {}
    for rating in ratings:
        cells.setdefault((rating.item, rating.system), {})[rating.rater] = rating.value
    for vote in votes:
        pair = f"{vote.first}\n{vote.second}"
        # Which of two comes first is arbitrary, and must not make one answer frequent: each item draws.
        turned = hashlib.sha256(f"{vote.item}\n{pair}".encode()).digest()[0] % 2
        cells.setdefault((vote.item, pair), {})[vote.rater] = 1 - vote.outcome if turned else vote.outcome
    raters = sorted({rater for cell in cells.values() for rater in cell})
    table = np.array([[cell.get(rater, np.nan) for cell in cells.values()] for rater in raters])
    try:
        return Agreed(criterion, level, *_plain(krippendorff_alpha(table, level=level, resamples=500)))
    except MetricInputError as error:
        return Agreed(criterion, level, None, None, None, len(cells), f"undefined: {error}")


def _people(judgements: Judgements, criterion: str, items: Sequence[str]) -> dict[str, FloatArray]:
    """By system, the mean judgement of each item, NaN where nobody judged."""
    said: dict[tuple[str, str], list[float]] = {}
    for rating in judgements.ratings:
        if rating.criterion == criterion:
            said.setdefault((rating.system, rating.item), []).append(rating.value)
    for vote in judgements.votes:
        if vote.criterion == criterion:
            said.setdefault((vote.first, vote.item), []).append(vote.outcome)
            said.setdefault((vote.second, vote.item), []).append(1 - vote.outcome)
    systems = sorted({system for system, _ in said})
    return {
        system: np.array(
            [np.mean(said[system, item]) if (system, item) in said else np.nan for item in items]
        )
        for system in systems
    }


def _plain(estimate: Estimate) -> tuple[float | None, float | None, float | None, int, str]:
    value = _bounds(estimate.value)
    return value, _bounds(estimate.low), _bounds(estimate.high), estimate.n, estimate.method


def _bounds(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


def _p(p: float) -> str:
    return "< 0.001" if p < 0.001 else f"= {p:.3f}"


def _finite(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and not np.isfinite(value) else value
