"""Runs as a model card of the Hub: every headline figure in its metadata, and all in words below.

The metadata's form (``model-index``) has no place for intervals, failures or signatures: those stand in the
card's table, beside the command that made each run. https://huggingface.co/docs/hub/model-cards
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.harness.records import Result
from benchmarks.harness.storage import write_atomically
from nextgpt.terminal import escape_markdown, one_line
from reports.evidence import Evidence
from reports.export.every_eval_ever import safe_name, scored_evidence
from reports.tables import LOWER_IS_BETTER, interval, metric_words, number, undefined

FILE = "README.md"
# What the Hub calls the task of a family; other families are named as they are.
_TASKS = {
    "image-captioning": "image-to-text",
    "vqa": "visual-question-answering",
    "video-qa": "video-text-to-text",
    "video-captioning": "video-text-to-text",
    "audio-captioning": "audio-text-to-text",
    "editing": "image-to-image",
}


def export_cards(
    runs: Path, out: Path, datasets: Mapping[str, str], models: Mapping[str, str], licence: str | None = None
) -> tuple[list[Path], list[str]]:
    """Write a card for each system that has scored runs.

    Args:
        runs: holds runs at any depth.
        out: gets a folder for each system, whose content is uploaded to the model's repository.
        datasets: ids on the Hub by benchmark; one without is named by its source.
        models: ids on the Hub by system, of systems that have one.
        licence: the weights' licence, as the Hub writes it; nobody should guess it.

    Returns:
        The files, and what is not in them and why, a line each.

    Raises:
        ReportError: no such folder, or no run in it.
        RecordError: a file can't be written.
    """
    entries, left_out = scored_evidence(runs)
    written = []
    for system in dict.fromkeys(entry.system for entry in entries):
        members = [entry for entry in entries if entry.system == system]
        path = out / safe_name(system) / FILE
        write_atomically(path, card(members, datasets, models.get(system), licence).encode())
        written.append(path)
    return written, left_out


def card(
    entries: Sequence[Evidence], datasets: Mapping[str, str], model: str | None, licence: str | None
) -> str:
    """The card of one system, from its scored runs."""
    from huggingface_hub import EvalResult, ModelCardData

    system = entries[0].system
    name = (model or system).rpartition("/")[2]
    found = [
        EvalResult(
            task_type=_TASKS.get(entry.about.family, entry.about.family),
            dataset_type=datasets.get(entry.benchmark, entry.benchmark),
            dataset_name=one_line(entry.benchmark),
            metric_type=result.metric,
            metric_value=result.value,
            metric_name=metric_words(result.metric),
            metric_args={"signature": result.signature},
        )
        for entry in entries
        if (result := entry.result(entry.about.headline)) is not None and result.value is not None
    ]
    told: dict[str, Any] = {"eval_results": found} if found else {}
    data = ModelCardData(
        model_name=one_line(name),
        library_name="nextgpt",
        license=licence,
        tags=["any-to-any"],
        **told,
    )
    return f"---\n{data.to_yaml()}\n---\n\n{_body(system, entries)}"


def _body(system: str, entries: Sequence[Evidence]) -> str:
    lines = [f"# {escape_markdown(system)}", ""]
    for entry in entries:
        about = entry.about
        samples = f"{about.samples:,} samples" if about.limit is None else f"the first {about.limit} alone"
        lines += [f"## {escape_markdown(entry.benchmark)}", ""]
        lines += [f"{escape_markdown(about.source)}; {samples}; seed {about.seed}.", ""]
        lines += ["| metric | value | 95 % interval | n | failed | signature |", f"|{' --- |' * 6}"]
        lines += [_row(result) for result in entry.run.results if result.slice is None]
        lines += ["", "    " + one_line(about.command), ""]
    return "\n".join(lines)


def _row(result: Result) -> str:
    arrow = " ↓" if result.metric in LOWER_IS_BETTER else ""
    value = undefined(result.method) if result.value is None else number(result.value)
    span = interval(result.low, result.high) or "–"
    cells = (f"{metric_words(result.metric)}{arrow}", value, span, result.n, result.failed, result.signature)
    return f"| {' | '.join(escape_markdown(cell) for cell in cells)} |"
