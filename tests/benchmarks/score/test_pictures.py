"""`nextgpt-bench score` for folders of pictures."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image as PILImage

from metrics.sets.frechet import frechet_distance
from metrics.sets.kernels import kernel_distance
from nextgpt.media import Image
from tests.benchmarks.networks import Colours
from tests.benchmarks.score.made import BOTH, NAMES, picture, rows
from tests.benchmarks.terminal import Command, only_line

pytestmark = pytest.mark.usefixtures("networks")


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


def stacked(folder: str) -> list[Any]:
    return [Image.open(path).pixels for path in sorted(Path(folder).glob("*.png"))]


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


@pytest.mark.parametrize("form", ["moments", "features"])
def test_statistics_of_a_real_set_stand_for_its_pictures(folders: Command, form: str) -> None:
    said, true = (Colours().features(stacked(folder)) for folder in ("said", "true"))
    kept = {"mu": true.mean(axis=0), "sigma": np.cov(true, rowvar=False)}
    np.savez("real.npz", **(kept if form == "moments" else {"features": true}))
    command = ("score", "text-to-image", "--predictions", "said", "--references", "real.npz")
    code, _, err = folders(*command, "--extractor", "clip", "--json", "rows.json")
    assert (code, err) == (0, "")
    row = rows()["fid", "colours"]
    assert row["value"] == pytest.approx(frechet_distance(said, true))
    assert f"|n:30/{'moments' if form == 'moments' else 30}|ref:" in row["signature"]
    assert ("kid", "colours") in rows() or form == "moments"


def test_statistics_of_another_network_are_told_and_not_compared_with(folders: Command) -> None:
    np.savez("real.npz", mu=np.zeros(7), sigma=np.eye(7))
    command = ("score", "text-to-image", "--predictions", "said", "--references", "real.npz")
    code, out, err = folders(*command, "--prompts", "prompts.json", "--json", "rows.json")
    assert code == 0
    assert "distances by clip: its features have 3 numbers, those of real.npz 7" in err
    assert "fid" not in out
    assert ("clip_score", "colours") in rows()


def test_statistics_are_not_unpickled(folders: Command) -> None:
    np.savez("real.npz", mu=np.array([{}], dtype=object), sigma=np.eye(3))
    command = ("score", "text-to-image", "--predictions", "said", "--references", "real.npz")
    code, _, err = folders(*command)
    assert code == 1
    assert "real.npz" in only_line(err)


def test_a_network_whose_distances_have_names_of_their_own_makes_no_fid(folders: Command) -> None:
    arguments = ("--references", "true", "--predictions", "said", "--extractor", "own-name")
    assert folders("score", "text-to-image", *arguments, "--json", "rows.json")[0] == 0
    found = {row["metric"]: row for row in rows().values()}
    assert found.keys() == {"frechet_efficientnet_lite0", "kernel_efficientnet_lite0", "fd_dinov2"}
    features = [Colours().features(stacked(folder)) for folder in ("said", "true")]
    assert found["frechet_efficientnet_lite0"]["value"] == pytest.approx(frechet_distance(*features))
    kernel = kernel_distance(*features, subset_size=30)
    assert found["kernel_efficientnet_lite0"]["value"] == pytest.approx(float(kernel))
    assert found["kernel_efficientnet_lite0"]["standard_error"] == pytest.approx(kernel.standard_error)
