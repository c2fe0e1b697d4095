"""NExT-GPT: encode, reason, decode, and nothing else.

A frozen encoder's tokens of pictures, clips and sounds become concept tokens, the language model reads them
between words and answers in words and signals, and the hidden states at a span of signals become the
condition of a frozen diffusion model.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import nullcontext
from typing import TYPE_CHECKING, Protocol, cast

import torch
from torch import Tensor, nn

from nextgpt.checkpoints import OUTPUT, PARTS
from nextgpt.config import Config, Stage
from nextgpt.decoding.shelf import Shelf
from nextgpt.encoding.preprocessing import FRAME_SECONDS
from nextgpt.media import Audio, Image, Medium, Video
from nextgpt.messages import Failure, Message, Modality, Part, Request, assistant
from nextgpt.reasoning.language_model import Generated, LanguageModel
from nextgpt.reasoning.prompts import Writer, Written, half_character
from nextgpt.signals import MODALITIES, Span

if TYPE_CHECKING:
    from nextgpt.decoding.image import ImageDecoder

_KEPT_BYTES = 2**30  # of encoder tokens, so that what was seen before is not encoded again
_MOST_ELONGATED = 50  # long side over short side of a picture


class Encoder(Protocol):
    """What a frozen encoder does: an `ImageBind`, a `Clip`."""

    @property
    def out_dim(self) -> int:
        """Width of its tokens."""

    @property
    def reads(self) -> frozenset[Modality]:
        """The media that it takes."""

    def encode(self, media: Sequence[Medium]) -> Tensor:
        """Tokens of media, all of one kind: float ``[N, 1 + P, out_dim]``, the CLS token first."""


class NextGPT(nn.Module):
    """The model; it is itself a system: conversations in, messages out.

    Args:
        config: the preset.
        stage: which stage's model this is. After "encoding" it describes media and makes none.
        encoder: frozen; see `Encoder`.
        input_projection: encoder tokens to concept tokens.
        language_model: frozen, with signal rows and, in the last stage, LoRA.
        output_projection: by modality, hidden states of a span to a condition; None where the stage has
            none.
        decoders: the frozen diffusion models.

    Attributes:
        name: of the system; `nextgpt.load` sets it, and the next.
        fingerprint: changes whenever anything that affects the answers changes.
        caption: None has signals tell the decoders what to make; else the words before them do, turned by
            this into what the decoders' own text encoders read: the paper's NExT-GPT-caption.
    """

    caption: Callable[[str], str] | None = None
    given: frozenset[str] = frozenset()

    def __init__(
        self,
        config: Config,
        stage: Stage,
        *,
        encoder: nn.Module,
        input_projection: nn.Module,
        language_model: LanguageModel,
        output_projection: nn.ModuleDict | None,
        decoders: Shelf,
    ) -> None:
        super().__init__()
        self.config = config
        self.stage: Stage = stage
        self.name = "nextgpt"
        self.fingerprint = ""
        self.encoder = encoder.requires_grad_(False).eval()
        self.input_projection = input_projection
        self.language_model = language_model
        self.output_projection = output_projection
        self.writer = Writer(
            config.prompt,
            language_model.tokenizer,
            language_model.signals,
            int(input_projection.tokens),  # type: ignore[arg-type]
        )
        self.decoders = decoders
        self._features: dict[str, Tensor] = {}
        self._kept = 0

    @property
    def accepts(self) -> frozenset[Modality]:
        """What it reads: text, and the media that it was taught to read and its parts take."""
        read: frozenset[Modality] = frozenset(self.config.prompt.media())
        fits: frozenset[Modality] = getattr(self.input_projection, "reads", read)
        own = {kind for kind, entry in MODALITIES.items() if entry.encoder}
        return (read & (self._encoder.reads & fits | own)) | {"text"}

    @property
    def produces(self) -> frozenset[Modality]:
        """What it can answer in."""
        made: frozenset[Modality] = frozenset(cast("Sequence[Modality]", self.output_projection or ()))
        return made | {"text"}

    @property
    def history(self) -> int:
        """How many earlier messages it is shown again; 0 for one trained on single turns."""
        return self.config.generation.history

    @property
    def decoder(self) -> ImageDecoder:
        """The frozen text-to-image model, loaded when first needed."""
        return cast("ImageDecoder", self.decoders["image"])

    @property
    def _encoder(self) -> Encoder:
        return cast(Encoder, self.encoder)

    @property
    def device(self) -> torch.device:
        """Where it runs."""
        return self.language_model.signal_embeddings.device

    def parts(self) -> dict[str, dict[str, nn.Parameter]]:
        """What is trained, by part and by name; the parts of this stage only."""
        language_model = self.language_model
        projected = self.output_projection
        found = {
            "input_projection": dict(self.input_projection.named_parameters()),
            OUTPUT: dict(projected.named_parameters()) if projected is not None else {},
            "signals": {
                "embeddings": language_model.signal_embeddings,
                "logits": language_model.signal_logits,
            },
            "lora": language_model.lora(),
            "vocabulary": language_model.vocabulary(),
        }
        return {part: found[part] for part in PARTS[self.stage]}

    def trained(self) -> dict[str, nn.Parameter]:
        """What is trained, under the names of the checkpoint."""
        return {
            f"{part}.{name}": value for part, values in self.parts().items() for name, value in values.items()
        }

    # Encode --------------------------------------------------------------------------------------

    @torch.no_grad()
    def encode(self, media: Sequence[Medium]) -> Tensor:
        """The frozen encoder's tokens of media, all of one kind.

        Returns:
            float ``[N, 1 + P, D]``: the CLS token, then the patch tokens.
        """
        own = MODALITIES[media[0].modality].encoder
        return own(media) if own else self._encoder.encode(media)

    def _encode_once(self, media: Sequence[Medium]) -> Tensor:
        """As `encode`, but a medium that was met before is not encoded again."""
        new = {medium.content_hash: medium for medium in media if medium.content_hash not in self._features}
        at_once = MODALITIES[media[0].modality].at_once
        for start in range(0, len(new), at_once):
            part = list(new.values())[start : start + at_once]
            for medium, tokens in zip(part, self.encode(part), strict=True):
                self._features[medium.content_hash] = tokens
                self._kept += tokens.nbytes
        found = torch.stack([self._features[medium.content_hash] for medium in media])
        while self._kept > _KEPT_BYTES:
            self._kept -= self._features.pop(next(iter(self._features))).nbytes
        return found

    def project(self, tokens: Tensor) -> Tensor:
        """Encoder tokens ``[N, 1 + P, D]`` to concept tokens ``[N, M, D_llm]``."""
        tokens = tokens.to(next(self.input_projection.parameters()).dtype)
        concepts: Tensor = self.input_projection(tokens[:, 1:], tokens[:, 0])
        return concepts

    # Decode --------------------------------------------------------------------------------------

    def condition(self, states: Tensor, modality: Modality = "image") -> Tensor:
        """Hidden states at complete spans ``[N, signals, D_llm]`` to conditions ``[N, length, width]``.

        The signals' own embeddings are added, as in GILL.
        """
        assert self.output_projection is not None
        signals = self.language_model.signals
        ids = signals.ids(modality)
        own = self.language_model.signal_embeddings[ids.start - signals.first : ids.stop - signals.first]
        condition: Tensor = self.output_projection[modality](states.to(own.dtype) + own)
        return condition

    # Answer --------------------------------------------------------------------------------------

    @torch.no_grad()
    def respond(self, requests: Sequence[Request]) -> list[Message | Failure]:
        """Answer a batch of requests; see `benchmarks.harness.system.System`."""
        self.eval()
        answers: list[Message | Failure] = []
        for start in range(0, len(requests), self.config.generation.batch):
            answers += self._respond(requests[start : start + self.config.generation.batch])
        return answers

    def log_probabilities(
        self, requests: Sequence[Request], answers: Sequence[str]
    ) -> list[list[float] | Failure]:
        """How likely each answer is to begin the reply; see `nextgpt.reasoning.likelihood`."""
        from nextgpt.reasoning.likelihood import log_probabilities

        return log_probabilities(self, requests, answers)

    def unreadable(self, request: Request) -> Failure | Tensor:
        """Why a request can't be read; or else its prompt's embeddings, ``[L, D_llm]``."""
        impossible = self._impossible(request)
        if impossible is not None:
            return impossible
        written = self._write(request.conversation)
        return self._unfit(written) or self._embed([written])[0]

    def _respond(self, requests: Sequence[Request]) -> list[Message | Failure]:
        answers: list[Message | Failure | None] = [self._impossible(request) for request in requests]
        written: dict[int, Written] = {}
        for row, request in enumerate(requests):
            if answers[row] is None:
                written[row] = self._write(request.conversation)
                answers[row] = self._unfit(written[row])
        open_rows = [row for row, answer in enumerate(answers) if answer is None]
        replies = self.language_model.generate(
            self._embed([written[row] for row in open_rows]),
            end=self.writer.end,
            max_new_tokens=self.config.generation.max_new_tokens,
            media=[self._allowed(requests[row]) for row in open_rows],
        )
        made = self._make(replies, [requests[row].seed for row in open_rows])
        for row, reply, media in zip(open_rows, replies, made, strict=True):
            answers[row] = self._answer(requests[row], reply, media)
        return [answer for answer in answers if answer is not None]

    def _write(self, conversation: Sequence[Message]) -> Written:
        return self.writer.write(conversation, longest=self._longest_prompt)

    @property
    def _longest_prompt(self) -> int:
        # A span may be finished beyond the limit.
        return (
            self.language_model.longest
            - self.config.generation.max_new_tokens
            - self.language_model.signals.total
        )

    def _impossible(self, request: Request) -> Failure | None:
        """What the model was not made for."""
        impossible = (request.wanted or frozenset()) - self.produces
        if impossible:
            return Failure("reason", f"{self.name} cannot answer in {', '.join(sorted(impossible))}")
        spoken = frozenset(self.language_model.signals.modalities)
        for message in request.conversation:
            known = self.accepts if message.role == "user" else spoken
            unknown = {medium.modality for medium in message.media} - known
            if unknown:
                return Failure("encode", f"{self.name} cannot read {', '.join(sorted(unknown))}")
            if half := half_character(message.text):
                return Failure("encode", f"a message holds {half}, half of a character; write it in UTF-8")
        return None

    def _unfit(self, written: Written) -> Failure | None:
        """What is too long, or of an impossible shape."""
        if len(written.ids) > self._longest_prompt:
            reason = f"the last message has {len(written.ids)} tokens; {self._longest_prompt} fit"
            return Failure("encode", reason)
        for medium in written.media:
            if isinstance(medium, Audio):
                if medium.seconds < FRAME_SECONDS:
                    reason = f"a sound of {medium.seconds * 1000:.0f} ms is too short; 25 are needed"
                    return Failure("encode", reason)
            elif isinstance(medium, Image | Video):
                # Its short side is brought to the encoder's size; its long side would grow without bounds.
                short, long = sorted((medium.width, medium.height))
                if long > _MOST_ELONGATED * short:
                    noun = MODALITIES[medium.modality].noun
                    reason = f"a {noun} of {medium.width}x{medium.height} is too elongated; crop it first"
                    return Failure("encode", reason)
        return None

    def _allowed(self, request: Request) -> frozenset[Modality]:
        wanted = self.produces if request.wanted is None else request.wanted
        return wanted & self.produces & frozenset(self.language_model.signals.modalities)

    def _embed(self, written: Sequence[Written]) -> list[Tensor]:
        media = [medium for text in written for medium in text.media]
        concepts = self._concepts(media)
        prompts = []
        for text in written:
            own, concepts = concepts[: len(text.media)], concepts[len(text.media) :]
            ids = torch.tensor([text.ids], device=self.device)
            prompts.append(self.language_model.embed(ids, torch.stack(own) if own else None)[0])
        return prompts

    def _concepts(self, media: Sequence[Medium]) -> list[Tensor]:
        """Concept tokens ``[M, D_llm]`` of each medium; each kind is encoded together."""
        concepts: dict[int, Tensor] = {}
        for modality in MODALITIES:
            places = [place for place, medium in enumerate(media) if medium.modality == modality]
            if places:
                tokens = self._encode_once([media[place] for place in places])
                concepts |= dict(zip(places, self.project(tokens), strict=True))
        return [concepts[place] for place in range(len(media))]

    def _make(self, replies: Sequence[Generated], seeds: Sequence[int]) -> list[list[Medium]]:
        """The media that each reply asks for, in its order; each kind is made together."""
        signals = self.language_model.signals
        spans = [
            (row, span)
            for row, reply in enumerate(replies)
            for span in signals.parse(reply.ids).pieces
            if isinstance(span, Span)
        ]
        made: dict[int, Medium] = {}
        generation = self.config.generation
        for modality in signals.modalities:
            places = [place for place, (_, span) in enumerate(spans) if span.modality == modality]
            if not places:
                continue
            own = [(replies[spans[place][0]], spans[place][1]) for place in places]
            with self.decoders.using(modality) as decoder:
                if self.caption is None:
                    condition = self.condition(torch.stack([_states(*each) for each in own]), modality)
                else:
                    condition = decoder.encode_text([self.caption(self._words(*each)) for each in own])
                media = decoder.generate(
                    condition,
                    [seeds[spans[place][0]] for place in places],
                    steps=generation.steps,
                    guidance=generation.guidance,
                )
            made |= dict(zip(places, media, strict=True))
        return [
            [made[place] for place, (owner, _) in enumerate(spans) if owner == row]
            for row in range(len(replies))
        ]

    def _words(self, reply: Generated, span: Span) -> str:
        """What was said right before a span, or, where nothing was, all that was said before it."""
        first = self.language_model.signals.first
        before = reply.ids[: span.start]
        since = max((place + 1 for place, token in enumerate(before) if token >= first), default=0)
        said = self.language_model.decode(before[since:])
        return said or self.language_model.decode([token for token in before if token < first])

    def _answer(self, request: Request, reply: Generated, media: Sequence[Medium]) -> Message | Failure:
        parsed = self.language_model.signals.parse(reply.ids)
        given = iter(media)
        parts: list[Part] = []
        for piece in parsed.pieces:
            said: Part = next(given) if isinstance(piece, Span) else self.language_model.decode(piece)
            if said != "":
                parts.append(said)
        steps = tuple(("problem", problem) for problem in parsed.problems)
        if not reply.finished:
            steps += (("problem", f"the reply was cut off at {len(reply.ids)} tokens"),)
        made = {medium.modality for medium in media}
        for modality, entry in MODALITIES.items():
            if modality in (request.wanted or ()) and modality not in made:
                said_instead = self.language_model.decode(
                    [i for p in parsed.pieces if isinstance(p, tuple) for i in p]
                )
                reason = f"a {entry.noun} was wanted, but the reply has none: {said_instead!r}"
                return Failure("reason", reason, steps)
        return assistant(*parts, steps=steps)

    # For the text pipelines ----------------------------------------------------------------------

    @torch.no_grad()
    def complete_text(self, prompts: Sequence[str | Sequence[Message]], *, tuned: bool = False) -> list[str]:
        """What the language model alone answers: no signals, no media, and no LoRA unless it is asked for.

        Args:
            prompts: each a whole prompt, written out up to where the model continues, or a conversation
                of text alone, written by the preset's template.
            tuned: with the LoRA of the last stage.

        Returns:
            The replies as text, in order.
        """
        self.eval()
        replies: list[str] = []
        size = self.config.generation.batch
        with nullcontext() if tuned else self.language_model.without_lora():
            for start in range(0, len(prompts), size):
                texts = [self._write_text(prompt) for prompt in prompts[start : start + size]]
                generated = self.language_model.generate(
                    self._embed(texts),
                    end=self.writer.end,
                    max_new_tokens=self.config.generation.max_new_tokens,
                )
                replies += [self.language_model.decode(reply.ids) for reply in generated]
        return replies

    def _write_text(self, prompt: str | Sequence[Message]) -> Written:
        if not isinstance(prompt, str):
            return self.writer.write(prompt, longest=self._longest_prompt)
        return self.writer.raw(prompt)


def _states(reply: Generated, span: Span) -> Tensor:
    """The hidden states at a span's signals, ``[signals, D_llm]``."""
    return torch.stack([reply.states[span.start + k] for k in range(span.length)])
