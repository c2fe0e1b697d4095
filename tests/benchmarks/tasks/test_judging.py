"""Judges on trial: statements of known truth, replies off the menu, runs that are judged, drift."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from benchmarks.harness.benchmark import Broken, Options, Sample
from benchmarks.harness.results import Result
from benchmarks.harness.run import evaluate
from benchmarks.registry import RegistryError, load_benchmark
from benchmarks.tasks.judging import judge
from benchmarks.tasks.judging.toy_statements import atoms, statements
from metrics.judges.templates import TEMPLATES
from nextgpt.messages import Failure, Message, Modality, Request, assistant
from toyworld.language import mentions, parse
from toyworld.scene import Scene, Thing
from toyworld.splits import scenes


class Scorer:
    """Tells likelihoods that a rule gives; fails where the rule does."""

    name, given = "scorer", frozenset[str]()
    accepts: frozenset[Modality] = frozenset({"text", "image"})
    produces: frozenset[Modality] = frozenset({"text"})

    def __init__(self, rule: Callable[[str], float | Failure], fingerprint: str = "1") -> None:
        self.rule, self.fingerprint = rule, fingerprint

    def log_probabilities(self, requests: Sequence[Request], answers: Sequence[str]) -> list[Any]:
        found: list[Any] = []
        for request in requests:
            odds = self.rule(
                " ".join(part for part in request.conversation[-1].parts if isinstance(part, str))
            )
            found.append(odds if isinstance(odds, Failure) else [math.log(odds), math.log(1 - odds)])
        return found

    def respond(self, requests: Sequence[Request]) -> list[Message | Failure]:
        return [assistant("?") for _ in requests]


class Speaker(Scorer):
    """Replies as a rule says."""

    def __init__(self, speak: Callable[[str], str], fingerprint: str = "1") -> None:
        self.speak, self.fingerprint = speak, fingerprint

    def respond(self, requests: Sequence[Request]) -> list[Message | Failure]:
        return [assistant(self.speak(request.conversation[-1].text)) for request in requests]


def rows(
    name: str, system: Any, folder: Path, limit: int | None = 40, data: Path | None = None
) -> dict[str, Result]:
    run = evaluate(load_benchmark(name), system, folder, Options(data, limit))
    return {row.metric: row for row in run.results if row.slice is None}


def knowing(sure: float) -> Callable[[str], float | Failure]:
    """A judge that reads the description and is always right, and as sure as told."""

    def rule(text: str) -> float:
        described, asked = text.removeprefix("the picture shows ").split(". is there ", 1)
        scene, statement = parse(described), asked.rstrip("?")
        assert scene is not None
        whole = parse(statement)
        if whole is not None:
            true = whole == scene
        else:
            (thing,) = mentions(statement)
            true = (thing.colour, thing.shape) in {(each.colour, each.shape) for each in scene.things}
        return sure if true else 1 - sure

    return rule


def test_half_of_the_statements_are_true_and_false_ones_differ_in_one_attribute() -> None:
    import random

    for scene in scenes("test", 40):
        found = statements(scene, random.Random(scene.key))
        assert [true for _, _, true in found] == [True, False, True, False]
        true, false = parse(found[0][1]), parse(found[1][1])
        assert true == scene
        assert false is not None
        changed = {x for a in false.things for x in [a] if a not in scene.things}
        assert len(changed) == 1
        (thing,) = mentions(found[3][1])
        assert (thing.colour, thing.shape) not in {(each.colour, each.shape) for each in scene.things}
    one = Scene.of(Thing(0, "small", "red", "circle"))
    assert len(atoms(one)) == 3


def test_a_judge_s_error_is_known_by_construction(tmp_path: Path) -> None:
    template = TEMPLATES["is-there"]
    sure = judge.Judge(Scorer(knowing(0.9)), template)
    found = rows("toy-statements-in-words", sure, tmp_path / "sure")
    assert found["judge_accuracy"].value == 1.0
    assert found["brier_score"].value == pytest.approx(0.01)
    assert found["calibration_error"].value == pytest.approx(0.1)
    wrong = judge.Judge(Scorer(knowing(0.2)), template)
    found = rows("toy-statements-in-words", wrong, tmp_path / "wrong")
    assert found["judge_accuracy"].value == 0.0
    assert found["brier_score"].value == pytest.approx(0.64)
    shrug = judge.Judge(Scorer(lambda text: 0.5), template)
    found = rows("toy-statements-in-words", shrug, tmp_path / "shrug")
    assert found["judge_accuracy"].value == 0.5
    assert found["brier_score"].value == pytest.approx(0.25)
    assert found["calibration_error"].value == pytest.approx(0.0)
    assert found["judge_accuracy"].standard_error is not None


def test_a_judge_that_fails_is_counted_and_left_out(tmp_path: Path) -> None:
    calls = iter(range(40))

    def rule(text: str) -> float | Failure:
        return Failure("encode", "too long") if next(calls) % 4 == 0 else 0.5

    found = rows("toy-statements-in-words", judge.Judge(Scorer(rule), TEMPLATES["is-there"]), tmp_path)
    row = found["judge_accuracy"]
    assert (row.n, row.failed, row.unjudged) == (30, 10, 0)


def test_replies_off_the_menu_are_unjudged_and_raw_replies_are_kept(tmp_path: Path) -> None:
    talker: Any = Speaker(lambda text: "I think that it is")
    found = rows("toy-statements-in-words", talker, tmp_path)
    assert (found["judge_accuracy"].value, found["judge_accuracy"].unjudged) == (None, 40)
    assert "I think that it is" in next(tmp_path.rglob("predictions.jsonl")).read_text()


def test_what_was_asked_and_how_likely_both_answers_were_is_recorded(tmp_path: Path) -> None:
    system = judge.Judge(Scorer(knowing(0.9)), TEMPLATES["is-there"])
    rows("toy-statements-in-words", system, tmp_path, limit=4)
    first = json.loads(next(tmp_path.rglob("predictions.jsonl")).read_text().splitlines()[0])
    told = json.dumps(first)
    assert "is there " in told
    assert "yes -0.1054, no -2.3026" in told


@pytest.mark.parametrize(
    ("argument", "why"),
    [
        ("null?template=figure", "null does not tell how likely its answers are"),
        ("oracle?template=nonsense", "no template 'nonsense'; there are figure"),
        ("oracle?template=figure&score=sure", "no score 'sure'"),
        ("nobody", "unknown system 'nobody'"),
    ],
)
def test_what_is_no_judge_is_refused_with_what_there_is(argument: str, why: str) -> None:
    with pytest.raises(RegistryError, match=why):
        judge.load(argument)


@pytest.mark.weights
def test_the_template_that_wins_is_the_default() -> None:
    """On the first 60 statements of toyworld's pictures, nextgpt-tiny is most often right when asked so."""
    benchmark = load_benchmark("toy-statements")
    samples = [each for each in benchmark.samples(Options(None, 60)) if isinstance(each, Sample)]
    scorer = judge.load("nextgpt-tiny").scorer
    right = {}
    for name, template in TEMPLATES.items():
        answers = judge.Judge(scorer, template).respond([sample.request for sample in samples])
        said = [float(each.text) for each in answers if isinstance(each, Message)]
        right[name] = sum(
            (odds >= 0.5) == bool(s.references["true"]) for odds, s in zip(said, samples, strict=True)
        )
    assert max(right, key=lambda name: right[name]) == judge.DEFAULT
    assert right[judge.DEFAULT] > 35


