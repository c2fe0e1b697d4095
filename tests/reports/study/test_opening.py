"""From runs to a result: made, rated, unsealed, and shown beside automatic scores."""

from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from reports.cli import main
from reports.study.design import StudyError
from reports.study.judgements import Vote
from reports.study.making import Made
from reports.study.opening import open_study, read_result, write_result
from reports.study.records import Hidden, Value, read_study
from tests.reports.study.raters import answers, never, prefers, send_csv, send_json, send_xlsx, study_of

RATERS = 5


def rated(folder: Path, design: str = "pairwise", noise: float = 0.4, items: int = 60) -> Made:
    """A study that all raters have answered."""
    made = study_of(folder, design, raters=RATERS, items=items)
    for rater in range(1, RATERS + 1):
        send_json(made.study, rater, answers(made.study, made.key, rater, prefers(noise=noise, seed=rater)))
    return made


@pytest.mark.parametrize("design", ["pairwise", "likert"])
def test_raters_with_a_clear_preference_make_a_winner(tmp_path: Path, design: str) -> None:
    made = rated(tmp_path / "study", design)
    result, judgements, _ = open_study(read_study(made.study.folder))
    assert len(judgements.all) == RATERS * 60 * (1 if design == "pairwise" else 2)
    for comparison in result.kept.comparisons:
        order = ("good", "fair", "bad")
        assert comparison.better == min(comparison.first, comparison.second, key=order.index)
    values = {score.system: score.value or 0 for score in result.kept.scores if score.kind != "win rate"}
    assert values["good"] > values["fair"] > values["bad"]
    assert all(agreed.value is None or agreed.value > 0.3 for agreed in result.kept.agreement)


def test_raters_without_a_preference_leave_it_inconclusive_and_say_how_many_more(tmp_path: Path) -> None:
    made = rated(tmp_path / "study", noise=1000.0)
    result, _, _ = open_study(made.study)
    for comparison in result.kept.comparisons:
        assert comparison.better is None
        assert comparison.words.startswith("Inconclusive: no difference between")
    assert any("more items with as many raters" in found.words for found in result.kept.comparisons)


def test_the_key_stays_closed_until_the_last_rating(tmp_path: Path) -> None:
    made = rated(tmp_path / "study")
    (made.study.folder / "returned" / "answers-3.json").unlink()
    with pytest.raises(StudyError, match=r"rater 3 has answered 0 of 66 trials; the key stays closed"):
        open_study(made.study)
    result, _, _ = open_study(made.study, early=True)
    assert "the key was opened early: rater 3 has answered 0 of 66 trials" in result.remarks
    send_json(made.study, 3, answers(made.study, made.key, 3, prefers()))
    result, _, _ = open_study(made.study)
    assert "the key was opened early: rater 3 has answered 0 of 66 trials" in result.remarks
    assert "ratings have changed, or more have come, since the key was opened" in result.remarks


def test_a_key_that_was_changed_is_no_key(tmp_path: Path) -> None:
    made = rated(tmp_path / "study")
    path = made.study.folder / "key.json"
    assert hashlib.sha256(path.read_bytes()).hexdigest() == made.study.commitment
    assert path.stat().st_mode & 0o077 == 0
    path.write_text(path.read_text().replace('"good"', '"fair"'))
    with pytest.raises(StudyError, match="not the key that was sealed"):
        open_study(made.study)
    path.unlink()
    with pytest.raises(StudyError, match=r"key\.json: cannot be read"):
        open_study(made.study)


def test_a_study_that_was_changed_is_refused(tmp_path: Path) -> None:
    made = rated(tmp_path / "study")
    path = made.study.folder / "study.json"
    whole = json.loads(path.read_text())
    whole["protocol"]["rules"]["checks_failed"] = 1.0  # a rule that suits the ratings
    path.write_text(json.dumps(whole))
    with pytest.raises(StudyError, match="changed since the study was made"):
        read_study(made.study.folder)
    path.write_text("{}")
    with pytest.raises(StudyError, match="not the fields of a study"):
        read_study(made.study.folder)


def test_no_sheet_tells_what_stands_behind_a_label(tmp_path: Path) -> None:
    made = study_of(tmp_path / "study", "pairwise", raters=2)
    for rater in (1, 2):
        folder = made.study.folder / "raters" / f"rater-{rater}"
        for path in folder.glob("sheet.*"):
            assert made.key.nonce.encode() not in path.read_bytes()
        page = (folder / "sheet.html").read_text()
        assert not any(word in page for word in ('"kind": "check"', '"duplicate"', '"slots"', '"expected"'))


# --- rules that are fixed in advance --------------------------------------------------------------


def careless(hidden: Hidden, criterion: str) -> Value:
    return "left"


