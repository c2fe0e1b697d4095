"""The released layouts: what their files and keys are called, and what each key is here.

Two are known. ``7b_tiva_v0`` is the one file that was ever released, of the code of 2023; ``2024`` is what
the newer code writes, a file for each stage. Names are those of `agent.py` and `anyToImageVideoAudio.py`, and
of `train.py` and `nextgpt_arch.py`, of github.com/NExT-GPT/NExT-GPT.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

# How many signals of each kind both layouts have, in the order in which they were added to the vocabulary.
SIGNALS: Mapping[str, int] = {"image": 4, "video": 24, "audio": 8}
EMBEDDINGS, LOGITS = "rows.embeddings", "rows.logits"


@dataclass(frozen=True)
class Layout:
    """One way in which the released code writes its weights.

    Attributes:
        name: what people call it.
        files: files that it consists of; where a key stands in several, the last one of them counts.
        rules: patterns of whole keys, each with the name here, or with a reason why there is none.
        signal: the name of a signal token, by modality, for `str.format`.
        tags: tokens that were added before the signals.
        language_model: numbers of the language model that it was trained on, where no config.json says them.
        lora_alpha: scale of the adapters, where no file says it.
        notes: what differs in meaning though the tensors fit.
    """

    name: str
    files: tuple[str, ...]
    rules: tuple[tuple[re.Pattern[str], str], ...]
    signal: Mapping[str, str]
    tags: tuple[str, ...]
    language_model: Mapping[str, float]
    lora_alpha: float | None = None
    notes: tuple[str, ...] = ()

    def name_here(self, key: str) -> str | None:
        """What a key is called here; None for a key that is no part of the layout.

        A name that begins with ``!`` is the reason why the tensor has no place here.

        >>> RELEASED.name_here("gen_text_hidden_fcs_video.0.fc.weight")
        'output_projection.video.fc.weight'
        """
        for pattern, name in self.rules:
            found = pattern.fullmatch(key)
            if found:
                return name if name.startswith("!") else found.expand(name)
        return None

    def added_tokens(self, vocabulary: int) -> dict[str, int]:
        """Ids of the tokens that the layout adds to a vocabulary of this size.

        >>> added = RELEASED.added_tokens(32_000)
        >>> len(added), added["<Img>"], added["[AUD7]"]
        (38, 32000, 32037)
        """
        return {name: vocabulary + place for place, name in enumerate([*self.tags, *self.signals()])}

    def signals(self, modalities: Iterable[str] = SIGNALS) -> list[str]:
        """Names of the signal tokens of some modalities."""
        return [self.signal[kind].format(place) for kind in modalities for place in range(SIGNALS[kind])]


def _rules(pairs: Iterable[tuple[str, str]]) -> tuple[tuple[re.Pattern[str], str], ...]:
    return tuple((re.compile(pattern), name) for pattern, name in pairs)


_LORA = r"(model\.layers\.\d+\.\w+\.\w+\.lora_[AB])(?:\.default)?\.weight"
_QFORMER = "!a Q-Former as output projection, which this project does not have"

RELEASED = Layout(
    name="7b_tiva_v0",
    files=("pytorch_model.pt",),
    rules=_rules(
        [
            (r"llama_proj\.(weight|bias)", r"input_projection.linear.\1"),
            (r"gen_text_hidden_fcs(?:_\w+)?\.0\.(?:Qformer\..+|query_tokens)", _QFORMER),
            (r"gen_text_hidden_fcs\.0\.(.+)", r"output_projection.image.\1"),
            (r"gen_text_hidden_fcs_(video|audio)\.0\.(.+)", r"output_projection.\1.\2"),
            # Before the last stage there is no adapter around the language model.
            (r"llama_model\.(?:base_model\.model\.)?model\.embed_tokens\.weight", EMBEDDINGS),
            (r"llama_model\.(?:base_model\.model\.)?lm_head\.weight", LOGITS),
            (r"input_embeddings\.weight", EMBEDDINGS),
            (rf"llama_model\.base_model\.model\.{_LORA}", r"lora.\1.default.weight"),
        ]
    ),
    signal={"image": "[IMG{}]", "video": "[VID{}]", "audio": "[AUD{}]"},
    tags=("<Img>", "</Img>"),
    language_model={"max_position_embeddings": 2048, "rms_norm_eps": 1e-6},  # LLaMA 1
    lora_alpha=32,
)

_ANY = r"(?:base_model\.)?(?:model\.)*"
_GROUPING = (
    "!the released code's grouping, whose blocks have a cross-attention and a token mixing of their own; "
    "this project's follows the paper and has to be trained"
)

_LINEAR = "!a linear output projection, which makes a vector for each signal and fits no diffusion model"
_MERGED = "!the language model itself, saved whole; convert the adapters from before they were merged into it"
_SPACED = (
    "the released code trained the output projections on spans with a space between signals (7, 47 and 15 "
    "vectors); here they are given the signals alone (4, 24 and 8)"
)


def _output_rules(**kinds: str) -> Iterator[tuple[str, str]]:
    """The rules of the newer code's output projections, by its short names."""
    for short, kind in kinds.items():
        old, new = rf"{_ANY}mm_output_{short}_projector\.", f"output_projection.{kind}."
        yield rf"{old}in_fc\.(\w+)", rf"{new}fc.\1"
        yield rf"{old}out_fc\.(\w+)", rf"{new}model.\1"
        yield rf"{old}(tfm\..+|query_embs)", rf"{new}\1"
        yield rf"{old}(?:Qformer\..+|query_tokens)", _QFORMER
        yield rf"{old}(?:weight|bias)", _LINEAR


