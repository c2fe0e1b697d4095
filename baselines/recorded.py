"""Recorded answers as a system: what any other program answered, put beside systems that run here.

A request doesn't carry its sample's id, but its seed comes from the id and from nothing else: answers
are found by it. Among ten thousand ids two share a seed in one file out of fifty; where their answers
differ, both are failures that say so. Answers to samples that no one asks for are never seen here; it is
``nextgpt-bench score`` that refuses a file with ids of another data set.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import get_args

from nextgpt.messages import Failure, Message, Modality, Request, seed_of


class Recorded:
    """Gives the recorded answer of each sample.

    Args:
        answers: by sample id; each is looked up when it is asked for, so that media may lie in files.
        name: of whoever gave them.
        fingerprint: of the file that they stand in.

    Example:
        >>> from nextgpt.messages import assistant, user
        >>> system = Recorded({"7": assistant("a cat")}, name="other", fingerprint="f")
        >>> system.respond([Request((user("describe the picture."),), seed=seed_of("7"))])[0].text
        'a cat'
    """

    accepts: frozenset[Modality] = frozenset(get_args(Modality))  # nothing is looked at
    given: frozenset[str] = frozenset()
    gpus = 0

    def __init__(self, answers: Mapping[str, Message | Failure], *, name: str, fingerprint: str) -> None:
        self.name = name
        self.fingerprint = fingerprint
        self._answers = answers
        self._by_seed: dict[int, str | Failure] = {}
        for sample in answers:
            seed = seed_of(sample)
            other = self._by_seed.setdefault(seed, sample)
            if isinstance(other, str) and other != sample and answers[other] != answers[sample]:
                self._by_seed[seed] = Failure(
                    "recorded", f"the answers of {sample!r} and another sample can't be told apart by seed"
                )
        # Only media that are there can have been produced; every answer may hold text.
        # A folder of media tells without opening them.
        messages = (answer for answer in answers.values() if isinstance(answer, Message))
        made = getattr(answers, "modalities", None) or {
            medium.modality for message in messages for medium in message.media
        }
        self.produces: frozenset[Modality] = frozenset({"text", *made})

    def respond(self, requests: Sequence[Request]) -> list[Message | Failure]:
        """The recorded answers; a sample without one is a failure."""
        missing = Failure(
            "recorded", "no answer is recorded for this sample (answers are found with --seed 0 only)"
        )
        found = [self._by_seed.get(request.seed, missing) for request in requests]
        return [self._answers[each] if isinstance(each, str) else each for each in found]
