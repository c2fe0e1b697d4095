"""How many raters and items a difference needs, before anyone is asked; and how many more, afterwards."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from metrics.metric import MetricInputError
from metrics.people.crossed import Spread

POWER = 0.8
MOST = 1_000_000  # items or raters; what needs more can't be had


@dataclass(frozen=True)
class Variances:
    """Variance of one judgement, by where it comes from.

    Attributes:
        rater: between raters, in what they think of the difference (their taste, not their strictness).
        item: between items, in the difference that they show.
        single: what is left, of one rater on one item.
    """

    rater: float
    item: float
    single: float

    def __post_init__(self) -> None:
        if not (self.rater >= 0 and self.item >= 0 and self.single > 0):
            raise MetricInputError(
                f"variances of {self.rater}, {self.item} and {self.single}; give 0 or more, and one above 0"
            )
        if not math.isfinite(self.total):
            raise MetricInputError("a variance is not finite")

    @property
    def total(self) -> float:
        """Of a judgement by any rater on any item."""
        return self.rater + self.item + self.single

    @classmethod
    def of(cls, found: Spread, raters: int, items: int, judgements: int) -> Variances:
        """What a study that was made tells of one judgement."""
        single = max(found.single * judgements, 1e-12)
        return cls(found.rater * raters, found.item * items, single)


def power(difference: float, variances: Variances, raters: int, items: int, *, share: float = 1.0) -> float:
    """The chance that a study shows a true difference, at 5 %, two-sided.

    Args:
        difference: the true one, in the units of the judgements.
        variances: of one judgement.
        raters: how many judge, 2 or more.
        items: how many are judged, 2 or more.
        share: of all judgements that bear on the difference: one pair of several, two systems of several.

    Raises:
        MetricInputError: fewer than two raters or items, or a share that is none.

    >>> pilot = Variances(0.0, 0.0, 0.25)
    >>> round(power(0.05, pilot, raters=20, items=40), 2)
    0.77
    """
    from scipy.special import stdtrit
    from scipy.stats import nct

    if raters < 2 or items < 2 or not 0 < share <= 1:
        raise MetricInputError(f"{raters} raters, {items} items, a share of {share}; give 2, 2 and up to 1")
    seen = max(2.0, items * share)
    pieces = (variances.rater / raters, variances.item / seen, variances.single / (raters * seen))
    variance = sum(pieces)
    freedom = min(raters, seen) - 1.0  # as `crossed.Spread.p` tests
    critical = float(stdtrit(freedom, 0.975))
    distance = abs(difference) / math.sqrt(variance)
    return 1.0 if distance > 30 else float(nct.sf(critical, freedom, distance))


def items_needed(
    difference: float, variances: Variances, raters: int, *, share: float = 1.0, most: int = MOST
) -> int | None:
    """The fewest items with which so many raters show a difference with 80 % power; None where none suffice.

    Raters differ in taste, and that part of the uncertainty no item takes away.

    Raises:
        MetricInputError: as `power`, or a difference of 0.

    >>> items_needed(0.1, Variances(0.0, 0.0, 0.25), raters=5), items_needed(0.01, Variances(0.01, 0, 0.2), 5)
    (71, None)
    """
    _check(difference)
    return _fewest(lambda items: power(difference, variances, raters, items, share=share), most)


def raters_needed(
    difference: float, variances: Variances, items: int, *, share: float = 1.0, most: int = MOST
) -> int | None:
    """The fewest raters who show a difference on so many items with 80 % power; None where none suffice.

    Raises:
        MetricInputError: as `power`, or a difference of 0.

    >>> raters_needed(0.1, Variances(0.005, 0.02, 0.2), items=100)
    10
    """
    _check(difference)
    return _fewest(lambda raters: power(difference, variances, raters, items, share=share), most)


def _fewest(reached: Callable[[int], float], most: int) -> int | None:
    if reached(most) < POWER:
        return None
    low, high = 1, most
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if reached(middle) >= POWER else (middle, high)
    return high


def _check(difference: float) -> None:
    if not (math.isfinite(difference) and difference != 0):
        raise MetricInputError(f"a difference of {difference}; give the smallest one that would matter")