NEWER = Layout(
    name="2024",
    files=(
        "mm_input_projector.bin",
        "mm_output_projector.bin",
        "non_lora_trainables.bin",
        "adapter_model.bin",
        "adapter_model.safetensors",
    ),
    rules=_rules(
        [
            (rf"{_ANY}mm_input_projector\.(weight|bias)", r"input_projection.linear.\1"),
            (rf"{_ANY}mm_input_projector\.(?:in_fc|layers|norm|out_fc)\..+", _GROUPING),
            (rf"{_ANY}mm_input_projector\.layer\.([02])\.(weight|bias)", r"input_projection.linear.\1.\2"),
            *_output_rules(img="image", vid="video", aud="audio"),
            (rf"{_ANY}embed_tokens\.weight", EMBEDDINGS),
            (rf"{_ANY}lm_head\.weight", LOGITS),
            (rf"base_model\.model\.{_LORA}", r"lora.\1.default.weight"),
            (rf"{_ANY}(?:layers\.\d+\..+|norm\.weight)", _MERGED),
        ]
    ),
    signal={"image": "<image_{:02d}>", "video": "<video_{:02d}>", "audio": "<audio_{:02d}>"},
    tags=(),
    language_model={"max_position_embeddings": 4096, "rms_norm_eps": 1e-5},  # LLaMA 2
    notes=(_SPACED,),
)

LAYOUTS = (RELEASED, NEWER)


@dataclass
class Translated:
    """A checkpoint's keys, sorted.

    Attributes:
        names: key of each name here; names in `EMBEDDINGS` and `LOGITS` are whole vocabulary matrices.
        reasons: why a key of the layout has no place here.
        unknown: keys that are no part of the layout.
        twins: further keys of a tensor, each behind the tensor's name here.
    """

    names: dict[str, str] = field(default_factory=dict)
    reasons: dict[str, str] = field(default_factory=dict)
    unknown: list[str] = field(default_factory=list)
    twins: list[tuple[str, str]] = field(default_factory=list)


def translate(layout: Layout, keys: Iterable[str]) -> Translated:
    """Say what each key is here.

    >>> translate(RELEASED, ["llama_proj.bias", "llama_proj.scale"])
    Translated(names={'input_projection.linear.bias': 'llama_proj.bias'}, reasons={},
               unknown=['llama_proj.scale'], twins=[])
    """
    found = Translated()
    for key in keys:
        name = layout.name_here(key)
        if name is None:
            found.unknown.append(key)
        elif name.startswith("!"):
            found.reasons[key] = name[1:]
        elif name in found.names:
            found.twins.append((name, key))
        else:
            found.names[name] = key
    return found
