"""Per-item results that other programs wrote: which tool's file it is, and what each item got.

What a judge could not judge is an item without a value and with a reason: it is no score, and is not dropped.
Tools hide it in their own ways: -1 (T2AV-Compass, lmms-eval), null or NaN (UniM, inspect_ai), an error's text
in what was judged (UniM). A file is known by its content, whatever it is called.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Any

from benchmarks.score.judged import Judged, Scale, ToolResults, judge, number_or_reason, within
from benchmarks.tasks.official import DataError, read_csv, read_json

Row = Mapping[str, Any]

LIKERT: Scale = (1.0, 5.0)
AXES = ("CE", "CU", "PC", "PQ")  # of AudioBox Aesthetics
# What lmms-eval's samples hold beside metrics.
_ABOUT_SAMPLE = frozenset(
    ("doc_id", "doc", "doc_hash", "prompt_hash", "target_hash", "target", "arguments", "input", "resps")
) | {"filtered_resps", "schema_version"}
# What inspect_ai's own metrics make of its letters and words.
_WORDS = {"c": 1.0, "i": 0.0, "p": 0.5, "n": 0.0, "yes": 1.0, "true": 1.0, "no": 0.0, "false": 0.0}
_CAPTION_ERROR = re.compile(r"\[ERROR_CAPTION:?\s*([^\]]*)")
_TAKE = re.compile(r"-\d+$")  # VBench makes several videos of one prompt: prompt-0.mp4, prompt-1.mp4


def read_tool_results(path: Path) -> ToolResults:
    """Read results of VBench, AudioBox Aesthetics, T2AV-Compass, UniM, lmms-eval or inspect_ai, or plain CSV.

    Raises:
        DataError: missing, damaged, of no known form, without any item, or an item twice in one metric.
    """
    if path.suffix == ".eval":
        raise DataError(f"{path}: inspect_ai's packed log; write it by `inspect log convert --to json`.")
    if path.name.lower().endswith((".csv", ".csv.gz")):
        found = _from_csv(path)
    else:
        data = read_json(path)
        reader = next((read for fits, read in _FORMS if fits(data)), None)
        if reader is None:
            raise DataError(
                f"{path}: no results of a known form; give VBench's *_eval_results.json, AudioBox's or "
                "UniM's JSON lines, T2AV-Compass's JSON, lmms-eval's samples, inspect_ai's JSON log, or a "
                "CSV of item,metric,value."
            )
        try:
            found = reader(data)
        except (KeyError, TypeError, AttributeError, IndexError) as error:
            raise DataError(
                f"{path}: another form than its tool's ({error!r:.80}); is the file whole?"
            ) from error
    tool, rows, scales, notes = found
    judged: dict[str, dict[str, Judged]] = {}
    for row in rows:
        if row.item in judged.setdefault(row.metric, {}):
            raise DataError(f"{path}: {row.item} has two results in {row.metric}; keep one of them.")
        judged[row.metric][row.item] = row
    if not judged:
        raise DataError(f"{path}: holds no result of any item; is the file whole?")
    return ToolResults(
        tool, {name: tuple(each.values()) for name, each in judged.items()}, scales, tuple(notes)
    )


_Found = tuple[str, Iterable[Judged], Mapping[str, Scale], Sequence[str]]


def _from_csv(path: Path) -> _Found:
    head, lines = read_csv(path)
    if {"item", "metric", "value"} <= set(head):
        for where, line in lines:
            if not line["item"].strip() or not line["metric"].strip():
                raise DataError(f"{where}: names no item or no metric; give both.")
        rows = [
            judge(line["item"], line.get("group") or line["item"], line["metric"], line["value"])
            for _, line in lines
        ]
        return "csv", rows, {}, ()
    scores = [name for name in head if name.startswith("score_") and not name.endswith("_explanation")]
    key = next((name for name in ("id", "sample_id") if name in head), None)
    if key is None or not scores:
        raise DataError(
            f"{path}: its first line names {', '.join(head) or 'nothing'}; give item,metric,value, or the "
            "table of inspect_ai's samples with id and score_... columns."
        )
    rows = []
    for _, line in lines:
        item = line[key] + (f", epoch {line['epoch']}" if line.get("epoch", "1") not in ("1", "") else "")
        error = line.get("error", "")
        rows += [
            judge(
                item,
                line[key],
                name.removeprefix("score_"),
                _WORDS.get(line[name].lower(), line[name]),
                error,
            )
            for name in scores
        ]
    return "inspect_ai", rows, {}, ()


def _vbench(data: dict[str, Any]) -> _Found:
    rows, notes = list[Judged](), list[str]()
    for dimension, (overall, videos) in data.items():
        found = []
        for video in videos:
            place = PurePosixPath(str(video["video_path"]).replace("\\", "/"))
            group = _TAKE.sub("", place.stem)
            found.append(judge(place.name, group, dimension, video.get("video_results")))
        rows += found
        values = [row.value for row in found if row.value is not None]
        own, _ = number_or_reason(overall)
        if (
            values
            and own is not None
            and not math.isclose(own, math.fsum(values) / len(values), rel_tol=1e-4)
        ):
            notes.append(
                f"VBench's own figure for {dimension} is {own:.4g}, weighted or scaled otherwise than "
                "the mean of its videos, which is given here"
            )
    return "vbench", rows, {}, notes


def _audiobox(data: Any) -> _Found:
    records = data if isinstance(data, list) else [data]
    rows = []
    for number, record in enumerate(records, start=1):
        item = PurePosixPath(str(record["path"])).name if record.get("path") else f"row {number}"
        rows += [judge(item, item, axis, record.get(axis)) for axis in AXES]
    return "audiobox-aesthetics", rows, {}, ()


def _t2av_measured(data: dict[str, Any]) -> _Found:
    """One of T2AV-Compass's objective metrics: a value, or several under ``scores``, for each file."""
    records = data["results"]
    flat = [{**record, **record.get("scores", {})} for record in records]
    names = dict.fromkeys(
        key
        for record in flat
        for key, value in record.items()
        if key not in ("index", "id", "scores") and number_or_reason(value)[0] is not None
    )
    # Where every item failed, the field that a value would stand in is null.
    names = names or dict.fromkeys(
        key for record in flat for key, value in record.items() if value is None and key != "error"
    )
    rows = []
    for number, record in enumerate(flat, start=1):
        name = (
            record.get("filename") or record.get("file") or record.get("deg") or record.get("index", number)
        )
        item = PurePosixPath(str(name)).stem
        rows += [judge(item, item, key, record.get(key), record.get("error") or "") for key in names]
    return "t2av-compass", rows, {}, ()


