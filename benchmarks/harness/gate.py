"""The regression gate: a run may not fall significantly below what is expected of its system.

A run is compared with its line (`expectations`) pair by pair, so noise that both share cancels. It falls
*short* when the difference is below zero beyond doubt (the whole 95 % interval, and p after Holm's correction
over all cells that are held at once) and larger than a practical margin; it is *better* when the same is true
upwards; it *holds* when a drop of the margin is excluded; otherwise the verdict is *inconclusive* and says
how many samples would settle it. An expectation that can't be read, and a run of other samples than its line,
are errors, never a pass.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from benchmarks.harness.expectations import AGAIN, Expectation, ExpectationError, asked_of, headline
from benchmarks.harness.records import Run

if TYPE_CHECKING:
    from metrics.metric import Comparison

LEVEL = 0.05


@dataclass(frozen=True)
class Verdict:
    """How a run stands to what is expected of it.

    Attributes:
        kind: ``holds``, ``short``, ``better`` or ``inconclusive``.
        words: one line for people.
        comparison: the run minus the expectation; turned where less is better, so that a drop is a loss.
    """

    kind: Literal["holds", "short", "better", "inconclusive"]
    words: str
    comparison: Comparison

    @property
    def passed(self) -> bool:
        """Whether there is no evidence of a regression."""
        return self.kind != "short"


@dataclass(frozen=True)
class Cell:
    """One line that is held.

    Attributes:
        found: the difference to what is expected.
        margin: a drop that nobody minds.
        remark: what to bear in mind.
        rises: whether there is a better than expected.
    """

    found: Comparison
    margin: float
    remark: str = ""
    rises: bool = True


def hold(run: Run, expected: Expectation) -> Verdict:
    """Compare a scored run with what is expected of it, as the only cell that is held.

    Raises:
        ExpectationError: as `measure`.
    """
    (verdict,) = judge_together([measure(run, expected)])
    return verdict


def measure(run: Run, expected: Expectation) -> Cell:
    """The difference of a scored run to what is expected of it, on the samples of the run.

    Raises:
        ExpectationError: a different benchmark version, signature or data, or other samples than expected.
    """
    from metrics.statistics import compare

    _check(run, expected)
    rows = [row for row in run.scores if row.metric == expected.metric]
    turn = -1.0 if expected.lower_is_better else 1.0
    values = [turn * row.value for row in rows]
    found = compare(
        values, [turn * expected.samples[row.sample] for row in rows], [row.group for row in rows]
    )
    remarks = [
        f"on {len(rows)} of the line's {len(expected.samples)} samples" * (len(rows) < len(expected.samples)),
        "less is better, so the difference is turned" * expected.lower_is_better,
        f"the line was lowered ({expected.because})" * bool(expected.because),
        f"whether the data are the same is not checked: {AGAIN}" * (not expected.asked),
    ]
    return Cell(found, expected.margin, "; ".join(filter(None, remarks)))


def judge_together(cells: Sequence[Cell], family: int | None = None) -> list[Verdict]:
    """The verdicts on all cells that are held at once, p-values corrected by Holm over all of them.

    Args:
        cells: what was measured.
        family: the number of cells held in all, where others are judged elsewhere: they count as cells that
            say nothing, so that the error over all of them stays below 5 %.

    Example:
        >>> from metrics.metric import Comparison
        >>> cell = Cell(Comparison(-0.05, -0.09, -0.01, 0.02, 500, 0.06, "paired"), margin=0.01)
        >>> [verdict.kind for verdict in judge_together([cell])]
        ['short']
        >>> {verdict.kind for verdict in judge_together([cell] * 40)}
        {'inconclusive'}
    """
    from metrics.statistics import holm

    others = max(0, (family or 0) - len(cells))
    adjusted = holm([*(cell.found.p for cell in cells), *[1.0] * others]).tolist()
    return [
        judge(cell.found, cell.margin, p=p, family=len(adjusted), remark=cell.remark, rises=cell.rises)
        for cell, p in zip(cells, adjusted, strict=False)
    ]


def judge(
    found: Comparison,
    margin: float,
    *,
    p: float | None = None,
    family: int = 1,
    remark: str = "",
    rises: bool = True,
) -> Verdict:
    """The verdict on a difference, given the margin that nobody minds.

    Args:
        found: the difference.
        margin: a drop that nobody minds.
        p: the p-value after correction over the family; None for the difference's own.
        family: number of cells that are held at once.
        remark: what stands behind the verdict's words.
        rises: whether there is a better than expected.

    Example:
        >>> from metrics.metric import Comparison
        >>> judge(Comparison(-0.05, -0.08, -0.02, 0.001, 500, 0.04, "paired"), margin=0.01).kind
        'short'
        >>> print(judge(Comparison(-0.01, -0.05, 0.03, 0.6, 100, 0.06, "paired"), margin=0.01).words)
        inconclusive: -0.0100 [-0.0500, +0.0300] to what is expected, p 0.6, n 100, smallest drop
        that n would show 0.0600; need n=3600 to see a drop of 0.01
    """
    p = found.p if p is None else p
    among = f" ({p:.2g} among {family} held at once)" if family > 1 else ""
    numbers = (
        f"{found.difference:+.4f} [{found.low:+.4f}, {found.high:+.4f}] to what is expected, "
        f"p {found.p:.2g}{among}, n {found.n}, smallest drop that n would show {found.minimum_detectable:.4f}"
    )
    end = f"; {remark}" if remark else ""
    if found.high < 0 and found.difference < -margin and p < LEVEL:
        words = f"falls short: {numbers}; a drop of {margin:g} would be tolerated{end}"
        return Verdict("short", words, found)
    if rises and found.low > 0 and found.difference > margin and p < LEVEL:
        words = f"better: {numbers}; raise the line to keep it: {AGAIN}{end}"
        return Verdict("better", words, found)
    if found.low >= -margin:
        return Verdict("holds", f"holds: {numbers}{end}", found)
    return Verdict("inconclusive", f"inconclusive: {numbers}; need {_needed(found, margin, p)}{end}", found)


def _needed(found: Comparison, margin: float, p: float) -> str:
    """What would settle an inconclusive cell."""
    if found.high < 0 and found.difference < -margin and found.p < LEVEL <= p:
        return "more samples, or fewer cells: alone this one falls short, among so many it may by chance"
    # The standard error, and with it what can be seen, shrinks with the root of n.
    ratio = found.minimum_detectable / margin if margin else math.inf
    needed = found.n * max(1.0, ratio * ratio)
    return f"n={math.ceil(needed)} to see a drop of {margin:g}" if math.isfinite(needed) else "more samples"


def _check(run: Run, expected: Expectation) -> None:
    """Refuse whatever would make the comparison one of apples and pears."""
    made, result = run.manifest, headline(run)
    where = f"{made.system} on {made.benchmark}"
    if result.value is None:
        raise ExpectationError(f"{where}: {made.headline} has no value to hold ({result.method})")
    if made.version != expected.version:
        raise ExpectationError(
            f"{where}: the expectation is of version {expected.version} of {made.benchmark}, and this run of "
            f"version {made.version}, whose numbers are others; {AGAIN}"
        )
    for what, now, then in (
        ("headline metric", made.headline, expected.metric),
        ("signature", result.signature, expected.signature),
    ):
        if now != then:
            raise ExpectationError(f"{where}: {what} is {now}, expected is {then}; {AGAIN}")
    _check_samples(run, expected, where)


def _check_samples(run: Run, expected: Expectation, where: str) -> None:
    """Refuse other samples than the line's; a limit may leave some out, and nothing else may."""
    scored = {row.sample for row in run.scores if row.metric == expected.metric}
    strangers, missing = sorted(scored - expected.samples.keys()), sorted(expected.samples.keys() - scored)
    if strangers or not scored:
        found = f"{len(strangers)} of the run are not in it, the first {strangers[0]!r}" if strangers else ""
        raise ExpectationError(
            f"{where}: the run has other samples than the line of {len(expected.samples)}: "
            f"{found or 'none has a value'}; give the data of then, or {AGAIN}"
        )
    asked = asked_of(run)
    for sample in sorted(scored & expected.asked.keys() & asked.keys()):
        if asked[sample] != expected.asked[sample]:
            raise ExpectationError(
                f"{where}: the data changed: sample {sample!r} is not the one that was scored for the "
                f"expectation; give the data of then, or {AGAIN}"
            )
    shortened = run.manifest.limit is not None and run.manifest.limit < (expected.limit or math.inf)
    if missing and not shortened:
        raise ExpectationError(
            f"{where}: the run has other samples than the line of {len(expected.samples)}: {len(missing)} "
            f"expected samples were not scored, the first {missing[0]!r}; score them, or {AGAIN}"
        )
