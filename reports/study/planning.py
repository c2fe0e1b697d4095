"""What a study needs, said beforehand: the variances that a design is planned with."""

from __future__ import annotations

from dataclasses import dataclass

from metrics.metric import MetricInputError
from metrics.people.power import Variances
from reports.study.protocols import PROTOCOLS


@dataclass(frozen=True)
class Plan:
    """What a study is planned with.

    Attributes:
        variances: of one judgement, as far as it bears on a difference.
        share: of all judgements that bear on one difference.
        words: the assumptions, for whoever plans.
    """

    variances: Variances
    share: float
    words: str


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
    return Plan(variances, share, words)
