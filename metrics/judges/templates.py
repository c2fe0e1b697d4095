"""What a judge is asked: templates of a yes-or-no question, and which of the likelihoods is its score.

VQAScore (Lin et al. 2024) is the probability of "Yes" after such a question, and its template moves every
number, so a template has a name, and the name stands in the signature. How an answer is tokenised does too:
here an answer is spelt as the template spells it and as the model's own template would write it (a space
before it where that writes one), and no other spelling counts: not "yes" where "Yes" is meant. `yes-no` takes
that bias away, for both answers are spelt alike: the probability of yes given that it is yes or no.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Literal, get_args

from metrics.metric import MetricInputError, check_name

Score = Literal["yes", "yes-no"]
STATEMENT = "{}"


@dataclass(frozen=True)
class Template:
    """A question about a statement, with both answers as they are spelt.

    Attributes:
        name: as signatures give it.
        question: with ``{}`` where the statement stands.
        yes, no: the two answers.
        score: the default score; see `yes_probability`.

    >>> TEMPLATES["figure"].asked("a red star")
    'Does this figure show "a red star"? Please answer yes or no.'
    """

    name: str
    question: str
    yes: str = "Yes"
    no: str = "No"
    score: Score = "yes-no"

    def __post_init__(self) -> None:
        check_name("score", self.score, get_args(Score))
        if self.question.count(STATEMENT) != 1 or not self.yes or not self.no or self.yes == self.no:
            raise MetricInputError(
                f"template {self.name}: give one {STATEMENT} in the question, and two different answers"
            )

    def asked(self, statement: str) -> str:
        """The question about a statement."""
        return self.question.replace(STATEMENT, statement.strip())

    @property
    def hash(self) -> str:
        """Eight hex digits of what is asked and answered: two templates of one name are told apart."""
        return sha256(f"{self.question}\n{self.yes}\n{self.no}".encode()).hexdigest()[:8]


TEMPLATES: Mapping[str, Template] = {
    each.name: each
    for each in (
        # t2v_metrics' own question, and the one that its readme gives
        Template("figure", 'Does this figure show "{}"? Please answer yes or no.'),
        Template("showing", "Is the image showing '{}'? Please answer yes or no."),
        Template("statement", 'Statement: "{}" Is the statement true? Answer yes or no.'),
        # toyworld's own words, which its language models learnt
        Template("is-there", "is there {}?", "yes", "no"),
        Template("contains", "does the picture show {}?", "yes", "no"),
    )
}


def yes_probability(log_yes: float, log_no: float, score: Score = "yes-no") -> float:
    """A judge's score of a statement, 0 to 1, from the log-probabilities of its two answers.

    Args:
        log_yes: of the answer that stands for yes.
        log_no: of the other.
        score: ``yes`` is the probability of that answer among all that could be said, as published;
            ``yes-no`` its probability among the two.

    Raises:
        MetricInputError: an unknown score, or a number that is no log-probability.

    >>> import math
    >>> round(yes_probability(math.log(0.3), math.log(0.1)), 6)
    0.75
    >>> round(yes_probability(math.log(0.3), math.log(0.1), "yes"), 6)
    0.3
    """
    check_name("score", score, get_args(Score))
    if math.isnan(log_yes) or math.isnan(log_no) or max(log_yes, log_no) > 1e-6:
        raise MetricInputError(f"log-probabilities {log_yes} and {log_no}; give two of 0 or less")
    if score == "yes":
        return math.exp(min(0.0, log_yes))
    return 1.0 / (1.0 + math.exp(min(700.0, log_no - log_yes)))
