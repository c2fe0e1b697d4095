"""Replies of a judge: what is on the menu counts, what is not is never guessed at."""

from __future__ import annotations

import pytest

from metrics import Clair, JudgedAnswers, MetricInputError, VerdictAccuracy, clair_score, verdict

OFF = [
    *("", "yes and no", "I would say yes", "4", "Score: 4/5", "yes, no", "no problem at all"),
    "Error code 429: too many requests, retry in 3 s",
]


@pytest.mark.parametrize("reply", ["yes", "Yes.", " YES! ", "'yes'", "**Yes**"])
def test_yes_is_yes_however_it_is_dressed(reply: str) -> None:
    assert verdict(reply) is True
    assert verdict(reply.replace("y", "n").replace("Y", "N").replace("es", "o").replace("ES", "O")) is False


@pytest.mark.parametrize("reply", OFF)
def test_a_reply_off_the_menu_has_no_score_and_no_digit_is_fished_out_of_it(reply: str) -> None:
    assert verdict(reply) is None
    assert clair_score(reply) is None
    for metric in (JudgedAnswers(), VerdictAccuracy(), Clair()):
        with pytest.raises(MetricInputError, match="item 1 is off the menu"):
            metric.statistics(["yes" if metric.name != "clair" else '{"score": 1}', reply], [True, True])


@pytest.mark.parametrize(
    ("reply", "score"),
    [
        ('{"score": 100, "reason": ""}', 1.0),
        ('Sure:\n```json\n{"score": 12.5}\n```', 0.125),
        ('{"score": 101}', None),
        ('{"score": -1}', None),
        ('{"score": true}', None),
        ('{"score": "90"}', None),
        ('{"score": NaN}', None),
        ('{"score": 50', None),
        ('{"reason": "a"}', None),
    ],
)
def test_clair_takes_json_on_its_scale_and_nothing_else(reply: str, score: float | None) -> None:
    assert clair_score(reply) == score


def test_the_prompt_s_hash_stands_in_the_signature() -> None:
    assert JudgedAnswers("Is it right? {answer}").signature != JudgedAnswers().signature
    assert Clair().signature.startswith("clair|prompt:")
    assert "off-menu:unscored" in Clair().signature
