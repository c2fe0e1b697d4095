from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from baselines.huggingface import HuggingFace, load
from benchmarks.harness.system import System
from nextgpt.errors import ConfigError
from nextgpt.media import Audio, Image, Medium, Video
from nextgpt.messages import Failure, Message, Modality, Request, assistant, user
from nextgpt.watching import watched
from tests.baselines import tiny_models
from tests.nextgpt.ears import Ears

WITHOUT_TORCHVISION = [*tiny_models.CLASSES]
ALL = [
    *WITHOUT_TORCHVISION,
    *(
        pytest.param(name, marks=pytest.mark.skipif(not find_spec("torchvision"), reason="no torchvision"))
        for name in tiny_models.BESIDE_TORCHVISION
    ),
]
READS: dict[str, set[Modality]] = {
    "llama": {"text"},
    "llava": {"text", "image"},
    "blip-2": {"text", "image"},
    "qwen2-audio": {"text", "audio"},
    "whisper": {"text", "audio"},
    "video-llava": {"text", "image", "video"},
    "qwen2-vl": {"text", "image", "video"},
}


def picture(seed: int, height: int = 20) -> Image:
    rng = np.random.default_rng(seed)
    return Image(rng.integers(0, 255, (height, 24, 3), dtype=np.uint8))


def clip(seed: int) -> Video:
    rng = np.random.default_rng(seed)
    return Video(rng.integers(0, 255, (9, 20, 24, 3), dtype=np.uint8), 8)


def sound(seed: int, seconds: float = 1.0) -> Audio:
    time = np.arange(int(16000 * seconds)) / 16000
    return Audio((0.5 * np.sin(2 * np.pi * (200 + 900 * seed) * time)).astype(np.float32), 16000)


SHOWN: dict[Modality, Callable[[int], Medium]] = {"image": picture, "video": clip, "audio": sound}


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    made: dict[str, Path] = {}

    def folder(name: str) -> Path:
        if name not in made:
            made[name] = tiny_models.build(name, tmp_path_factory.mktemp("models") / name)
        return made[name]

    return folder


@pytest.fixture(scope="module")
def models(folders: Callable[[str], Path]) -> Callable[[str], HuggingFace]:
    made: dict[str, HuggingFace] = {}

    def model(name: str, options: str = "max_new_tokens=8") -> HuggingFace:
        key = f"{folders(name)}?{options}"
        return made.setdefault(key, made.get(key) or load(key))

    return model


Models = Callable[..., HuggingFace]


def requests(system: HuggingFace) -> list[Request]:
    """Everything that a system takes, of several lengths, in one batch."""
    media = sorted(system.accepts - {"text"})
    asked = [user(SHOWN[kind](k), "what is this" + " now" * k) for kind in media for k in range(3)]
    return [Request((said,)) for said in asked] or [Request((user("hello" + "!" * k),)) for k in range(3)]


def said(answer: Message | Failure) -> str:
    assert isinstance(answer, Message), answer
    return answer.text


@pytest.mark.parametrize("name", ALL)
def test_every_class_answers_and_takes_what_its_processor_takes(models: Models, name: str) -> None:
    system = models(name)
    assert isinstance(system, System)
    assert system.accepts == READS[name]
    assert all(said(answer) for answer in system.respond(requests(system)))


@pytest.mark.parametrize("name", ALL)
def test_answers_do_not_depend_on_the_batch(models: Models, name: str) -> None:
    system = models(name)
    asked = [*requests(system), Request((user("hello"),))]
    together = system.respond(asked)
    assert together == [system.respond([request])[0] for request in asked]


@pytest.mark.parametrize("name", [name for name in ALL if name != "llama"])
def test_what_is_shown_changes_what_is_said(models: Models, name: str) -> None:
    system = models(name)
    for kind in system.accepts - {"text"}:
        asked = [Request((user(SHOWN[kind](seed), "what is this?"),)) for seed in range(4)]
        assert len({said(answer) for answer in system.respond(asked)}) > 1


