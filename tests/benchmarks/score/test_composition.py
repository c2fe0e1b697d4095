"""`nextgpt-bench score geneval`: detections that are given, and the results of GenEval's own program."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.benchmarks.terminal import Command, only_line

METADATA = Path(__file__).resolve().parents[4] / "shared/data/prompts/geneval_evaluation_metadata.jsonl"
PROMPTS = [
    {"tag": "single_object", "include": [{"class": "bench", "count": 1}], "prompt": "a photo of a bench"},
    {
        "tag": "colors",
        "include": [{"class": "cow", "count": 1, "color": "red"}],
        "prompt": "a photo of a red cow",
    },
]
BENCH = {"class": "bench", "box": [0, 0, 9, 9], "score": 0.9}
COW = {"class": "cow", "box": [0, 0, 9, 9], "score": 0.9, "color": "blue"}


def lines(name: str, rows: list[Any]) -> None:
    Path(name).write_text("".join(json.dumps(row) + "\n" for row in rows))


def run(bench: Command, *more: str) -> tuple[int, list[dict[str, Any]], str]:
    lines("prompts.jsonl", PROMPTS)
    files = ("--references", "prompts.jsonl", "--predictions", "seen.jsonl", "--json", "rows.json")
    code, _, err = bench("score", "geneval", *files, *more)
    return code, json.loads(Path("rows.json").read_text()) if code == 0 else [], err


def test_detections_are_judged_by_the_rules_and_the_rows_are_by_kind(bench: Command) -> None:
    seen = [{"filename": f"00000/samples/000{k}.png", "objects": [BENCH] * (k % 2)} for k in range(4)]
    lines("seen.jsonl", [*seen, {"filename": "00001/samples/0000.png", "objects": [COW]}])
    code, rows, _ = run(bench)
    assert code == 0
    found = {row["slice"]: (row["value"], row["n"], row["failed"]) for row in rows}
    assert found == {None: (0.25, 2, 0), "single_object": (0.5, 1, 0), "colors": (0.0, 1, 0)}


def test_verdicts_of_geneval_s_own_program_are_taken(bench: Command) -> None:
    one = {"tag": "single_object", "prompt": "a photo of a bench", "reason": "", "details": "{}"}
    rows = [{**one, "filename": f"/out/00000/samples/000{k}.png", "correct": k > 0} for k in range(4)]
    other = {"filename": "/out/00001/samples/0000.png", "prompt": "a photo of a red cow", "correct": True}
    lines("seen.jsonl", [*rows, other])
    code, found, _ = run(bench)
    assert code == 0
    assert found[0]["value"] == 0.875


def test_a_prompt_without_pictures_is_refused_or_counted_as_wrong(bench: Command) -> None:
    lines("seen.jsonl", [{"filename": "00000/0000.png", "objects": [BENCH]}])
    code, _, err = run(bench)
    assert code == 1
    assert "no picture of prompt 00001 (1 of 2 in all)" in only_line(err)
    code, rows, _ = run(bench, "--allow-missing")
    assert (code, rows[0]["value"], rows[0]["failed"]) == (0, 0.5, 1)
    assert "1 failed, scored as wrong" in rows[0]["method"]


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ({"filename": "00007/0000.png", "objects": []}, "names none of 2 prompts"),
        ({"filename": "dog.png", "objects": []}, "names none of 2 prompts"),
        ({"filename": "00000/0.png", "prompt": "a photo of a cow", "correct": True}, "is not prompt 00000"),
        ({"filename": "00000/0.png"}, "neither objects nor correct"),
        ({"filename": "00000/0.png", "objects": [{"class": "dog"}]}, "an object of another form"),
        ({"filename": "00000/0.png", "objects": [{**BENCH, "box": [1, 2]}]}, "an object of another form"),
        ({"filename": "00001/0.png", "objects": [{**COW, "color": ""}]}, "prompt 1: a cow without a colour"),
        ({"objects": []}, "has no text under 'filename'"),
    ],
)
def test_what_belongs_to_other_prompts_or_makes_no_sense_is_a_line(
    bench: Command, row: dict[str, Any], words: str
) -> None:
    lines("seen.jsonl", [row])
    code, _, err = run(bench, "--allow-missing")
    assert code == 1
    assert words in only_line(err)


def test_metadata_of_another_kind_are_refused(bench: Command) -> None:
    lines("seen.jsonl", [{"filename": "00000/0.png", "objects": []}])
    lines("other.jsonl", [{"prompt": "a dog", "tag": "x"}])
    code, _, err = bench("score", "geneval", "--references", "other.jsonl", "--predictions", "seen.jsonl")
    assert code == 1
    assert "is this GenEval's metadata?" in only_line(err)


@pytest.mark.skipif(not METADATA.is_file(), reason="the data of ../shared/data are not here")
def test_all_prompts_of_geneval_are_right_where_all_is_seen_as_asked(bench: Command) -> None:
    prompts = [json.loads(line) for line in METADATA.read_text().splitlines()]
    place = {"left of": (-200, 0), "right of": (200, 0), "above": (0, -200), "below": (0, 200)}
    rows = []
    for number, prompt in enumerate(prompts):
        objects = []
        for wish in prompt["include"]:
            x, y = place[wish["position"][0]] if "position" in wish else (0, 0)
            box = [x, y, x + 50, y + 50]
            one = {"class": wish["class"], "box": box, "score": 0.95, "color": wish.get("color", "")}
            objects += [one] * wish["count"]
        rows.append({"filename": f"{number:05}/samples/0000.png", "objects": objects})
    lines("seen.jsonl", rows)
    command = (
        "score",
        "geneval",
        "--references",
        METADATA,
        "--predictions",
        "seen.jsonl",
        "--json",
        "rows.json",
    )
    assert bench(*command)[0] == 0
    found = {row["slice"]: (row["value"], row["n"]) for row in json.loads(Path("rows.json").read_text())}
    assert found.pop(None) == (1, 553)
    assert {value for value, _ in found.values()} == {1}
    assert sorted(n for _, n in found.values()) == [80, 80, 94, 99, 100, 100]
