"""Hostile files and what reads them: each case makes its own input in an empty folder."""

from __future__ import annotations

import gzip
import json
import pickle
import struct
import wave
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from benchmarks.harness.benchmark import Broken, Options
from benchmarks.harness.predictions import read_predictions
from benchmarks.registry import load_benchmark
from benchmarks.score.material import read_arrays
from benchmarks.tasks.official import read_json
from nextgpt.checkpoints import CARD, FORMAT, TENSORS
from nextgpt.checkpoints import load as load_checkpoint
from nextgpt.config import load_config
from nextgpt.convert.reading import read_tensors
from nextgpt.media import Audio, Image, Video
from nextgpt.messages import Failure
from tests.benchmarks.tasks.official_files import coco, picture, write

Case = tuple[str, object]


class Evil:
    """A pickle that runs code when it is loaded; nothing here may ever run it."""

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return exec, ("raise SystemExit('a pickle was run')",)


def png(width: int, height: int) -> bytes:
    """A picture of so many pixels in a few kilobytes."""
    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    data = zlib.compress(bytes((width + 1) * 100), 9)
    chunks = [(b"IHDR", head), (b"IDAT", data), (b"IEND", b"")]
    parts = [struct.pack(">I", len(c)) + n + c + struct.pack(">I", zlib.crc32(n + c)) for n, c in chunks]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def media(at: Path) -> Iterator[Case]:
    """Bombs: little on the disk, much once it is read."""
    (at / "bomb.png").write_bytes(png(20_000, 20_000))
    yield "a picture of 400 megapixels in a few kilobytes", lambda: Image.open(at / "bomb.png")
    with wave.open(str(at / "long.wav"), "wb") as file:
        file.setparams((1, 1, 8000, 8000 * 7200, "NONE", ""))
        file.writeframes(b"\x80" * 8000 * 7200)
    yield "a sound of two hours", lambda: Audio.open(at / "long.wav")
    from tests.nextgpt.media.test_bounds import bomb

    bomb(at / "frames.mkv", 3840, 2160, 60)
    yield "a clip of sixty frames of eight megapixels", lambda: Video.open(at / "frames.mkv")
    with (
        zipfile.ZipFile(at / "bomb.npz", "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open("features.npy", "w") as rows,
    ):
        shape = {"descr": "<f8", "fortran_order": False, "shape": (1 << 18, 600)}
        np.lib.format.write_array_header_1_0(rows, shape)
        rows.write(bytes(1 << 20))
    yield "an .npz that says it holds a gigabyte", lambda: read_arrays(at / "bomb.npz")
    (at / "list.png").write_bytes(b"ffconcat version 1.0\nfile '/etc/passwd'\n")
    yield "a list of other files, under a picture's name", lambda: Image.open(at / "list.png")
    (at / "list.mkv").write_bytes(b"#EXTM3U\n#EXTINF:1,\nhttp://127.0.0.1:9/a.ts\n#EXT-X-ENDLIST\n")
    yield "a playlist of addresses, under a clip's name", lambda: Video.open(at / "list.mkv")
    (at / "bomb.json.gz").write_bytes(_zeros())
    yield "gigabytes of blanks, gzipped to a megabyte, as annotations", lambda: read_json(at / "bomb.json.gz")


def _zeros() -> bytes:
    return gzip.compress(b" " * (1 << 24)) * 65


def code(at: Path) -> Iterator[Case]:
    """Code in files of data: pickles, tags, modules of others."""
    from benchmarks.registry import load_system

    (at / "a.bin").write_bytes(pickle.dumps({"a": Evil()}))
    yield "a pickle that runs code, as weights", lambda: read_tensors(at / "a.bin")
    (at / "a.safetensors").write_bytes(pickle.dumps({"a": Evil()}))
    yield "the same, under the name of safetensors", lambda: read_tensors(at / "a.safetensors")
    np.save(at / "a.npy", np.array([Evil()], dtype=object), allow_pickle=True)
    yield "the same, in an array of objects", lambda: read_arrays(at / "a.npy")
    np.savez(at / "b.npz", features=np.array([Evil()], dtype=object))
    yield "the same, in an .npz", lambda: read_arrays(at / "b.npz")
    write(at / "own.yaml", "name: !!python/object/apply:os.system [id]\n")
    yield "a YAML tag that calls a function", lambda: load_config(at / "own.yaml")
    write(at / "aliases.yaml", "a: &a [x, x]\n" + "".join(f"b{k}: &b{k} [{_many(k)}]\n" for k in range(9)))
    yield "YAML aliases that stand for billions of values", lambda: load_config(at / "aliases.yaml")
    custom = {"model_type": "mine", "auto_map": {"AutoConfig": "mine.Config", "AutoModel": "mine.Model"}}
    write(at / "model" / "config.json", custom)
    write(at / "model" / "mine.py", "raise SystemExit('a module of somebody else was run')\n")
    yield "a model that brings its own modules", lambda: load_system(f"hf:{at / 'model'}")


def _many(k: int) -> str:
    return ", ".join([f"*b{k - 1}" if k else "*a"] * 10)


def weights(at: Path) -> Iterator[Case]:
    """Weights whose header lies."""
    tensor = {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}
    card = f"format: {FORMAT}\npreset: tiny\nstage: encoding\nprojection: grouping\nbackbones: {{}}\n"
    lies = {
        "a header longer than the file": struct.pack("<Q", 1 << 40) + b"{}",
        "a tensor beyond the end of the file": _safetensors(tensor | {"data_offsets": [0, 1 << 40]}),
        "a shape that its bytes do not fill": _safetensors(tensor | {"shape": [1 << 30, 1 << 30]}),
        "a number type that is none": _safetensors(tensor | {"dtype": "F7"}),
        "values that are no numbers": _safetensors(tensor, np.array([1, np.nan], "<f4").tobytes()),
    }
    for number, (what, data) in enumerate(lies.items()):
        folder = at / f"{number}"
        write(folder / CARD, card + "steps: 1\nfigures: {}\n")
        (folder / TENSORS).write_bytes(data)
        yield f"safetensors: {what}", lambda folder=folder: load_checkpoint(folder)


def _safetensors(tensor: object, data: bytes = bytes(8)) -> bytes:
    head = json.dumps({"a": tensor}).encode()
    return struct.pack("<Q", len(head)) + head + data


def records(at: Path) -> Iterator[Case]:
    """Lines of ``predictions.jsonl`` that are none."""
    said = b'"message": {"parts": [{"text": "a cat"}]}'
    lines = {
        "a line cut in the middle": b'{"sample": "1", "mess',
        "a line of NULs": b"\0" * 80,
        "a sample that is answered twice": (b'{"sample": "1", ' + said + b"}\n") * 2,
        "an id that is a number": b'{"sample": 1.5, ' + said + b"}",
        "an id that is null": b'{"sample": null, ' + said + b"}",
        "JSON ten thousand levels deep": b'{"sample": ' + b"[" * 10_000,
        "seconds of 1e999": b'{"sample": "1", "seconds": 1e999, ' + said + b"}",
        "a number of five thousand digits": b'{"sample": "1", "seconds": '
        + b"9" * 5_000
        + b", "
        + said
        + b"}",
        "a picture at ../secret.png": _picture("../secret.png"),
        "a picture at /etc/passwd": _picture("/etc/passwd"),
        "a picture behind a link": _picture("media/link.png"),
        "a picture that is not there": _picture("media/none.png"),
        "a picture at http://127.0.0.1:9/a.png": _picture("http://127.0.0.1:9/a.png"),
        "a picture that was replaced": _picture("media/other.png", "0" * 64),
        "a picture of 400 megapixels": _picture("media/bomb.png"),
    }
    (at / "media").mkdir()
    picture(at / "secret.png")
    picture(at / "media" / "other.png")
    (at / "media" / "link.png").symlink_to(at / "secret.png")
    (at / "media" / "bomb.png").write_bytes(png(20_000, 20_000))
    for what, data in lines.items():
        (at / "predictions.jsonl").write_bytes(data + b"\n")

        def answers() -> object:
            found = [each.answer for each in read_predictions(at / "predictions.jsonl")]
            return next((each for each in found if isinstance(each, Failure)), found)

        yield f"predictions: {what}", answers


def _picture(name: str, digest: str | None = None) -> bytes:
    part = {"image": name} if digest is None else {"image": name, "sha256": digest}
    return json.dumps({"sample": "1", "message": {"parts": [part]}}).encode()


def official(at: Path) -> Iterator[Case]:
    """Official annotation files."""
    outside = picture(at / "outside.png")
    forms = {
        "an image at ../outside.png": json.dumps(coco("../../outside.png")),
        "an image at an absolute path": json.dumps(coco("/etc/passwd")),
        "an image behind a link out of the folder": json.dumps(coco("link.png")),
        "an image at http://127.0.0.1:9/a.png": json.dumps(coco("http://127.0.0.1:9/a.png")),
        "a name with a NUL": json.dumps(coco("a\0.png")),
        "an id of 7.5": json.dumps(coco("a.png")).replace('"id": 7', '"id": 7.5'),
        "an id that is null": json.dumps(coco("a.png")).replace('"id": 7', '"id": null'),
        "an id of 1e999": json.dumps(coco("a.png")).replace('"id": 7', '"id": 1e999'),
        "a name given twice in one object": json.dumps(coco("a.png")).replace('"id": 7', '"id": 8, "id": 7'),
        "JSON a hundred thousand levels deep": "[" * 100_000,
        "no file but a folder": "",
    }
    for number, (what, text) in enumerate(forms.items()):
        folder = at / f"{number}" / "coco"
        picture(folder / "images" / "a.png")
        (folder / "images" / "link.png").symlink_to(outside)
        if text:
            write(folder / "captions.json", text)
        else:
            (folder / "captions.json").mkdir()

        def first(folder: Path = folder) -> object:
            (found, *_) = load_benchmark("coco-captions").load(Options(folder))
            return Failure("data", found.reason) if isinstance(found, Broken) else found

        yield f"annotations: {what}", first
