"""All benchmarks at once: what their cards say, and that their tasks keep to it."""

from __future__ import annotations

import inspect
import subprocess
import sys
from importlib import import_module
from typing import get_args

import pytest

from benchmarks.cards import CARDS, FACTS, BenchmarkEntry
from benchmarks.harness.benchmark import Family
from benchmarks.registry import SUITES, load_benchmark
from benchmarks.tasks.published import OfficialData
from nextgpt.messages import Modality

ENTRIES = [pytest.param(entry, id=name) for name, entry in CARDS.items()]
PUBLISHED = [pytest.param(entry, id=name) for name, entry in CARDS.items() if entry.room]
# Their owners publish no list, or the folder given decides: there is no official number of samples.
UNCOUNTED = {
    "judged-answers",
    "judged-captions",
    "coco-captions",
    "coco-vqa",
    "coco-editing",
    "vctk-editing",
    "unim",
}
UNCOUNTED |= set(SUITES["photographs"].benchmarks)


@pytest.mark.parametrize("entry", ENTRIES)
def test_every_card_is_filled(entry: BenchmarkEntry) -> None:
    for field in ("about", "paper", "origin", "revision", "licence", "language", "split", "headline"):
        assert getattr(entry, field).strip(), field
    assert entry.family in get_args(Family)
    assert set(entry.accepts) | set(entry.produces) <= set(get_args(Modality))
    assert entry.headline in entry.metrics
    assert (entry.samples is None) == (entry.name in UNCOUNTED)


@pytest.mark.parametrize("entry", PUBLISHED)
def test_each_fact_of_others_data_has_a_document_or_is_said_to_have_none(entry: BenchmarkEntry) -> None:
    assert entry.references.strip()
    assert entry.scored.strip()
    stated = [fact for facts in entry.sources for fact in facts.split()]
    assert len(set(stated)) == len(stated), "a fact with two documents"
    assert set(stated) <= {fact for fact in FACTS if getattr(entry, fact)}
    assert all(document.strip() for document in entry.sources.values())
    assert set(entry.unconfirmed) == {fact for fact in FACTS if getattr(entry, fact)} - set(stated)


def test_counts_have_a_document_but_for_those_that_are_known_to_have_none() -> None:
    published = [entry for entry in CARDS.values() if entry.room]
    assert {entry.name for entry in published if "samples" in entry.unconfirmed} == {
        "seed-bench",
        "msrvtt-qa",
        "davis-editing",
    }
    counted = [(entry, file) for entry in published for file in entry.files if file.records is not None]
    assert {(entry.name, file.role) for entry, file in counted if not entry.confirmed(file)} == {
        ("seed-bench", "questions"),
        ("msrvtt-qa", "questions"),
        ("coco-30k", "captions"),
    }


@pytest.mark.parametrize("entry", PUBLISHED)
def test_a_count_of_another_version_is_not_the_official_one(entry: BenchmarkEntry) -> None:
    for file in entry.files:
        assert file.records not in file.others
        assert all(why.strip() for why in file.others.values())
        assert not file.counted or file.records is not None


@pytest.mark.parametrize("entry", ENTRIES)
def test_every_task_keeps_to_its_card(entry: BenchmarkEntry) -> None:
    benchmark = load_benchmark(entry.name)
    assert (benchmark.name, benchmark.family, benchmark.licence) == (
        entry.name,
        entry.family,
        entry.licence,
    ) or (not entry.files and benchmark.name == entry.name and benchmark.family == entry.family)
    assert tuple(use.name for use in benchmark.metrics) == entry.metrics
    assert benchmark.headline == entry.headline
    assert benchmark.accepts == frozenset(entry.accepts)
    assert benchmark.produces == frozenset(entry.produces)
    assert benchmark.protocol.get("samples") == entry.samples
    assert benchmark.protocol["split"] == entry.split


@pytest.mark.parametrize("entry", ENTRIES)
def test_every_prompt_stands_in_its_task(entry: BenchmarkEntry) -> None:
    module = import_module(entry.target.partition(":")[0])
    prompt = load_benchmark(entry.name).protocol["prompt"]
    assert prompt in vars(module).values()
    assert "PROMPT" in inspect.getsource(module)
    assert entry.name in (module.__doc__ or "")


@pytest.mark.parametrize("entry", PUBLISHED)
def test_every_published_task_names_its_official_files(entry: BenchmarkEntry) -> None:
    assert isinstance(load_benchmark(entry.name).load, OfficialData)
    assert entry.files
    assert len({file.role for file in entry.files}) == len(entry.files)
    assert all(file.names for file in entry.files)
    media = {"image", "video", "audio"} & set(entry.accepts)
    assert not media or entry.media or entry.name == "mmbench"  # whose pictures lie in its file


def test_names_and_targets_are_unique() -> None:
    targets = [entry.target for entry in CARDS.values()]
    assert len(set(targets)) == len(targets)
    assert all(name == entry.name for name, entry in CARDS.items())


def test_what_supersedes_a_benchmark_is_here_or_said_not_to_be() -> None:
    for entry in CARDS.values():
        assert (
            not entry.superseded_by or entry.superseded_by in CARDS or "not read here" in entry.superseded_by
        )


def test_the_suites_of_published_data_hold_what_the_paper_reports() -> None:
    assert set(SUITES["paper"].benchmarks) <= set(SUITES["published"].benchmarks)
    families = {CARDS[name].family for name in SUITES["paper"].benchmarks}
    assert families == set(get_args(Family)) - {"any-to-any", "judging"}


def test_cards_load_nothing() -> None:
    program = (
        "import sys, benchmarks.cards, benchmarks.cards.contamination\n"
        "print([m for m in sys.modules if m.partition('.')[0] in ('numpy', 'nextgpt', 'metrics', 'typer')])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