# --- answers that are judged ---------------------------------------------------------------------


def strict(text: str) -> str:
    """Right where the answer is the reference to the letter."""
    lines = dict(line.split(": ", 1) for line in text.splitlines() if ": " in line)
    return "yes" if lines["Correct answer"] == lines["Given answer"] else "no"


def test_the_answers_of_a_run_are_judged_and_its_failures_are_not(tmp_path: Path) -> None:
    turns = iter(range(12))

    class Half(Speaker):
        def respond(self, requests: Sequence[Request]) -> list[Message | Failure]:
            return [
                Failure("model", "it broke") if next(turns) % 3 == 0 else assistant("yes") for _ in requests
            ]

    evaluate(load_benchmark("toy-vqa"), Half(str), tmp_path / "judged", Options(None, 12))
    folder = tmp_path / "judged" / "scorer" / "toy-vqa"
    benchmark = load_benchmark("judged-answers")
    samples = list(benchmark.samples(Options(folder)))
    assert len(samples) == 12
    broken = [each for each in samples if isinstance(each, Broken)]
    assert len(broken) == 4
    assert broken[0].reason == "scorer failed: it broke"
    row = rows("judged-answers", Speaker(strict), tmp_path / "runs", None, folder)["judged_right"]
    truths = [each.references["reference"] == "yes" for each in samples if isinstance(each, Sample)]
    assert row.value == pytest.approx(sum(truths) / len(truths))
    assert (row.n, row.unjudged) == (8, 4)


