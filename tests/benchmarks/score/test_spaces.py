"""`nextgpt-bench score any-media`: any two media in ImageBind's space, here of random weights."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from tokenizers import Tokenizer, models, pre_tokenizers

from metrics import Recording, cosines
from nextgpt.encoding.embedding import MediaEmbedder, load
from nextgpt.encoding.imagebind import TINY, ImageBind, TrunkConfig
from nextgpt.media import Audio, Image, Video
from tests.benchmarks.terminal import Command, only_line
from tests.nextgpt.media.made import clip

RNG = np.random.default_rng(0)
WORDS = ["a", "b", "end", "red", "sound"]


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of a small ImageBind that sees, hears and reads."""
    folder = tmp_path_factory.mktemp("weights") / "tiny"
    folder.mkdir()
    torch.manual_seed(0)
    network = ImageBind(
        dataclasses.replace(TINY, modalities={**TINY.modalities, "audio": TrunkConfig(32, 1, 2)})
    )
    (folder / "config.json").write_text(json.dumps(dataclasses.asdict(network.config)))
    save_file(network.state_dict(), folder / "model.safetensors")
    reader = Tokenizer(models.WordLevel({word: k for k, word in enumerate(WORDS)}, unk_token="a"))
    reader.pre_tokenizer = pre_tokenizers.Whitespace()
    reader.save(str(folder / "tokenizer.json"))
    return folder


@pytest.fixture
def scored(bench: Command, weights: Path) -> Any:
    """A picture, a sound and two clips, one of them with sound; scores them with more options."""
    said = Path("said")
    picture().save(said / "picture.png")
    sound().save(said / "sound.wav")
    (said / "loud.mp4").write_bytes(clip("mp4", "h264", "aac", seconds=2.0))
    (said / "still.mp4").write_bytes(clip("mp4", "h264"))
    Path("prompts.json").write_text(
        json.dumps(dict.fromkeys(("picture", "sound", "loud", "still"), "a red sound"))
    )

    def run(*more: object) -> tuple[int, str, str]:
        named = ("--predictions", "said", "--extractor", f"imagebind:{weights}", "--json", "rows.json")
        return bench("score", "any-media", *named, *more)

    return run


def picture() -> Image:
    return Image(np.random.default_rng(1).integers(0, 256, (48, 64, 3), dtype=np.uint8))


def sound() -> Audio:
    return Audio(np.random.default_rng(2).normal(0, 0.1, 32_000).clip(-1, 1).astype(np.float32), rate=16_000)


def rows() -> dict[tuple[str, str], dict[str, Any]]:
    """Rows by metric and pair."""
    found = json.loads(Path("rows.json").read_text())
    return {(row["metric"], row["signature"].split("|pair:")[1].split("|")[0]): row for row in found}


def cosine(network: MediaEmbedder, a: object, b: object) -> float:
    return float(cosines(network.media([a]), network.media([b]))[0])


def test_each_kind_of_item_stands_beside_its_prompt(scored: Any, weights: Path) -> None:
    assert scored("--prompts", "prompts.json")[0] == 0
    found, network = rows(), load(weights)
    row = {}
    for kind, medium in (("picture", picture()), ("sound", Audio.open("said/sound.wav"))):
        row = found["imagebind_score", f"{kind}-text"]
        assert row["value"] == pytest.approx(cosine(network, medium, "a red sound"), abs=1e-6)
        assert row["n"] == 1
    clips = [cosine(network, Video.open(f"said/{name}.mp4"), "a red sound") for name in ("loud", "still")]
    assert found["imagebind_score", "clip-text"]["value"] == pytest.approx(np.mean(clips), abs=1e-6)
    assert found["imagebind_score", "clip-text"]["n"] == 2
    assert "model:imagebind:tiny@" in row["signature"]


