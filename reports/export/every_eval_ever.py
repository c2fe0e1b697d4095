"""Runs as records of Every Eval Ever, schema 0.3.0: a run's aggregate, and a line for each item and metric.

The schema has no field for media: those of an answer are named in its text, and their paths and hashes stand
in the line's metadata. A value that does not exist has no place either: the aggregate names it and says why.
https://github.com/evaleval/every_eval_ever
"""

from __future__ import annotations

import hashlib
import json
import re
import time
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.harness.benchmark import Sample
from benchmarks.harness.predictions import Prediction, StoredMedium
from benchmarks.harness.records import Result
from benchmarks.harness.storage import to_json, write_atomically, write_json
from nextgpt.messages import Failure
from nextgpt.terminal import visible
from reports.evidence import Evidence, read_evidence
from reports.gallery import read_samples
from reports.tables import LOWER_IS_BETTER, UNBOUNDED, metric_words, right_from

SCHEMA = "0.3.0"
Question = tuple[str, list[str]]
"""What was asked, and what an answer is held against, where these are words."""
_NO_NAME = re.compile(r"[^A-Za-z0-9._+-]+")
_RESERVED = ("", "data", "unknown")


@dataclass(frozen=True)
class Place:
    """Where a run's record is filed: the collection, the model's developer and the model."""

    collection: str
    developer: str
    model: str

    @property
    def model_id(self) -> str:
        """The model's id, from which a reader finds the folder."""
        return f"{self.developer}/{self.model}"

    @property
    def folder(self) -> str:
        """The folder, relative to the store's root."""
        return f"data/{self.collection}/{self.developer}/{self.model}"


def place_of(benchmark: str, system: str, models: Mapping[str, str] | None = None) -> Place:
    """Where a system's run on a benchmark is filed; a system that is on no hub is ``local``'s.

    >>> place_of("vqav2", "hf-blip2-opt-2.7b", {"hf-blip2-opt-2.7b": "Salesforce/blip2-opt-2.7b"}).folder
    'data/vqav2/Salesforce/blip2-opt-2.7b'
    >>> place_of("toy-vqa", "../my system").folder
    'data/toy-vqa/local/my_system'
    """
    developer, _, model = (models or {}).get(system, f"local/{safe_name(system)}").partition("/")
    return Place(safe_name(benchmark), safe_name(developer), safe_name(model))


def safe_name(text: str) -> str:
    """Text as a name that every file system can hold.

    >>> safe_name("../a b:c"), safe_name("data")
    ('a_b_c', 'data_')
    """
    name = _NO_NAME.sub("_", text).strip("._")
    return f"{name}_" if name in _RESERVED else name


def export_records(
    runs: Path,
    out: Path,
    models: Mapping[str, str],
    *,
    organization: str = "unknown",
    data: Path | None = None,
) -> tuple[list[Path], list[str]]:
    """Write the records of all scored runs of a folder.

    Args:
        runs: holds runs at any depth.
        out: root of the store; records go below its ``data/``.
        models: ids on the Hub by system, of systems that have one.
        organization: who ran them.
        data: folder of the data set's files, from which questions and references are read again.

    Returns:
        The files, and what is not in them and why, a line each.

    Raises:
        ReportError: no such folder, or no run in it.
        RecordError: a file can't be written.
    """
    entries, left_out = scored_evidence(runs)
    written = []
    for entry in entries:
        place = place_of(entry.benchmark, entry.system, models)
        files, missing = export_run(entry, out, place, organization=organization, data=data)
        written += files
        left_out += [f"questions of {entry.system} on {entry.benchmark}: {missing}"] if missing else []
    return written, left_out


def scored_evidence(runs: Path) -> tuple[list[Evidence], list[str]]:
    """The scored runs below a folder, and why others are left out.

    Raises:
        ReportError: no such folder, or no run in it.
    """
    entries, left_out = read_evidence(runs, lambda run: (run.results, run.scores, run.predictions))
    unscored = [entry for entry in entries.values() if entry.run.unscored]
    left_out += [f"{entry.system} on {entry.benchmark} is {entry.run.unscored}" for entry in unscored]
    return [entry for entry in entries.values() if not entry.run.unscored], left_out


