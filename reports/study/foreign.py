"""Votes and ratings in the forms of other tools, in and out.

In: Chatbot Arena's votes (JSON lines, or one list, with ``model_a``, ``model_b`` and ``winner``; or its log,
with ``type`` and ``models``), webMUSHRA's CSV, and a plain CSV of ratings (``rater``, ``item``, ``system``,
``value`` and, if there are several questions, ``criterion``). Out: the same.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from benchmarks.harness.storage import RecordError, brief, parse_json, read_file, write_atomically
from nextgpt.rows import harmless, unharmed
from nextgpt.terminal import visible
from reports.study.design import StudyError
from reports.study.judgements import Judgements, Rating, Vote

_WINNERS = {"model_a": 1.0, "model_b": 0.0, "tie": 0.5, "tie (bothbad)": 0.5, "both_bad": 0.5, "bothbad": 0.5}
_LOGGED = {"leftvote": "model_a", "rightvote": "model_b", "tievote": "tie", "bothbad_vote": "tie (bothbad)"}
_RATINGS = ("rater", "item", "criterion", "system", "value")
_MUSHRA = ("session_test_id", "session_uuid", "trial_id", "rating_stimulus", "rating_score")


def read_foreign(path: Path) -> Judgements:
    """Read a file of votes or ratings; its columns say which it is.

    Raises:
        StudyError: none of the three forms, or a record that is broken; names the line.
    """
    try:
        data = read_file(path)
        text = data.decode("utf-8-sig")
    except RecordError as error:
        raise StudyError(str(error)) from error
    except UnicodeDecodeError as error:
        raise StudyError(f"{path}: not UTF-8 (at byte {error.start:,}); save it as UTF-8") from error
    if path.suffix.lower() in (".json", ".jsonl"):
        return Judgements(votes=tuple(_arena(path, data)))
    try:
        rows = list(csv.DictReader(io.StringIO(text, newline=""), strict=True))
    except csv.Error as error:
        raise StudyError(f"{path}: no CSV file ({error})") from error
    columns = set(rows[0]) if rows else set()
    if set(_MUSHRA) <= columns:
        return Judgements(ratings=_each(path, rows, _from_mushra))
    if {"rater", "item", "system", "value"} <= columns:
        return Judgements(ratings=_each(path, rows, _from_rating))
    raise StudyError(
        f"{path}: neither webMUSHRA's columns nor rater, item, system and value; it has "
        f"{brief(sorted(map(str, columns)))}"
    )


def write_foreign(folder: Path, judgements: Judgements) -> list[Path]:
    """Write judgements as other tools read them: ``ratings.csv`` and ``webmushra.csv``, or ``votes.jsonl``.

    Raises:
        RecordError: the disk is full or fails.
    """
    written = []
    if judgements.ratings:
        names = [[harmless(n) for n in (e.rater, e.item, e.criterion, e.system)] for e in judgements.ratings]
        rows = [[*mine, f"{e.value!r}"] for mine, e in zip(names, judgements.ratings, strict=True)]
        written.append(_write_csv(folder / "ratings.csv", _RATINGS, rows))
        header = (
            "session_test_id",
            "participant",
            "session_uuid",
            "trial_id",
            "rating_stimulus",
            "rating_score",
            "rating_time",
            "rating_comment",
        )
        mushra = [
            ["study", "", f"rater-{who}", f"{what} ({question})", system, f"{e.value!r}", "0", ""]
            for (who, what, question, system), e in zip(names, judgements.ratings, strict=True)
        ]
        written.append(_write_csv(folder / "webmushra.csv", header, mushra))
    if judgements.votes:
        lines = [json.dumps(arena_record(vote), ensure_ascii=True) for vote in judgements.votes]
        written.append(folder / "votes.jsonl")
        write_atomically(written[-1], "".join(f"{line}\n" for line in lines).encode())
    return written


def _arena(path: Path, data: bytes) -> Iterable[Vote]:
    for where, record in _records(path, data):
        match record:
            case {"type": str(kind), "models": [str(first), str(second)]} if kind in _LOGGED:
                winner = _LOGGED[kind]  # whose browser and address it was is not read
            case {"type": "chat" | "upvote" | "downvote" | "flag", "models": [_, _]}:
                continue  # the log tells of more than votes
            case {"model_a": str(first), "model_b": str(second), "winner": str(winner)} if winner in _WINNERS:
                pass
            case _:
                raise StudyError(
                    f"{where}: a vote has model_a, model_b and a winner of {', '.join(_WINNERS)}; "
                    f"got {brief(record)}"
                )
        if first == second or not (first and second):
            raise StudyError(f"{where}: {brief(first)} against {brief(second)}; a vote is between two")
        number = where.rpartition(" ")[2]
        item = str(record.get("question_id", record.get("conversation_id", number)))
        # Without a name every vote is somebody else's, which is how its owners count.
        rater = str(record.get("judge", record.get("judge_hash", f"vote {number}")))
        outcome = _WINNERS[winner]
        if first > second:
            first, second, outcome = second, first, 1 - outcome
        criterion = str(record.get("criterion", "preference"))
        said = (visible(rater), visible(item), visible(criterion), visible(first), visible(second))
        yield Vote(*said, outcome, "bad" in winner)


def _records(path: Path, data: bytes) -> Iterable[tuple[str, Any]]:
    """Where each record stands, and the record: of a list, or a line each."""
    lines = [(n, line) for n, line in enumerate(data.split(b"\n"), start=1) if line.strip()]
    try:
        whole = parse_json(data) if data.lstrip().startswith(b"[") else None
    except ValueError as error:
        raise StudyError(f"{path}: not JSON ({error})") from error
    if isinstance(whole, list):
        yield from ((f"{path}, vote {number}", record) for number, record in enumerate(whole, start=1))
        return
    for number, line in lines:
        try:
            yield f"{path}, line {number}", parse_json(line)
        except ValueError as error:
            raise StudyError(f"{path}, line {number}: not JSON ({error})") from error


def arena_record(vote: Vote) -> dict[str, Any]:
    """A vote as Chatbot Arena writes it; the first system is ``model_a``."""
    winner = {1.0: "model_a", 0.0: "model_b"}.get(vote.outcome, "tie (bothbad)" if vote.both_bad else "tie")
    return {
        "question_id": vote.item,
        "model_a": vote.first,
        "model_b": vote.second,
        "winner": winner,
        "judge": vote.rater,
        "criterion": vote.criterion,
    }


def _each(
    path: Path, rows: Iterable[Mapping[str, Any]], make: Callable[[Mapping[str, Any]], Rating]
) -> tuple[Rating, ...]:
    found: dict[tuple[str, str, str, str], int] = {}
    ratings = []
    for number, row in enumerate(rows, start=2):
        try:
            rating = make(row)
        except (ValueError, TypeError, KeyError) as error:
            raise StudyError(f"{path}, line {number}: no rating ({error})") from error
        key = (rating.rater, rating.item, rating.criterion, rating.system)
        if found.setdefault(key, number) != number:
            raise StudyError(f"{path}, line {number}: rated in line {found[key]} already; keep one")
        ratings.append(rating)
    return tuple(ratings)


def _from_rating(row: Mapping[str, Any]) -> Rating:
    return _rating(row["rater"], row["item"], row.get("criterion") or "rating", row["system"], row["value"])


def _from_mushra(row: Mapping[str, Any]) -> Rating:
    return _rating(
        row["session_uuid"], row["trial_id"], "quality", row["rating_stimulus"], row["rating_score"]
    )


def _rating(rater: Any, item: Any, criterion: Any, system: Any, value: Any) -> Rating:
    names = (rater, item, criterion, system)
    who, what, question, whose = (visible(unharmed(name or "")).strip() for name in names)
    if not (who and what and question and whose):
        raise ValueError("a name is empty")
    number = float(value)
    if not abs(number) < 1e12:
        raise ValueError(f"{number} is no rating")
    return Rating(who, what, question, whose, number)


def _write_csv(path: Path, header: Iterable[str], rows: Iterable[Iterable[str]]) -> Path:
    out = io.StringIO(newline="")
    csv.writer(out).writerows([list(header), *rows])
    write_atomically(path, out.getvalue().encode())
    return path
