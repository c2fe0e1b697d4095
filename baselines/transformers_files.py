"""Reading any model of transformers that answers in text, and its processor, whole or not at all."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from nextgpt.errors import ConfigError

# Tried in this order: Whisper is also a causal model, and a model that sees also one of text alone.
_CLASSES = (
    "AutoModelForMultimodalLM",
    "AutoModelForImageTextToText",
    "AutoModelForSpeechSeq2Seq",
    "AutoModelForCausalLM",
    "AutoModelForSeq2SeqLM",
)


def read(folder: Path) -> tuple[Any, Any]:
    """A model and its processor; of a model of text alone, its tokenizer.

    Raises:
        ConfigError: there is none, it is of no kind that answers in text, its weights are not whole, or don't
            fit into memory, or it needs code of its own.
    """
    import torch
    import transformers

    from nextgpt.decoding.reading import hushed
    from nextgpt.weights import gguf
    from nextgpt.weights.files import refuse_made_up, refuse_not_finite, variant_of

    gpu = torch.cuda.is_available()
    packed = gguf.told(folder)
    _require_memory(folder, gpu=gpu)
    try:
        with hushed():
            config = transformers.AutoConfig.from_pretrained(
                folder, local_files_only=True, trust_remote_code=False, **packed
            )
            kind = _class_of(config)
            if kind is None:
                raise ConfigError(
                    f"{folder.name}: a {type(config).__name__} is no model that answers in text"
                )
            model, report = kind.from_pretrained(
                folder,
                local_files_only=True,
                trust_remote_code=False,
                # Half precision is emulated, and slow, on CPUs.
                dtype="auto" if gpu else torch.float32,
                variant=variant_of(folder.glob("*")),
                weights_only=True,
                output_loading_info=True,
                ignore_mismatched_sizes=True,  # they are refused below, by name
                **packed,
            )
            of = transformers.AutoTokenizer if packed else transformers.AutoProcessor
            processor = of.from_pretrained(folder, local_files_only=True, trust_remote_code=False, **packed)
    except ConfigError:
        raise
    except Exception as error:  # files are read by half a dozen libraries
        reason = " ".join(str(error).split())[:300]
        raise ConfigError(f"{folder.name}: no model that transformers can load: {reason}") from error
    refuse_made_up(folder.name, report)
    refuse_not_finite(folder.name, model.named_parameters())
    words = getattr(processor, "tokenizer", processor)
    if len(words) < 10:
        raise ConfigError(f"{folder.name}: the tokenizer is empty; is its vocabulary file missing?")
    return model.to("cuda" if gpu else "cpu").eval(), processor


def _class_of(config: Any) -> Any:
    """Which of transformers' automatic classes reads a configuration; None where none answers in text."""
    import transformers

    for name in _CLASSES:
        kind = getattr(transformers, name, None)
        if kind is not None and type(config) in kind._model_mapping:
            return kind
    return None


def _require_memory(folder: Path, *, gpu: bool) -> None:
    import math

    import torch

    from nextgpt.sizing.memory import available, require
    from nextgpt.weights import gguf
    from nextgpt.weights.files import shapes, weights_in

    packed = gguf.gguf_in(folder)
    numbers = (
        gguf.numbers(packed)
        if packed
        else sum(math.prod(shape) for file in weights_in(folder) for shape in shapes(file).values())
    )
    free = torch.cuda.mem_get_info()[0] if gpu else available()
    require({"model": numbers * (2 if gpu else 4)}, free, folder.name)