def export_run(
    entry: Evidence, out: Path, place: Place, *, organization: str = "unknown", data: Path | None = None
) -> tuple[list[Path], str]:
    """Write a scored run's aggregate and its samples; otherwise as `export_records`.

    Returns:
        The files, and why questions are not in them; empty where they are.

    Raises:
        RecordError: a file can't be read or written.
    """
    now = str(int(time.time()))
    seal = hashlib.sha256(to_json(entry.run.seal())).digest()
    # The run's own number: exporting it again replaces its record.
    name = f"{place.folder}/{uuid.UUID(bytes=seal[:16], version=4)}"
    evaluation = f"{place.collection}/{place.model_id}/{now}"
    questions, missing = read_samples(entry, set(entry.answers), data, _question)
    rows = [to_json(row) for row in _samples(entry, place, evaluation, questions)]
    record = _aggregate(entry, place, evaluation, now, organization)
    files = []
    if rows:
        content = b"".join(rows)
        files.append(out / f"{name}_samples.jsonl")
        write_atomically(files[-1], content)
        record["detailed_evaluation_results"] = {
            "format": "jsonl",
            "file_path": f"{name}_samples.jsonl",
            "hash_algorithm": "sha256",
            "checksum": hashlib.sha256(content).hexdigest(),
            "total_rows": len(rows),
        }
    write_json(out / f"{name}.json", record)
    return [out / f"{name}.json", *files], missing


def _aggregate(entry: Evidence, place: Place, evaluation: str, now: str, organization: str) -> dict[str, Any]:
    about = entry.about
    valued = [result for result in entry.run.results if result.value is not None]
    undefined = {_result_id(each): each.method for each in entry.run.results if each.value is None}
    deployment = "unknown" if entry.system.startswith("openai-") else "self_deployed"
    return {
        "schema_version": SCHEMA,
        "evaluation_id": evaluation,
        "evaluation_timestamp": about.started,
        "retrieved_timestamp": now,
        "source_metadata": {
            "source_name": "nextgpt-bench",
            "source_type": "evaluation_run",
            "source_organization_name": visible(organization),
            "evaluator_relationship": "other",
            "additional_details": _texts({f"without value: {key}": why for key, why in undefined.items()}),
        },
        "eval_library": {
            "name": "nextgpt",
            "version": about.versions.get("nextgpt", "unknown"),
            "additional_details": _texts(about.versions),
        },
        "model_info": {
            "name": visible(entry.system),
            "id": place.model_id,
            "additional_details": {
                "deployment_type": deployment,
                "model_availability": "unknown",
                "fingerprint": visible(about.fingerprint),
            },
        },
        "evaluation_results": [_result(entry, result) for result in valued],
    }


def _result(entry: Evidence, result: Result) -> dict[str, Any]:
    about = entry.about
    found: dict[str, Any] = {
        "evaluation_result_id": _result_id(result),
        "evaluation_name": _evaluation_name(result),
        "source_data": {
            "dataset_name": visible(about.benchmark),
            "source_type": "other",
            "additional_details": _texts(
                {"source": about.source, "licence": about.licence, "version": about.version}
            ),
        },
        "metric_config": {
            "metric_id": visible(result.metric),
            "metric_name": visible(metric_words(result.metric)),
            "metric_parameters": {"signature": visible(result.signature)},
            "lower_is_better": result.metric in LOWER_IS_BETTER,
            "score_type": "continuous",
            **_bounds(result),
        },
        "score_details": {
            "score": result.value,
            "details": _texts({"failed": result.failed, "method": result.method}),
        },
        "generation_config": {
            "generation_args": {"execution_command": visible(about.command)},
            "additional_details": _texts({**about.protocol, "seed": about.seed, "limit": about.limit}),
        },
    }
    uncertainty: dict[str, Any] = {"num_samples": result.n}
    if result.low is not None and result.high is not None:
        uncertainty["confidence_interval"] = {
            "lower": result.low,
            "upper": result.high,
            "confidence_level": 0.95,
            "method": visible(result.method),
        }
    if result.standard_error is not None:
        uncertainty["standard_error"] = {"value": result.standard_error}
    if drawn := re.match(r"bootstrap (\d+)", result.method):
        uncertainty["num_bootstrap_samples"] = int(drawn[1])
    found["score_details"]["uncertainty"] = uncertainty
    return found