def test_a_rater_who_reads_nothing_is_left_out_and_both_results_stand(tmp_path: Path) -> None:
    made = rated(tmp_path / "study")
    said = {trial.id: {"preference": "left"} for trial in made.study.trials[1]}
    send_json(made.study, 2, said)
    result, _, _ = open_study(made.study)
    quality = {each.rater: each.reasons for each in result.quality}
    assert quality["2"]
    assert any("attention checks failed" in reason for reason in quality["2"])
    assert "one answer to everything" in quality["2"]
    assert {rater for rater, reasons in quality.items() if reasons} == {"2"}
    assert result.everyone is not None
    assert (result.kept.raters, result.everyone.raters) == (4, 5)


def test_a_rater_who_is_faster_than_anyone_can_look_is_left_out(tmp_path: Path) -> None:
    made = rated(tmp_path / "study")
    send_json(made.study, 4, answers(made.study, made.key, 4, prefers()), seconds=0.3)
    result, _, _ = open_study(made.study)
    (reason,) = next(each.reasons for each in result.quality if each.rater == "4")
    assert reason == "0.3 s on a trial, by the median"


def test_where_the_rules_leave_nobody_all_are_shown_and_it_is_said(tmp_path: Path) -> None:
    made = rated(tmp_path / "study")
    for rater in range(1, RATERS + 1):
        send_json(made.study, rater, answers(made.study, made.key, rater, prefers()), seconds=0.1)
    result, _, _ = open_study(made.study)
    assert result.kept.raters == RATERS
    assert any("leave everyone out" in remark for remark in result.remarks)


def test_sides_are_turned_back_and_both_bad_is_counted(tmp_path: Path) -> None:
    made = study_of(tmp_path / "study", "pairwise", raters=2)
    for rater in (1, 2):
        send_json(made.study, rater, answers(made.study, made.key, rater, lambda hidden, name: "both bad"))
    result, judgements, _ = open_study(made.study)
    assert {(vote.outcome, vote.both_bad) for vote in judgements.votes} == {(0.5, True)}
    assert {comparison.both_bad for comparison in result.kept.comparisons} == {1.0}
    left = study_of(tmp_path / "left", "pairwise", raters=2)
    for rater in (1, 2):
        send_json(left.study, rater, answers(left.study, left.key, rater, careless))
    _, judgements, _ = open_study(left.study)
    wins = [vote.outcome for vote in judgements.votes]
    assert abs(sum(wins) - len(wins) / 2) <= 3  # who always says left prefers nobody
    assert all(isinstance(vote, Vote) and vote.first < vote.second for vote in judgements.votes)


def test_a_clip_that_never_breaks_lasts_whole(tmp_path: Path) -> None:
    made = study_of(tmp_path / "study", "breaks", raters=2)
    for rater in (1, 2):
        send_json(made.study, rater, answers(made.study, made.key, rater, never))
    result, judgements, _ = open_study(made.study)
    assert {rating.value for rating in judgements.ratings} == {1.0}
    assert result.kept.scores[0].method == "no interval: all ratings are equal"


def test_a_result_is_read_as_it_was_written(tmp_path: Path) -> None:
    made = rated(tmp_path / "study")
    result, _, _ = open_study(made.study)
    assert read_result(write_result(tmp_path, result)) == result


# --- the commands ---------------------------------------------------------------------------------


def command(monkeypatch: pytest.MonkeyPatch, *words: object) -> int:
    monkeypatch.setattr("sys.argv", ["nextgpt-report", *map(str, words)])
    with pytest.raises(SystemExit) as stop:
        main()
    return int(stop.value.code or 0)


