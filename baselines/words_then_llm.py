"""Words, then a language model: a caption-then-tool pipeline of real, small parts that packages carry.

What is shown is put into words by a detector, a classifier, a reader of writing, a tagger of sounds and a
recogniser of speech. SmolLM2-135M reads these words alone, and answers or calls a tool: a voice, instruments,
style transfer. All of it runs on a CPU.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from baselines.tools import Tool, ToolPipeline, Worker
from nextgpt.errors import ConfigError

if TYPE_CHECKING:
    from baselines.huggingface import HuggingFace

NAME = "words-then-llm"
WEIGHTS = ("smollm2", "minilm", "detector", "lite2", "yamnet", "whisper", "voice", "style")
WRITER = "packaged:smollm2?max_new_tokens=40&batch=4"


def load(*, blind: bool = False) -> ToolPipeline:
    """The pipeline.

    Args:
        blind: what is shown is not put into words: how far the language model guesses.

    Raises:
        ConfigError: weights are not fetched, or a package is not installed; says which.
    """
    from baselines.chooser import Chooser
    from baselines.small_planner import SmallPlanner
    from nextgpt.weights.places import locate

    planner = SmallPlanner(writer(), Chooser(locate("packaged:minilm")))
    senses = _blind() if blind else _senses()
    return ToolPipeline(planner, [*senses, *_makers()], name=f"{NAME}-blind" if blind else NAME)


def writer(place: str = WRITER) -> HuggingFace:
    """The language model.

    Raises:
        ConfigError: it has no chat template, so that no examples can be shown to it.
    """
    from baselines import huggingface

    model = huggingface.load(place)
    if not model.talks:
        raise ConfigError(
            f"{place.partition('?')[0]}: its tokenizer has no chat template; a model that was taught to talk "
            "was expected, such as packaged:smollm2"
        )
    return model


def _senses() -> list[Tool]:
    from baselines.senses import words
    from baselines.senses.looks import Looks
    from baselines.senses.speech import Speech
    from baselines.senses.tags import Tags
    from baselines.senses.things import Things
    from baselines.senses.writing import Writing
    from nextgpt.weights.places import locate

    things = Things(locate("packaged:detector"))
    looks = Looks(locate("packaged:lite2"), locate("packaged:detector"))
    tags, speech = Tags(locate("packaged:yamnet")), Speech(locate("packaged:whisper"))
    return _describers(
        words.of_pictures(things, looks, Writing()),
        words.of_clips(things, looks),
        words.of_sounds(tags, speech),
    )


def _blind() -> list[Tool]:
    from baselines.senses.words import InWords

    nothing = InWords(lambda _: "not shown", ["blind"])
    return _describers(nothing, nothing, nothing)


def _describers(pictures: Worker, clips: Worker, sounds: Worker) -> list[Tool]:
    return [
        Tool("describe_image", "says what a picture shows", pictures, "text", "image"),
        Tool("describe_video", "says what a clip shows", clips, "text", "video"),
        Tool("describe_audio", "says what a sound is of", sounds, "text", "audio"),
    ]


def _makers() -> list[Tool]:
    from baselines.makers.instruments import Instruments
    from baselines.makers.style import Style
    from baselines.makers.voice import Voice
    from nextgpt.weights.places import locate

    return [
        Tool("speak", "says the text aloud", Voice(locate("packaged:voice")), "audio"),
        Tool("play", "plays notes on an instrument that the text names", Instruments(), "audio"),
        Tool(
            "restyle",
            "repaints a picture in the colours that the text names",
            Style(locate("packaged:style")),
            "image",
            "image",
        ),
    ]