@pytest.mark.parametrize("name", WITHOUT_TORCHVISION)
def test_medium_that_a_model_cannot_take_is_a_failure_of_its_request_alone(models: Models, name: str) -> None:
    system = models(name)
    good = requests(system)[0]
    unknown = sorted(set(SHOWN) - system.accepts)
    bad = [Request((user(SHOWN[kind](0), "what is this?"),)) for kind in unknown]
    *failed, answered = system.respond([*bad, good])
    for kind, answer in zip(unknown, failed, strict=True):
        assert answer == Failure("encode", f"hf-{name} can't take {kind}")
    assert isinstance(answered, Message)


def test_conversation_reaches_the_model_whole(models: Models) -> None:
    system = models("llama")
    first = Request((user("hello"), assistant("red"), user("again")))
    other = Request((user("hello"), assistant("blue"), user("again")))
    assert system.respond([first]) != system.respond([other])


@pytest.mark.parametrize(("name", "count"), [("blip-2", 0), ("blip-2", 2), ("whisper", 0), ("whisper", 2)])
def test_model_of_one_medium_says_so(models: Models, name: str, count: int) -> None:
    media = [picture(k) if name == "blip-2" else sound(k) for k in range(count)]
    (answer,) = models(name).respond([Request((user(*media, "what is this?"),))])
    assert isinstance(answer, Failure)
    assert f"takes one {'picture' if name == 'blip-2' else 'sound'}, and is given {count}" in answer.reason


def test_model_without_a_chat_template_takes_one_message(models: Models) -> None:
    (answer,) = models("blip-2").respond([Request((user(picture(0), "a"), assistant("b"), user("c")))])
    assert isinstance(answer, Failure)
    assert "no chat template" in answer.reason


def test_clip_is_shown_as_pictures_where_that_is_asked_for(models: Models) -> None:
    system = models("llava", "max_new_tokens=8&clips=pictures&frames=3")
    assert system.accepts == {"text", "image", "video"}
    assert system.fingerprint != models("llava").fingerprint
    shown = clip(0)
    frames = [shown.frame(place) for place in (0, 4, 8)]
    one, same = system.respond([Request((user(shown, "what?"),)), Request((user(*frames, "what?"),))])
    assert said(one) == said(same)


def test_reply_that_is_cut_off_says_so(models: Models) -> None:
    (answer,) = models("llama").respond([Request((user("hello"),))])
    assert isinstance(answer, Message)
    problem, (name, tokens) = answer.steps
    assert problem == ("problem", "the reply was cut off at 8 tokens")
    assert (name, tokens.partition(" read, ")[2]) == ("tokens", "8 written")


def test_sound_that_is_too_long_to_be_heard_whole_says_so(models: Models) -> None:
    (answer,) = models("whisper").respond([Request((user(sound(1, 3.0)),))])
    assert isinstance(answer, Message)
    assert ("problem", "of a sound of 3.0 s the first 2 were heard") in answer.steps


def test_prompt_that_is_too_long_fails_alone(models: Models) -> None:
    system = models("llama")
    long, short = system.respond([Request((user("é" * 400),)), Request((user("hello"),))])
    assert isinstance(long, Failure)
    assert "248 fit hf-llama" in long.reason
    assert short == system.respond([Request((user("hello"),))])[0]


def test_wish_for_a_picture_is_a_failure(models: Models) -> None:
    (answer,) = models("llama").respond([Request((user("draw"),), frozenset[Modality]({"image"}))])
    assert answer == Failure("reply", "hf-llama can't answer in image")


def test_fingerprint_follows_weights_and_settings_and_not_the_batch(
    folders: Callable[[str], Path], tmp_path: Path
) -> None:
    from safetensors.torch import load_file, save_file

    folder = shutil.copytree(folders("llama"), tmp_path / "llama")
    before = load(str(folder)).fingerprint
    assert load(f"{folder}?batch=2").fingerprint == before
    assert load(f"{folder}?max_new_tokens=9").fingerprint != before
    file = folder / "model.safetensors"
    tensors = load_file(file)
    tensors["model.norm.weight"] *= 2
    save_file(tensors, file, {"format": "pt"})
    assert load(str(folder)).fingerprint != before


