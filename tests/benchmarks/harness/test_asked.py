from __future__ import annotations

import hashlib
import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.harness.asked import DataChangedError, asked, difference
from benchmarks.harness.benchmark import Broken, Options, Sample
from benchmarks.harness.records import FILE, read_run
from benchmarks.harness.run import evaluate, run
from benchmarks.harness.scoring import score
from benchmarks.registry import load_benchmark
from benchmarks.score.files import score_files
from nextgpt.media import Image
from nextgpt.messages import Failure, Message, Modality, Request, Role, assistant, user
from tests.benchmarks.fakes import Speaker, echo, numbers, sample


def other(number: int) -> Sample:
    """The sample of the same id in another data set."""
    return replace(sample(number), request=Request((user(f"{number}?"),)))


def without_asked(path: Path) -> None:
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    path.write_text(
        "".join(json.dumps({k: v for k, v in row.items() if k != "asked"}) + "\n" for row in rows)
    )


def test_a_run_is_not_continued_on_other_data_of_the_same_ids(tmp_path: Path) -> None:
    log = evaluate(numbers(4), Speaker(echo), tmp_path).folder / FILE
    before = log.read_bytes()
    changed = numbers(samples=[sample(0), other(1), other(2), sample(3)])
    system = Speaker(echo)
    with pytest.raises(DataChangedError) as error:
        evaluate(changed, system, tmp_path)
    assert "sample 's1' has another request now; give the data that were answered" in str(error.value)
    assert (log.read_bytes(), system.batches) == (before, [])


def test_answers_are_not_scored_against_other_data_of_the_same_ids(tmp_path: Path) -> None:
    finished = run(numbers(4), Speaker(echo), tmp_path)
    changed = numbers(
        samples=[sample(0), sample(1), replace(sample(2), references={"answer": "x"}), sample(3)]
    )
    with pytest.raises(DataChangedError, match="sample 's2' has another answer now"):
        score(finished, changed)
    assert score(finished, numbers(4)).results[0].value == 0.5


def test_a_record_that_has_been_mended_is_run_again_when_asked(tmp_path: Path) -> None:
    run(numbers(samples=[sample(0), Broken("s1", "1.jpg: empty")]), Speaker(echo), tmp_path)
    mended = numbers(samples=[sample(0), sample(1)])
    with pytest.raises(
        DataChangedError, match="'s1' could not be loaded then; run it again with --retry-failed"
    ):
        run(mended, Speaker(echo), tmp_path)
    assert not any(
        each.failed for each in run(mended, Speaker(echo), tmp_path, retry_failed=True).predictions
    )


def test_a_record_that_has_broken_since_is_named(tmp_path: Path) -> None:
    run(numbers(2), Speaker(echo), tmp_path)
    with pytest.raises(DataChangedError, match=r"'s1' can't be loaded any more \(1.jpg: empty\)"):
        run(numbers(samples=[sample(0), Broken("s1", "1.jpg: empty")]), Speaker(echo), tmp_path)


def test_where_nothing_was_kept_the_result_says_that_nothing_was_checked(tmp_path: Path) -> None:
    finished = evaluate(numbers(4), Speaker(echo), tmp_path)
    assert "not checked" not in finished.results[0].method
    without_asked(finished.folder / FILE)
    again = evaluate(numbers(4), Speaker(echo), tmp_path)
    assert again.results[0].value == finished.results[0].value
    assert again.results[0].method.endswith(
        "; 4 do not say what they answer, so not checked against these data"
    )


