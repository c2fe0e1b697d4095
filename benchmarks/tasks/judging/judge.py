"""A system as a judge: asked by a template whether a statement holds, it answers with a probability.

``judge:SYSTEM?template=NAME&score=yes-no``: any system that tells how likely it is to give an answer
(``log_probabilities``), such as nextgpt-tiny or ``hf:MODEL``. Its runs are runs like any other: who judged,
with which weights and template, what was asked and what came of it stand in them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from hashlib import sha256
from typing import Any, get_args
from urllib.parse import parse_qsl

from benchmarks.registry import RegistryError, load_system
from metrics.judges.templates import TEMPLATES, Score, Template, yes_probability
from metrics.metric import MetricInputError
from nextgpt.media import Medium
from nextgpt.messages import Failure, Message, Modality, Request, assistant, user

DEFAULT = "is-there"
VERSION = 1  # of how a judge is asked


class Judge:
    """Answers whether a statement holds with the probability that it does, in text: ``0.8312``.

    The last text of a request is the statement; what stands before it, a picture or a description, is what
    the statement is about.

    Args:
        scorer: a system with ``log_probabilities(requests, answers)``.
        template: what it is asked.
    """

    produces: frozenset[Modality] = frozenset({"text"})
    given: frozenset[str] = frozenset()

    def __init__(self, scorer: Any, template: Template) -> None:
        self.scorer, self.template = scorer, template
        self.name = f"judge-{scorer.name}-{template.name}" + ("-yes" if template.score == "yes" else "")
        asked = f"{template.name}@{template.hash}:{template.score}"
        self.fingerprint = f"{scorer.fingerprint}|judge:{VERSION}|{asked}"
        self.accepts: frozenset[Modality] = frozenset(scorer.accepts)

    def respond(self, requests: Sequence[Request]) -> list[Message | Failure]:
        """The probability of each statement."""
        asked = [self._asked(request) for request in requests]
        answers = self.template.yes, self.template.no
        return [
            found if isinstance(found, Failure) else self._told(request, found)
            for request, found in zip(asked, self.scorer.log_probabilities(asked, answers), strict=True)
        ]

    def _asked(self, request: Request) -> Request:
        *before, last = request.conversation
        *about, statement = last.parts
        return replace(request, conversation=(*before, user(*about, self.template.asked(str(statement)))))

    def _told(self, request: Request, found: Sequence[float]) -> Message:
        odds = yes_probability(found[0], found[1], self.template.score)
        answers = (self.template.yes, self.template.no)
        told = ", ".join(f"{answer} {number:.4f}" for answer, number in zip(answers, found, strict=True))
        steps = (("question", request.conversation[-1].text), ("log-probabilities", told))
        return assistant(f"{odds:.6f}", steps=steps)


class Asked:
    """A system as `metrics.VQAScore` asks it: about one medium at a time.

    Args:
        scorer: a system with ``log_probabilities(requests, answers)``.
    """

    def __init__(self, scorer: Any) -> None:
        self.scorer = scorer
        self.signature = f"{scorer.name}@{sha256(scorer.fingerprint.encode()).hexdigest()[:8]}"

    def log_probabilities(
        self, items: Sequence[Medium], questions: Sequence[str], answers: Sequence[str]
    ) -> list[list[float]]:
        """How likely each answer to each item's question is.

        Raises:
            MetricInputError: an item that the system can't take; names it.
        """
        requests = [Request((user(item, asked),)) for item, asked in zip(items, questions, strict=True)]
        found = self.scorer.log_probabilities(requests, answers)
        for number, each in enumerate(found):
            if isinstance(each, Failure):
                raise MetricInputError(f"item {number}: {each.reason}")
        return list(found)


def load(argument: str) -> Judge:
    """The judge of ``SYSTEM`` or ``SYSTEM?template=NAME&score=yes``; other options are the system's own.

    Raises:
        RegistryError: no such system, template or score, or a system that tells no likelihoods.
    """
    name, mark, query = argument.rpartition("?")
    options = dict(parse_qsl(query)) if mark else {}
    if not mark or not options.keys() <= {"template", "score"}:
        name, options = argument, {}
    template = options.get("template", DEFAULT)
    if template not in TEMPLATES:
        raise RegistryError(f"no template {template!r}; there are {', '.join(TEMPLATES)}")
    score: Any = options.get("score", TEMPLATES[template].score)
    if score not in get_args(Score):
        raise RegistryError(f"no score {score!r}; there are {' and '.join(get_args(Score))}")
    scorer = load_system(name)
    if not hasattr(scorer, "log_probabilities"):
        raise RegistryError(
            f"{name} does not tell how likely its answers are, so it can't be a judge of statements; "
            "nextgpt's models and hf:MODEL do"
        )
    return Judge(scorer, replace(TEMPLATES[template], score=score))