def test_from_runs_to_the_comparison_page(
    runs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    import shutil

    folder = tmp_path / "runs"
    for name in ("nextgpt-tiny", "caption-then-tool"):
        shutil.copytree(runs / name, folder / name)
    study = folder / "study"
    assert command(monkeypatch, "sheets", folder, "--out", study, "--items", 30, "--raters", 3) == 0
    assert "Sealed: " in capsys.readouterr().out
    made = read_study(study)
    key = made.key()
    assert {measured.metric for measured in key.metrics} == {"exact_match", "cider_d"}
    for rater in (1, 2, 3):
        order = ("nextgpt-tiny", "caption-then-tool")
        send_json(made, rater, answers(made, key, rater, prefers(order, noise=0.5, seed=rater)))
    assert command(monkeypatch, "ratings", study) == 0
    out = capsys.readouterr().out
    assert "nextgpt-tiny" in out
    assert "Krippendorff's alpha" in out
    assert (study / "result" / "votes.jsonl").exists()
    page = (study / "result.html").read_text()
    assert "How automatic metrics go along with people" in page
    assert command(monkeypatch, "compare", folder) == 0
    page = (folder / "comparison.html").read_text()
    assert '<section id="people">' in page
    assert "Krippendorff" in page
    assert "## What people said" in (folder / "comparison.md").read_text()
    (study / "study-result.json").write_text("{}")
    assert command(monkeypatch, "compare", folder) == 1
    assert "not the fields of a study's result" in capsys.readouterr().err
    assert command(monkeypatch, "sheets", folder, "--out", study, "--items", 30) == 1
    assert "a study lies here already" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("design", "criteria", "most"),
    [
        ("paper", ["following", "rationality", "quality"], 100),
        ("1to10", ["conversion"], 10),
    ],
)
def test_the_paper_s_studies_go_from_runs_to_the_page_that_shows_metrics_beside_them(
    design: str, criteria: list[str], most: int, runs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import shutil

    folder = tmp_path / "runs"
    for name in ("nextgpt-tiny", "caption-then-tool"):
        shutil.copytree(runs / name, folder / name)
    study = folder / "study"
    making = ("sheets", folder, "--out", study, "--design", design, "--items", 36)
    assert command(monkeypatch, *making) == 0  # five raters, unless told otherwise
    made = read_study(study)
    key = made.key()
    right = {measured.metric: measured for measured in key.metrics}["exact_match"].values
    ways: list[Callable[..., Path]] = [send_json, send_csv, send_xlsx, send_json, send_json]
    for rater, send in enumerate(ways, start=1):

        def opinion(hidden: Hidden, criterion: str, rater: int = rater) -> Value:
            good = bool(right[hidden.slots[0]][hidden.item])
            return round(most * (0.4 + 0.4 * good + 0.02 * rater))

        send(made, rater, answers(made, key, rater, opinion))
    assert command(monkeypatch, "ratings", study) == 0
    found = read_result(study / "study-result.json")
    assert (found.kept.raters, found.kept.items) == (5, 36)
    assert list(dict.fromkeys(score.criterion for score in found.kept.scores)) == criteria
    assert {each.better for each in found.kept.comparisons} == {"nextgpt-tiny"}
    agree = [each.value for each in found.metrics if (each.metric, each.level) == ("exact_match", "pairs")]
    # Strict raters met other outputs than mild ones, so that people go along with the truth, not always.
    assert len(agree) == len(criteria)
    assert min(value or 0 for value in agree) > 0.7
    assert command(monkeypatch, "compare", folder) == 0
    page = (folder / "comparison.html").read_text()
    assert found.title in page
    assert "exact match" in page.partition('<section id="people">')[2]


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (("sheets", "nowhere", "--out", "x"), "no runs here"),
        (("sheets", "RUNS/nextgpt-tiny", "--out", "x"), "a study compares two or more"),
        (("sheets", "RUNS", "--out", "x", "--items", "500"), "ask for fewer with --items"),
        (("sheets", "RUNS", "--out", "x", "--design", "breaks"), "0 samples with video were answered by all"),
        (("ratings", "RUNS"), "no study here"),
        (("power", "0"), "difference of 0"),
        (("power", "0.1", "--taste", "0.6", "--hardness", "0.6"), "stay below 1 together"),
        (("serve-study", "RUNS"), "no study here"),
    ],
)
def test_mistakes_are_one_line(
    words: tuple[str, ...],
    reason: str,
    runs: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert command(monkeypatch, *(word.replace("RUNS", str(runs)) for word in words)) == 1
    err = capsys.readouterr().err
    assert reason in err
    assert err.count("\n") == 1
    assert not (tmp_path / "x").exists()


def test_power_tells_how_many(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert command(monkeypatch, "power", "0.1", "--raters", 5, "--raters", 50) == 0
    lines = capsys.readouterr().out.splitlines()
    assert "the rater's taste" in lines[0]
    assert [line.split()[0] for line in lines[1:]] == ["5", "50"]


def test_ratings_writes_a_row_for_all_that_it_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = rated(tmp_path / "study", noise=0.0, items=6)  # few and of one mind: all votes for one of a pair
    rows, table = tmp_path / "rows.json", tmp_path / "rows.csv"
    written = ["--json", str(rows), "--csv", str(table)]
    assert command(monkeypatch, "ratings", str(made.study.folder), *written) == 0
    found = json.loads(rows.read_text("utf-8"))
    kept = read_result(made.study.folder / "study-result.json").kept
    assert [row["value"] for row in found if row["row"] == "score"] == [score.value for score in kept.scores]
    assert [row["words"] for row in found if row["row"] == "comparison"] == [
        c.words for c in kept.comparisons
    ]
    assert len(found) == len(kept.scores) + len(kept.comparisons) + len(kept.agreement)
    with table.open(encoding="utf-8", newline="") as file:
        assert [row["row"] for row in csv.DictReader(file)] == [row["row"] for row in found]
