"""What a system is: anything that answers requests with messages."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from nextgpt.messages import Failure, Message, Modality, Request


@runtime_checkable
class System(Protocol):
    """A model, a pipeline, an endpoint or a file of recorded answers: all are systems.

    The protocol is structural: a class with these members is a system, no base class needed. It may also have
    ``gpus``, the share of a GPU that a worker of a Ray cluster shall have for it: 0.5 for half of one, 0 for
    none. Where nothing is said it gets one, if the cluster has any.

    Example:
        >>> from nextgpt.messages import assistant, user
        >>> class Parrot:
        ...     name, fingerprint = "parrot", "v1"
        ...     accepts = produces = frozenset({"text"})
        ...     given = frozenset()
        ...     def respond(self, requests):
        ...         return [assistant(request.conversation[-1].text) for request in requests]
        >>> isinstance(Parrot(), System)
        True
        >>> Parrot().respond([Request((user("hello"),))])[0].text
        'hello'
    """

    @property
    def name(self) -> str:
        """Short name, safe as a folder name: letters, digits, ``-``, ``_`` and ``.``."""

    @property
    def fingerprint(self) -> str:
        """Changes whenever weights, configuration or code that affects the output change."""

    @property
    def accepts(self) -> frozenset[Modality]:
        """Modalities that it can be shown."""

    @property
    def produces(self) -> frozenset[Modality]:
        """Modalities that it can answer in."""

    @property
    def given(self) -> frozenset[str]:
        """Hints (truths of the sample) that it asks for: empty but in attribution runs."""

    def respond(self, requests: Sequence[Request]) -> list[Message | Failure]:
        """Answer a batch.

        Args:
            requests: conversations to answer, each with its own seed.

        Returns:
            One message or failure for each request, in the same order. A request that can't be
            answered is a `Failure`; an exception means that the batch as a whole went wrong.
        """
