"""`nextgpt-bench score` for folders of media and files of features."""

from __future__ import annotations

import json
import wave
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image as PILImage

from benchmarks import registry
from benchmarks.registry import ExtractorEntry
from metrics.sets.frechet import frechet_distance
from metrics.sets.kernels import kernel_distance
from nextgpt.media import Image
from tests.benchmarks.networks import WORDS, Colours
from tests.benchmarks.terminal import ROW, Command, only_line

NAMES = ("red", "green", "blue")


@pytest.fixture(autouse=True)
def networks(monkeypatch: pytest.MonkeyPatch) -> None:
    """The usual extractors, replaced by small ones."""
    entries = {
        name: ExtractorEntry(name, "", f"tests.benchmarks.networks:{target}", "pictures")
        for name, target in (("inception", "Classes"), ("clip", "Colours"), ("absent", "gone"))
    }
    entries["ears"] = ExtractorEntry("ears", "", "tests.benchmarks.networks:Ears", "sounds")
    monkeypatch.setattr(registry, "EXTRACTORS", entries)


def picture(colour: str, rng: np.random.Generator, noise: int = 60) -> Image:
    pixels = np.array(WORDS[colour]) * 150 + rng.integers(0, noise, 3)
    return Image(np.broadcast_to(pixels, (4, 4, 3)).astype(np.uint8))


@pytest.fixture
def folders(bench: Command) -> Command:
    """A folder of true pictures, one of predictions of the same names, and their prompts."""
    for folder, seed in (("true", 0), ("said", 1)):
        rng = np.random.default_rng(seed)
        for number in range(30):
            picture(NAMES[number % 3], rng, 60 + 40 * seed).save(f"{folder}/{number:02}.png")
    prompts = {f"{number:02}": f"something {NAMES[number % 3]}" for number in range(30)}
    Path("prompts.json").write_text(json.dumps(prompts))
    return bench


def rows(file: str = "rows.json") -> dict[tuple[str, str], dict[str, Any]]:
    """Rows by metric and the network's name in the signature."""
    found = json.loads(Path(file).read_text())
    assert all(set(row) >= ROW for row in found)
    return {(row["metric"], "classes" if "classes" in row["signature"] else "colours"): row for row in found}


def stacked(folder: str) -> list[Any]:
    return [Image.open(path).pixels for path in sorted(Path(folder).glob("*.png"))]


BOTH = ("--references", "true", "--predictions", "said")


def test_two_folders_have_the_distances_of_their_features(folders: Command) -> None:
    code, out, err = folders(
        "score", "text-to-image", *BOTH, "--prompts", "prompts.json", "--json", "rows.json"
    )
    assert (code, err) == (0, "")
    found, network = rows(), Colours()
    said, true = network.features(stacked("said")), network.features(stacked("true"))
    assert found["fid", "colours"]["value"] == pytest.approx(frechet_distance(said, true))
    assert found["kid", "classes"]["value"] == pytest.approx(kernel_distance(said, true, subset_size=30))
    assert {metric for metric, name in found if name == "colours"} - {
        metric for metric, name in found if name == "classes"
    } == {"cmmd", "clip_score"}
    assert ("inception_score", "classes") in found
    for row in found.values():
        assert row["n"] == 30
        assert row["low"] <= row["value"] <= row["high"]
    assert "n:30/30|ref:" in found["fid", "colours"]["signature"]
    assert "A photo depicts" in found["clip_score", "colours"]["signature"]
    assert "clip_score" in out


def test_the_true_folder_against_itself_is_perfect(folders: Command) -> None:
    code, _, _ = folders(
        "score", "text-to-image", "--references", "true", "--predictions", "true", "--json", "rows.json"
    )
    assert code == 0
    found = rows()
    assert found["fid", "colours"]["value"] == pytest.approx(0, abs=1e-9)
    assert found["precision", "colours"]["value"] == found["recall", "colours"]["value"] == 1


def test_folders_of_different_size_are_compared(folders: Command) -> None:
    for number in range(20, 30):
        Path(f"said/{number}.png").unlink()
    code, _, _ = folders("score", "text-to-image", *BOTH, "--json", "rows.json")
    assert code == 0
    assert "n:20/30|" in rows()["fid", "colours"]["signature"]


def test_other_references_make_another_signature(folders: Command) -> None:
    signatures = set()
    for change in (
        lambda: None,
        lambda: Path("true/00.png").rename("true/zz.png"),
        Path("true/01.png").unlink,
    ):
        change()
        folders("score", "text-to-image", *BOTH, "--extractor", "clip", "--json", "rows.json")
        signatures.add(rows()["fid", "colours"]["signature"].split("|ref:")[1])
    assert len(signatures) == 2  # a new name is no new picture


