"""What a computation needs, found by rehearsing it on torch's meta device: memory, and arithmetic.

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

import weakref
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

import torch
from torch import Tensor
from torch.nn import functional
from torch.utils._python_dispatch import TorchDispatchMode

if TYPE_CHECKING:
    from torch import nn

    from nextgpt.config import Config
    from nextgpt.sizing.structure import Structure

Task = Literal["inference", "encoding", "decoding", "instruct"]
TASKS: tuple[Task, ...] = ("inference", "encoding", "decoding", "instruct")
GIB = 2**30
# Of one medium: the clips that an encoder sees are five pieces of three crops, of a sound three pieces.
_PIECES = {"image": 1, "video": 15, "audio": 3}


@dataclass(frozen=True)
class Load:
    """How much is done at once.

    Attributes:
        batch: requests or examples.
        tokens: that are read, concept tokens included; in training the whole conversation.
        said: tokens of a reply: made in inference, learnt in training.
    """

    batch: int
    tokens: int = 512
    said: int = 128


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


class Peak(TorchDispatchMode):
    """Counts the bytes of all tensors that computations make, from birth to death.

    Attributes:
        now: bytes alive.
        most: bytes alive at the worst moment.

    Example:
        >>> with Peak() as peak:
        ...     x = torch.zeros(1000, device="meta") + 1
        >>> peak.most, peak.now  # while the sum was made, both were there
        (8000, 4000)
    """

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.now = self.most = 0
        self._known: weakref.WeakKeyDictionary[Any, int] = weakref.WeakKeyDictionary()

    def __torch_dispatch__(
        self, func: Any, types: Any, args: Any = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        kwargs = kwargs or {}
        for tensor in _tensors((args, kwargs)):
            # What was there before is not ours to count, nor are views of it.
            self._known.setdefault(tensor.untyped_storage(), 0)
        out = func(*args, **kwargs)
        for tensor in _tensors(out):
            storage = tensor.untyped_storage()
            if storage not in self._known:
                size = storage.nbytes()
                self._known[storage] = size
                self.now += size
                self.most = max(self.most, self.now)
                weakref.finalize(storage, self._gone, size)
        return out

    def _gone(self, size: int) -> None:
        self.now -= size


def _tensors(tree: Any) -> Iterator[Tensor]:
    from torch.utils._pytree import tree_leaves

    return (leaf for leaf in tree_leaves(tree) if isinstance(leaf, Tensor))


# One pass of each kind ---------------------------------------------------------------------------


class Passes:
    """The computations of a model, one function each, on shapes of a given load.

    They work on the meta device, where they cost nothing, and on any other, where they take the time that the
    model takes.

    Args:
        structure: the networks.
        load: how much is done at once.
    """

    def __init__(self, structure: Structure, load: Load) -> None:
        self.structure = structure
        self.load = load
        like = structure.language_model.signal_embeddings
        self._like = {"device": like.device, "dtype": like.dtype}

    @property
    def modalities(self) -> tuple[str, ...]:
        """What the model makes."""
        return tuple(self.structure.parts.decoders)

    @property
    def heard(self) -> tuple[str, ...]:
        """What the model reads."""
        trunks = self.structure.parts.encoder.modalities
        return (
            *(("image", "video") if "vision" in trunks else ()),
            *(("audio",) if "audio" in trunks else ()),
        )

    @torch.no_grad()
    def read(self, modality: str) -> Tensor:
        """Media to encoder tokens float ``[B, 1 + P, D]``."""
        config, batch = self.structure.encoder.config, self.load.batch
        shape: tuple[int, ...]
        if modality == "audio":
            shape = (_PIECES["audio"], 1, config.mel_bins, config.mel_frames)
        elif modality == "video":
            shape = (_PIECES["video"], 3, config.kernel[0], config.image_size, config.image_size)
        else:
            shape = (3, config.image_size, config.image_size)
        trunk = "audio" if modality == "audio" else "vision"
        return self.structure.encoder.tokens(trunk, self.random(batch, *shape), with_cls=True)

    @torch.no_grad()
    def understand(self) -> Tensor:
        """A prompt to the scores of the next token; its keys and values are kept meanwhile."""
        lm = self.structure.language_model
        hidden = self._states(self.random(self.load.batch, self.load.tokens, lm.width))
        return lm.logits(hidden[:, -1])

    def _states(self, embeds: Tensor) -> Tensor:
        """Last-layer states. With a cache, transformers looks at no positions, which are empty here."""
        from transformers import DynamicCache

        out = self.structure.language_model.layers(
            inputs_embeds=embeds, past_key_values=DynamicCache(), use_cache=True
        )
        states: Tensor = out.last_hidden_state
        return states

    def speak(self, modality: str) -> Tensor:
        """States of a complete span to a condition float ``[B, length, width]``."""
        lm = self.structure.language_model
        first = lm.signals.ids(modality)  # type: ignore[arg-type]
        rows = lm.signal_embeddings[first.start - lm.signals.first : first.stop - lm.signals.first]
        states = self.random(self.load.batch, len(first), lm.width)
        condition: Tensor = self.structure.output_projection[modality](states + rows)
        return condition

    def denoise(self, modality: str, condition: Tensor) -> Tensor:
        """One step of the frozen UNet, told a condition; gradients may flow into it."""
        unet: Any = self.structure.networks[modality]["UNet"]
        latents = self.random(len(condition), *self.structure.parts.decoders[modality].latents)
        step = torch.full((len(condition),), 500, device=latents.device)
        told: dict[str, Any] = {"encoder_hidden_states": condition}
        if unet.config.get("class_embed_type"):
            told = {"encoder_hidden_states": None, "class_labels": condition[:, 0]}
        predicted: Tensor = unet(latents, step, return_dict=False, **told)[0]
        return predicted

    @torch.no_grad()
    def guided(self, modality: str) -> Tensor:
        """One step of sampling with classifier-free guidance: the UNet sees everything twice."""
        condition = self.speak(modality)
        return self.denoise(modality, torch.cat([condition, condition]))

    @torch.no_grad()
    def finish(self, modality: str) -> Tensor:
        """Latents to pixels or samples."""
        networks: Any = self.structure.networks[modality]
        latents = self.random(self.load.batch, *self.structure.parts.decoders[modality].latents)
        if modality == "video":
            latents = latents.transpose(1, 2).flatten(0, 1)
        decoded: Tensor = networks["VAE"].decode(latents, return_dict=False)[0]
        if "vocoder" in networks:
            decoded = networks["vocoder"](decoded[:, 0])
        return decoded

    def learn(self, stage: str, modality: str | None) -> Tensor:
        """The loss of one training step, encoder tokens and latents precomputed; backward is the caller's.

        Args:
            stage: of training.
            modality: what each example makes; None where nothing is made.
        """
        structure, lm = self.structure, self.structure.language_model
        embeds = self.random(self.load.batch, self.load.tokens, lm.width)
        if stage != "decoding":
            tokens = self.random(
                self.load.batch, 1 + structure.encoder.config.patches("vision"), structure.encoder.out_dim
            )
            concepts = structure.input_projection(tokens[:, 1:], tokens[:, 0])
            embeds = torch.cat([concepts, embeds[:, concepts.shape[1] :]], dim=1)
        count, rows = 0, embeds[:0]
        if modality is not None:
            ids = lm.signals.ids(modality)  # type: ignore[arg-type]
            rows = lm.signal_embeddings[ids.start - lm.signals.first : ids.stop - lm.signals.first]
            count = len(ids)
            embeds = torch.cat([embeds[:, :-count], rows.expand(len(embeds), -1, -1)], dim=1)
        # As in training: where only signals train, what stands before them needs no gradient.
        given = self.load.tokens - count if stage == "decoding" else 0
        hidden = lm.hidden(embeds, given=given) if given else self._states(embeds)
        logits = lm.logits(hidden[:, -self.load.said :], signals=modality is not None)
        said = torch.zeros(logits.shape[:2], dtype=torch.long, device=logits.device)
        loss = functional.cross_entropy(logits.flatten(0, 1), said.flatten())
        if modality is not None:
            condition: Tensor = structure.output_projection[modality](hidden[:, -count:] + rows)
            loss = loss + condition.float().square().sum(-1).sqrt().mean()
            loss = loss + self.denoise(modality, condition).float().square().mean()
        return loss

    def random(self, *shape: int) -> Tensor:
        """Noise of a shape, where the model is and in its type."""
        return torch.randn(*shape, **self._like)  # type: ignore[call-overload,no-any-return]


# Memory ------------------------------------------------------------------------------------------


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


# Arithmetic --------------------------------------------------------------------------------------


def operations(computation: Callable[[], object]) -> int:
    """Floating-point operations of a computation, a multiplication and an addition as two.

    Example:
        >>> operations(lambda: torch.zeros(2, 3, device="meta") @ torch.zeros(3, 4, device="meta"))
        48
    """
    with _Operations() as counted:
        computation()
    total: int = counted.total
    return total


class _Operations(TorchDispatchMode):
    """Adds up torch's formulas; its `FlopCounterMode` follows modules too, and fails without gradients."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.total = 0

    def __torch_dispatch__(
        self, func: Any, types: Any, args: Any = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        from torch.utils.flop_counter import flop_registry

        kwargs = kwargs or {}
        out = func(*args, **kwargs)
        formula = flop_registry.get(func._overloadpacket)
        if formula is not None:
            self.total += int(formula(*args, **kwargs, out_val=out))
        return out
