"""The language model: any causal model of transformers, frozen, with rows of its own for the signals.

Three things are added, and only they train: input embeddings and output rows of the signal tokens
(separate parameters: the frozen vocabulary matrices stay untouched, tied or not), and LoRA.

The diffusion models are conditioned on the hidden state at each signal token. The state at a token is
known one step after the token was chosen, so generation goes one step past the last signal of a span;
and once a span has begun, the rest of it follows without being asked.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from nextgpt import watching
from nextgpt.config import Lora
from nextgpt.messages import Modality
from nextgpt.reasoning.adapters import adapt, adapters, add_rows, untie
from nextgpt.reasoning.pretrained import Bits, read
from nextgpt.reasoning.prompts import MEDIUM
from nextgpt.signals import Signals


@dataclass
class Generated:
    """One reply, in ids.

    Attributes:
        ids: what was generated, without the reply's end.
        states: the last layer's hidden state at each signal, float ``[D]``, by position in `ids`.
        finished: whether the reply ended by itself; if not, the length limit cut it.
    """

    ids: list[int] = field(default_factory=list)
    states: dict[int, Tensor] = field(default_factory=dict)
    finished: bool = False


class LanguageModel(nn.Module):
    """A frozen causal language model that can read concept tokens and say signals.

    Args:
        causal: a causal language model of transformers; its parameters are frozen here.
        tokenizer: its tokenizer; nothing is added to it.
        counts: signal tokens per modality.
        tags: tokens of the prompt's template that are added to the vocabulary.
        vocabulary: whether its own token rows come from a checkpoint.
    """

    signal_embeddings: nn.Parameter
    signal_logits: nn.Parameter

    def __init__(
        self,
        causal: Any,
        tokenizer: Any,
        counts: Mapping[Modality, int],
        *,
        tags: Sequence[str] = (),
        vocabulary: bool = False,
    ) -> None:
        super().__init__()
        if tags:
            tokenizer.add_tokens(list(tags), special_tokens=True)
            add_rows(causal, len(tokenizer))
        if vocabulary:
            untie(causal)
        self._vocabulary = vocabulary
        causal.requires_grad_(False)
        causal.eval()
        self.causal = causal
        self.tokenizer = tokenizer
        inputs = causal.get_input_embeddings().weight
        outputs = causal.get_output_embeddings().weight
        self.signals = Signals(max(len(inputs), len(tokenizer)), counts)
        self.width: int = inputs.shape[1]
        self.longest: int = causal.config.max_position_embeddings
        # Where the vocabulary lies, and a little apart from each other.
        self.signal_embeddings = nn.Parameter(_rows_like(inputs, self.signals.total))
        self.signal_logits = nn.Parameter(_rows_like(outputs, self.signals.total))

    @classmethod
    def load(
        cls,
        folder: Path,
        counts: Mapping[Modality, int],
        dtype: torch.dtype,
        *,
        tags: Sequence[str] = (),
        vocabulary: bool = False,
        bits: Bits | None = None,
        device: torch.device | None = None,
    ) -> LanguageModel:
        """Read a model and its tokenizer from a folder as transformers saves them.

        Args:
            folder: of the model.
            counts: signal tokens per modality.
            dtype: of its weights; of what is computed where they are quantised.
            tags: see the class.
            vocabulary: see the class.
            bits: 8 or 4 to quantise the frozen linear layers by bitsandbytes while they are read; embeddings,
                output rows, signals and adapters stay what they are.
            device: where to read it to; by default main memory, to be moved later.

        Raises:
            ConfigError: the folder holds no such model or no tokenizer, or bitsandbytes is not installed.
        """
        causal, tokenizer = read(folder, dtype, bits=bits, device=device)
        return cls(causal, tokenizer, counts, tags=tags, vocabulary=vocabulary)

    def train(self, mode: bool = True) -> LanguageModel:
        """Switch the adapters alone: what is frozen answers in training as it does afterwards."""
        super().train(mode)
        self.causal.eval()
        for name, module in self.causal.named_modules():
            if "lora_dropout" in name:
                module.train(mode)
        return self

    # Adapters ------------------------------------------------------------------------------------

    def add_lora(self, lora: Lora) -> None:
        """Put low-rank adapters beside the frozen layers; as long as they are untrained they add nothing."""
        adapt(self.causal, lora)

    def lora(self) -> dict[str, nn.Parameter]:
        """The adapters' parameters by name; empty before `add_lora`."""
        return adapters(self.causal)

    def vocabulary(self) -> dict[str, nn.Parameter]:
        """Its own token rows, where they come from a checkpoint; empty where they stay what they were."""
        if not self._vocabulary:
            return {}
        return {
            "embeddings": self.causal.get_input_embeddings().weight,
            "logits": self.causal.get_output_embeddings().weight,
        }

    @contextmanager
    def without_lora(self) -> Iterator[None]:
        """The frozen language model as it was before the last stage, for as long as the context lasts."""
        from peft.tuners.tuners_utils import BaseTunerLayer

        layers = [layer for layer in self.causal.modules() if isinstance(layer, BaseTunerLayer)]
        for layer in layers:
            layer.enable_adapters(False)
        try:
            yield
        finally:
            for layer in layers:
                layer.enable_adapters(True)

    # Forward -------------------------------------------------------------------------------------

    def embed(self, ids: Tensor, concepts: Tensor | None = None) -> Tensor:
        """Embeddings of text, signals and concept tokens.

        Args:
            ids: int64 ``[B, L]``: the tokenizer's ids, signals, and `MEDIUM` where a concept token stands.
            concepts: float ``[N, M, D]``, the media in the order of their places, row by row.

        Returns:
            float ``[B, L, D]``.

        Raises:
            ValueError: the places and the concept tokens differ in number.
        """
        first = self.signals.first
        signal, medium = ids >= first, ids == MEDIUM
        table = self.causal.get_input_embeddings()
        embeds: Tensor = table(ids.masked_fill(signal | medium, 0))
        if self.signals.total:
            rows = self.signal_embeddings.to(embeds.dtype)
            embeds = torch.where(signal.unsqueeze(-1), rows[(ids - first).clamp(min=0)], embeds)
        places, given = int(medium.sum()), 0 if concepts is None else concepts.shape[0] * concepts.shape[1]
        if places != given:
            raise ValueError(f"{places} places for concept tokens, but {given} concept tokens")
        if concepts is None or not given:
            return embeds
        return embeds.masked_scatter(medium.unsqueeze(-1), concepts.to(embeds.dtype))

    def hidden(self, embeds: Tensor, *, given: int = 0) -> Tensor:
        """Last-layer hidden states of sequences padded on the right.

        No mask is needed: attention looks back only, so what stands after a sequence cannot reach it.

        Args:
            embeds: float ``[B, L, D]``.
            given: of how many positions at the front no gradient is wanted; nothing is kept of them for the
                backward pass but keys and values. Fewer than L.

        Returns:
            float ``[B, L, D]``.
        """
        if not given:
            states: Tensor = self.layers(inputs_embeds=embeds, use_cache=False).last_hidden_state
            return states
        with torch.no_grad():
            before = self.layers(inputs_embeds=embeds[:, :given], use_cache=True)
        rest = self.layers(
            inputs_embeds=embeds[:, given:], past_key_values=before.past_key_values, use_cache=True
        )
        return torch.cat([before.last_hidden_state, rest.last_hidden_state], dim=1)

    def logits(self, hidden: Tensor, *, signals: bool = True) -> Tensor:
        """Scores float32 ``[..., V + S]`` of all tokens and signals, or ``[..., V]`` of tokens alone."""
        head = self.causal.get_output_embeddings()
        text: Tensor = head(hidden).float()
        if text.shape[-1] < self.signals.first:  # more tokens than rows: they cannot be said
            text = functional.pad(text, (0, self.signals.first - text.shape[-1]), value=-torch.inf)
        if not signals:
            return text
        return torch.cat([text, hidden.float() @ self.signal_logits.float().T], dim=-1)

    @property
    def layers(self) -> Any:
        """The model without its head: embeddings in, hidden states out."""
        return getattr(self.causal, self.causal.base_model_prefix)

    # Generation ----------------------------------------------------------------------------------

    @torch.no_grad()
    def generate(
        self,
        prompts: Sequence[Tensor],
        *,
        end: Sequence[int],
        max_new_tokens: int,
        media: Sequence[frozenset[Modality]] | None = None,
    ) -> list[Generated]:
        """Answer prompts greedily, all in one batch.

        Args:
            prompts: the embeddings of each, float ``[L_i, D]``.
            end: ids that close a reply.
            max_new_tokens: longest reply; a span that has begun is finished beyond it.
            media: for each prompt, the modalities that it may wish for, one medium of each at most;
                None allows none, and the model is the plain language model.

        Returns:
            The replies, in order.
        """
        allowed = [set(item) for item in media] if media is not None else [set() for _ in prompts]
        replies = [Generated() for _ in prompts]
        if not prompts:
            return replies
        closing = (end, self.decode(end))
        active = list(range(len(prompts)))
        embeds, mask = _pad_left(prompts)
        positions = (mask.cumsum(1) - 1).clamp(min=0)
        cache: Any = None
        while True:
            out = self.layers(
                inputs_embeds=embeds,
                attention_mask=mask,
                position_ids=positions,
                past_key_values=cache,
                use_cache=True,
            )
            cache = out.past_key_values
            states = out.last_hidden_state[:, -1]
            scores = self.logits(states) + self._ban([allowed[row] for row in active], states.device)
            best = scores.argmax(-1).tolist()
            going = []
            for place, row in enumerate(active):
                if self._extend(
                    replies[row], best[place], states[place], closing, max_new_tokens, allowed[row]
                ):
                    going.append(place)
            watching.words(lambda: self._said(replies[0]))
            if not going:
                return replies
            if len(going) < len(active):
                kept = torch.tensor(going, device=mask.device)
                cache.batch_select_indices(kept)
                mask, positions = mask[kept], positions[kept]
                active = [active[place] for place in going]
            ids = torch.tensor([[replies[row].ids[-1]] for row in active], device=mask.device)
            embeds = self.embed(ids)
            mask = torch.cat([mask, mask.new_ones(len(active), 1)], dim=1)
            positions = positions[:, -1:] + 1

    def _ban(self, allowed: Sequence[set[Modality]], device: torch.device) -> Tensor:
        """Scores ``[B, V + S]`` to add: minus infinity at every signal but the first of each allowed span."""
        ban = torch.zeros(len(allowed), self.signals.first + self.signals.total, device=device)
        ban[:, self.signals.first :] = -torch.inf
        for row, modalities in enumerate(allowed):
            for modality in modalities:
                ban[row, self.signals.ids(modality).start] = 0.0
        return ban

    def _extend(
        self,
        reply: Generated,
        best: int,
        state: Tensor,
        end: tuple[Sequence[int], str],
        max_new_tokens: int,
        allowed: set[Modality],
    ) -> bool:
        """Add one token to a reply; False when the reply is complete.

        `state` is the hidden state at the reply's last token, `best` the token that scores highest next, and
        `end` what closes the reply, in ids and in text.
        """
        last = reply.ids[-1] if reply.ids else None
        forced = None
        if last is not None and last >= self.signals.first:
            reply.states[len(reply.ids) - 1] = state
            forced = self.signals.after(last)
        if forced is None and len(reply.ids) >= max_new_tokens:
            return False
        reply.ids.append(best if forced is None else forced)
        modality = self.signals.modality_of(reply.ids[-1])
        if modality is not None:
            allowed.discard(modality)
        place = self._end_of(reply.ids, *end)
        if place is not None:
            del reply.ids[place:]
            reply.finished = True
            return False
        return True

    def _end_of(self, ids: Sequence[int], end: Sequence[int], stop: str) -> int | None:
        """Where the reply's end begins, if it stands at the end of the ids; else None.

        A special token is compared as such. An end in text, like ``###``, is compared as text: it may be said
        in other tokens, as Llama's "###" after a line break is.
        """
        if not stop:
            return len(ids) - len(end) if list(ids[-len(end) :]) == list(end) else None
        begin = 1 + max((place for place, token in enumerate(ids) if token >= self.signals.first), default=-1)
        said = ids[begin:]
        if not self.decode(said[-len(end) - len(stop) :]).endswith(stop):
            return None
        before = self.decode(said).removesuffix(stop).rstrip()
        kept = next(count for count in range(len(said) + 1) if len(self.decode(said[:count])) >= len(before))
        return begin + kept

    def _said(self, reply: Generated) -> str:
        return self.decode([token for token in reply.ids if token < self.signals.first])

    def decode(self, ids: Sequence[int]) -> str:
        """Text of token ids, stripped; special tokens say nothing."""
        text = self.tokenizer.decode(list(ids), skip_special_tokens=True, clean_up_tokenization_spaces=False)
        return cast(str, text).strip()


def _rows_like(matrix: Tensor, count: int) -> Tensor:
    rows = matrix.detach().float()
    # One fixed draw: two models of one preset begin alike.
    noise = torch.randn(count, rows.shape[1], generator=torch.Generator().manual_seed(0))
    return rows.mean(0) + 0.5 * noise.to(rows.device) * rows.std(0)


def _pad_left(prompts: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
    """Embeddings float ``[B, L, D]`` and mask int64 ``[B, L]``, the prompts flush right."""
    longest = max(len(prompt) for prompt in prompts)
    embeds = torch.stack([functional.pad(prompt, (0, 0, longest - len(prompt), 0)) for prompt in prompts])
    mask = torch.zeros(embeds.shape[:2], dtype=torch.long, device=embeds.device)
    for row, prompt in enumerate(prompts):
        mask[row, longest - len(prompt) :] = 1
    return embeds, mask
