"""Runs as ``.eval_results/*.yaml``, which a model's page on the Hub shows: one figure for each benchmark.

The form holds a single number, without interval or direction: both go into its notes. It names its data set
by the Hub's id, which a run does not know and nobody should guess: the person who exports says which it is.
https://huggingface.co/docs/hub/eval-results
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from benchmarks.harness.storage import write_atomically
from nextgpt.terminal import one_line
from reports.evidence import Evidence
from reports.export.every_eval_ever import safe_name, scored_evidence
from reports.tables import LOWER_IS_BETTER, interval, metric_words

FOLDER = ".eval_results"
_HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")


class ExportError(ValueError):
    """What a person asks for that can't be exported; the message says how to."""


def parse_hub_id(text: str) -> tuple[str, str]:
    """``NAME=ORG/NAME``: which data set of the Hub a benchmark is, or which model a system.

    Raises:
        ExportError: of another form.

    >>> parse_hub_id("vqav2=lmms-lab/VQAv2")
    ('vqav2', 'lmms-lab/VQAv2')
    """
    name, _, hub_id = text.partition("=")
    if not name or not _HUB_ID.fullmatch(hub_id):
        raise ExportError(f"{text}: write NAME=ORG/NAME, as in vqav2=lmms-lab/VQAv2")
    return name, hub_id


def export_headlines(runs: Path, out: Path, datasets: Mapping[str, str]) -> tuple[list[Path], list[str]]:
    """Write the headline figures of all scored runs of a folder.

    Args:
        runs: holds runs at any depth.
        out: gets a folder for each system, whose content is uploaded to the model's repository.
        datasets: ids on the Hub by benchmark.

    Returns:
        The files, and what is not in them and why, a line each.

    Raises:
        ReportError: no such folder, or no run in it.
        RecordError: a file can't be written.
    """
    entries, left_out = scored_evidence(runs)
    written = []
    for entry in entries:
        try:
            written.append(export_headline(entry, out, datasets))
        except ExportError as error:
            left_out.append(str(error))
    return written, left_out


def export_headline(entry: Evidence, out: Path, datasets: Mapping[str, str]) -> Path:
    """Write the headline figure of a scored run, below the folder of its system; as `export_headlines`.

    Raises:
        ExportError: no id is given for the benchmark, or the run's headline has no value.
        RecordError: the file can't be written.
    """
    import yaml

    about = entry.about
    dataset = datasets.get(entry.benchmark)
    if dataset is None:
        raise ExportError(
            f"{entry.benchmark}: nobody said which data set of the Hub that is; give --dataset "
            f"{entry.benchmark}=ORG/NAME"
        )
    result = entry.result(about.headline)
    if result is None or result.value is None:
        why = "not among its results" if result is None else result.method
        raise ExportError(f"{entry.system} on {entry.benchmark}: no {metric_words(about.headline)} ({why})")
    span = interval(result.low, result.high)
    better = "lower" if result.metric in LOWER_IS_BETTER else "higher"
    notes = [
        f"{metric_words(result.metric)}, {better} is better",
        f"95 % interval {span}" if span else f"no interval ({result.method})",
        f"n {result.n}, {result.failed} failed",
        *([f"the first {about.limit} samples only"] if about.limit is not None else []),
        f"signature {result.signature}",
        f"nextgpt {about.versions.get('nextgpt', 'of unknown version')}",
    ]
    row = {
        "dataset": {"id": dataset, "task_id": one_line(entry.benchmark)},
        "value": result.value,
        "date": about.started,
        "notes": one_line("; ".join(notes)),
    }
    path = out / safe_name(entry.system) / FOLDER / f"{safe_name(entry.benchmark)}.yaml"
    text: str = yaml.safe_dump([row], sort_keys=False, allow_unicode=True, width=1000)
    write_atomically(path, text.encode())
    return path
