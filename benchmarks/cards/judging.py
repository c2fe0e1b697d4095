"""Cards of the trials of judges, whose truth is known."""

from __future__ import annotations

from functools import partial

from benchmarks.cards.entry import BenchmarkEntry

_MADE = "in this repository"
_trial = partial(
    BenchmarkEntry,
    family="judging",
    paper="none: made here",
    revision="by seed",
    licence="CC0 1.0",
    sources={"paper origin licence samples references scored": _MADE},
)
_GIVEN = {"paper origin licence references scored": _MADE}
_CALIBRATION = ("judge_accuracy", "brier_score", "calibration_error")

JUDGING = (
    _trial(
        name="toy-statements",
        target="benchmarks.tasks.judging.toy_statements:TOY_STATEMENTS",
        about="judge statements about toyworld pictures, half of them true",
        origin="generated on the spot",
        split="test",
        samples=400,
        references="whether the statement is true of the scene",
        scored="by the true scene, exactly",
        accepts=("text", "image"),
        metrics=_CALIBRATION,
        headline="judge_accuracy",
    ),
    _trial(
        name="toy-statements-in-words",
        target="benchmarks.tasks.judging.toy_statements:TOY_STATEMENTS_IN_WORDS",
        about="the same about exact descriptions, for judges that see nothing",
        origin="generated on the spot",
        split="test",
        samples=400,
        references="whether the statement is true of the scene",
        scored="by the true scene, exactly",
        metrics=_CALIBRATION,
        headline="judge_accuracy",
    ),
    _trial(
        name="judge-sentinel",
        target="benchmarks.tasks.judging.judged:JUDGE_SENTINEL",
        about="a frozen set of judged answers: a judge whose verdicts move has drifted",
        origin="in this repository",
        split="frozen",
        samples=60,
        references="whether the answer is right",
        scored="by the known verdict, exactly",
        metrics=("verdict_accuracy",),
        headline="verdict_accuracy",
    ),
    _trial(
        name="judged-answers",
        target="benchmarks.tasks.judging.judged:JUDGED_ANSWERS",
        about="answers of a run, or of judged.jsonl, that a language model judges",
        origin="what is judged",
        licence="that of what is judged",
        split="as given",
        references="one true answer each",
        scored="by the judge's yes or no",
        metrics=("judged_right",),
        headline="judged_right",
        sources=_GIVEN,
    ),
    _trial(
        name="judged-captions",
        target="benchmarks.tasks.judging.judged:JUDGED_CAPTIONS",
        about="captions likewise, scored as CLAIR scores them",
        origin="what is judged",
        licence="that of what is judged",
        split="as given",
        references="one true caption each",
        scored="by the judge's score of 0 to 100",
        metrics=("clair",),
        headline="clair",
        sources=_GIVEN,
    ),
)
