"""Votes and ratings of other tools: in, out, and refused by line where they are broken."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from reports.study.analysis import findings
from reports.study.design import StudyError
from reports.study.foreign import read_foreign, write_foreign
from reports.study.judgements import Judgements, Rating, Vote
from tests.reports.study.test_opening import command

ARENA = [
    {"question_id": "q1", "model_a": "x", "model_b": "y", "winner": "model_a", "judge": "j1"},
    {"question_id": "q2", "model_a": "y", "model_b": "x", "winner": "model_a", "judge": "j2"},
    {"question_id": "q3", "model_a": "x", "model_b": "y", "winner": "tie (bothbad)", "judge": "j1"},
    {"question_id": "q3", "model_a": "x", "model_b": "y", "winner": "tie", "judge": "j2"},
]
MUSHRA = (
    "session_test_id,age,session_uuid,trial_id,rating_stimulus,rating_score,rating_time,rating_comment\n"
    "t,33,u1,trial1,reference,100,1200,\nt,33,u1,trial1,C1,40,1100,\nt,33,u2,trial1,C1,60,900,\n"
)


@pytest.mark.parametrize("lines", [True, False])
def test_votes_of_the_arena_are_read(tmp_path: Path, lines: bool) -> None:
    path = tmp_path / "votes.json"
    path.write_text("\n".join(map(json.dumps, ARENA)) if lines else json.dumps(ARENA))
    votes = read_foreign(path).votes
    assert [(vote.first, vote.second, vote.outcome, vote.both_bad) for vote in votes] == [
        ("x", "y", 1.0, False),
        ("x", "y", 0.0, False),
        ("x", "y", 0.5, True),
        ("x", "y", 0.5, False),
    ]


def test_ratings_of_webmushra_are_read_without_what_they_say_of_a_person(tmp_path: Path) -> None:
    (tmp_path / "m.csv").write_text(MUSHRA)
    ratings = read_foreign(tmp_path / "m.csv").ratings
    assert [(rating.rater, rating.system, rating.value) for rating in ratings] == [
        ("u1", "reference", 100.0),
        ("u1", "C1", 40.0),
        ("u2", "C1", 60.0),
    ]
    assert "33" not in repr(ratings)


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    votes = Judgements(
        votes=(Vote("1", "a/b", "preference", "x", "y", 0.5, True), Vote("2", "c", "q", "x", "z", 0.0))
    )
    (path,) = write_foreign(tmp_path, votes)
    assert read_foreign(path) == votes
    ratings = Judgements((Rating("1", "a", "following", "x", 4.0), Rating("2", "a", "quality", "y", 2.0)))
    plain, mushra = write_foreign(tmp_path, ratings)
    assert read_foreign(plain) == ratings
    assert [rating.value for rating in read_foreign(mushra).ratings] == [4.0, 2.0]


def test_names_that_look_like_formulas_and_values_below_zero_come_back_as_they_were(tmp_path: Path) -> None:
    said = (Rating("=1", "-a", "+better", "'=cmd", -1.5), Rating("2", "b", "+better", "@sum", 1 / 3))
    plain, mushra = write_foreign(tmp_path, Judgements(said))
    assert read_foreign(plain).ratings == said
    assert [rating.value for rating in read_foreign(mushra).ratings] == [-1.5, 1 / 3]
    cells = [cell for row in csv.reader(plain.open(newline="")) for cell in row[:4]]
    assert [cell for cell in cells if cell[:1] in tuple("=+-@")] == []


def test_the_arena_s_own_log_is_read_without_what_it_says_of_a_person(tmp_path: Path) -> None:
    kinds = ("leftvote", "rightvote", "tievote", "bothbad_vote", "chat", "flag")
    log = [{"tstamp": 1.0, "type": kind, "models": ["x", "y"], "ip": "203.0.113.9"} for kind in kinds]
    newer = {"model_a": "x", "model_b": "y", "winner": "both_bad", "judge": "j"}
    (tmp_path / "log.json").write_text("\n".join(map(json.dumps, [*log, newer])))
    votes = read_foreign(tmp_path / "log.json").votes
    assert [(vote.outcome, vote.both_bad) for vote in votes] == [
        (1.0, False), (0.0, False), (0.5, False), (0.5, True), (0.5, True),
    ]  # fmt: skip
    assert "203.0.113" not in repr(votes)


def test_a_file_of_votes_is_analysed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "votes.jsonl"
    votes = [
        {"model_a": "x", "model_b": "y", "winner": "model_a" if n % 10 else "model_b"} for n in range(200)
    ]
    path.write_text("\n".join(map(json.dumps, votes)))
    (found,) = findings(read_foreign(path)).comparisons
    assert (found.better, found.value) == ("x", 0.9)
    assert command(monkeypatch, "ratings", path) == 0
    assert (tmp_path / "study-result.json").exists()


@pytest.mark.parametrize(
    ("name", "text", "reason"),
    [
        ("a.jsonl", '{"model_a": "x"}', "line 1: a vote has model_a, model_b and a winner"),
        ("a.jsonl", '{"model_a": "x", "model_b": "x", "winner": "tie"}', "a vote is between two"),
        ("a.jsonl", "{", "line 1: not JSON"),
        ("a.json", "[", "not JSON"),
        ("a.csv", "name\nx\n", "neither webMUSHRA's columns nor rater, item, system and value"),
        ("a.csv", "rater,item,system,value\nr,i,s,many\n", "line 2: no rating"),
        ("a.csv", "rater,item,system,value\nr,i,s,nan\n", "line 2: no rating"),
        ("a.csv", "rater,item,system,value\nr,,s,1\n", "line 2: no rating"),
        ("a.csv", "rater,item,system,value\nr,i,s,1\nr,i,s,2\n", "line 3: rated in line 2 already"),
        ("a.csv", "", "neither"),
    ],
)
def test_a_broken_file_is_refused_by_its_line(tmp_path: Path, name: str, text: str, reason: str) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(StudyError, match=reason):
        read_foreign(tmp_path / name)
