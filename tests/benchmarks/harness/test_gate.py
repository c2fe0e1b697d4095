from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.harness.benchmark import MetricUse, Options
from benchmarks.harness.expectations import (
    Expectation,
    ExpectationError,
    expectation_of,
    read_expectation,
    write_expectation,
)
from benchmarks.harness.gate import hold, judge
from benchmarks.harness.records import Run
from benchmarks.harness.run import evaluate, run
from metrics.metric import Comparison
from nextgpt.messages import Message, Request, assistant
from tests.benchmarks.fakes import ExactMatch, Speaker, echo, numbers, sample, text_of


def answering(right: int, count: int = 120) -> Speaker:
    """A system that is right on the first `right` even numbers and wrong on all others."""

    def answer(request: Request) -> Message:
        return echo(request) if int(text_of(request)) < 2 * right else assistant("?")

    return Speaker(answer)


def measured(folder: Path, system: Speaker, count: int = 120, limit: int | None = None) -> Run:
    return evaluate(numbers(count), system, folder, Options(limit=limit))


@pytest.fixture
def expected(tmp_path: Path) -> Expectation:
    return expectation_of(measured(tmp_path / "before", answering(60)))


def test_the_same_answers_hold(tmp_path: Path, expected: Expectation) -> None:
    verdict = hold(measured(tmp_path / "now", answering(60)), expected)
    assert (verdict.kind, verdict.passed) == ("holds", True)


def test_a_drop_beyond_noise_falls_short(tmp_path: Path, expected: Expectation) -> None:
    verdict = hold(measured(tmp_path / "now", answering(40)), expected)
    assert (verdict.kind, verdict.passed) == ("short", False)
    assert verdict.words.startswith("falls short: -0.1667 [")


def test_a_drop_within_noise_is_inconclusive_and_says_what_it_would_take(
    tmp_path: Path, expected: Expectation
) -> None:
    verdict = hold(measured(tmp_path / "now", answering(59)), expected)
    assert (verdict.kind, verdict.passed) == ("inconclusive", True)
    assert "need n=" in verdict.words
    assert int(verdict.words.split("need n=")[1].split()[0]) > 120


def test_getting_better_passes_and_is_announced(tmp_path: Path) -> None:
    before = expectation_of(measured(tmp_path / "before", answering(40)))
    verdict = hold(measured(tmp_path / "now", answering(60)), before)
    assert (verdict.kind, verdict.passed) == ("better", True)
    assert "raise the line to keep it" in verdict.words


def test_a_small_drop_of_many_samples_is_within_the_margin(expected: Expectation) -> None:
    assert judge(Comparison(-0.004, -0.006, -0.002, 0.001, 9999, 0.001, ""), margin=0.01).kind == "holds"
    assert judge(Comparison(-0.02, -0.03, -0.01, 0.001, 9999, 0.001, ""), margin=0.01).kind == "short"


@given(
    st.floats(-1, 1),
    st.floats(0, 1) | st.just(float("inf")),
    st.floats(0, 2) | st.just(float("inf")),
    st.floats(0, 0.1),
)
def test_every_comparison_has_a_verdict_and_a_fall_is_always_significant(
    difference: float, half: float, detectable: float, margin: float
) -> None:
    verdict = judge(
        Comparison(difference, difference - half, difference + half, 0.5, 50, detectable, ""), margin
    )
    if not verdict.passed:
        assert difference + half < 0
        assert difference < -margin
    assert "nan" not in verdict.words


def test_a_limited_run_is_compared_on_its_samples(tmp_path: Path, expected: Expectation) -> None:
    verdict = hold(measured(tmp_path / "now", answering(60), limit=30), expected)
    assert (verdict.kind, verdict.comparison.n) == ("holds", 30)


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"version": 2}, "the expectation is of version 2 of numbers, and this run of version 1"),
        ({"signature": "exact_match|v:2"}, "signature is exact_match|v:1, expected is exact_match|v:2"),
        ({"metric": "accuracy"}, "headline metric is exact_match, expected is accuracy"),
        (
            {"samples": {"s0": 1.0}},
            "other samples than the line of 1: 119 of the run are not in it, the first 's1'",
        ),
        (
            {"samples": {**{f"s{k}": 1.0 for k in range(121)}}},
            "1 expected samples were not scored, the first 's120'",
        ),
    ],
)
def test_what_is_not_comparable_is_refused_and_says_how_to_make_it_so(
    tmp_path: Path, expected: Expectation, changes: dict[str, object], complaint: str
) -> None:
    with pytest.raises(ExpectationError) as error:
        hold(measured(tmp_path / "now", answering(60)), replace(expected, **changes))  # type: ignore[arg-type]
    assert complaint in str(error.value)
    assert "`nextgpt-bench expect`" in str(error.value)