def test_a_file_of_answers_is_held_against_its_own_references(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    write_vqa(folder, "red")
    finished = evaluate(load_benchmark("coco-vqa"), seer(), tmp_path / "runs", Options(folder))
    shutil.copytree(folder, tmp_path / "same")
    (same, *_) = score_files("vqa", tmp_path / "same", finished.folder / FILE)
    assert same.value == finished.results[0].value == 1.0
    assert "not checked" not in same.method
    alone = tmp_path / FILE
    alone.write_text((finished.folder / FILE).read_text())
    without_asked(alone)
    assert "1 do not say what they answer" in score_files("vqa", folder, alone)[0].method
    write_vqa(tmp_path / "other", "blue")
    with pytest.raises(DataChangedError, match="sample '1' has another annotation now"):
        score_files("vqa", tmp_path / "other", finished.folder / FILE)
    with pytest.raises(DataChangedError, match="sample '1' has another request and annotation now"):
        evaluate(load_benchmark("coco-vqa"), seer(), tmp_path / "runs", Options(tmp_path / "other"))


def test_what_is_asked_counts_by_its_content() -> None:
    pixels = np.zeros((4, 4, 3), np.uint8)
    asking = Sample(
        "1", Request((user(Image(pixels), "?"),)), {"b": (1, 2), "a": {"x": 1, "y": 2}}, group="1"
    )
    same = replace(asking, request=Request((user(Image(pixels.copy()), "?"),), seed=7), group="2")
    same = replace(same, references={"a": {"y": 2, "x": 1}, "b": (1, 2)})
    assert asked(same) == asked(asking)
    pixels[0, 0, 0] = 1
    another = replace(asking, request=Request((user(Image(pixels), "?"),)))
    assert difference(asked(asking), asked(another)) == "has another request now"


@given(
    st.lists(st.tuples(st.sampled_from(["user", "assistant"]), st.lists(st.text())), max_size=3),
    st.none() | st.frozensets(st.sampled_from(["text", "image"])),
    st.dictionaries(st.text(), st.text(), max_size=2),
)
def test_a_request_is_hashed_as_the_json_of_its_turns_wishes_and_hints(
    turns: list[tuple[Role, list[str]]], wanted: frozenset[Modality] | None, hints: dict[str, str]
) -> None:
    """What runs and expectations hold; however it is computed, it may not change."""
    turns = [*turns, ("user", ["?"])]
    request = Request(tuple(Message(role, tuple(parts)) for role, parts in turns), wanted)
    whole = [turns, None if wanted is None else sorted(wanted), hints or None]
    encoded = json.dumps(whole, sort_keys=True, separators=(",", ":")).encode()
    found = asked(Sample("1", request, {}, group="1", hints=hints))
    assert found == {"request": hashlib.sha256(encoded).hexdigest()[:12]}


def test_what_cannot_be_hashed_is_refused() -> None:
    with pytest.raises(TypeError, match="a sample can't hold a object"):
        asked(replace(sample(1), references={"answer": object()}))


def test_the_failure_of_a_broken_record_stays_one(tmp_path: Path) -> None:
    broken = numbers(samples=[sample(0), Broken("s1", "1.jpg: empty")])
    evaluate(broken, Speaker(echo), tmp_path)
    again = read_run(evaluate(broken, Speaker(echo), tmp_path).folder)
    assert [each.answer for each in again.predictions][1] == Failure("data", "1.jpg: empty")


def colour(request: Request) -> Message:
    (picture,) = request.conversation[-1].images
    return assistant("red" if picture.pixels[..., 0].mean() > 100 else "blue")


def seer() -> Speaker:
    system = Speaker(colour)
    system.accepts = frozenset({"text", "image"})
    return system


def write_vqa(folder: Path, said: str) -> None:
    (folder / "images").mkdir(parents=True)
    pixels = np.zeros((8, 8, 3), np.uint8)
    pixels[..., 0 if said == "red" else 2] = 255
    Image(pixels).save(folder / "images" / "000000000001.png")
    question = {"question_id": 1, "image_id": 1, "question": f"what colour? ({said})"}
    answers = [{"answer": said, "answer_id": k + 1} for k in range(10)]
    annotation = {"question_id": 1, "image_id": 1, "answer_type": "other", "answers": answers}
    (folder / "vqa_questions.json").write_text(json.dumps({"questions": [question]}))
    (folder / "vqa_annotations.json").write_text(json.dumps({"annotations": [annotation]}))