def test_captions_of_anyone_are_judged_from_a_file(tmp_path: Path) -> None:
    lines = [
        {"id": k, "reference": "two dogs run", "answer": answer}
        for k, answer in enumerate(("two dogs", "a bus", "dogs", "a cat"))
    ]
    (tmp_path / "judged.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))

    def speak(text: str) -> str:
        first = text.splitlines()[1]
        return (
            "no idea" if "cat" in first else json.dumps({"score": 80 if "dogs" in first else 0, "reason": ""})
        )

    row = rows("judged-captions", Speaker(speak), tmp_path / "runs", None, tmp_path)["clair"]
    assert row.value == pytest.approx(1.6 / 3)
    assert (row.n, row.unjudged) == (3, 1)


def test_the_sentinel_is_frozen_and_a_judge_that_changes_has_drifted(tmp_path: Path) -> None:
    import hashlib

    from benchmarks.tasks.judging.judged import SENTINEL
    from reports.calibration import build_calibration

    assert hashlib.sha256(SENTINEL.read_bytes()).hexdigest()[:16] == "22dfd46d9d1ff340"
    before, after = Speaker(strict, "1"), Speaker(lambda text: "yes", "2")
    first = rows("judge-sentinel", before, tmp_path / "then", None)["verdict_accuracy"]
    assert first.n == 60
    assert first.value is not None
    assert 0.5 < first.value < 1
    assert rows("judge-sentinel", after, tmp_path / "now", None)["verdict_accuracy"].value == 0.5
    found = build_calibration([tmp_path / "then", tmp_path / "now"])
    (drift,) = found.drifts
    assert drift.versions == ("1", "2")
    assert drift.changed.value > 0.3
    assert drift.changed.n == 60
    assert not build_calibration([tmp_path / "then"]).drifts


def test_a_recorded_judge_says_again_what_it_said(tmp_path: Path) -> None:
    from benchmarks.systems import recorded

    evaluate(load_benchmark("judge-sentinel"), Speaker(strict), tmp_path / "runs", Options())
    file = next(tmp_path.rglob("predictions.jsonl"))
    then = rows("judge-sentinel", Speaker(strict), tmp_path / "again", None)["verdict_accuracy"]
    now = rows("judge-sentinel", recorded(str(file)), tmp_path / "replayed", None)["verdict_accuracy"]
    assert (now.value, now.low, now.n) == (then.value, then.low, then.n)


def test_judges_have_a_page_of_their_own(tmp_path: Path) -> None:
    from reports.calibration import build_calibration
    from reports.pages import write_page

    for sure, template in ((0.9, "is-there"), (0.3, "is-there")):
        system = judge.Judge(Scorer(knowing(sure)), TEMPLATES[template])
        system.name = f"judge-{sure}"
        rows("toy-statements-in-words", system, tmp_path / "runs")
    found = build_calibration([tmp_path / "runs"])
    first, second = found.on("toy-statements-in-words")
    assert (first.best, second.best) == (True, False)
    (alone,) = build_calibration([tmp_path / "runs" / "judge-0.3"]).on("toy-statements-in-words")
    assert not alone.best, "there is nobody whom it is better than"
    assert (first.run.manifest.system, first.best, second.best) == ("judge-0.9", True, False)
    assert [each.n for each in first.bins if each.n] == [20, 20]
    (against,) = found.against
    assert abs(against.comparison.difference) == 1.0
    assert {row["slice"] for row in found.rows} == {None, "whole", "atom"}
    page = tmp_path / "calibration.html"
    write_page(found, "calibration.html.j2", page)
    text = page.read_text()
    assert "most often right" in text
    assert text.count("<circle") == 4
    assert "<script" not in text


@pytest.mark.weights
def test_pictures_of_anyone_get_a_vqa_score_and_wrong_prompts_a_lower_one(tmp_path: Path) -> None:
    from benchmarks.score.generated import Generated
    from benchmarks.score.media import score_generated
    from toyworld.kinds import kind_of

    drawn = scenes("test", 8)
    right = {str(k): f"a {scene.things[0].colour} {scene.things[0].shape}" for k, scene in enumerate(drawn)}
    for number, scene in enumerate(drawn):
        kind_of(scene).render(scene).save(tmp_path / "said" / f"{number}.png")
    wrong = dict.fromkeys(right, "a purple star")
    values = []
    for prompts in (right, wrong):
        (tmp_path / "prompts.json").write_text(json.dumps(prompts))
        asked = Generated(
            "text-to-image", tmp_path / "said", None, tmp_path / "prompts.json", ["judge:nextgpt-tiny"]
        )
        (row,) = score_generated(asked).results
        assert (row.metric, row.n) == ("vqa_score", 8)
        assert "judge:nextgpt-tiny@" in row.signature
        assert "template:is-there@" in row.signature
        values.append(row.value)
    assert values[0] is not None
    assert values[1] is not None
    assert values[0] > values[1]