def test_the_way_of_resizing_reaches_inception(folders: Command) -> None:
    folders("score", "text-to-image", *BOTH, "--resize", "pytorch-fid", "--json", "rows.json")
    assert "resize:pytorch-fid" in rows()["fid", "classes"]["signature"]


def test_features_are_kept_by_content(folders: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    arguments = (
        "score",
        "text-to-image",
        *BOTH,
        "--extractor",
        "clip",
        "--cache",
        "kept",
        "--json",
        "rows.json",
    )
    folders(*arguments)
    first = rows()["fid", "colours"]["value"]
    monkeypatch.setattr(Colours, "features", lambda self, items: pytest.fail("extracted again"))
    assert folders(*arguments)[0] == 0
    assert rows()["fid", "colours"]["value"] == first


def test_missing_weights_are_a_line_and_cost_their_metrics_alone(folders: Command) -> None:
    code, out, err = folders("score", "text-to-image", *BOTH, "--extractor", "absent", "--extractor", "clip")
    assert code == 0
    assert only_line(err) == (
        "missing: network small: no such file; without it these cannot be computed: fid, clip_score"
    )
    assert "fid" in out


def test_without_any_network_there_is_nothing_and_the_status_says_so(folders: Command) -> None:
    code, out, err = folders("score", "text-to-image", *BOTH, "--extractor", "absent")
    assert (code, out) == (1, "")
    assert "missing: network small" in only_line(err)


def test_weights_of_ones_own_are_named_behind_the_network(folders: Command) -> None:
    _, _, err = folders("score", "text-to-image", *BOTH, "--extractor", "absent:my/weights.pth")
    assert "network my/weights.pth" in only_line(err)


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("--references", "true", "--predictions", "none"), "none: no such folder"),
        (("--references", "empty", "--predictions", "said"), "empty: no pictures here; they end in .bmp"),
        (("--predictions", "said"), "nothing to compare with; give --references, --prompts, or both"),
        ((*BOTH, "--extractor", "clipp"), "unknown extractor 'clipp'; did you mean clip?"),
        ((*BOTH, "--extractor", "ears"), "ears takes sounds, text-to-image is about pictures: use inception"),
        ((*BOTH, "--resize", "cleen"), "unknown --resize 'cleen'; there are clean, pytorch-fid, tf1"),
        ((*BOTH, "--resize", "tf1", "--extractor", "clip"), "--resize is for the extractor inception"),
        ((*BOTH, "--prompts", "few.json"), "said: 01 (29 of 30 in all) is not in few.json, which has 1"),
        ((*BOTH, "--prompts", "more.json"), "30 predictions for the 31 of more.json, without 30;"),
        ((*BOTH, "--prompts", "no.json"), "no.json: 00 has no text but 7"),
        ((*BOTH, "--prompts", "list.json"), "list.json: no JSON object"),
    ],
)
def test_what_a_person_did_wrong_is_a_line(
    folders: Command, arguments: tuple[str, ...], complaint: str
) -> None:
    Path("empty").mkdir()
    prompts = json.loads(Path("prompts.json").read_text())
    for name, content in (
        ("few", {"00": "red"}),
        ("more", {**prompts, "30": "red"}),
        ("no", {"00": 7}),
        ("list", [1]),
    ):
        Path(f"{name}.json").write_text(json.dumps(content))
    code, out, err = folders("score", "text-to-image", *arguments)
    assert (code, out) == (1, "")
    assert complaint in only_line(err)


@pytest.mark.parametrize("spoil", [lambda data: b"", lambda data: data[:40], lambda data: b"no picture"])
def test_a_picture_that_cannot_be_read_is_named_or_counted(folders: Command, spoil: Any) -> None:
    path = Path("said/07.png")
    path.write_bytes(spoil(path.read_bytes()))
    code, out, err = folders("score", "text-to-image", *BOTH)
    assert (code, out) == (1, "")
    assert "said/07.png: " in only_line(err)
    code, out, _ = folders("score", "text-to-image", *BOTH, "--allow-missing", "--json", "rows.json")
    assert code == 0
    assert {(row["n"], row["failed"]) for row in rows().values()} == {(29, 1)}
    assert "1 without an answer, left out" in out


def test_a_true_picture_that_cannot_be_read_is_never_left_out(folders: Command) -> None:
    Path("true/07.png").write_bytes(b"")
    code, _, err = folders("score", "text-to-image", *BOTH, "--allow-missing")
    assert code == 1
    assert "true/07.png: the file is empty" in only_line(err)


def test_two_files_of_one_name_are_refused(folders: Command) -> None:
    Image.open("said/00.png").to_pil().save("said/00.jpg")
    _, _, err = folders("score", "text-to-image", *BOTH)
    assert "said: 00.jpg and 00.png have one name" in only_line(err)


