"""What a task needs of memory, found by rehearsing it on torch's meta device.

    peak = weights + gradients + optimiser state + working memory

- weights: of each part in its own type; what trains is kept in float32;
- gradients: four bytes for each parameter that trains;
- optimiser state: eight more, AdamW's two moments;
- working memory: the most that is alive at any one moment of the computation besides these. It is no formula:
  the very networks run on shapes without numbers, every tensor is counted from its birth to its death, and
  where a task has several phases (reading, speaking, denoising, decoding) the largest counts. Only the keys
  and values of what is read and said, which grow while the language model speaks, are counted by formula:
  2 x layers x key-value heads x head width x tokens x rows.

What an allocator and a runtime take on top (CUDA's context, fragments) is not in it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Literal

import torch

from nextgpt.sizing.counting import Peak
from nextgpt.sizing.passes import Load, Passes

if TYPE_CHECKING:
    from torch import nn

    from nextgpt.config import Config
    from nextgpt.sizing.structure import Structure

Task = Literal["inference", "encoding", "decoding", "instruct"]
TASKS: tuple[Task, ...] = ("inference", "encoding", "decoding", "instruct")
GIB = 2**30
# The paper's: 18, 8 and 4 examples a GPU in its three stages, 512 tokens (its Table 7).
PAPER: dict[Task, Load] = {
    "inference": Load(1, 512, 512),
    "encoding": Load(18),
    "decoding": Load(8),
    "instruct": Load(4),
}


@dataclass(frozen=True)
class Need:
    """Bytes that a task needs at its worst moment.

    Attributes:
        task: "inference", or a stage of training.
        load: how much is done at once.
        weights: of all parts that are loaded.
        gradients: of what trains.
        optimiser: AdamW's moments.
        working: everything else that is alive at the worst moment.
        phase: when that moment is.
        cache: of the working memory while the language model speaks, keys and values.
    """

    task: Task
    load: Load
    weights: int
    gradients: int
    optimiser: int
    working: int
    phase: str
    cache: int = 0

    @property
    def total(self) -> int:
        """All of it."""
        return self.weights + self.gradients + self.optimiser + self.working


def need(structure: Structure, task: Task, load: Load | None = None, *, offload: bool = False) -> Need:
    """Estimate the peak memory of a task.

    Args:
        structure: from `nextgpt.sizing.structure.build`, on the meta device, in the type of the frozen parts.
        task: "inference", or a stage of training.
        load: how much is done at once; by default `PAPER`'s.
        offload: in inference, only one diffusion model is on the device at a time.

    Example:
        >>> from nextgpt.config import load_config
        >>> from nextgpt.sizing.structure import build, parts_of
        >>> tiny = build(parts_of(load_config("tiny")))
        >>> need(tiny, "inference").weights < need(tiny, "instruct").total
        True
    """
    load = load or PAPER[task]
    passes = Passes(structure, load)
    trained = [] if task == "inference" else structure.trained(task)
    count = sum(parameter.numel() for parameter in trained)
    each = structure.language_model.signal_embeddings.element_size()
    weights = each * _parameters(structure, offload=offload) + (4 - each) * count
    cache = _cache(structure, load) if task == "inference" else 0
    phases = dict(_asked(passes) if task == "inference" else _taught(passes, task))
    if task == "inference":
        # Those of the prompt are there already when it has been read.
        phases["speaking"] = phases.pop("reading the prompt") + cache * load.said // (load.tokens + load.said)
    if trained:
        # AdamW takes the moments of all parameters in one go, and one more of their size meanwhile.
        phases["updating"] = 4 * count
    phase = max(phases, key=lambda name: phases[name])
    return Need(task, load, weights, 4 * count, 8 * count, phases[phase], phase, cache)


def needs(config: Config) -> list[Need]:
    """What a preset needs on a GPU, in the type that it has there, for each task under the paper's load."""
    from nextgpt.sizing.structure import build, parts_of

    structure = build(parts_of(config), dtype=getattr(torch, config.dtype))
    offload = config.generation.keep != "device"
    return [need(structure, task, offload=offload and task == "inference") for task in TASKS]


def told(found: Sequence[Need]) -> Iterator[str]:
    """Needs as lines for a terminal.

    Example:
        >>> print(*told([Need("instruct", Load(4), 3 * GIB, GIB, 2 * GIB, 4 * GIB, "learning text")]))
        instruct, batch 4, 512 tokens: about 10.00 GiB: weights 3.00, gradients 1.00, optimiser 2.00, working
        memory 4.00 (learning text)
    """
    for each in found:
        sizes = (each.total, each.weights, each.gradients, each.optimiser, each.working)
        total, weights, gradients, optimiser, working = (f"{size / GIB:.2f}" for size in sizes)
        yield (
            f"{each.task}, batch {each.load.batch}, {each.load.tokens} tokens: about {total} GiB: "
            f"weights {weights}, gradients {gradients}, optimiser {optimiser}, "
            f"working memory {working} ({each.phase})"
        )


def _asked(passes: Passes) -> Iterator[tuple[str, int]]:
    for modality in passes.heard:
        yield f"reading {modality}", _peak(partial(passes.read, modality))
    yield "reading the prompt", _peak(passes.understand)
    for modality in passes.modalities:
        yield f"denoising {modality}", _peak(partial(passes.guided, modality))
        yield f"decoding {modality}", _peak(partial(passes.finish, modality))


def _taught(passes: Passes, stage: Task) -> Iterator[tuple[str, int]]:
    trained = passes.structure.trained(stage)
    grown = sum(parameter.numel() * parameter.element_size() for parameter in trained)

    def step(modality: str | None) -> None:
        passes.learn(stage, modality).backward()
        for parameter in trained:
            parameter.grad = None

    kinds: tuple[str | None, ...] = (None,) if stage == "encoding" else passes.modalities
    for modality in kinds:
        # Gradients are counted by themselves.
        yield f"learning {modality or 'text'}", max(_peak(partial(step, modality)) - grown, 0)


def _peak(computation: Callable[[], object]) -> int:
    with Peak() as peak:
        computation()
    most: int = peak.most
    return most


def _parameters(structure: Structure, *, offload: bool) -> int:
    own: list[nn.Module] = [structure.encoder, structure.input_projection, structure.language_model]
    decoders = [sum(_size(n) for n in made.values()) for made in structure.networks.values()] or [0]
    own += structure.output_projection.values()
    return sum(map(_size, own)) + (max(decoders) if offload else sum(decoders))


def _size(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


def _cache(structure: Structure, load: Load) -> int:
    config = structure.language_model.causal.config
    heads = getattr(config, "num_key_value_heads", None) or config.num_attention_heads
    width = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
    each = structure.language_model.signal_embeddings.element_size()
    return int(2 * config.num_hidden_layers * heads * width * (load.tokens + load.said) * load.batch * each)
