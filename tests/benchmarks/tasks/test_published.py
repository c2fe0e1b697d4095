"""Readers of published data sets: on official files in miniature, on first records, on real files."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from benchmarks.cards import CARDS
from benchmarks.harness.asked import asked
from benchmarks.harness.benchmark import Broken, Options, Sample
from benchmarks.harness.predictions import Prediction
from benchmarks.harness.scoring import score_predictions
from benchmarks.registry import load_benchmark
from benchmarks.tasks.official import DataError
from benchmarks.tasks.published import OfficialData, Record
from nextgpt.messages import assistant
from tests.benchmarks.tasks.official_files import miniature, write

DATA = Path(__file__).resolve().parents[4] / "shared" / "data"
real = pytest.mark.skipif(not DATA.is_dir(), reason="the data of ../shared/data are not here")
READ = [name for name, entry in CARDS.items() if entry.files]

# Of each miniature: the first sample's id, slice, words said, kinds of media said, references.
FIRST: dict[str, tuple[str, str | None, str, str, dict[str, Any]]] = {
    "coco-captions": ("7", None, "describe the picture.", "image", {"captions": ("a dog",)}),
    "coco-vqa": ("1", "other", "What is it?", "image", {}),
    "coco-karpathy": ("42", None, "sentence", "image", {"captions": ("A dog runs.", "a dog")}),
    "coco-2017": ("7", None, "sentence", "image", {"captions": ("a dog",)}),
    "nocaps": ("7", "near-domain", "sentence", "image", {"captions": ("a dog",)}),
    "flickr30k": ("5", None, "sentence", "image", {"captions": ("A dog runs.", "a dog")}),
    "flickr8k": ("5", None, "sentence", "image", {}),
    "vqav2": ("1", "other", "What is it?", "image", {}),
    "vizwiz": ("VizWiz_val_0", "unanswerable", "answer unanswerable", "image", {}),
    "okvqa": ("1", "cooking and food", "What is it?", "image", {}),
    "textvqa": ("34602", None, "what brand?", "image", {}),
    "gqa": ("201307251", "verify", "Is it red?", "image", {"answer": "no"}),
    "pope": ("random/1", "random", "snowboard", "image", {"label": "yes"}),
    "mmbench": ("7", "object", "A. a cat\nB. a dog", "image", {}),
    "seed-bench": ("10", "Instance Counting", "C. option c", "image", {}),
    "msr-vtt": ("video7010", None, "sentence", "video", {"captions": ("a man sings",)}),
    "msvd": ("vid1301", None, "sentence", "video", {"captions": ("a man is singing", "someone sings")}),
    "msvd-qa": ("4", "who", "who is singing?", "video", {"answer": "man"}),
    "msrvtt-qa": ("4", "what", "what is it?", "video", {"answer": "dog"}),
    "next-qa": ("4010069381_6", "causal", "C. hop", "video", {}),
    "next-qa-open": ("4010069381_6", "causal", "how does it move?", "video", {}),
    "activitynet-qa": ("v_ab_c_3", "yes/no", "is it red?", "video", {"answer": "yes"}),
    "audiocaps": ("-ab_20", None, "sound", "audio", {"captions": ("A dog, barking", "A dog barks")}),
    "clotho": ("Santa Motor.wav", None, "sound", "audio", {"captions": ("a", "b", "c", "d", "e")}),
    "coco-30k": ("7", None, "a dog", "", {"prompt": "a dog"}),
    "parti-prompts": ("1", "Animals", '"A" dog', "", {"prompt": '"A" dog'}),
    "geneval": ("00000", "counting", "a photo of two dogs", "", {}),
    "msr-vtt-generation": ("video7010", None, "a man sings", "", {"prompt": "a man sings"}),
    "ucf-101": ("ApplyEyeMakeup/v_ApplyEyeMakeup_g01_c01.avi", None, "apply eye makeup", "", {}),
    "vbench": ("1", "color", "a stop sign", "", {}),
    "audiocaps-generation": ("-ab_20", None, "dog", "", {}),
    "coco-editing": ("1", "object", "make it a cat", "image", {"prompt": "a cat"}),
    "davis-editing": ("bear/style", "style", "into this: s", "video", {"prompt": "s"}),
    "vctk-editing": ("1", "object", "make it a cat", "audio", {}),
    "unim": ("general/x/1", "2 kinds", "Hear", "audio image", {"media": ("image", "audio")}),
    "t2av-compass": ("1", None, "a dog barks", "", {"seen": "a dog", "heard": "barks"}),
    "photo-captions": ("71", None, "describe the picture.", "image", {"captions": ("a dog of 71",)}),
    "photo-vqa": ("1", "other", "What is it?", "image", {}),
    "clip-captions": ("vid98", None, "sentence", "video", {"captions": ("a man sings",)}),
    "clip-qa": ("0", "who", "one word", "video", {"answer": "man"}),
    "sound-captions": ("31WGUPOYS5g_22", None, "sound", "audio", {"captions": ("a siren", "sirens")}),
    "sound-retrieval": ("31WGUPOYS5g_22-1", None, "A. a dog\nB. a siren", "audio", {}),
    "sound-tags": ("a.wav", None, "A. cat\nB. church bells", "audio", {}),
    "javisbench": ("sample_0000", None, "a dog barks", "", {"seen": "a dog barks"}),
}


def records(name: str, folder: Path) -> list[Record | Broken]:
    load = load_benchmark(name).load
    assert isinstance(load, OfficialData)
    return list(load.records(Options(data=folder)))


def whole(name: str, folder: Path) -> list[Record]:
    return [record for record in records(name, folder) if isinstance(record, Record)]


def test_every_reader_has_an_official_file_in_miniature() -> None:
    assert set(FIRST) == set(READ)


@pytest.mark.parametrize("name", READ)
def test_a_sample_is_built_from_official_files(name: str, tmp_path: Path) -> None:
    benchmark = load_benchmark(name)
    key, part, words, kinds, references = FIRST[name]
    sample = next(iter(benchmark.samples(Options(data=miniature(name, tmp_path)))))
    assert isinstance(sample, Sample), sample
    said = sample.request.conversation[0]
    assert (sample.id, benchmark.slices and benchmark.slices(sample)) == (key, part)
    assert words in said.text
    assert " ".join(medium.modality for medium in said.media) == kinds
    assert {name: sample.references[name] for name in references} == references
    assert sample.request.wanted is not None
    assert sample.request.wanted <= benchmark.produces
    assert asked(sample)["request"]  # every reference has a hash too
    for use in benchmark.metrics:
        assert use.reference(sample) is not None


@pytest.mark.parametrize("name", READ)
def test_a_data_set_is_found_below_a_folder_of_many(name: str, tmp_path: Path) -> None:
    entry = CARDS[name]
    miniature(name, tmp_path / (entry.folder or "."))
    assert entry.here(tmp_path)
    assert whole(name, tmp_path)


@pytest.mark.parametrize("name", READ)
def test_gzipped_files_read_the_same(name: str, tmp_path: Path) -> None:
    folder = miniature(name, tmp_path)
    plain = whole(name, folder)
    for file in CARDS[name].files:
        path = file.find(folder)
        if path is not None and path.suffix != ".txt":
            path.with_name(f"{path.name}.gz").write_bytes(gzip.compress(path.read_bytes()))
            path.unlink()
    assert whole(name, folder) == plain


@pytest.mark.parametrize("name", READ)
def test_a_file_that_is_missing_is_named_with_where_to_fetch_it(name: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no such file; fetch") as caught:
        records(name, tmp_path)
    assert CARDS[name].origin in str(caught.value)
    with pytest.raises(DataError, match="name their folder by --data"):
        list(load_benchmark(name).samples(Options()))


@pytest.mark.parametrize("name", [name for name in READ if CARDS[name].media and name != "unim"])
def test_media_that_are_missing_break_their_samples_alone(name: str, tmp_path: Path) -> None:
    folder = miniature(name, tmp_path)
    endings = (".jpg", ".png", ".mp4", ".mkv", ".avi", ".wav", ".mp3")
    for path in list(folder.rglob("*")):
        if path.is_file() and (path.suffix in endings or path.name == "1_2"):
            path.unlink()
    found = list(load_benchmark(name).samples(Options(data=folder)))
    assert found
    assert all(isinstance(sample, Broken) for sample in found)
    assert all(
        sample.reason.endswith(("check the path.", "fetch them, as .jpg, .jpeg, .png."))
        for sample in found
        if isinstance(sample, Broken)
    )


DUPLICATES = {
    "coco-karpathy": ("dataset_coco.json", "images", "image 42 occurs twice"),
    "nocaps": ("nocaps_val_4500_captions.json", "images", "image 7 occurs twice"),
    "vqav2": ("v2_OpenEnded_mscoco_val2014_questions.json", "questions", "question 1 occurs twice"),
    "vizwiz": ("Annotations/val.json", None, "question VizWiz_val_0 occurs twice"),
    "textvqa": ("TextVQA_0.5.1_val.json", "data", "question 34602 occurs twice"),
    "seed-bench": ("SEED-Bench.json", "questions", "question 10 occurs twice"),
    "msr-vtt": ("test_videodatainfo.json", "videos", "video video7010 occurs twice"),
    "msvd-qa": ("test_qa.json", None, "question 4 occurs twice"),
    "activitynet-qa": ("test_q.json", None, "question v_ab_c_3 occurs twice"),
    "t2av-compass": ("prompts.json", None, "prompt 1 occurs twice"),
}


@pytest.mark.parametrize("name", DUPLICATES)
def test_an_id_given_twice_is_refused(name: str, tmp_path: Path) -> None:
    folder = miniature(name, tmp_path)
    file, key, words = DUPLICATES[name]
    data = json.loads((folder / file).read_text())
    rows = data if key is None else data[key]
    rows.append(rows[0] if rows[0].get("split") != "train" else rows[1])
    write(folder / file, data)
    with pytest.raises(DataError, match=words):
        records(name, folder)


def test_a_caption_of_a_clip_that_is_not_listed_is_refused(tmp_path: Path) -> None:
    folder = miniature("msr-vtt", tmp_path)
    data = json.loads((folder / "test_videodatainfo.json").read_text())
    data["sentences"].append({"video_id": "video9", "caption": "x", "sen_id": 3})
    write(folder / "test_videodatainfo.json", data)
    with pytest.raises(DataError, match="sentence 3 is about video9, which the file does not list"):
        records("msr-vtt", folder)


def test_answers_of_another_split_are_refused(tmp_path: Path) -> None:
    folder = miniature("activitynet-qa", tmp_path)
    write(folder / "test_a.json", [{"answer": "yes", "type": 3, "question_id": "v_other_1"}])
    with pytest.raises(DataError, match=r"question v_other_1 \(1 in all\) is not asked in test_q\.json"):
        records("activitynet-qa", folder)


def test_a_caption_that_occurs_twice_is_refused(tmp_path: Path) -> None:
    folder = miniature("audiocaps", tmp_path)
    path = folder / "test.csv"
    path.write_text(path.read_text() + "1,-ab,20,again\n")
    with pytest.raises(DataError, match="caption 1 occurs twice"):
        records("audiocaps", folder)


def test_a_turn_of_the_options_borrows_its_first_ones_picture(tmp_path: Path) -> None:
    first, second = whole("mmbench", miniature("mmbench", tmp_path))
    assert second.id == "1000007"
    assert (second.group, list(second.media)) == ("7", list(first.media))
    assert "Look.\nWhich?\nA. a dog\nB. a cat" in str(second.said[1])


def test_the_turns_of_a_question_follow_each_other_and_all_must_be_right(tmp_path: Path) -> None:
    path = miniature("mmbench", tmp_path) / "mmbench_dev_20230712.tsv"
    head, first, second = path.read_text().splitlines()
    other = [row.replace("7\t", "8\t", 1) for row in (first, second)]
    write(path, "\n".join([head, first, other[0], second, other[1]]) + "\n")
    samples = list(load_benchmark("mmbench").samples(Options(data=tmp_path)))
    assert [sample.id for sample in samples] == ["7", "1000007", "8", "1000008"]
    said = {"7": "B", "1000007": "A", "8": "B", "1000008": "B"}
    answers = [Prediction(sample.id, assistant(said[sample.id]), None) for sample in samples]
    results = score_predictions(load_benchmark("mmbench"), samples, answers, system="s").results
    values = {row.metric: row.value for row in results if row.slice is None}
    assert values == {"choice_circular": 0.5, "choice_accuracy": 0.75, "choice_unparsed": 0}


def test_media_stand_where_the_text_names_them_and_other_kinds_are_counted(tmp_path: Path) -> None:
    found, document = records("unim", miniature("unim", tmp_path))
    assert isinstance(found, Record)
    kinds = [part if isinstance(part, str) else part.modality for part in found.said]
    assert kinds == ["Hear ", "audio", ", see ", "image", "."]
    assert found.wanted == frozenset({"text", "image", "audio"})
    assert document == Broken(
        "general/x/2",
        "unim_input_gt.jsonl: record general/x/2 holds document1, a kind that is not read here; there are "
        "image, video, audio.",
    )


def test_a_folder_of_frames_is_a_clip(tmp_path: Path) -> None:
    folder = miniature("davis-editing", tmp_path)
    found = list(load_benchmark("davis-editing").samples(Options(data=folder)))
    assert [sample.id for sample in found] == ["bear/style", "bear/object", "bear/background", "bear/several"]
    assert isinstance(found[0], Sample)
    assert found[0].references["source"].frames.shape == (3, 8, 8, 3)


def test_second_answers_count_beside_the_first(tmp_path: Path) -> None:
    folder = miniature("next-qa-open", tmp_path)
    write(folder / "add_reference_answer_test.json", {"4010069381": {"6": "jump"}})
    (record,) = whole("next-qa-open", folder)
    assert record.references["open"].answers == ("hop", "jump")


def test_thirty_thousand_images_are_drawn_by_their_ids_whatever_the_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("benchmarks.tasks.generation.coco_30k.IMAGES", 5)
    images = [{"id": k, "file_name": f"{k}.jpg"} for k in range(20)]
    captions = [{"id": k, "image_id": k // 2, "caption": f"c{k}"} for k in range(40)]
    write(tmp_path / "captions_val2014.json", {"images": images, "annotations": captions})
    one = whole("coco-30k", tmp_path)
    write(tmp_path / "captions_val2014.json", {"images": images[::-1], "annotations": captions})
    assert [record.id for record in whole("coco-30k", tmp_path)] == [record.id for record in one]
    assert len(one) == 5
    assert all(
        record.references["prompt"] in (f"c{2 * int(record.id)}", f"c{2 * int(record.id) + 1}")
        for record in one
    )


# --- first records of official files, and real ones ----------------------------------------------------


@real
@pytest.mark.parametrize(
    ("name", "folder", "count"),
    [
        ("vizwiz", "formats", 12),
        ("textvqa", "formats", 12),
        ("activitynet-qa", "formats", 12),
        ("clotho", "formats", 12),
        ("unim", "formats", 2),
        ("t2av-compass", "formats", 4),
        ("coco-captions", "coco", 124),
        ("coco-vqa", "coco", 23),
        ("msvd", "msvd", 4),
        ("msvd-qa", "msvd", 81),
        ("next-qa", "nextqa", 4_996),
        ("audiocaps", "audiocaps", 975),
        ("parti-prompts", "prompts", 1_632),
        ("geneval", "prompts", 553),
    ],
)
def test_real_files_are_read_whole(name: str, folder: str, count: int) -> None:
    assert len(records(name, DATA / folder)) == count
    assert whole(name, DATA / folder)


@real
def test_polls_are_read_from_first_records(tmp_path: Path) -> None:
    for kind, source in (("random", "random"), ("popular", "random"), ("adversarial", "adversarial")):
        text = (DATA / "formats" / f"pope_coco_{source}.json").read_text()
        (tmp_path / f"coco_pope_{kind}.json").write_text(text)
    found = whole("pope", tmp_path)
    assert len({record.id for record in found}) == len(found) >= 30
    assert {record.references["label"] for record in found} == {"yes", "no"}


@real
@pytest.mark.parametrize(
    ("name", "folder", "kind"), [("msvd", "msvd", "video"), ("audiocaps", "audiocaps", "audio")]
)
def test_real_media_are_opened(name: str, folder: str, kind: str) -> None:
    found = list(load_benchmark(name).samples(Options(data=DATA / folder, limit=40)))
    opened = [sample for sample in found if isinstance(sample, Sample)]
    assert name == "audiocaps" or len(opened) == len(found)
    for sample in opened:
        assert [medium.modality for medium in sample.request.conversation[0].media] == [kind]
