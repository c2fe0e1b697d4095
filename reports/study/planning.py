"""What a study needs, said beforehand: the variances that a design is planned with."""

from __future__ import annotations

import math
from dataclasses import dataclass

from metrics.metric import MetricInputError
from metrics.people.crossed import log_odds_gap
from metrics.people.power import Variances, items_needed
from reports.study.protocols import PROTOCOLS

_CLEAR = 0.4  # above one half; unanimous votes of few raters show no more than nearly unanimous ones


@dataclass(frozen=True)
class Plan:
    """What a study is planned with.

    Attributes:
        variances: of one judgement, as far as it bears on a difference.
        share: of all judgements that bear on one difference.
        words: the assumptions, for whoever plans.
        votes: whether a difference is a win rate's, above one half.
    """

    variances: Variances
    share: float
    words: str
    votes: bool = False

    def distance(self, difference: float) -> float:
        """A difference as the test counts it: a win rate's is tested on log odds, and its votes vary less.

        Raises:
            MetricInputError: a win rate beyond 1.

        >>> plan = planned("pairwise", 2, None, 0.01, 0.2)
        >>> round(plan.distance(0.1), 3), round(plan.distance(0.3), 3)
        (0.099, 0.277)
        """
        if not self.votes:
            return difference
        if not abs(difference) < 0.5:
            raise MetricInputError(
                f"a win rate {difference:g} above one half; give a difference below 0.5, such as 0.1"
            )
        gap = min(abs(difference), _CLEAR)
        return log_odds_gap(gap) * 0.5 / math.sqrt(0.25 - gap**2)

    def items(self, difference: float, raters: int) -> int | None:
        """How many items show a difference to so many raters; None where no number of them is enough.

        Raises:
            MetricInputError: a win rate beyond 1, or a difference of 0.
        """
        return items_needed(self.distance(difference), self.variances, raters, share=self.share)


def planned(design: str, systems: int, deviation: float | None, taste: float, hardness: float) -> Plan:
    """The variances and the share of judgements behind one difference.

    Votes have a standard deviation of at most 0.5; ratings, where none is given, of a quarter of their
    scale. A difference of ratings has twice the variance of one, and four times where each rater sees half of
    the outputs.

    Args:
        design: a shipped one, by name.
        systems: in the study.
        deviation: of one judgement; None for the design's own.
        taste: share of the variance that raters differ by in what they prefer.
        hardness: share of the variance that items differ by.

    Raises:
        MetricInputError: shares that add up to 1 or more, or a deviation of 0.

    >>> planned("pairwise", 3, None, 0.0, 0.2).share == 1 / 3
    True
    """
    protocol = PROTOCOLS[design]
    scale = protocol.criteria[0].scale
    default = {"choice": 0.5, "moment": 0.25}.get(scale.kind, (scale.most - scale.least) / 4)
    wide = default if deviation is None else deviation
    if taste + hardness >= 1 or wide <= 0:
        raise MetricInputError(
            f"shares of {taste} and {hardness}, a deviation of {wide}; the shares stay below 1 together"
        )
    pairs = systems * (systems - 1) / 2
    share = {"pair": 1 / pairs, "single": 2 / systems, "all": 1.0}[protocol.layout]
    single, twice = {"pair": (1, 1), "single": (4, 2), "all": (2, 2)}[protocol.layout]
    square = wide**2
    variances = Variances(
        twice * square * taste, twice * square * hardness, single * square * (1 - taste - hardness)
    )
    words = (
        f"{design}, {systems} systems: a judgement deviates by {wide:g}; {100 * taste:.0f} % of its variance "
        f"is the rater's taste, {100 * hardness:.0f} % comes with the item (assumed; a pilot tells better)."
    )
    return Plan(variances, share, words, protocol.layout == "pair")
