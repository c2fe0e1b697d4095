"""Results of other tools, with intervals: each metric's mean over what was judged, and paired differences.

What could not be judged is left out of the mean, counted beside it, and has a row of its own: ``judged``, the
share of items that were. Where a metric's scale is known, its method says between which values the mean would
lie with them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.harness.columns import finite
from benchmarks.harness.records import Result
from benchmarks.score.judged import Judged, ToolResults
from benchmarks.score.result_files import read_tool_results
from benchmarks.tasks.official import DataError

if TYPE_CHECKING:
    from metrics.metric import Estimate

FAMILY = "results"
_REASONS = 3  # kinds of failure that a note quotes


def score_results(path: Path, other: Path | None = None) -> tuple[list[Result], list[str]]:
    """The rows of a file of results, and of its differences from another system's; and notes on both.

    Args:
        path: what a tool wrote of one system.
        other: what the same tool wrote of another, to be compared item by item.

    Raises:
        DataError: a file that can't be used, or two that can't be compared.
    """
    found = read_tool_results(path)
    rows = [row for metric in found.judged for row in _rows(found, metric, path.name)]
    notes = [*found.notes, *_notes(found, path)]
    if other is not None:
        against = read_tool_results(other)
        rows += [row for metric in against.judged for row in _rows(against, metric, other.name)]
        notes += [*against.notes, *_notes(against, other)]
        rows += _differences(found, against, path, other)
    return rows, notes


def _rows(found: ToolResults, metric: str, system: str) -> Iterator[Result]:
    """The mean of a metric, and the share of its items that were judged where that is not all."""
    from metrics.statistics import bootstrap, proportion

    items = found.judged[metric]
    judged = [each for each in items if each.value is not None]
    failed = len(items) - len(judged)
    signature = f"tool:{found.tool}|mean:items|v:1"
    if not judged:
        method = f"undefined: none of {failed} items could be judged"
        yield _row(system, metric, f"{metric}|{signature}", method, failed)
        return
    values = [each.value for each in judged if each.value is not None]
    row = _row(system, metric, f"{metric}|{signature}", bootstrap(values, _groups(judged)), failed)
    yield _with_failures(row, found, metric) if failed else row
    if failed:
        share = proportion(len(judged), len(items))
        yield _row(system, f"{metric}: judged", f"judged|of:{metric}|{signature}", share, 0)


def _with_failures(row: Result, found: ToolResults, metric: str) -> Result:
    method = f"{row.method}; {row.failed} could not be judged, left out"
    if metric in found.scales and row.value is not None:
        total, n = row.value * row.n, row.n + row.failed
        low, high = ((total + end * row.failed) / n for end in found.scales[metric])
        method += f": with them, as worst and as best, {low:.4g} to {high:.4g}"
    return replace(row, method=method)


def _differences(first: ToolResults, second: ToolResults, path: Path, other: Path) -> list[Result]:
    """The first system minus the second, metric by metric, on the items that were judged for both."""
    from metrics.metric import Estimate
    from metrics.statistics import compare, holm

    if first.tool != second.tool:
        raise DataError(
            f"{path} is of {first.tool} and {other} of {second.tool}; compare results of one tool."
        )
    shared = [metric for metric in first.judged if metric in second.judged]
    if not shared:
        raise DataError(f"{path} and {other} have no metric in common; give results of the same metrics.")
    compared = {}
    for metric in shared:
        sides = [{each.item: each for each in side.judged[metric]} for side in (first, second)]
        _check_paired(first.tool, sides, path, other)
        judged = [
            item for item in sides[0] if all(item in side and side[item].value is not None for side in sides)
        ]
        values = [[side[item].value or 0.0 for item in judged] for side in sides]
        groups = _groups([sides[0][item] for item in judged])
        left_out = len({*sides[0], *sides[1]}) - len(judged)
        compared[metric] = (compare(values[0], values[1], groups) if judged else None, left_out)
    tested = [found.p for found, _ in compared.values() if found]
    adjusted = iter(holm(tested).tolist() if tested else ())
    rows = []
    for metric, (found, left_out) in compared.items():
        estimate: Estimate | str = "undefined: no item was judged for both"
        if found is not None:
            words = (
                f"{found.method}, p {found.p:.4f}, {next(adjusted):.4f} corrected over {len(tested)} metrics"
            )
            words += f"; {left_out} items not judged for both, left out" if left_out else ""
            estimate = Estimate(found.difference, found.low, found.high, found.n, words, found.standard_error)
        signature = f"difference|of:{metric}|tool:{first.tool}|paired|v:1"
        system = f"{path.name} minus {other.name}"
        rows.append(_row(system, f"{metric}: difference", signature, estimate, left_out))
    return rows


def _check_paired(tool: str, sides: Sequence[dict[str, Judged]], path: Path, other: Path) -> None:
    if not set(sides[0]) & set(sides[1]):
        raise DataError(f"{path} and {other} have no item in common; give results of the same items.")
    nameless = all(item.startswith("row ") for side in sides for item in side)
    if nameless and len(sides[0]) != len(sides[1]):
        raise DataError(
            f"{path} has {len(sides[0])} rows and {other} {len(sides[1])}, and {tool} names none: which "
            'belong together can\'t be known; give both files a "path" in each row.'
        )


def _notes(found: ToolResults, path: Path) -> list[str]:
    """What could not be judged, and why, for each metric."""
    notes = []
    for metric, items in found.judged.items():
        reasons = Counter(each.reason for each in items if each.value is None)
        if reasons:
            told = "; ".join(f"{count} × {reason:.120}" for reason, count in reasons.most_common(_REASONS))
            more = f"; and {len(reasons) - _REASONS} other reasons" if len(reasons) > _REASONS else ""
            notes.append(f"{path.name}, {metric}: {reasons.total()} of {len(items)} not judged: {told}{more}")
    return notes


def _row(system: str, metric: str, signature: str, found: Estimate | str, failed: int) -> Result:
    """A row of a value, or of the reason why there is none."""
    if isinstance(found, str):
        return Result(FAMILY, system, metric, signature, None, None, None, 0, failed, None, found)
    value, low, high = (finite(number) for number in (found.value, found.low, found.high))
    error, method = finite(found.standard_error), found.method
    row = Result(FAMILY, system, metric, signature, value, low, high, found.n, failed, None, method)
    return replace(row, standard_error=error)


def _groups(items: Sequence[Judged]) -> list[str] | None:
    groups = [each.group for each in items]
    return groups if len(set(groups)) < len(groups) else None
