"""From a released layout to this project's checkpoint.

Every key of the source is either converted, or named together with the reason why it is not. What would be
lost without a word, or would be filled in at random, is refused.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from nextgpt.checkpoints import OUTPUT, PARTS, Card, check_language_model, save
from nextgpt.config import Config, Stage
from nextgpt.convert.layouts import EMBEDDINGS, LOGITS, Translated, translate
from nextgpt.convert.needs import Needs, needs
from nextgpt.convert.reading import ConvertError, Source, read_source
from nextgpt.convert.rows import Rows, signal_rows

if TYPE_CHECKING:
    from torch import Tensor

_SHOWN = 12
# Numbers of a language model in which LLaMA 1 and 2, or sizes, differ.
_DESCRIBED = (
    "hidden_size",
    "intermediate_size",
    "max_position_embeddings",
    "num_attention_heads",
    "num_hidden_layers",
    "rms_norm_eps",
)


@dataclass(frozen=True)
class Report:
    """What became of a checkpoint.

    Attributes:
        layout: how it was written.
        folder: where the converted one lies.
        converted: key of the source to the names here, comma-separated.
        left_out: key of the source, or some of its rows, to the reason.
        notes: what a person should know of the rest.
        parameters: how many were converted, by part.
    """

    layout: str
    folder: Path
    converted: Mapping[str, str]
    left_out: Mapping[str, str]
    notes: Sequence[str]
    parameters: Mapping[str, int]

    def lines(self) -> Iterator[str]:
        """The report in words."""
        yield f"layout: {self.layout}, {len(self.converted)} tensors converted"
        for part, count in self.parameters.items():
            yield f"  {part}: {count:,} parameters"
        reasons: dict[str, list[str]] = {}
        for key, reason in self.left_out.items():
            reasons.setdefault(reason, []).append(key)
        for reason, keys in reasons.items():
            more = f" and {len(keys) - 1} more" if len(keys) > 1 else ""
            yield f"left out: {keys[0]}{more}: {reason}"
        yield from (f"note: {note}" for note in self.notes)
        yield f"checkpoint: {self.folder}"


@dataclass
class _Ledger:
    """Where each key goes, while it is being found out."""

    tensors: dict[str, Tensor] = field(default_factory=dict)
    converted: dict[str, str] = field(default_factory=dict)
    left_out: dict[str, str] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)


def convert(sources: Sequence[Path], config: Config, out: Path, *, stage: Stage = "instruct") -> Report:
    """Convert a checkpoint of a released layout.

    Args:
        sources: its folder, or its files or folders; where a key stands in two of them, the later one counts.
        config: the preset that it is to be used with.
        out: the folder to write; whatever checkpoint is there is replaced.
        stage: which stage's checkpoint to make of it.

    Returns:
        What became of every key.

    Raises:
        ConvertError: a file is unsafe or damaged, or keys, shapes, tokens or scales do not fit the preset;
            names all of them. Nothing is written then.
        CheckpointError: the preset's language model is not the one that the checkpoint was trained on.
        ConfigError: the preset's weights are not at hand and their shapes not known.
    """
    source = read_source(sources)
    needed = needs(config, stage)
    ledger = _Ledger()
    rows = _names(source, config, stage, needed, ledger)
    if "signals" in PARTS[stage]:
        _add_rows(source, rows, ledger)
    else:
        ledger.left_out |= dict.fromkeys(rows.keys.values(), f"not of the stage {stage}")
    _check_values(source, config, ledger)
    where = ", ".join(map(str, sources))
    if ledger.problems:
        shown = ledger.problems[:_SHOWN]
        more = [f"and {len(ledger.problems) - _SHOWN} more"] if len(ledger.problems) > _SHOWN else []
        lines = "\n  ".join([*shown, *more])
        raise ConvertError(
            f"{where}: of the layout {source.layout.name}, does not fit the preset {config.name}:\n  {lines}"
        )
    card = Card(stage, config.name, config.projection, {}, language_model=_described(source))
    if needed.language_model is not None:
        check_language_model(card, needed.language_model, where)
    save(out, card, ledger.tensors)
    return Report(
        source.layout.name,
        out,
        ledger.converted,
        ledger.left_out,
        _notes(source),
        _parameters(ledger.tensors),
    )


def _names(source: Source, config: Config, stage: Stage, needed: Needs, ledger: _Ledger) -> Rows:
    """Convert what is one tensor here and there; say what token rows there are."""
    found = translate(source.layout, source.tensors)
    shapes = {key: list(value.shape) for key, value in source.tensors.items()}
    for key in found.unknown:
        ledger.problems.append(f"{key} {shapes[key]} is no part of the layout")
    for key, reason in found.reasons.items():
        ledger.problems.append(f"{key} {shapes[key]}: {reason}")
    _settle_twins(source, found, ledger)
    own = {name: key for name, key in found.names.items() if name not in (EMBEDDINGS, LOGITS)}
    for name, key in own.items():
        reason = _no_place(name, config, stage)
        if reason:
            ledger.left_out[key] = reason
        elif name not in needed.shapes:
            ledger.problems.append(f"{key} {shapes[key]}: the preset has no {name}")
        elif tuple(shapes[key]) != needed.shapes[name]:
            ledger.problems.append(
                f"{key} has shape {shapes[key]}, the preset needs {list(needed.shapes[name])} ({name})"
            )
        else:
            ledger.tensors[name] = source.tensors[key]
            ledger.converted[key] = name
    ledger.problems += [
        f"{name} is missing, the preset needs {list(shape)}"
        for name, shape in needed.shapes.items()
        if name not in own
    ]
    keys = {name: found.names[name] for name in (EMBEDDINGS, LOGITS) if name in found.names}
    return Rows(keys, needed.tokens, needed.width, config, trained=_brings_vocabulary(config, stage))


def _settle_twins(source: Source, found: Translated, ledger: _Ledger) -> None:
    """Of two keys for one tensor, a later stage's file counts; in one file they have to be equal."""
    for name, twin in found.twins:
        key = found.names[name]
        if source.files[key] != source.files[twin]:
            found.names[name] = twin
            ledger.left_out[key] = f"trained further in {source.files[twin].name}"
        elif source.tensors[key].equal(source.tensors[twin]):
            ledger.converted[twin] = f"as {key}"
        else:
            ledger.problems.append(f"{key} and {twin} are one tensor, but their values differ")