def _bounds(result: Result) -> dict[str, Any]:
    """From 0 to 1, for metrics that are known to lie there and do."""
    values = [each for each in (result.value, result.low, result.high) if each is not None]
    if result.metric in UNBOUNDED or not all(0 <= value <= 1 for value in values):
        return {"min_score": "-Infinity", "max_score": "Infinity"}
    return {"min_score": 0, "max_score": 1}


def _samples(
    entry: Evidence, place: Place, evaluation: str, questions: Mapping[str, Question]
) -> Iterator[dict[str, Any]]:
    """A line for each item and metric: metrics of one item are never merged."""
    for score in entry.run.scores:
        prediction = entry.answers[score.sample]
        raw, reference = questions.get(score.sample, ("", []))
        said, media = _answer(prediction)
        bounded = score.metric not in UNBOUNDED and score.metric not in LOWER_IS_BETTER
        yield {
            "schema_version": SCHEMA,
            "evaluation_id": evaluation,
            "model_id": place.model_id,
            "evaluation_name": f"{visible(entry.benchmark)}: {visible(score.metric)}",
            "evaluation_result_id": f"{visible(entry.benchmark)}/{visible(score.metric)}",
            "sample_id": visible(score.sample),
            "sample_hash": hashlib.sha256(json.dumps([raw, reference]).encode()).hexdigest() if raw else None,
            "interaction_type": "single_turn",
            "input": {"raw": raw, "reference": reference},
            "output": {"raw": [said]},
            "answer_attribution": [
                {
                    "turn_idx": 0,
                    "source": "output.raw",
                    "extracted_value": said,
                    "extraction_method": "none",
                    "is_terminal": True,
                }
            ],
            "evaluation": {
                "score": score.value,
                # Of a metric without a highest value, no single item is right.
                "is_correct": bounded and score.value >= right_from(score.metric),
            },
            "error": visible(prediction.said.reason) if isinstance(prediction.said, Failure) else None,
            "metadata": _texts({"group": score.group, "slice": score.slice or "", **media}),
        }


def _question(sample: Sample) -> Question:
    """The words of a question, its media by what they are, and what answers are held against."""
    turns = sample.request.conversation
    asked = "\n".join(
        visible(part) if isinstance(part, str) else f"[{part.modality}]"
        for turn in turns
        for part in turn.parts
    )
    references = sample.references
    found = [*references.get("captions", ())]
    found += [answer["answer"] for answer in references.get("annotation", {}).get("answers", ())]
    found += [
        references[key] for key in ("answer", "label", "prompt") if isinstance(references.get(key), str)
    ]
    return asked, [visible(each) for each in found]


def _answer(prediction: Prediction) -> tuple[str, dict[str, str]]:
    """An answer's text with its media named in place, and their paths and hashes; no medium is opened."""
    said = prediction.said
    if isinstance(said, Failure):
        return "", {"failed stage": said.stage}
    words, media = [], dict[str, str]()
    for part in said.parts:
        if isinstance(part, str):
            words.append(visible(part))
        elif isinstance(part, StoredMedium):
            name = f"{part.modality} {len(media) // 2 + 1}"
            media |= {f"{name} path": part.name, f"{name} sha256": part.sha256 or "unknown"}
            words.append(f"[{name}: {visible(part.name)}]")
    return " ".join(words), media


def _result_id(result: Result) -> str:
    part = f"/{visible(result.slice)}" if result.slice else ""
    return f"{visible(result.benchmark)}/{visible(result.metric)}{part}"


def _evaluation_name(result: Result) -> str:
    part = f", {visible(result.slice)}" if result.slice else ""
    return f"{visible(result.benchmark)}{part}: {visible(result.metric)}"


def _texts(values: Mapping[str, Any]) -> dict[str, str]:
    """As the schema wants details: texts alone; what is None is not there."""
    return {visible(key): visible(value) for key, value in values.items() if value is not None}
