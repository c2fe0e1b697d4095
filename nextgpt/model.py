"""NExT-GPT: encode, reason, decode, and nothing else.

A frozen encoder's tokens become concept tokens, the language model reads them between words and answers
in words and signals, and the hidden states at a span of signals become the condition of a frozen
diffusion model.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from nextgpt.checkpoints import PARTS
from nextgpt.config import Config, Stage
from nextgpt.encoding.imagebind import ImageBind, preprocess_image
from nextgpt.media import Image
from nextgpt.messages import Failure, Message, Modality, Part, Request, assistant
from nextgpt.reasoning.language_model import Generated, LanguageModel
from nextgpt.reasoning.prompts import Writer, Written
from nextgpt.signals import Span

if TYPE_CHECKING:
    from nextgpt.decoding.image import ImageDecoder

_KEPT_FEATURES = 4096  # pictures whose encoder tokens stay in memory
_ENCODED_AT_ONCE = 64
_MOST_ELONGATED = 50  # long side over short side of a picture


class NextGPT(nn.Module):
    """The model; it is itself a system: conversations in, messages out.

    Args:
        config: the preset.
        stage: which stage's model this is. After "encoding" it describes pictures and makes none.
        encoder: frozen.
        input_projection: encoder tokens to concept tokens.
        language_model: frozen, with signal rows and, in the last stage, LoRA.
        output_projection: hidden states of a span to a condition; None where the stage has none.
        decoder: makes the frozen diffusion model when it is first needed.

    Attributes:
        name: of the system; `nextgpt.load` sets it, and the next.
        fingerprint: changes whenever anything that affects the answers changes.
    """

    given: frozenset[str] = frozenset()
    accepts: frozenset[Modality] = frozenset({"text", "image"})

    def __init__(
        self,
        config: Config,
        stage: Stage,
        *,
        encoder: ImageBind,
        input_projection: nn.Module,
        language_model: LanguageModel,
        output_projection: nn.Module | None,
        decoder: Callable[[], ImageDecoder],
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
        self._make_decoder = decoder
        self._features: dict[str, Tensor] = {}

    @property
    def produces(self) -> frozenset[Modality]:
        """What it can answer in."""
        return frozenset({"text"}) if self.output_projection is None else frozenset({"text", "image"})

    @cached_property
    def decoder(self) -> ImageDecoder:
        """The frozen diffusion model, loaded when first needed."""
        return self._make_decoder()

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
            "output_projection": dict(projected.named_parameters()) if projected is not None else {},
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
    def encode(self, images: Sequence[Image]) -> Tensor:
        """The frozen encoder's tokens of pictures.

        Returns:
            float ``[N, 1 + P, D]``: the CLS token, then the patch tokens.
        """
        size = self.encoder.config.image_size
        pixels = torch.stack([preprocess_image(image.pixels, size) for image in images])
        return self.encoder.tokens("vision", pixels.to(self.device), with_cls=True)

    def _encode_once(self, images: Sequence[Image]) -> Tensor:
        """As `encode`, but a picture that was met before is not encoded again."""
        new = {image.content_hash: image for image in images if image.content_hash not in self._features}
        for start in range(0, len(new), _ENCODED_AT_ONCE):
            part = list(new.values())[start : start + _ENCODED_AT_ONCE]
            for image, tokens in zip(part, self.encode(part), strict=True):
                self._features[image.content_hash] = tokens
        found = torch.stack([self._features[image.content_hash] for image in images])
        while len(self._features) > _KEPT_FEATURES:
            self._features.pop(next(iter(self._features)))
        return found

    def project(self, tokens: Tensor) -> Tensor:
        """Encoder tokens ``[N, 1 + P, D]`` to concept tokens ``[N, M, D_llm]``."""
        concepts: Tensor = self.input_projection(tokens[:, 1:], tokens[:, 0])
        return concepts

    # Decode --------------------------------------------------------------------------------------

    def condition(self, states: Tensor) -> Tensor:
        """Hidden states at complete spans ``[N, signals, D_llm]`` to conditions ``[N, length, width]``.

        The signals' own embeddings are added, as in GILL.
        """
        assert self.output_projection is not None
        own = self.language_model.signal_embeddings
        condition: Tensor = self.output_projection(states.to(own.dtype) + own)
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

    def _respond(self, requests: Sequence[Request]) -> list[Message | Failure]:
        written = [self._write(request.conversation) for request in requests]
        answers: list[Message | Failure | None] = [
            self._unfit(request, text) for request, text in zip(requests, written, strict=True)
        ]
        open_rows = [row for row, answer in enumerate(answers) if answer is None]
        replies = self.language_model.generate(
            self._embed([written[row] for row in open_rows]),
            end=self.writer.end,
            max_new_tokens=self.config.generation.max_new_tokens,
            media=[self._allowed(requests[row]) for row in open_rows],
        )
        drawn = self._draw(replies, [requests[row].seed for row in open_rows])
        for row, reply, pictures in zip(open_rows, replies, drawn, strict=True):
            answers[row] = self._answer(requests[row], reply, pictures)
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

    def _unfit(self, request: Request, written: Written) -> Failure | None:
        impossible = (request.wanted or frozenset()) - self.produces
        if impossible:
            return Failure("reason", f"{self.name} cannot answer in {', '.join(sorted(impossible))}")
        if len(written.ids) > self._longest_prompt:
            reason = f"the last message has {len(written.ids)} tokens; {self._longest_prompt} fit"
            return Failure("encode", reason)
        for image in written.media:
            # Its short side is brought to the encoder's size, and its long side would grow without bounds.
            if max(image.width, image.height) > _MOST_ELONGATED * min(image.width, image.height):
                reason = f"a picture of {image.width}x{image.height} is too elongated; crop it first"
                return Failure("encode", reason)
        return None

    def _allowed(self, request: Request) -> frozenset[Modality]:
        wanted = self.produces if request.wanted is None else request.wanted
        return wanted & self.produces & frozenset(self.language_model.signals.modalities)

    def _embed(self, written: Sequence[Written]) -> list[Tensor]:
        media = [image for text in written for image in text.media]
        concepts = list(self.project(self._encode_once(media))) if media else []
        prompts = []
        for text in written:
            own, concepts = concepts[: len(text.media)], concepts[len(text.media) :]
            ids = torch.tensor([text.ids], device=self.device)
            prompts.append(self.language_model.embed(ids, torch.stack(own) if own else None)[0])
        return prompts

    def _draw(self, replies: Sequence[Generated], seeds: Sequence[int]) -> list[list[Image]]:
        """The pictures that each reply asks for."""
        spans = [
            (row, span)
            for row, reply in enumerate(replies)
            for span in self.language_model.signals.parse(reply.ids).pieces
            if isinstance(span, Span)
        ]
        drawn: list[list[Image]] = [[] for _ in replies]
        if not spans:
            return drawn
        states = torch.stack(
            [
                torch.stack([replies[row].states[span.start + k] for k in range(span.length)])
                for row, span in spans
            ]
        )
        generation = self.config.generation
        pictures = self.decoder.generate(
            self.condition(states),
            [seeds[row] for row, _ in spans],
            steps=generation.steps,
            guidance=generation.guidance,
        )
        for (row, _), picture in zip(spans, pictures, strict=True):
            drawn[row].append(picture)
        return drawn

    def _answer(self, request: Request, reply: Generated, pictures: Sequence[Image]) -> Message | Failure:
        parsed = self.language_model.signals.parse(reply.ids)
        given = iter(pictures)
        parts: list[Part] = []
        for piece in parsed.pieces:
            said: Part = next(given) if isinstance(piece, Span) else self.language_model.decode(piece)
            if said != "":
                parts.append(said)
        steps = tuple(("problem", problem) for problem in parsed.problems)
        if not reply.finished:
            steps += (("problem", f"the reply was cut off at {len(reply.ids)} tokens"),)
        if "image" in (request.wanted or ()) and not pictures:
            said_instead = self.language_model.decode(
                [i for p in parsed.pieces if isinstance(p, tuple) for i in p]
            )
            return Failure("reason", f"a picture was wanted, but the reply has none: {said_instead!r}", steps)
        return assistant(*parts, steps=steps)

    # For the text pipelines ----------------------------------------------------------------------

    @torch.no_grad()
    def complete_text(self, prompts: Sequence[str | Sequence[Message]]) -> list[str]:
        """What the frozen language model alone answers: no LoRA, no signals, no pictures.

        Args:
            prompts: each a whole prompt, written out up to where the model continues, or a conversation
                of text alone, written by the preset's template.

        Returns:
            The replies as text, in order.
        """
        self.eval()
        replies: list[str] = []
        size = self.config.generation.batch
        with self.language_model.without_lora():
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
