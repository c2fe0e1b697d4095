"""``data overlap``: what a training file holds of a benchmark, and what is known of systems."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks.cards import CARDS
from benchmarks.cards.contamination import KNOWN, known_overlaps
from benchmarks.data.overlap import overlaps
from benchmarks.plan import with_known_overlaps
from benchmarks.registry import load_benchmark
from tests.benchmarks.tasks.official_files import miniature, write

CAPTIONS = (
    "A rocket flies by followed by a loud explosion and fire crackling",
    "Humming and vibrating with a man and children speaking and laughing",
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    head = "audiocap_id,youtube_id,start_time,caption\n"
    rows = "".join(f"{k},clip{k},20,{caption}\n" for k, caption in enumerate(CAPTIONS))
    write(tmp_path / "data" / "test.csv", head + rows)
    return tmp_path / "data"


def found(folder: Path, training: object, threshold: float = 0.8) -> list[tuple[str, float]]:
    path = write(folder.parent / "training.json", training)
    near = overlaps(load_benchmark("audiocaps"), folder, path, threshold)
    return [(each.sample, round(each.likeness, 2)) for each in near]


def test_a_caption_is_found_in_a_native_training_file_whatever_its_case(folder: Path) -> None:
    turns = [
        {"from": "human", "value": "<audio>\nwhat is it?"},
        {"from": "gpt", "value": CAPTIONS[0].upper() + "!"},
    ]
    assert found(folder, [{"input_audio": "1.wav", "conversations": turns}]) == [("clip0_20", 1.0)]


def test_a_caption_that_is_nearly_the_same_is_found_and_another_is_not(folder: Path) -> None:
    changed = CAPTIONS[1].replace("laughing", "crying")
    assert found(folder, [{"caption": changed}]) == [("clip1_20", 0.8)]
    assert found(folder, [{"caption": changed}], threshold=0.9) == []
    assert found(folder, [{"caption": "A dog barks while a man and children sit in a car"}]) == []


def test_a_clip_is_found_by_its_files_name(folder: Path) -> None:
    assert found(folder, [{"audio_name": "somewhere/clip1_20.wav", "caption": "nothing alike"}]) == [
        ("clip1_20", 1.0)
    ]


def test_short_texts_that_every_data_set_holds_are_not_compared(tmp_path: Path) -> None:
    folder = miniature("msr-vtt", tmp_path / "data")
    path = write(tmp_path / "training.json", [{"caption": "a man sings"}])
    assert overlaps(load_benchmark("msr-vtt"), folder, path) == []


def test_questions_are_compared_where_there_are_no_captions(tmp_path: Path) -> None:
    folder = miniature("msvd-qa", tmp_path / "data")
    path = write(tmp_path / "training.jsonl", json.dumps({"q": "who is singing? Answer in one word."}) + "\n")
    assert [near.sample for near in overlaps(load_benchmark("msvd-qa"), folder, path)] == ["4"]


def test_the_published_recipe_is_known_to_train_on_audiocaps_test() -> None:
    assert known_overlaps("nextgpt-7b", "audiocaps")
    assert not known_overlaps("nextgpt-tiny", "audiocaps")
    noted = with_known_overlaps(load_benchmark("audiocaps"), "nextgpt-7b")
    assert noted.note.startswith(
        "Contaminated: the published recipe trains on AudioCaps' train, validation and test"
    )
    assert with_known_overlaps(noted, "nextgpt-tiny") is noted


@pytest.mark.parametrize(
    ("system", "benchmark", "verdicts"),
    [
        ("nextgpt-7b-sd2", "audiocaps", ["contaminated"]),
        ("nextgpt-released", "audiocaps-generation", ["contaminated", "not zero-shot"]),
        ("caption-then-tool-7b", "audiocaps-generation", ["not zero-shot"]),
        ("caption-then-tool-7b", "coco-karpathy", ["not zero-shot"]),
        ("caption-then-tool-7b", "flickr30k", []),
        ("llava-1.5-7b", "gqa", ["not zero-shot"]),
        ("llava-1.5-7b", "vizwiz", []),
        ("blip2-opt-2.7b", "vqav2", []),
        ("blip2-vqa-tuned", "vqav2", ["contaminated"]),
    ],
)
def test_what_was_learnt_of_the_test_is_told_from_what_was_learnt_of_the_training_part(
    system: str, benchmark: str, verdicts: list[str]
) -> None:
    assert [overlap.verdict for overlap in known_overlaps(system, benchmark)] == verdicts
    note = with_known_overlaps(load_benchmark(benchmark), system).note
    assert all(f"{verdict.capitalize()}: " in note for verdict in verdicts)


def test_the_plan_says_the_verdict_of_each_system(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from benchmarks import cli

    folder = miniature("audiocaps", tmp_path)
    words = ["run", "--benchmark", "audiocaps-generation", "--system", "caption-then-tool-7b"]
    monkeypatch.setattr("sys.argv", ["nextgpt-bench", *words, "--data", str(folder), "--dry-run"])
    with pytest.raises(SystemExit):
        cli.main()
    said = " ".join(capsys.readouterr().out.split())
    assert "not zero-shot" in said
    assert "contaminated" not in said


def test_known_overlaps_name_benchmarks_that_are_here() -> None:
    assert all(name in CARDS for overlap in KNOWN for name in overlap.benchmarks)
    assert all(overlap.source and overlap.why for overlap in KNOWN)


def test_the_command_counts_samples_and_fails(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from benchmarks import cli

    path = write(folder.parent / "training.json", [{"caption": CAPTIONS[0]}])
    arguments = ["data", "overlap", "audiocaps", "--training", str(path), "--data", str(folder)]
    monkeypatch.setattr("sys.argv", ["nextgpt-bench", *arguments])
    with pytest.raises(SystemExit) as stop:
        cli.main()
    assert stop.value.code == 1
    out = capsys.readouterr().out
    assert "1 samples of audiocaps are in the training files, or nearly" in out
    assert "data/prepare_data.py" in out
