"""People's judgements from a CSV file: win rates, Bradley-Terry strengths, Krippendorff's alpha.

Two kinds of file, told apart by their first line::

    first,second,outcome,rater      two systems and who was preferred: first, second or tie
    item,rater,rating               numbers on a scale; an empty rating is none

The column ``rater`` may lack in the first; with it, intervals draw raters instead of judgements.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.harness.records import Result
from benchmarks.score.sets import Rows
from benchmarks.tasks.official import DataError, read_csv

if TYPE_CHECKING:
    from metrics.metric import Estimate
    from metrics.people.agreement import Level
    from metrics.people.preferences import Judgement

PAIRS, RATINGS = ("first", "second", "outcome"), ("item", "rater", "rating")
LEVELS: tuple[Level, ...] = ("nominal", "ordinal", "interval")
Line = dict[str, str]
_WORTH = {"first": 1.0, "tie": 0.5, "second": 0.0}


def score_judgements(path: Path) -> list[Result]:
    """The rows of a file of judgements.

    Raises:
        DataError: the file is missing, empty or of neither kind, or a line makes no sense; names the line.
        MetricInputError: systems that no chain of judgements connects.
    """
    head, lines = read_csv(path)
    if not lines:
        raise DataError(f"{path}: holds no judgement; give a line of column names and one for each.")
    if set(PAIRS) <= set(head):
        return _pairs(path, lines)
    if set(RATINGS) <= set(head):
        return _ratings(path, lines)
    raise DataError(
        f"{path}: its first line names {', '.join(head) or 'nothing'}; give {','.join(PAIRS)} or "
        f"{','.join(RATINGS)}."
    )


def _pairs(path: Path, lines: Sequence[tuple[str, Line]]) -> list[Result]:
    from metrics.people.preferences import bradley_terry, win_rate

    judgements: list[Judgement] = []
    for where, line in lines:
        first, second, outcome = (line[name].strip() for name in PAIRS)
        if not first or not second or first == second:
            raise DataError(f"{where}: {first!r} against {second!r}; name two different systems.")
        if outcome not in _WORTH:
            raise DataError(f"{where}: the outcome is {outcome!r}; write first, second or tie.")
        judgements.append((first, second, _WORTH[outcome]))
    raters = [line["rater"] for _, line in lines] if "rater" in lines[0][1] else None
    drawn = "judgements" if raters is None else "raters"
    results = []
    for system, found in bradley_terry(judgements, raters).items():
        rows = Rows("people", system)
        rows.add(f"bradley_terry|scale:elo|ties:half|draws:{drawn}|v:1", found.n, partial(_same, found))
        results += rows.results
    pairs = list(dict.fromkeys(tuple(sorted(judgement[:2])) for judgement in judgements))
    for one, other in pairs:
        chosen = [k for k, (first, second, _) in enumerate(judgements) if {first, second} == {one, other}]
        wins = [judgements[k][2] if judgements[k][0] == one else 1 - judgements[k][2] for k in chosen]
        groups = None if raters is None else [raters[k] for k in chosen]
        rows = Rows("people", f"{one} over {other}")
        rows.add(f"win_rate|ties:half|draws:{drawn}|v:1", len(wins), partial(win_rate, wins, groups))
        results += rows.results
    return results


def _ratings(path: Path, lines: Sequence[tuple[str, Line]]) -> list[Result]:
    from metrics.people.agreement import krippendorff_alpha

    table: dict[str, dict[str, float]] = {}
    items: dict[str, int] = {}
    for where, line in lines:
        item, rater, rating = (line[name].strip() for name in RATINGS)
        if not item or not rater:
            raise DataError(f"{where}: names no item or no rater; give both.")
        if item in table.setdefault(rater, {}):
            raise DataError(f"{where}: {rater} rated {item} already; keep one of the two.")
        items.setdefault(item, len(items))
        table[rater][item] = _number(rating, where)
    ratings = [[row.get(item, math.nan) for item in items] for row in table.values()]
    rows = Rows("people", path.name)
    for level in LEVELS:
        signature = f"krippendorff_alpha|level:{level}|raters:{len(table)}|v:1"
        rows.add(signature, len(items), partial(krippendorff_alpha, ratings, level=level))
    return rows.results


def _same(found: Estimate) -> Estimate:
    return found


def _number(rating: str, where: str) -> float:
    try:
        value = float(rating) if rating else math.nan
    except ValueError:
        value = math.inf
    if math.isinf(value):
        raise DataError(f"{where}: the rating is {rating!r}; write a number, or nothing for no rating.")
    return value
