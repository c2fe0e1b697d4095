"""Any endpoint that speaks OpenAI's chat completions as a system: vLLM, SGLang, a vendor.

``openai:URL`` names it, with ``?model=NAME`` where it serves several. Pictures, clips and sounds travel
inside the messages; pictures and sounds come back from endpoints that make them (``&produces=text,image``).
The requests of a batch run side by side; `baselines.endpoint` sends again what a server was too busy for.

Whatever else comes back (a page, half an answer, no choice, more than was asked for) is that request's
failure, and says so. The key is read from ``OPENAI_API_KEY``, travels over TLS or to this machine alone, and
is taken out of everything that comes back.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal, get_args

from baselines.endpoint import Endpoint, EndpointError, Manner
from baselines.openai_messages import brief, choice_of, content_of, parts_of, tokens_of
from baselines.options import parse, safe
from nextgpt.errors import ConfigError
from nextgpt.media import MediaError
from nextgpt.messages import Failure, Message, Modality, Part, Request, Steps, assistant

VERSION = 1  # of this file; part of the fingerprint
_LONGEST = 20  # characters of an answer for each token that was asked for: no language has longer ones
_SHORTEST = 2_000


@dataclass(frozen=True)
class Options(Manner):
    """How an endpoint is asked; the way to reach it, see `Manner`, is no part of the fingerprint.

    Attributes:
        model: its name there; needed where several are served.
        max_tokens: longest answer.
        limit: what the endpoint calls that number; newer models of some vendors want the second.
        temperature: of sampling; None sends none, for models that take none.
        accepts: modalities that it is shown, with commas between.
        produces: modalities that it answers in.
        price: US dollars for a million tokens read and a million written, with a comma between.
    """

    model: str = ""
    max_tokens: int = 512
    limit: Literal["max_tokens", "max_completion_tokens"] = "max_tokens"
    temperature: float | None = 0.0
    accepts: str = "text,image,video,audio"
    produces: str = "text"
    price: str = ""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.max_tokens < 1:
            raise ConfigError(f"options: max_tokens: at least 1, got {self.max_tokens}")


@dataclass
class Spent:
    """What all answers so far have cost.

    Example:
        >>> print(Spent(3, 1, 1200, 90, Decimal("0.0021")))
        3 answers, 1 request sent again, 1,200 tokens read and 90 written, 0.0021 US dollars
    """

    answers: int = 0
    again: int = 0
    read: int = 0
    written: int = 0
    dollars: Decimal | None = None
    uncounted: int = 0

    def __str__(self) -> str:
        requests = "request" if self.again == 1 else "requests"
        cost = "" if self.dollars is None else f", {self.dollars.normalize():f} US dollars"
        unknown = f"; of {self.uncounted} the endpoint told no tokens" if self.uncounted else ""
        return (
            f"{self.answers} answers, {self.again} {requests} sent again, "
            f"{self.read:,} tokens read and {self.written:,} written{cost}{unknown}"
        )


class OpenAICompatible:
    """An endpoint.

    Args:
        endpoint: where requests go.
        options: how it is asked.

    Raises:
        ConfigError: it can't be asked for its models, or serves several and none is chosen.
    """

    given: frozenset[str] = frozenset()
    gpus = 0

    def __init__(self, endpoint: Endpoint, options: Options) -> None:
        self._endpoint, self._options = endpoint, options
        self._model = options.model or _only_model(endpoint)
        self.accepts = _modalities("accepts", options.accepts)
        self.produces = _modalities("produces", options.produces)
        self._prices = _prices(options.price)
        self.spent = Spent(dollars=None if self._prices is None else Decimal(0))
        self.name = safe(f"openai-{self._model.rpartition('/')[2]}")
        about = (VERSION, endpoint.url, self._model, options.max_tokens, options.temperature)
        media = (sorted(self.accepts), sorted(self.produces))
        self.fingerprint = hashlib.sha256(json.dumps([about, media]).encode()).hexdigest()[:16]

    def respond(self, requests: Sequence[Request]) -> list[Message | Failure]:
        """Answer a batch, several requests at a time."""
        pool = ThreadPoolExecutor(max_workers=self._options.concurrency)
        try:
            return list(pool.map(self._answer, requests))
        except BaseException:
            self._endpoint.stop()
            raise
        finally:
            pool.shutdown(wait=True, cancel_futures=True)

    def _answer(self, request: Request) -> Message | Failure:
        shown = {medium.modality for turn in request.conversation for medium in turn.media}
        if unknown := shown - self.accepts:
            return Failure("encode", f"{self.name} can't take {', '.join(sorted(unknown))}")
        if unable := (request.wanted or frozenset()) - self.produces:
            return Failure("reply", f"{self.name} can't answer in {', '.join(sorted(unable))}")
        try:
            asked = self._asked(request)
        except MediaError as error:
            return Failure("encode", str(error))
        try:
            return self._read(request, self._endpoint.post("chat/completions", asked))
        except EndpointError as error:
            return Failure(error.stage, str(error))

    def _asked(self, request: Request) -> dict[str, Any]:
        options = self._options
        body: dict[str, Any] = {
            "model": self._model,
            "messages": [{"role": turn.role, "content": content_of(turn)} for turn in request.conversation],
            options.limit: options.max_tokens,
            "seed": request.seed,
            "stream": False,
        }
        if options.temperature is not None:
            body["temperature"] = options.temperature
        wanted = self.produces if request.wanted is None else request.wanted
        if wanted != {"text"}:
            body["modalities"] = sorted(wanted)
        if "audio" in wanted:
            body["audio"] = {"voice": "alloy", "format": "wav"}
        return body

    # What comes back ------------------------------------------------------------------------------

    def _read(self, request: Request, reply: Any) -> Message | Failure:
        steps = self._counted(reply)
        try:
            said, why = choice_of(reply)
            parts = [part for part in parts_of(said) if part != ""]
            self._refuse_too_long(reply, parts)
        except (EndpointError, MediaError) as error:
            return Failure(getattr(error, "stage", "reply"), str(error), steps)
        if not parts:
            calls = "; it calls a tool, and none was offered" if said.get("tool_calls") else ""
            return Failure("reply", f"the endpoint's answer is empty (finish reason {why!r}){calls}", steps)
        made = {"text" if isinstance(part, str) else part.modality for part in parts}
        if lacking := (request.wanted or frozenset()) - made:
            answer = " ".join(part for part in parts if isinstance(part, str))
            reason = f"{', '.join(sorted(lacking))} was wanted, but the answer has none: {brief(answer)}"
            return Failure("reply", reason, steps)
        if why == "length":
            steps += (("problem", f"the reply was cut off at {self._options.max_tokens} tokens"),)
        return assistant(*parts, steps=steps)

    def _refuse_too_long(self, reply: Any, parts: Sequence[Part]) -> None:
        """Refuse an answer from an endpoint that took no notice of how much was asked for."""
        most, tokens = self._options.max_tokens, tokens_of(reply, "completion_tokens")
        length = sum(len(part) for part in parts if isinstance(part, str))
        if tokens > most or length > max(_SHORTEST, _LONGEST * most):
            has = f"{tokens:,} tokens" if tokens > most else f"{length:,} characters"
            raise EndpointError(f"the answer has {has}; {most} tokens were asked for at most")

    def _counted(self, reply: Any) -> Steps:
        """The tokens and the cost of a reply, as steps; added to what was spent."""
        read, written = tokens_of(reply, "prompt_tokens"), tokens_of(reply, "completion_tokens")
        counted, cost = read + written > 0, None
        if self._prices is not None and counted:
            cost = (self._prices[0] * read + self._prices[1] * written) / 1_000_000
        with self._endpoint.lock:
            self.spent.answers += 1
            self.spent.again = self._endpoint.again
            self.spent.read += read
            self.spent.written += written
            self.spent.uncounted += not counted
            if cost is not None and self.spent.dollars is not None:
                self.spent.dollars += cost
        steps: Steps = (("tokens", f"{read} read, {written} written"),) if counted else ()
        return steps if cost is None else (*steps, ("cost", f"{cost.normalize():f} US dollars"))


def load(place: str) -> OpenAICompatible:
    """The endpoint at ``URL?option=value``; see `Options` and `Manner`.

    Raises:
        ConfigError: the address or an option is wrong, or no model can be told.
    """
    url, options = parse(place, Options)
    return OpenAICompatible(Endpoint(url, options), options)


def _only_model(endpoint: Endpoint) -> str:
    """The model that an endpoint serves."""
    try:
        listed = endpoint.get("models")
        names = [str(entry["id"]) for entry in listed["data"]]
    except EndpointError as error:
        raise ConfigError(f"{endpoint.url}: can't tell its models: {error}; name one, ?model=NAME") from error
    except (TypeError, LookupError) as error:
        raise ConfigError(f"{endpoint.url}: lists no models; name one, ?model=NAME") from error
    if len(names) != 1:
        some = ", ".join(names[:10]) or "none"
        raise ConfigError(f"{endpoint.url}: name one of its models, ?model=NAME; it lists {some}")
    return names[0]


def _modalities(option: str, value: str) -> frozenset[Modality]:
    named = frozenset(name.strip() for name in value.split(","))
    known: frozenset[Modality] = frozenset(get_args(Modality))
    if not named <= known:
        raise ConfigError(f"options: {option}: there are {', '.join(sorted(known))}; got {value}")
    return frozenset(modality for modality in known if modality in named)


def _prices(value: str) -> tuple[Decimal, Decimal] | None:
    if not value:
        return None
    try:
        read, written = (Decimal(number) for number in value.split(","))
    except (ArithmeticError, ValueError):
        raise ConfigError(f"options: price: two numbers with a comma between, got {value}") from None
    return read, written
