"""POPE's measures against the published script's arithmetic, written out."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from metrics.answers.polling import POLLED, Polling, PollingAccuracy, PollingUnparsed
from metrics.metric import MetricInputError

REPLIES = ("Yes", "yes.", "No", "no,", "No. Yes", "not", "NO", "no!", "", "Yes, no", "Perhaps", "nothing. no")
ITEMS = st.lists(st.tuples(st.sampled_from(REPLIES), st.sampled_from(("yes", "no"))), min_size=1, max_size=20)


def published(items: list[tuple[str, str]]) -> dict[str, float]:
    """What evaluate.py prints, in its own order of steps; NaN where it divides by zero."""
    counts = dict.fromkeys(("TP", "FP", "TN", "FN"), 0)
    for reply, label in items:
        first = reply[: reply.find(".")] if "." in reply else reply
        words = first.replace(",", "").split(" ")
        said = not ("No" in words or "not" in words or "no" in words)
        counts[("TP" if said else "FN") if label == "yes" else ("FP" if said else "TN")] += 1
    tp, fp, tn, fn = counts.values()
    precision = tp / (tp + fp) if tp + fp else float("nan")
    recall = tp / (tp + fn) if tp + fn else float("nan")
    both = precision + recall
    return {
        "pope_accuracy": (tp + tn) / len(items),
        "pope_precision": precision,
        "pope_recall": recall,
        "pope_f1": 2 * precision * recall / both if both else float("nan"),
        "pope_yes_ratio": (tp + fp) / len(items),
    }


@given(ITEMS)
def test_measures_are_those_of_the_published_script(items: list[tuple[str, str]]) -> None:
    said, true = ([item[place] for item in items] for place in (0, 1))
    expected = published(items)
    for metric in (PollingAccuracy(), *map(Polling, POLLED)):
        found = metric.value(metric.statistics(said, true))
        if np.isnan(expected[metric.name]):  # F1 is 0 as well where only one of its two shares has a value
            assert np.isnan(found) or found == 0
        else:
            assert found == pytest.approx(expected[metric.name])


@given(ITEMS, ITEMS)
def test_shards_together_have_the_value_of_the_whole(
    one: list[tuple[str, str]], other: list[tuple[str, str]]
) -> None:
    for metric in (PollingAccuracy(), *map(Polling, POLLED)):
        parts = [
            metric.statistics(*map(list, zip(*items, strict=True))) for items in (one, other, one + other)
        ]
        assert metric.value(metric.merge(parts[:2])) == pytest.approx(metric.value(parts[2]), nan_ok=True)


def test_replies_without_yes_or_no_in_their_first_sentence_are_counted() -> None:
    assert PollingUnparsed().statistics(REPLIES, ["no"] * len(REPLIES)).sum() == 3  # "", Perhaps, nothing


@pytest.mark.parametrize(
    ("said", "true", "words"),
    [
        ([None], ["yes"], "item 0: its reply None is not a string"),
        (["yes", "no"], ["yes", "Yes"], "item 1: its label is 'Yes'; write yes or no"),
        (["yes"], [], "1 predictions but 0 references"),
    ],
)
def test_what_has_no_score_is_named(said: list[str], true: list[str], words: str) -> None:
    for metric in (PollingAccuracy(), PollingUnparsed(), Polling("pope_f1")):
        with pytest.raises(MetricInputError, match=words):
            metric.statistics(said, true)


def test_a_measure_that_there_is_not_is_refused() -> None:
    with pytest.raises(MetricInputError, match="unknown name 'f1'; there are pope_precision"):
        Polling("f1")
