"""Every reader of files that somebody else may have written, with a valid file for each to begin with.

`complaints` is the one judge: a reader yields a value, or an error that is a line for a person; whatever else
it raises is a fault of the reader.
"""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.cards import CARDS
from benchmarks.harness.benchmark import Options, Sample
from benchmarks.harness.expectations import read_expectation
from benchmarks.harness.golden import read_golden
from benchmarks.harness.predictions import read_predictions
from benchmarks.harness.records import read_run
from benchmarks.harness.results import read_results, read_scores
from benchmarks.harness.run import evaluate
from benchmarks.harness.status import standings
from benchmarks.registry import load_benchmark
from benchmarks.score.formats import FAMILIES
from benchmarks.score.judgements import score_judgements
from benchmarks.score.material import open_frames, open_sound, read_arrays, read_prompts
from benchmarks.score.result_files import read_tool_results
from benchmarks.tasks.answers import read_answers
from nextgpt.checkpoints import CARD, FORMAT, TENSORS
from nextgpt.checkpoints import load as load_checkpoint
from nextgpt.config import load_config
from nextgpt.convert.reading import read_tensors
from nextgpt.media import Audio, Image, Video
from nextgpt.training.native import read as read_training
from reports.study.foreign import read_foreign
from tests.benchmarks.fakes import Speaker, noisy, numbers
from tests.benchmarks.tasks.official_files import miniature

OURS = ("benchmarks", "metrics", "nextgpt", "baselines", "toyworld", "reports")


@dataclass(frozen=True)
class Reader:
    """A reader and what it reads.

    Attributes:
        make: writes valid files into a folder.
        file: the one of them that is attacked, relative to the folder.
        read: reads it.
    """

    make: Callable[[Path], object]
    file: str
    read: Callable[[Path], object]


def complaints(reader: Reader, folder: Path, data: bytes) -> str:
    """What is wrong with the way in which a reader met these bytes; empty where it has a defined outcome.

    Args:
        reader: who reads.
        folder: holds its files.
        data: what the attacked file holds now.
    """
    (folder / reader.file).write_bytes(data)
    try:
        reader.read(folder)
    except Exception as error:  # noqa: BLE001 - whatever it is
        ours = isinstance(error, OSError) or type(error).__module__.partition(".")[0] in OURS
        return "" if ours else f"{type(error).__module__}.{type(error).__name__}: {error}"
    return ""


def _run(folder: Path) -> None:
    made = evaluate(numbers(3), Speaker(noisy), folder / "out", progress=False)
    for path in made.folder.iterdir():
        path.rename(folder / path.name)


def _text(name: str, content: Any) -> Callable[[Path], object]:
    text = content if isinstance(content, str) else json.dumps(content)
    return lambda folder: (folder / name).write_text(text, encoding="utf-8")


def _bytes(name: str, content: bytes) -> Callable[[Path], object]:
    return lambda folder: (folder / name).write_bytes(content)


def _answers(folder: Path) -> list[Any]:
    return [prediction.answer for prediction in read_predictions(folder / "predictions.jsonl")]


def _opened(name: str, open_it: Callable[[Path], Any]) -> Callable[[Path], Any]:
    return lambda folder: open_it(folder / name)


def _saved(save: Callable[..., object], *arrays: Any, **named: Any) -> bytes:
    buffer = io.BytesIO()
    save(buffer, *arrays, **named)
    return buffer.getvalue()


_PIXELS = Image(np.arange(48, dtype=np.uint8).reshape(4, 4, 3))
_ROWS = np.ones((2, 3), dtype=np.float32)


def _golden(folder: Path) -> None:
    about = json.dumps({"benchmark": "b", "version": 1, "system": "s", "extractor": "x"})
    features = np.ones((4, 1, 3), dtype=np.float16)
    (folder / "b").mkdir()
    np.savez(folder / "b" / "s.golden.npz", about=about, ids=["1"], groups=["1"], features=features)


def _expected(folder: Path) -> None:
    from benchmarks.harness.expectations import expectation_of, write_expectation

    made = evaluate(numbers(3), Speaker(noisy), folder / "out", progress=False)
    write_expectation(expectation_of(made, 0.01), folder)


def _checkpoint(folder: Path) -> None:
    import torch
    from safetensors.torch import save_file

    card = (
        f"format: {FORMAT}\npreset: tiny\nstage: encoding\nprojection: grouping\nbackbones: {{}}\nsteps: 1\n"
    )
    (folder / CARD).write_text(card + "figures: {}\n", encoding="utf-8")
    save_file({"a": torch.zeros(2)}, folder / TENSORS)


def _torch(folder: Path) -> None:
    import torch

    torch.save({"a": torch.zeros(2)}, folder / "a.pt")


def _tensors(folder: Path) -> None:
    import torch
    from safetensors.torch import save_file

    save_file({"a": torch.zeros(2)}, folder / "a.safetensors")


def _preset(folder: Path) -> None:
    from nextgpt.config import PRESETS

    (folder / "own.yaml").write_text((PRESETS / "tiny.yaml").read_text("utf-8"), encoding="utf-8")


def _training(folder: Path) -> None:
    turns = [{"from": "human", "value": "a cat"}, {"from": "gpt", "value": "a dog"}]
    record = {"conversations": turns}
    (folder / "data.json").write_text(json.dumps([record]), encoding="utf-8")


