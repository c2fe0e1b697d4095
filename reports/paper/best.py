"""The best of a column: only the one that paired tests separate from every other run of it."""

from __future__ import annotations

from collections.abc import Sequence

from metrics.metric import IncomparableError
from metrics.statistics import holm
from reports.differences import LEVEL, compare_runs
from reports.evidence import Evidence


def separated_best(
    runs: Sequence[tuple[Evidence, float]], metric: str, *, lower_is_better: bool
) -> tuple[Evidence | None, str]:
    """The run that is better than every other on the same samples, p-values corrected by Holm's method.

    Args:
        runs: the runs of one column with their values.
        metric: their metric's name.
        lower_is_better: the direction of improvement.

    Returns:
        The run, or None; and why there is none, empty where nothing is to be said: fewer than two runs.
    """
    if len(runs) < 2:
        return None, ""
    best, *others = sorted(runs, key=lambda each: each[1] if lower_is_better else -each[1])
    try:
        found = [compare_runs(best[0], other[0], metric) for other in others]
    except IncomparableError as error:
        return None, f"no value is set in bold, for they were not compared: {error}"
    adjusted = holm([comparison.p for comparison in found])
    sign = -1 if lower_is_better else 1
    if all(sign * each.difference > 0 for each in found) and bool((adjusted < LEVEL).all()):
        return best[0], ""
    return None, "no value is set in bold, for no paired test separates the best from the others"
