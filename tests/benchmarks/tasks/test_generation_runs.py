"""Generation and editing from official files to every number of their tables, through small networks."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks import registry
from benchmarks.cards import CARDS
from benchmarks.extractors import ExtractorEntry
from benchmarks.harness.benchmark import Options
from benchmarks.harness.records import Result
from benchmarks.harness.run import evaluate
from benchmarks.registry import load_benchmark
from benchmarks.tasks.generation import judged
from metrics.metric import FloatArray
from nextgpt.media import Audio, Image, Medium, Video
from nextgpt.messages import Message, Modality, Request, assistant
from tests.benchmarks.fakes import Speaker
from tests.benchmarks.networks import Colours
from tests.benchmarks.tasks.official_files import coco, write

N = 12
SEES = "tests.benchmarks.tasks.test_generation_runs:Eyes"
HEARS = "tests.benchmarks.networks:Ears"


class Eyes(Colours):
    """Sees mean colours, and reads every text alike."""

    def texts(self, texts: Sequence[str]) -> FloatArray:
        return np.full((len(texts), 3), 0.5)


@pytest.fixture
def networks(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    found = {"inception": SEES, "clip": SEES, "i3d": SEES, "vggish": HEARS, "panns": HEARS, "clap": HEARS}
    entries = {name: ExtractorEntry(name, "", target, "pictures") for name, target in found.items()}
    monkeypatch.setattr(registry, "EXTRACTORS", entries)
    for cached in (judged._extractor, judged._classifier):
        cached.cache_clear()
    yield
    for cached in (judged._extractor, judged._classifier):
        cached.cache_clear()


def shade(number: int) -> Image:
    rng = np.random.default_rng(number)
    return Image(np.broadcast_to(rng.integers(0, 255, 3), (16, 16, 3)).astype(np.uint8))


def film(number: int) -> Video:
    return Video(np.stack([shade(10 * number + frame).pixels for frame in range(8)]), 4)


def noise(number: int) -> Audio:
    rng = np.random.default_rng(number)
    quiet, loud = rng.uniform(0.05, 0.9, 2)
    swell = np.linspace(quiet, loud, 8000)
    return Audio((swell * rng.uniform(-1, 1, 8000)).astype(np.float32), 16_000)


def save(medium: Any, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(
        medium.png()
        if isinstance(medium, Image)
        else medium.mkv()
        if isinstance(medium, Video)
        else medium.wav()
    )


def coco_30k(folder: Path) -> None:
    data = coco("x.jpg")
    data["images"] = [{"id": k, "file_name": f"{k}.jpg"} for k in range(N)]
    data["annotations"] = [{"id": k, "image_id": k, "caption": f"dog {k}"} for k in range(N)]
    write(folder / "captions_val2014.json", data)
    for k in range(N):
        save(shade(k), folder / "val2014" / f"{k}.jpg")


def msr_vtt(folder: Path) -> None:
    names = [f"video{7010 + k}" for k in range(N)]
    videos = [{"video_id": name, "split": "test"} for name in names]
    sentences = [{"video_id": name, "caption": "a man", "sen_id": k} for k, name in enumerate(names)]
    write(folder / "test_videodatainfo.json", {"videos": videos, "sentences": sentences})
    for k, name in enumerate(names):
        save(film(k), folder / "TestVideo" / f"{name}.mp4")


def ucf(folder: Path) -> None:
    names = [f"ApplyLipstick/v_ApplyLipstick_g01_c{k:02}.avi" for k in range(N)]
    write(folder / "testlist01.txt", "".join(f"{name}\n" for name in names))
    for k, name in enumerate(names):
        save(film(k), folder / "UCF-101" / name)


def audiocaps(folder: Path) -> None:
    rows = "".join(f"{k},yt{k},30,a dog\n" for k in range(N))
    write(folder / "test.csv", f"audiocap_id,youtube_id,start_time,caption\n{rows}")
    for k in range(N):
        save(noise(k), folder / "audio" / f"yt{k}_30.wav")


def edits(folder: Path, ending: str, make: Callable[[int], Any], **more: str) -> None:
    kinds = ("object", "background")
    rows = [
        {
            "id": str(k),
            "source": f"{k}{ending}",
            "instruction": "make it red",
            "result": "red",
            "kind": kinds[k % 2],
        }
        for k in range(N)
    ]
    targets = [{"target": f"{(k + 1) % N}{ending}"} if more else {} for k in range(N)]
    lines = [json.dumps(row | target) for row, target in zip(rows, targets, strict=True)]
    write(folder / "edits.jsonl", "\n".join(lines) + "\n")
    for k in range(N):
        save(make(k), folder / ("wav48" if more else "images") / f"{k}{ending}")


def davis(folder: Path) -> None:
    changes = "Style Change Caption,Object Change Caption,Background Change Caption,Multiple Changes Caption"
    rows = [f"clip{k},a clip,s,o,b,m" for k in range(N)]
    write(folder / "LOVEU-TGVE-2023_Dataset.csv", f"Video name,Our GT caption,{changes}\n" + "\n".join(rows))
    for k in range(N):
        for frame, pixels in enumerate(film(k).frames):
            save(Image(pixels), folder / "DAVIS_480p/480p_frames" / f"clip{k}" / f"{frame:05}.png")


FILES: dict[str, Callable[[Path], None]] = {
    "coco-30k": coco_30k,
    "msr-vtt-generation": msr_vtt,
    "ucf-101": ucf,
    "audiocaps-generation": audiocaps,
    "coco-editing": lambda folder: edits(folder, ".jpg", shade),
    "davis-editing": davis,
    "vctk-editing": lambda folder: edits(folder, ".wav", noise, target="yes"),
}


class Maker(Speaker):
    """Makes something for each request, the same at every run."""

    accepts = produces = frozenset({"text", "image", "video", "audio"})


def invents(request: Request) -> Message:
    wanted, number = request.wanted or frozenset(), request.seed % 999
    made: Mapping[Modality, Callable[[int], Medium]] = {"image": shade, "video": film, "audio": noise}
    return assistant(*(make(number) for kind, make in made.items() if kind in wanted))


def hands_back(request: Request) -> Message:
    return assistant(*request.conversation[-1].media)


def measured(
    name: str, say: Callable[[Request], Message], folder: Path
) -> dict[tuple[str, str | None], Result]:
    FILES[name](folder / "data")
    run = evaluate(
        load_benchmark(name), Maker(say), folder / "runs", Options(data=folder / "data"), progress=False
    )
    return {(row.metric, row.slice): row for row in run.results}


@pytest.mark.parametrize("name", FILES)
def test_every_number_of_a_table_is_made(name: str, tmp_path: Path, networks: None) -> None:
    found = measured(name, invents, tmp_path)
    for metric in CARDS[name].metrics:
        row = found[metric, None]
        assert row.value is not None, (metric, row.method)
        assert row.n == (4 * N if name == "davis-editing" else N)
        assert metric in row.signature
    parts = {part for _, part in found} - {None}
    assert parts == {
        "davis-editing": {"style", "object", "background", "several"},
        "coco-editing": {"object", "background"},
        "vctk-editing": {"object", "background"},
    }.get(name, set())


def test_what_is_handed_back_is_like_itself(tmp_path: Path, networks: None) -> None:
    found = measured("coco-editing", hands_back, tmp_path / "a")
    assert found["fid", None].value == pytest.approx(0, abs=1e-9)
    found = measured("davis-editing", hands_back, tmp_path / "b")
    assert found["clip_i", None].value == pytest.approx(1)
    found = measured("vctk-editing", hands_back, tmp_path / "c")
    value = found["mcd_dtw", None].value
    assert value is not None
    assert value > 1, "the source is not what it should become"