_TEN = [{"answer": "soup", "answer_id": k} for k in range(10)]
_REFERENCES: Mapping[str, Any] = {
    "image-captioning": {"images": [{"id": 7}], "annotations": [{"image_id": 7, "caption": "a dog"}]},
    "vqa": {"annotations": [{"question_id": 1, "image_id": 7, "answers": _TEN}]},
}
_RESULTS: Mapping[str, Any] = {
    "image-captioning": [{"image_id": 7, "caption": "a cat"}],
    "vqa": [{"question_id": 1, "answer": "soup"}],
}


def _family(name: str) -> dict[str, Reader]:
    def read(folder: Path) -> object:
        samples = FAMILIES[name].references(folder / "references.json")
        return samples, FAMILIES[name].results(folder / "results.json")

    def make(folder: Path) -> None:
        _text("references.json", _REFERENCES[name])(folder)
        _text("results.json", _RESULTS[name])(folder)

    return {f"{name} {what}": Reader(make, f"{what}.json", read) for what in ("references", "results")}


def _published(name: str) -> dict[str, Reader]:
    """The files of text of a published data set, each attacked by itself."""
    import tempfile

    def read(folder: Path) -> object:
        samples = load_benchmark(name).load(Options(data=folder / name))
        return [each.references for each in samples if isinstance(each, Sample)]

    with tempfile.TemporaryDirectory() as made:
        folder = miniature(name, Path(made))
        files = sorted(
            path.relative_to(folder).as_posix()
            for path in folder.rglob("*")
            if path.suffix in (".json", ".jsonl", ".csv", ".tsv", ".txt")
        )
    return {
        f"{name} {file}": Reader(lambda folder: miniature(name, folder / name), f"{name}/{file}", read)
        for file in files
    }


def readers() -> dict[str, Reader]:
    """All of them by name."""
    run = {
        "predictions": Reader(_run, "predictions.jsonl", _answers),
        "answers": Reader(_run, "predictions.jsonl", lambda at: read_answers(at / "predictions.jsonl")),
        "run": Reader(_run, "run.json", read_run),
        "status": Reader(_run, "predictions.jsonl", standings),
        "seal": Reader(_run, "scored.json", lambda at: read_run(at).results),
        "results": Reader(_run, "results.json", read_results),
        "scores": Reader(_run, "scores.parquet", read_scores),
    }
    media = {
        f"{kind.modality} {name}": Reader(_bytes(name, data), name, _opened(name, kind.open))
        for kind, name, data in (
            (Image, "a.png", _PIXELS.png()),
            (Image, "a.bmp", _PIXELS.png()),
            (Audio, "a.wav", Audio(np.zeros(64, dtype=np.float32), 16_000).wav()),
            (Video, "a.mkv", Video(np.zeros((2, 16, 16, 3), dtype=np.uint8), 4).mkv()),
        )
    }
    material = {
        "array": Reader(_bytes("a.npy", _saved(np.save, _ROWS)), "a.npy", _opened("a.npy", read_arrays)),
        "arrays": Reader(
            _bytes("a.npz", _saved(np.savez, features=_ROWS)), "a.npz", _opened("a.npz", read_arrays)
        ),
        "prompts": Reader(
            _text("prompts.json", {"a": "a cat"}), "prompts.json", _opened("prompts.json", read_prompts)
        ),
        "frames": Reader(_bytes("a.png", _PIXELS.png()), "a.png", lambda at: open_frames([at / "a.png"])),
        "sound": Reader(
            _bytes("a.wav", Audio(np.zeros(64, dtype=np.float32), 16_000).wav()),
            "a.wav",
            _opened("a.wav", open_sound),
        ),
        "judgements": Reader(
            _text("a.csv", "first,second,outcome\na,b,first\nb,a,tie\n"),
            "a.csv",
            _opened("a.csv", score_judgements),
        ),
        "tool results": Reader(
            _text("a.csv", "item,metric,value\na,clarity,1\n"), "a.csv", _opened("a.csv", read_tool_results)
        ),
        "tool results, JSON": Reader(
            _text("a.json", {"color": [0.5, [{"video_path": "a-0.mp4", "video_results": 0.5}]]}),
            "a.json",
            _opened("a.json", read_tool_results),
        ),
        "votes": Reader(
            _text("a.csv", "rater,item,system,value\n1,a,s,3\n"), "a.csv", _opened("a.csv", read_foreign)
        ),
        "golden": Reader(_golden, "b/s.golden.npz", lambda at: read_golden("b", "s", at)),
        "expected": Reader(
            _expected, "numbers/speaker.json", lambda at: read_expectation("numbers", "speaker", at)
        ),
    }
    model = {
        "checkpoint": Reader(_checkpoint, TENSORS, load_checkpoint),
        "checkpoint's card": Reader(_checkpoint, CARD, load_checkpoint),
        "weights": Reader(_tensors, "a.safetensors", _opened("a.safetensors", read_tensors)),
        "weights, pickled": Reader(_torch, "a.pt", _opened("a.pt", read_tensors)),
        "preset": Reader(_preset, "own.yaml", _opened("own.yaml", load_config)),
        "training data": Reader(
            _training, "data.json", lambda at: list(read_training(at / "data.json", "instruct"))
        ),
    }
    data = {key: each for name in ("image-captioning", "vqa") for key, each in _family(name).items()}
    for name, entry in CARDS.items():
        if entry.files:
            data |= _published(name)
    return {**run, **media, **material, **model, **data}
