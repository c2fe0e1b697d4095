"""``nextgpt-bench list``: all benchmarks by family in eighty columns, and whole cards with documents."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks import listing
from benchmarks.cards import CARDS, FACTS
from tests.benchmarks.tasks.official_files import miniature
from tests.benchmarks.terminal import Command, only_line

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def shown(capsys: pytest.CaptureFixture[str]) -> list[str]:
    listing.list_all(None, None, None)
    return capsys.readouterr().out.splitlines()


def test_all_benchmarks_fit_eighty_columns(shown: list[str]) -> None:
    assert max(map(len, shown)) <= 80
    assert not [line for line in shown if "\t" in line or line != line.rstrip()]
    named = [line.split()[0] for line in shown if line[:2] == "  " and line[2:3].strip()]
    assert set(CARDS) <= set(named)


def test_benchmarks_stand_under_their_family_with_samples_metrics_licence_and_place(shown: list[str]) -> None:
    vqa = shown.index("vqa")
    row = next(k for k, line in enumerate(shown) if line.startswith("  textvqa "))
    assert vqa < row < shown.index("text-to-image")
    assert shown[row].split() == ["textvqa", "5,000", "val"]
    assert shown[row + 1].strip() == "vqa_accuracy · annotations CC BY 4.0 · textvqa.org"


def test_what_is_not_confirmed_is_marked(shown: list[str]) -> None:
    text = "\n".join(shown)
    assert "a ? follows what is\nnot confirmed" in text
    marked = next(line for line in shown if line.startswith("  msrvtt-qa "))
    assert "samples" in CARDS["msrvtt-qa"].unconfirmed
    assert "72,821?" in marked
    sure = next(line for line in shown if line.startswith("  pope "))
    assert "9,000 " in sure
    assert "?" not in sure


def test_a_whole_card_shows_the_document_of_each_fact(capsys: pytest.CaptureFixture[str]) -> None:
    listing.list_cards(["msrvtt-qa", "pope"], None, None, None)
    unsure, sure = " ".join(capsys.readouterr().out.split()).split("pope: ")
    assert "samples 72,821 [not confirmed]" in unsure
    assert f"references {CARDS['msrvtt-qa'].references} [" in unsure
    for fact in FACTS:
        assert f"[{CARDS['pope'].source(fact)}]" in sure
    assert "prompt {question}" in sure


def test_a_card_names_the_systems_that_learnt_it(capsys: pytest.CaptureFixture[str]) -> None:
    listing.list_cards(["audiocaps"], None, None, None)
    said = " ".join(capsys.readouterr().out.split())
    assert "nextgpt-7b*" in said
    assert "[NExT-GPT/NExT-GPT, data/prepare_data.py, preprocess_audiocap]" in said


def test_an_address_is_not_cut(capsys: pytest.CaptureFixture[str]) -> None:
    listing.list_cards(["coco-2017"], None, None, None)
    assert CARDS["coco-2017"].origin in capsys.readouterr().out


def test_a_suite_shows_its_cards(capsys: pytest.CaptureFixture[str]) -> None:
    listing.list_cards(["toyworld"], None, None, None)
    out = capsys.readouterr().out
    assert "toy-vqa: " in out
    assert "toy-captioning: " in out


def test_rows_for_programs_hold_whole_cards(tmp_path: Path) -> None:
    listing.list_all(tmp_path, tmp_path / "list.json", None)
    rows = {row["name"]: row for row in json.loads((tmp_path / "list.json").read_text()) if "family" in row}
    assert set(rows) == set(CARDS)
    row, card = rows["seed-bench"], CARDS["seed-bench"]
    assert all(row[fact] == getattr(card, fact) for fact in FACTS)
    assert row["sources"] == dict(card.sources)
    assert tuple(row["unconfirmed"]) == card.unconfirmed
    assert row["files"][0]["records"] == card.files[0].records
    assert set(row["files"][0]["others"].values()) == set(card.files[0].others.values())
    assert row["here"] == "not here"
    assert {each["source"] for each in rows["audiocaps"]["learnt"]}


def test_it_says_which_data_are_here(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    miniature("vqav2", tmp_path / CARDS["vqav2"].folder)
    listing.list_all(tmp_path, None, None)
    lines = capsys.readouterr().out.splitlines()
    below = lines[next(k for k, line in enumerate(lines) if line.startswith("  vqav2 ")) + 1]
    assert below.endswith("visualqa.org · here")
    assert "not here" in "\n".join(lines)
    assert "made here" in "\n".join(lines)


def test_an_unknown_name_is_corrected(bench: Command) -> None:
    code, _, err = bench("list", "numbrs")
    assert code == 1
    assert "did you mean numbers?" in only_line(err)


def test_listing_imports_no_renderer_of_tables() -> None:
    program = (
        "import sys; from benchmarks import cli\n"
        "try: cli.main()\n"
        "except SystemExit: pass\n"
        "print('slow:', sorted({'rich', 'yaml', 'torch', 'numpy'} & sys.modules.keys()))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, "list"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[-1] == "slow: []"