CODE = "from pathlib import Path\nPath('ran').touch()\n"


def test_code_of_a_hub_is_not_run(
    folders: Callable[[str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = shutil.copytree(folders("llama"), tmp_path / "llama")
    config = json.loads((folder / "config.json").read_text())
    config |= {
        "model_type": "other",
        "auto_map": {"AutoConfig": "theirs.C", "AutoModelForCausalLM": "theirs.M"},
    }
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "theirs.py").write_text(CODE)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigError, match="llama: no model that transformers can load"):
        load(str(folder))
    assert not Path("ran").exists()


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("nowhere/at-all", "neither a folder nor in the local hub cache"),
        ("", "a place is missing"),
        ("x?max_new_tokens=many", "expected int, got 'many'"),
        ("x?max_tokens=3", "did you mean 'max_new_tokens'"),
        ("x?batch", "options are written"),
        ("x?batch=0", "at least 1"),
    ],
)
def test_wrong_names_and_options_are_told(name: str, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        load(name)


@pytest.mark.parametrize("damage", ["cut", "missing", "nan", "vocabulary", "kind"])
def test_damaged_model_is_refused_by_name(
    folders: Callable[[str], Path], tmp_path: Path, damage: str
) -> None:
    import torch
    from safetensors.torch import load_file, save_file

    folder = shutil.copytree(folders("llama"), tmp_path / "llama")
    file = folder / "model.safetensors"
    tensors = load_file(file)
    if damage == "cut":
        file.write_bytes(file.read_bytes()[:-10])
    elif damage == "vocabulary":
        (folder / "tokenizer.json").unlink()
    elif damage == "kind":
        config = {"model_type": "clip_vision_model", "architectures": ["CLIPVisionModel"]}
        (folder / "config.json").write_text(json.dumps(config))
    else:
        if damage == "missing":
            del tensors["model.norm.weight"]
        else:
            tensors["model.norm.weight"][0] = torch.nan
        save_file(tensors, file, {"format": "pt"})
    with pytest.raises(ConfigError, match="llama"):
        load(str(folder))


@pytest.mark.slow
def test_trained_model_answers(tmp_path: Path) -> None:
    system = load(f"{tiny_models.smollm2(tmp_path / 'smollm2')}?max_new_tokens=24")
    asked = ["What is the capital of France?", "Say hello."]
    france, hello = map(said, system.respond([Request((user(text),)) for text in asked]))
    assert "Paris" in france
    assert "hello" in hello.lower()


def test_nothing_heavy_is_imported_with_the_module() -> None:
    import subprocess

    program = "import sys, baselines.huggingface, baselines.tools, baselines.openai_compatible as _\n"
    program += "print([name for name in ('torch', 'transformers', 'diffusers') if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_model_of_text_is_read_and_asked_without_diffusers(folders: Callable[[str], Path]) -> None:
    import subprocess

    program = (
        "import sys\nfrom baselines.huggingface import load\nfrom nextgpt.messages import Request, user\n"
        f"load({str(folders('llama'))!r} + '?max_new_tokens=2').respond([Request((user('hello'),))])\n"
        "print('diffusers' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert (done.stdout.strip(), done.stderr) == ("False", "")


@pytest.mark.parametrize("name", WITHOUT_TORCHVISION)
def test_whoever_watches_hears_an_answer_grow(models: Callable[[str], HuggingFace], name: str) -> None:
    system = models(name)
    shown = [SHOWN[kind](0) for kind in sorted(system.accepts - {"text"})]
    request = Request((user(*shown, "what is it ?"),))
    (alone,) = system.respond([request])
    ears = Ears()
    with watched(ears):
        (answer,) = system.respond([request])
    assert answer == alone
    assert isinstance(answer, Message), answer
    assert len(ears.heard) > 1
    assert ears.heard[-1] == answer.text