def test_what_was_expected_on_other_data_of_the_same_ids_is_not_compared(
    tmp_path: Path, expected: Expectation
) -> None:
    samples = [sample(k) for k in range(120)]
    samples[7] = replace(samples[7], references={"answer": "another"})
    run = evaluate(numbers(samples=samples), answering(60), tmp_path / "now")
    with pytest.raises(
        ExpectationError, match="the data changed: sample 's7' is not the one that was scored"
    ):
        hold(run, expected)


def test_an_expectation_that_does_not_say_what_was_asked_is_held_and_says_so(
    tmp_path: Path, expected: Expectation
) -> None:
    run = measured(tmp_path / "now", answering(60))
    assert "not checked" not in hold(run, expected).words
    verdict = hold(run, replace(expected, asked={}))
    assert verdict.kind == "holds"
    assert "whether the data are the same is not checked" in verdict.words


def test_an_expectation_is_a_file_that_says_the_same_every_time(
    tmp_path: Path, expected: Expectation
) -> None:
    first = write_expectation(expected, tmp_path / "a")
    again = write_expectation(
        replace(expected, samples=dict(reversed(list(expected.samples.items())))), tmp_path / "b"
    )
    assert first.relative_to(tmp_path / "a") == Path("numbers/speaker.json")
    assert first.read_bytes() == again.read_bytes()
    assert read_expectation("numbers", "speaker", tmp_path / "a") == expected


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (None, "nothing is expected of speaker yet"),
        (b"", "damaged"),
        (b'{"benchmark": "numb', "damaged"),
        (b"[]", "damaged"),
        (b'{"benchmark": "numbers"}', "damaged"),
        ({"samples": {}}, "not the scores of speaker on numbers"),
        ({"samples": {"s0": None}}, "damaged"),
        ({"samples": {"s0": True}}, "damaged"),
        ({"samples": {"s0": float("nan")}}, "damaged"),
        ({"margin": 10**400}, "damaged"),
        (b"[" * 100_000, "damaged"),
        (b"\xff\xfe{", "damaged"),
        ({"samples": [1]}, "damaged"),
        ({"system": "other"}, "not the scores of speaker on numbers"),
    ],
)
def test_an_unreadable_expectation_is_an_error_and_never_a_pass(
    tmp_path: Path, expected: Expectation, content: bytes | dict[str, object] | None, complaint: str
) -> None:
    path = write_expectation(expected, tmp_path)
    if content is None:
        path.unlink()
    else:
        row = {**json.loads(path.read_bytes()), **content} if isinstance(content, dict) else None
        path.write_bytes(json.dumps(row).encode() if row else content)  # type: ignore[arg-type]
    with pytest.raises(ExpectationError, match=complaint):
        read_expectation("numbers", "speaker", tmp_path)


def test_a_limited_run_is_no_expectation(tmp_path: Path) -> None:
    with pytest.raises(ExpectationError, match="a run of --limit 30 is no expectation"):
        expectation_of(measured(tmp_path, answering(60), limit=30))


def test_an_unscored_run_is_no_expectation(tmp_path: Path) -> None:
    with pytest.raises(ExpectationError, match="not scored"):
        expectation_of(run(numbers(3), Speaker(echo), tmp_path))


def test_a_metric_without_a_value_is_no_expectation(tmp_path: Path) -> None:
    def broken() -> ExactMatch:
        raise RuntimeError("no weights")

    use = MetricUse("exact_match", broken, lambda answer: answer.text, lambda s: "")
    with pytest.raises(ExpectationError, match=r"has no value for each sample .*no weights"):
        expectation_of(evaluate(numbers(3, metrics=(use,)), Speaker(echo), tmp_path))