@pytest.mark.parametrize("mode", ["L", "P", "RGBA", "CMYK", "I;16", "1", "LA"])
def test_every_kind_of_picture_is_scored(folders: Command, mode: str) -> None:
    grey = PILImage.new("L", (4, 4), 128)
    if mode == "I;16":
        odd = PILImage.fromarray(np.full((4, 4), 128 * 257, np.uint16))
    elif mode in {"RGBA", "CMYK"}:
        odd = grey.convert("RGB").convert(mode)
    else:
        odd = grey.convert(mode)
    Path("odd").mkdir()
    suffix = "tif" if mode == "CMYK" else "png"
    for number in range(3):
        odd.save(f"odd/{number}.{suffix}")
    code, _, err = folders(
        "score", "text-to-image", "--references", "true", "--predictions", "odd", "--extractor", "clip"
    )
    assert (code, err) == (0, "")


def test_one_picture_has_no_distance_and_a_reason(folders: Command) -> None:
    for path in sorted(Path("said").iterdir())[1:]:
        path.unlink()
    code, out, err = folders("score", "text-to-image", *BOTH, "--extractor", "clip")
    assert (code, out) == (1, "")
    assert "1 sample; a distance between sets needs at least 2" in only_line(err)


def test_edited_pictures_are_compared_pair_by_pair(folders: Command) -> None:
    code, _, _ = folders("score", "editing", *BOTH, "--prompts", "prompts.json", "--json", "rows.json")
    assert code == 0
    found = rows()
    assert {metric for metric, _ in found} == {"clip_i", "clip_t"}
    said, true = (Colours().features(stacked(folder)) for folder in ("said", "true"))
    cosine = (said * true).sum(1) / np.linalg.norm(said, axis=1) / np.linalg.norm(true, axis=1)
    assert found["clip_i", "colours"]["value"] == pytest.approx(cosine.mean())
    Path("said/05.png").unlink()
    code, _, err = folders("score", "editing", *BOTH)
    assert code == 1
    assert "29 predictions for the 30 of true, without 05" in only_line(err)


def test_a_network_that_reads_no_text_is_of_no_use_for_edits(folders: Command) -> None:
    code, _, err = folders("score", "editing", *BOTH, "--extractor", "inception")
    assert code == 1
    assert "missing: metrics of editing by inception, which reads no texts" in only_line(err)


def test_frames_are_averaged_in_their_clip_first(bench: Command) -> None:
    rng = np.random.default_rng(0)
    for clip, colours in (("long", ["red"] * 3 + ["blue"]), ("short", ["green"])):
        for number, colour in enumerate(colours):
            picture(colour, rng, 1).save(f"clips/{clip}/{number}.png")
    Path("prompts.json").write_text(json.dumps({"long": "red", "short": "green"}))
    arguments = ("score", "text-to-video", "--prompts", "prompts.json", "--predictions", "clips")
    assert bench(*arguments, "--json", "rows.json")[0] == 0
    (row,) = rows().values()
    assert (row["metric"], row["n"]) == ("clipsim", 2)
    assert row["value"] == pytest.approx((0.75 + 1) / 2)


@pytest.mark.parametrize("allowed", [False, True])
def test_a_clip_without_frames_is_named(bench: Command, allowed: bool) -> None:
    picture("red", np.random.default_rng(0)).save("clips/one/0.png")
    Path("clips/two").mkdir()
    Path("prompts.json").write_text(json.dumps({"one": "red", "two": "green"}))
    arguments = ["score", "text-to-video", "--prompts", "prompts.json", "--predictions", "clips"]
    code, _, err = bench(*arguments, *["--allow-missing"] * allowed)
    assert code == 1
    assert "clips/two: a clip without frames" in only_line(err)


# --- sounds ----------------------------------------------------------------------------------------------


@pytest.fixture
def sounds(bench: Command) -> Command:
    rng = np.random.default_rng(0)
    for folder in ("true", "said"):
        Path(folder).mkdir()
        for number in range(6):
            samples = (rng.uniform(-1, 1, 4000) * (number + 1) / 7 * 32767).astype("<i2")
            with wave.open(f"{folder}/{number}.wav", "wb") as file:
                file.setparams((1, 2, 8000, 0, "NONE", ""))
                file.writeframes(samples.tobytes())
    Path("prompts.json").write_text(json.dumps({str(number): "loud" for number in range(6)}))
    return bench


EARS = ("score", "text-to-audio", *BOTH, "--extractor", "ears", "--json", "rows.json")