def _no_place(name: str, config: Config, stage: Stage) -> str:
    """Why a preset does not want a tensor; empty where it does."""
    part, _, rest = name.partition(".")
    if part not in PARTS[stage]:
        return f"not of the stage {stage}"
    modality = rest.partition(".")[0]
    if part == OUTPUT and modality not in config.signals:
        return f"the preset {config.name} has no {modality} signals"
    return ""


def _brings_vocabulary(config: Config, stage: Stage) -> bool:
    return config.vocabulary == "trained" and "vocabulary" in PARTS[stage]


def _add_rows(source: Source, rows: Rows, ledger: _Ledger) -> None:
    """Convert the token rows."""
    tensors, left_out, problems = signal_rows(source, rows)
    ledger.tensors |= tensors
    ledger.left_out |= left_out
    ledger.problems += problems
    for name, key in rows.keys.items():
        kind = name.removeprefix("rows.")
        ledger.converted[key] = ", ".join(made for made in tensors if made.endswith(kind))


def _check_values(source: Source, config: Config, ledger: _Ledger) -> None:
    """See to what no shape tells: the scale of the adapters, and numbers beyond half precision."""
    import torch

    alpha = source.adapter.get("lora_alpha", source.layout.lora_alpha)
    if any(name.startswith("lora.") for name in ledger.tensors) and alpha != config.lora.alpha:
        said = "not said by any adapter_config.json" if alpha is None else f"{alpha:g}"
        ledger.problems.append(f"lora_alpha is {said}, the preset has {config.lora.alpha:g}")
    for name, value in ledger.tensors.items():
        if not value.is_floating_point() or not torch.isfinite(value.to(torch.float16)).all():
            ledger.problems.append(f"{name} holds values that are no numbers in half precision")


def _described(source: Source) -> dict[str, float]:
    """What the source says of the language model that it was trained on."""
    said = {name: source.config[name] for name in _DESCRIBED if name in source.config}
    return {name: float(value) for name, value in {**source.layout.language_model, **said}.items()}


def _notes(source: Source) -> list[str]:
    notes = list(source.layout.notes)
    if source.overruled:
        files = ", ".join(sorted({file.name for _, file in source.overruled}))
        notes.append(
            f"{len(source.overruled)} tensors of {files} stand in a later stage's file, which counts"
        )
    if not source.added_tokens:
        notes.append("no added_tokens.json; the order in which the released code adds its tokens was assumed")
    return notes


def _parameters(tensors: Mapping[str, Tensor]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for name, value in tensors.items():
        part, _, rest = name.partition(".")
        part = f"{part}.{rest.partition('.')[0]}" if part == OUTPUT else part
        counts[part] = counts.get(part, 0) + value.numel()
    return counts