def _t2av_asked(data: dict[str, Any]) -> _Found:
    """T2AV-Compass's checklists and realism: a judge's 1 to 5, which the tool reports from 0 to 1."""
    low, high = LIKERT
    leaves = {item: dict(_leaves(answers)) for item, answers in data.items()}
    metrics = dict.fromkeys(metric for answers in leaves.values() for metric in answers)
    # A checklist asks of each video what fits it; realism asks the same of all, and skips videos that lack.
    same = not any("/" in metric for metric in metrics)
    rows = []
    for item, answers in leaves.items():
        for metric in metrics if same else answers:
            answer = answers.get(metric, {"score": None, "reason": "not judged: no video"})
            row = within(judge(item, item, metric, answer["score"], reason=answer.get("reason")), LIKERT)
            rows.append(row if row.value is None else replace(row, value=(row.value - low) / (high - low)))
    return "t2av-compass", rows, dict.fromkeys(metrics, (0.0, 1.0)), ()


def _leaves(answers: Row, above: str = "") -> Iterator[tuple[str, Row]]:
    for name, answer in answers.items():
        where = f"{above}/{name}" if above else name
        if "score" in answer:
            yield where, answer
        else:
            yield from _leaves(answer, where)


def _unim(data: Any) -> _Found:
    """UniM: a score of the answer's meaning, or the quality of each medium, or both."""
    rows, scales = list[Judged](), dict[str, Scale]()
    for record in data if isinstance(data, list) else [data]:
        item, output = str(record["id"]), record["output"]
        if "score" in output:
            error = _CAPTION_ERROR.search(str(output.get("captioned_response", "")))
            # The judge then read an error where it should have read a caption.
            why = f"a medium could not be captioned: {error[1]}" if error else ""
            rows.append(within(judge(item, item, "semantic", output["score"], why), (0.0, 1.0)))
            scales["semantic"] = (0.0, 1.0)
        for name, value in (record.get("scores") or {}).items():
            metric = f"quality_{re.sub('[0-9]+$', '', name)}"
            rows.append(within(judge(f"{item}/{name}", item, metric, value), (0.0, 100.0)))
            scales[metric] = (0.0, 100.0)
    return "unim", rows, scales, ()