def test_a_clip_and_its_own_sound_are_scored_in_the_three_published_ways(scored: Any, weights: Path) -> None:
    code, _, err = scored()
    assert code == 0
    assert "scores of clips with their own sound: 1 clips left out, " in " ".join(err.split())
    found, network = rows(), load(weights)
    film, heard = Video.open("said/loud.mp4"), Audio.open("said/loud.mp4")
    recording = Recording(film.frames, film.fps, heard.samples, heard.rate)
    frames = network.frames(recording)
    whole = np.broadcast_to(network.media([heard]), frames.shape)
    expected = {
        "imagebind_score": cosine(network, film, heard),
        "avh_score": float(cosines(frames, whole).mean()),
    }
    for metric, value in expected.items():
        assert found[metric, "clip-its sound"]["value"] == pytest.approx(value, abs=1e-6)
    assert found["javis_score", "clip-its sound"]["value"] < expected["avh_score"] + 1e-9
    assert {row["n"] for row in found.values()} == {1}


def test_a_sound_of_the_clip_s_name_is_its_sound(scored: Any, weights: Path) -> None:
    sound().save("said/still.wav")
    assert scored()[0] == 0
    found, network = rows(), load(weights)
    pairs = [
        (Video.open("said/loud.mp4"), Audio.open("said/loud.mp4")),
        (Video.open("said/still.mp4"), Audio.open("said/still.wav")),
    ]
    expected = np.mean([cosine(network, *pair) for pair in pairs])
    assert found["imagebind_score", "clip-its sound"]["value"] == pytest.approx(expected, abs=1e-6)


def test_any_kind_stands_beside_a_reference_of_any_other(scored: Any, weights: Path) -> None:
    for name in ("picture", "loud", "still"):
        sound().save(Path("true") / f"{name}.wav")
    picture().save("true/sound.png")
    assert scored("--references", "true")[0] == 0
    found, network = rows(), load(weights)
    row = found["imagebind_score", "sound-picture"]
    assert row["value"] == pytest.approx(cosine(network, Audio.open("said/sound.wav"), picture()), abs=1e-6)
    assert found["imagebind_score", "clip-sound"]["n"] == 2
    assert ("imagebind_score", "picture-sound") in found


def test_without_a_tokenizer_texts_are_not_scored_and_a_line_says_so(
    scored: Any, weights: Path, tmp_path: Path
) -> None:
    import shutil

    other = tmp_path / "wordless"
    shutil.copytree(weights, other)
    (other / "tokenizer.json").unlink()
    code, _, err = scored("--prompts", "prompts.json", "--extractor", f"imagebind:{other}")
    assert code == 0
    assert "scores of --prompts: texts need tokenizer.json (CLIP's)" in " ".join(err.split())


def test_what_cannot_be_scored_is_a_line(scored: Any, bench: Command, weights: Path) -> None:
    command = ("score", "any-media", "--predictions", "said")
    code, _, err = bench(*command, "--extractor", "imagebind:nowhere")
    assert code == 1
    assert "imagebind_score, avh_score and javis_score by imagebind:nowhere" in " ".join(err.split())
    assert "use imagebind" in only_line(bench(*command, "--extractor", "vggish")[2])
    assert "--atoms is of no use" in bench(*command, "--atoms", "a.json")[2]
    Path("said/loud.mp4").write_bytes(b"no clip")
    assert "said/loud.mp4" in only_line(scored("--prompts", "prompts.json")[2])
    assert scored("--prompts", "prompts.json", "--allow-missing")[0] == 0
    assert {row["failed"] for row in rows().values()} == {1}
    Path("some").mkdir()
    picture().save("some/a.png")
    alone = bench("score", "any-media", "--predictions", "some", "--extractor", f"imagebind:{weights}")
    assert "some: nothing to compare with; give --references, --prompts, or loud clips" in only_line(alone[2])
    (Path("some") / "a.jpg").write_bytes(Path("some/a.png").read_bytes())
    assert "a.jpg and a.png have one name" in only_line(
        bench("score", "any-media", "--predictions", "some", "--extractor", f"imagebind:{weights}")[2]
    )
