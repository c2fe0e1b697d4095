"""`nextgpt-bench score results`: what other tools wrote for each item, with intervals and paired tests."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from benchmarks.score.result_files import read_tool_results
from tests.benchmarks.terminal import ROW, Command, only_line
from tests.hostile import HOSTILE, raw


def write(name: str, data: Any) -> str:
    Path(name).write_text(data if isinstance(data, str) else json.dumps(data))
    return name


def lines(rows: list[dict[str, Any]]) -> str:
    return "".join(json.dumps(row) + "\n" for row in rows)


def scored(bench: Command, *files: str) -> dict[str, dict[str, Any]]:
    """Rows by metric, of the last file that has it."""
    more = ("--references", files[1]) if len(files) > 1 else ()
    code, _, _ = bench("score", "results", "--predictions", files[0], *more, "--json", "rows.json")
    assert code == 0
    rows = json.loads(Path("rows.json").read_text())
    assert all(set(row) >= ROW for row in rows)
    return {row["metric"]: row for row in rows}


def vbench(values: list[Any], overall: float | None = None) -> dict[str, Any]:
    videos = [
        {"video_path": f"sampled/a cat runs-{number}.mp4", "video_results": value}
        for number, value in enumerate(values)
    ]
    return {"dynamic_degree": [overall, videos]}


def asked(scores: dict[str, Any]) -> dict[str, Any]:
    return {
        index: {"Sound": {"Speech": {"score": score, "reason": "API Timeout or Error after retries"}}}
        for index, score in scores.items()
    }


def measured(*results: dict[str, Any]) -> dict[str, Any]:
    return {"metric": "m", "summary": {"total_samples": len(results)}, "results": results}


def inspect(values: list[Any]) -> dict[str, Any]:
    samples = [{"id": n, "epoch": 1, "scores": {"judge": {"value": v}}} for n, v in enumerate(values)]
    return {"version": 2, "eval": {"task": "t"}, "samples": samples}


AUDIO = [{"CE": 5.1, "CU": 5.8, "PC": 2.1, "PQ": 7.2}, {"CE": 4.1, "CU": 4.8, "PC": 2.5, "PQ": 6.2}]
SAMPLES = [
    {"doc_id": n, "target": "x", "filtered_resps": ["x"], "doc_hash": "h", "input": "?", "exact_match": n % 2}
    for n in range(6)
]


@pytest.mark.parametrize(
    ("tool", "data", "metric", "value", "n"),
    [
        ("vbench", vbench([True, False, True, True]), "dynamic_degree", 0.75, 4),
        ("audiobox-aesthetics", lines(AUDIO), "PQ", 6.7, 2),
        ("t2av-compass", asked({"1": 5, "2": 3, "3": 1}), "Sound/Speech", 0.5, 3),
        (
            "t2av-compass",
            measured({"filename": "1.mp4", "av": 0.25, "error": None}, {"filename": "2.mp4", "av": 0.75}),
            "av", 0.5, 2,
        ),
        ("t2av-compass", measured({"deg": "1.wav", "mos_pred": "3.5"}), "mos_pred", 3.5, 1),
        (
            "t2av-compass",
            measured({"file": "1.wav", "filename": "1.wav", "scores": AUDIO[0]}),
            "CU", 5.8, 1,
        ),
        ("unim", [{"id": "1", "output": {"content": "", "score": 0.4}}], "semantic", 0.4, 1),
        (
            "unim",
            lines([{"id": "1", "output": {"modal": {}}, "scores": {"image1": 80.0, "image2": 60.0}}]),
            "quality_image", 70.0, 2,
        ),
        ("lmms-eval", lines(SAMPLES), "exact_match", 0.5, 6),
        ("lmms-eval", lines([{"doc_id": 1, "gpt_eval": {"score": 4, "id": 9}}]), "gpt_eval", 4.0, 1),
        ("inspect_ai", inspect(["C", "I", "P", "N", 1.0]), "judge", 0.5, 5),
        ("inspect_ai", inspect([{"a": 1, "b": 0}, {"a": 0, "b": 0}]), "judge/a", 0.5, 2),
    ],
)  # fmt: skip
def test_each_tool_s_file_is_known_by_its_content(
    bench: Command, tool: str, data: Any, metric: str, value: float, n: int
) -> None:
    row = scored(bench, write("anything.json", data))[metric]
    assert row["signature"].startswith(f"{metric}|tool:{tool}|")
    assert (row["value"], row["n"], row["failed"]) == (pytest.approx(value), n, 0)


def test_plain_csv_and_inspect_s_table_are_read(bench: Command) -> None:
    found = scored(bench, write("a.csv", "item,metric,value\n1,q,0.5\n2,q,1\n1,r,3\n"))
    assert (found["q"]["value"], found["r"]["n"]) == (0.75, 1)
    found = scored(bench, write("b.csv", "sample_id,epoch,score_match,error\na,1,C,\na,2,I,\nb,1,C,boom\n"))
    assert (found["match"]["value"], found["match"]["n"], found["match"]["failed"]) == (0.5, 2, 1)


@pytest.mark.parametrize(
    ("data", "metric", "value", "reason"),
    [
        (asked({"1": 5, "2": -1}), "Sound/Speech", 1.0, "API Timeout or Error after retries"),
        (asked({"1": 5, "2": 7}), "Sound/Speech", 1.0, "7 is not on the scale from 1 to 5"),
        (asked({"1": 5, "2": None}), "Sound/Speech", 1.0, "API Timeout"),
        ({"1": {"MSS": {"score": 5, "reason": ""}}, "2": {}}, "MSS", 1.0, "not judged: no video"),
        (
            measured({"file": "1.mp4", "av": 0.5}, {"file": "2.mp4", "av": None, "error": "no sound"}),
            "av", 0.5, "no sound",
        ),
        (
            [
                {"id": "1", "output": {"score": 0.4, "captioned_response": "fine"}},
                {"id": "2", "output": {"score": 0.5, "captioned_response": "[ERROR_CAPTION:code: 500 {5}]"}},
            ],
            "semantic", 0.4, "a medium could not be captioned: code: 500",
        ),
        (
            [{"id": "1", "output": {}, "scores": {"image1": 80.0, "image2": None}}],
            "quality_image", 80.0, "no value",
        ),
        (vbench([0.5, None]), "dynamic_degree", 0.5, "no value"),
        (lines([{"doc_id": 1, "g": 4}, {"doc_id": 2, "g": -1}]), "g", 4.0, "-1, which stands for a judge"),
        (lines([{"doc_id": 1, "g": 4}, {"doc_id": 2, "g": [-1, -1]}]), "g", 4.0, "[-1, -1] is no number"),
        (lines([AUDIO[0], {"CE": 5.1, "CU": 5.8, "PC": 2.1}]), "PQ", 7.2, "no value"),
        (inspect([1, float("nan")]), "judge", 1.0, "nan is no number"),
        (
            {"eval": {}, "samples": [*inspect([1])["samples"], {"id": 2, "error": {"message": "down"}}]},
            "judge", 1.0, "down",
        ),
    ],
)  # fmt: skip
def test_a_judge_s_failure_is_no_score_and_is_not_dropped(
    bench: Command, data: Any, metric: str, value: float, reason: str
) -> None:
    found = scored(bench, write("judged.json", data))
    row = found[metric]
    assert (row["value"], row["n"], row["failed"]) == (pytest.approx(value), 1, 1)
    assert "1 could not be judged, left out" in row["method"]
    assert (found[f"{metric}: judged"]["value"], found[f"{metric}: judged"]["n"]) == (0.5, 2)
    _, _, err = bench("score", "results", "--predictions", "judged.json")
    assert f"{metric}: 1 of 2 not judged: 1 × {reason}" in " ".join(err.split())


def test_what_failures_could_change_is_said_where_the_scale_is_known(bench: Command) -> None:
    row = scored(bench, write("judged.json", asked({"1": 5, "2": 3, "3": -1, "4": -1})))["Sound/Speech"]
    assert row["method"].endswith("left out: with them, as worst and as best, 0.375 to 0.875")


def test_a_file_of_failures_alone_has_no_value_and_fails(bench: Command) -> None:
    write("judged.json", asked({"1": -1, "2": -1}))
    code, out, err = bench("score", "results", "--predictions", "judged.json", "--json", "rows.json")
    (row,) = json.loads(Path("rows.json").read_text())
    assert (code, row["value"], row["failed"]) == (1, None, 2)
    assert "none of 2 items could be judged" in out
    assert "2 of 2 not judged" in err


def test_videos_of_one_prompt_are_one_cluster(bench: Command) -> None:
    write("one.json", vbench([0.1, 0.5, 0.9, 0.2]))
    assert scored(bench, "one.json")["dynamic_degree"]["low"] is None  # a single prompt
    two = vbench([0.1, 0.5])
    two["dynamic_degree"][1] += [
        {"video_path": f"x/a dog-{n}.mp4", "video_results": v} for n, v in enumerate([0.8, 0.9])
    ]
    assert "clustered" in scored(bench, write("two.json", two))["dynamic_degree"]["method"]


def test_a_figure_that_the_tool_weights_otherwise_is_told(bench: Command) -> None:
    write("results.json", vbench([0.5, 0.7], overall=0.9))
    _, _, err = bench("score", "results", "--predictions", "results.json")
    assert "VBench's own figure for dynamic_degree is 0.9" in err
    write("results.json", vbench([0.5, 0.7], overall=0.6))
    assert bench("score", "results", "--predictions", "results.json")[2] == ""


def test_two_files_are_compared_item_by_item(bench: Command) -> None:
    def table(values: list[Any]) -> str:
        return "item,metric,value\n" + "".join(f"{n},q,{v}\n{n},r,1\n" for n, v in enumerate(values))

    first = write("first.csv", table([1, 1, 1, 1, 1, 1, 1, 1, 1, "ERROR"]))
    second = write("second.csv", table([0, 0, 1, 0, 0, 0, 0, 0, "", 0]))
    found = scored(bench, first, second)
    row = found["q: difference"]
    assert (row["value"], row["n"], row["failed"]) == (0.875, 8, 2)
    assert row["system"] == "first.csv minus second.csv"
    assert "p 0.0156, 0.0312 corrected over 2 metrics" in row["method"]
    assert "2 items not judged for both, left out" in row["method"]
    assert row["low"] > 0
    assert found["r: difference"]["value"] == 0.0


@pytest.mark.parametrize(
    ("first", "second", "words"),
    [
        ("item,metric,value\n1,q,1\n", "item,metric,value\n2,q,1\n", "no item in common"),
        ("item,metric,value\n1,q,1\n", "item,metric,value\n1,r,1\n", "no metric in common"),
        ("item,metric,value\n1,q,1\n", "id,score_q\n1,1\n", "is of csv and b.csv of inspect_ai"),
    ],
)
def test_what_cannot_be_paired_is_refused(bench: Command, first: str, second: str, words: str) -> None:
    write("a.csv", first)
    write("b.csv", second)
    code, out, err = bench("score", "results", "--predictions", "a.csv", "--references", "b.csv")
    assert (code, out) == (1, "")
    assert words in only_line(err)


def test_nameless_rows_of_different_number_are_not_paired_by_place(bench: Command) -> None:
    write("a.jsonl", lines(AUDIO))
    write("b.jsonl", lines(AUDIO[:1]))
    _, _, err = bench("score", "results", "--predictions", "a.jsonl", "--references", "b.jsonl")
    assert "has 2 rows and b.jsonl 1, and audiobox-aesthetics names none" in only_line(err)


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("none.json", None, "no such file"),
        ("a.json", "", "the file is empty"),
        ("a.json", '{"a": ', "the file is cut off"),
        ("a.json", "[1, 2]", "no results of a known form"),
        ("a.json", '{"1": {}}', "holds no result of any item"),
        ("a.json", '{"eval": {}, "samples": null}', "holds no result of any item"),
        (
            "a.json",
            '{"color": [0.5, [{"video": "x"}]]}',
            "another form than its tool's (KeyError('video_path'))",
        ),
        ("a.json", '{"color": [0.5, [7]]}', "another form than its tool's"),
        ("a.json", '[{"doc_id": 1, "m": 1}, {"doc_id": 1, "m": 0}]', "1 has two results in m"),
        ("a.csv", "item,metric,value\n,q,1\n", "line 2: names no item or no metric"),
        ("a.csv", "item,score\n1,2\n", "its first line names item, score; give item,metric,value"),
        ("a.eval", "PK", "inspect log convert --to json"),
    ],
)
def test_a_file_that_makes_no_sense_is_a_line(
    bench: Command, name: str, text: str | None, words: str
) -> None:
    if text is not None:
        write(name, text)
    code, out, err = bench("score", "results", "--predictions", name)
    assert (code, out) == (1, "")
    assert words in only_line(err)


def test_hostile_names_and_reasons_are_shown_and_not_obeyed(bench: Command) -> None:
    data = {f"{HOSTILE}{n}": {HOSTILE: {"score": s, "reason": HOSTILE}} for n, s in enumerate((5, -1))}
    write("judged.json", data)
    code, out, err = bench("score", "results", "--predictions", "judged.json")
    assert code == 0
    assert raw(out + err) == []
    assert "\\x1b]0;owned" in err


def test_every_value_that_is_no_number_is_a_failure(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    values = [1, 0.5, True, "2", "x", None, "", {}, [], float("inf"), float("nan"), 10**400]
    path.write_text(lines([{"doc_id": n, "m": value} for n, value in enumerate(values)]))
    found = read_tool_results(path).judged["m"]
    assert [each.value for each in found] == [1.0, 0.5, 1.0, 2.0, *[None] * 8]
    assert all(each.reason for each in found if each.value is None)


def test_metrics_that_no_item_was_judged_in_for_both_have_a_reason(bench: Command) -> None:
    first = write("a.csv", "item,metric,value\n1,q,1\n2,q,\n1,r,1\n")
    second = write("b.csv", "item,metric,value\n1,q,\n2,q,1\n1,r,0\n")
    row = scored(bench, first, second)["q: difference"]
    assert (row["value"], row["failed"], row["method"]) == (None, 2, "undefined: no item was judged for both")