def _lmms_eval(data: Any) -> _Found:
    records = data if isinstance(data, list) else [data]
    fields = dict.fromkeys(key for record in records for key in record if key not in _ABOUT_SAMPLE)
    rows, notes = list[Judged](), list[str]()
    for metric in fields:
        found = [
            judge(str(record["doc_id"]), str(record["doc_id"]), metric, _score_in(record.get(metric)))
            for record in records
        ]
        values = [row.value for row in found if row.value is not None]
        if not values:
            notes.append(f"{metric} holds no number for any sample, so it is no metric of samples")
            continue
        if all(value >= 0 or value == -1 for value in values):
            found = [_unless_refused(row) for row in found]
        rows += found
    return "lmms-eval", rows, {}, notes


def _score_in(value: Any) -> Any:
    return value["score"] if isinstance(value, dict) and "score" in value else value


def _unless_refused(row: Judged) -> Judged:
    if row.value != -1:
        return row
    return replace(row, value=None, reason="-1, which stands for a judge that failed")


def _inspect_ai(data: dict[str, Any]) -> _Found:
    samples = data["samples"] or ()
    # A scorer gives one value, or several by name.
    parts: dict[tuple[str, str], None] = {}
    for sample in samples:
        for name, score in (sample.get("scores") or {}).items():
            several = score["value"] if isinstance(score["value"], dict) else ("",)
            parts |= dict.fromkeys((name, part) for part in several)
    rows = []
    for sample in samples:
        group = str(sample["id"])
        item = group if sample.get("epoch", 1) == 1 else f"{group}, epoch {sample['epoch']}"
        error = (sample.get("error") or {}).get("message", "")
        for name, part in parts:
            value = (sample.get("scores") or {}).get(name, {}).get("value")
            each = (value.get(part) if isinstance(value, dict) else None) if part else value
            known = _WORDS.get(each.lower(), each) if isinstance(each, str) else each
            rows.append(judge(item, group, f"{name}/{part}" if part else name, known, error))
    return "inspect_ai", rows, {}, ()


def _records(data: Any) -> list[Any]:
    found = data if isinstance(data, list) else [data]
    return found if found and all(isinstance(each, dict) for each in found) else []


def _is_vbench(data: Any) -> bool:
    return (
        isinstance(data, dict)
        and bool(data)
        and all(
            isinstance(each, list) and len(each) == 2 and isinstance(each[1], list) for each in data.values()
        )
    )


def _is_t2av_asked(data: Any) -> bool:
    return isinstance(data, dict) and bool(data) and all(map(_holds_scores, data.values()))


def _holds_scores(answers: Any) -> bool:
    return isinstance(answers, dict) and all(
        isinstance(each, dict) and ("score" in each or _holds_scores(each)) for each in answers.values()
    )


_FORMS: tuple[tuple[Callable[[Any], bool], Callable[[Any], _Found]], ...] = (
    (lambda data: isinstance(data, dict) and "eval" in data and "samples" in data, _inspect_ai),
    (lambda data: isinstance(data, dict) and bool(_records(data.get("results"))), _t2av_measured),
    (_is_vbench, _vbench),
    (lambda data: any("doc_id" in each for each in _records(data)), _lmms_eval),
    (lambda data: any(set(AXES) & set(each) for each in _records(data)), _audiobox),
    (
        lambda data: any(
            isinstance(each.get("output"), dict) and ("scores" in each or "score" in each["output"])
            for each in _records(data)
        ),
        _unim,
    ),
    (_is_t2av_asked, _t2av_asked),
)
"""How the content of a file tells whose it is, the most certain first."""
