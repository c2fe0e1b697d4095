"""What an item got from a judge: a value, or the reason why there is none."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

Scale = tuple[float, float]
"""The lowest and the highest value that a judge may give."""


@dataclass(frozen=True, slots=True)
class Judged:
    """What one item got in one metric.

    Attributes:
        item: its name, the same in the files of all systems.
        group: what it is clustered in.
        metric: the tool's name for it.
        value: None where it could not be judged, and then `reason` says why.
    """

    item: str
    group: str
    metric: str
    value: float | None
    reason: str = ""


@dataclass(frozen=True)
class ToolResults:
    """A file of results.

    Attributes:
        tool: who wrote it.
        judged: items by metric, in the file's order.
        scales: the lowest and highest value of metrics that have them.
        notes: what a reader must know of the file.
    """

    tool: str
    judged: Mapping[str, tuple[Judged, ...]]
    scales: Mapping[str, Scale] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def judge(item: str, group: str, metric: str, value: Any, error: str = "", *, reason: Any = "") -> Judged:
    """An item with its value; an `error`, or a value that is no number, is the judge's failure.

    Args:
        item: as in `Judged`, with `group` and `metric`.
        group: what it is clustered in.
        metric: the tool's name for it.
        value: what the tool wrote.
        error: what the tool says went wrong, whatever value it wrote.
        reason: what the judge says of its value.

    >>> judge("7", "7", "quality", "0.5").value, judge("7", "7", "quality", None).reason
    (0.5, 'no value')
    """
    found, why = number_or_reason(value)
    if error:
        return Judged(item, group, metric, None, error)
    if found is None:
        return Judged(item, group, metric, None, str(reason or why))
    return Judged(item, group, metric, found, str(reason or ""))


def within(row: Judged, scale: Scale) -> Judged:
    """The same, unless its value lies off the judge's scale, as -1 does: then the judge failed.

    >>> within(Judged("7", "7", "quality", -1.0), (1.0, 5.0)).reason
    '-1 is not on the scale from 1 to 5'
    """
    if row.value is None or scale[0] <= row.value <= scale[1]:
        return row
    reason = f"{row.value:g} is not on the scale from {scale[0]:g} to {scale[1]:g}"
    # Who writes -1 on purpose says why beside it.
    return replace(row, value=None, reason=(row.value == -1 and row.reason) or reason)


def number_or_reason(value: Any) -> tuple[float | None, str]:
    """A value as a number, or None and why it is none.

    >>> number_or_reason("0.5"), number_or_reason(True), number_or_reason(None), number_or_reason("ERROR")
    ((0.5, ''), (1.0, ''), (None, 'no value'), (None, "'ERROR' is no number"))
    """
    if value is None or value == "":
        return None, "no value"
    try:
        found = float(value) if isinstance(value, int | float | str) else math.nan
    except (ValueError, OverflowError):
        found = math.nan
    return (found, "") if math.isfinite(found) else (None, f"{value!r:.60} is no number")