def test_sounds_have_distances_divergence_and_fit(sounds: Command) -> None:
    code, _, err = sounds(*EARS, "--prompts", "prompts.json")
    assert (code, err) == (0, "")
    assert {(row["metric"], row["n"]) for row in rows().values()} == {
        (metric, 6)
        for metric in ("fad", "kad", "fd", "kl_reference_prediction", "audio_inception_score", "clap_score")
    }


def test_sounds_of_other_names_are_no_pairs(sounds: Command) -> None:
    Path("said/0.wav").rename("said/other.wav")
    code, _, err = sounds(*EARS)
    assert code == 0
    assert "no kl_reference_prediction of pairs" in only_line(err)
    assert {"fad", "fd"} <= {metric for metric, _ in rows()}


def test_a_sound_that_is_cut_off_is_named_or_counted(sounds: Command) -> None:
    path = Path("said/3.wav")
    path.write_bytes(path.read_bytes()[:100])
    code, _, err = sounds(*EARS)
    assert code == 1
    assert "said/3.wav: " in only_line(err)
    assert sounds(*EARS, "--allow-missing")[0] == 0
    assert {(row["n"], row["failed"]) for row in rows().values()} == {(5, 1)}


# --- features that another program extracted -----------------------------------------------------------


@pytest.fixture
def features(bench: Command) -> Command:
    rng = np.random.default_rng(0)
    for name, shift in (("said", 0.5), ("true", 0.0)):
        shape = rng.normal(shift, 1, size=(50, 4))
        np.save(f"{name}.npy", shape)
        np.savez(f"{name}.npz", features=shape, probabilities=rng.dirichlet(np.ones(3), 50))
    return bench


NPY, NPZ = (("--references", f"true.{end}", "--predictions", f"said.{end}") for end in ("npy", "npz"))


@pytest.mark.parametrize(("family", "metric"), [("text-to-video", "fvd"), ("text-to-audio", "fad")])
def test_given_features_have_the_distance_of_their_family(
    features: Command, family: str, metric: str
) -> None:
    assert features("score", family, *NPY, "--json", "rows.json")[0] == 0
    row = rows()[metric, "colours"]
    assert row["value"] == pytest.approx(frechet_distance(np.load("said.npy"), np.load("true.npy")))
    assert row["signature"].startswith(f"{metric}|features:given|cov:ddof1-f64|n:50/50|ref:")


def test_class_probabilities_have_divergence_and_inception_score(features: Command) -> None:
    assert features("score", "text-to-audio", *NPZ, "--json", "rows.json")[0] == 0
    assert {metric for metric, _ in rows()} == {
        "fad",
        "fad_infinity",
        "kad",
        "kl_reference_prediction",
        "inception_score",
    }


@pytest.mark.parametrize(
    ("said", "complaint"),
    [
        (np.ones((1, 4)), "said.npy has 1 sample; a distance between sets needs at least 2 in each"),
        (np.ones((5, 3)), "features of 3 and 4 dimensions; use one extractor for both sets"),
        (np.full((5, 4), np.nan), "said.npy[0] holds a value that is not finite"),
        (np.ones(5), "said.npy has shape (5,)"),
        (np.array(["a"]), "said.npy: features holds <U1, no numbers"),
        (np.array([{}]), "said.npy: no readable NumPy file"),
    ],
)
def test_features_without_a_distance_are_named(features: Command, said: Any, complaint: str) -> None:
    np.save("said.npy", said, allow_pickle=True)
    code, out, err = features("score", "text-to-audio", *NPY)
    assert (code, out) == (1, "")
    assert complaint in only_line(err)


def test_constant_features_have_a_distance_but_no_bandwidth(features: Command) -> None:
    np.save("said.npy", np.ones((20, 4)))
    code, out, _ = features("score", "text-to-audio", *NPY, "--json", "rows.json")
    assert code == 0
    found = rows()
    assert found["fad", "colours"]["value"] > 0
    assert found["kad", "colours"]["value"] is None
    assert "the bandwidth is 0" in out


def test_unpaired_probabilities_are_refused(features: Command) -> None:
    np.savez("said.npz", probabilities=np.full((9, 3), 1 / 3))
    code, _, err = features("score", "text-to-audio", *NPZ)
    assert code == 1
    assert "9 predictions but 50 references; give one for each" in only_line(err)


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("--predictions", "said.npy"), "said.npy: features; give features of the references too"),
        ((*NPY, "--extractor", "clip"), "features are scored as they are; leave --extractor out"),
        (("--references", "true.npy", "--predictions", "none.npy"), "none.npy: no such file"),
    ],
)
def test_options_that_do_not_fit_features_are_refused(
    features: Command, arguments: tuple[str, ...], complaint: str
) -> None:
    code, _, err = features("score", "text-to-audio", *arguments)
    assert code == 1
    assert complaint in only_line(err)
