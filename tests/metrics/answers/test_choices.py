"""Multiple choice read from free text: the forms in which replies come, and what is not guessed."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from metrics.answers.choices import (
    LETTERS,
    Choice,
    ChoiceAccuracy,
    ChoiceCircular,
    ChoiceUnparsed,
    Turn,
    chosen,
)
from metrics.metric import MetricInputError

OPTIONS = ["walk", "run", "a blue car", "a car", "sit down"]

# Where a form comes from, and the form with its letter as {}: what prompts ask for and extractors look for.
PLAIN = [
    ("NExT-QA's options as they are asked", "{}"),
    ("NExT-QA's options as they are asked", "{}. run"),
    ("MMMU, parse_multi_choice_response", "({})"),
    ("MMMU, parse_multi_choice_response", "{}."),
    ("MMMU, parse_multi_choice_response", "The man ({}) it must be"),
    ("MMLU-Pro, extract_answer", "The answer is ({})."),
    ("MMLU-Pro, extract_answer", "answer is {}"),
    ("MMLU-Pro, extract_answer", "Let's think step by step. He moves fast.\nAnswer: {}"),
    ("OpenAI simple-evals, Answer: $LETTER", "Answer: {}"),
    ("OpenAI simple-evals, Answer: $LETTER", "Answer: ${}$"),
    ("OpenAI simple-evals, Answer: $LETTER", "He moves fast.\n\nAnswer : {}."),
    ("Video-MME, MVBench: prefixes that are cut off", "The best answer is: {}"),
    ("Video-MME, MVBench: prefixes that are cut off", "The correct answer is {}."),
    ("Video-MME, MVBench: prefixes that are cut off", "Best option: ({}"),
    ("Video-MME, MVBench: prefixes that are cut off", "Option: {}"),
    ("Video-MME, MVBench: prefixes that are cut off", "The correct option is {}"),
    ("OLMES, regular expressions for MCQA", "Therefore, the answer is {}"),
    ("OLMES, regular expressions for MCQA", "{}) is correct"),
    ("OLMES, regular expressions for MCQA", "So the answer is {}."),
    ("MATH, boxed answers", r"\boxed{{{}}}"),
    ("MATH, boxed answers", r"The answer is $\boxed{{\text{{{}}}}}$."),
    ("R1's tags", "<think>He moves.</think><answer>{}</answer>"),
    ("R1's tags", "<answer> ({}) </answer>"),
    ("JSON", '{{"answer": "{}"}}'),
    ("Markdown", "**{}**"),
    ("Markdown", "**{}.** run"),
    ("Markdown", "**Answer:** {}"),
    ("Markdown", "**Answer: {}**"),
    ("Markdown", "The correct answer is option **{}**."),
    ("Markdown", "`{}`"),
    ("plain words", "Option {} is correct."),
    ("plain words", "Option {} shows what he does."),
    ("plain words", "The answer is {} because he moves fast."),
    ("plain words", "The answer is {}, because he moves fast."),
    ("plain words", "The answer is '{}'."),
    ('plain words', 'The answer is "{}".'),
    ("plain words", "The answer is most likely {}."),
    ("plain words", "The answer would be {}"),
    ("plain words", "The answer to this question is {}."),
    ("plain words", "My answer: {}!"),
    ("plain words", "{}!"),
    ("plain words", "{}: because he moves fast"),
    ("plain words", "{} - he moves fast"),
    ("plain words", "{}, as he moves fast"),
    ("plain words", "{} because he moves fast"),
    ("plain words", "{}\nHe moves fast."),
    ("plain words", "{} is correct."),
    ("plain words", "{} is the correct answer."),
    ("plain words", "I believe {} is right"),
    ("plain words", "It's {}."),
    ("plain words", "It is {}"),
    ("plain words", "That's option {}."),
    ("plain words", "I choose {}"),
    ("plain words", "I would choose option {}, he moves."),
    ("plain words", "I'd go with {}."),
    ("plain words", "I pick ({})"),
    ("plain words", "Not sure, but the answer is {}."),
    ("plain words", "{}, not Z"),
]  # fmt: skip


@pytest.mark.parametrize(("source", "form"), PLAIN, ids=[form for _, form in PLAIN])
def test_a_letter_that_is_named_plainly_is_read(source: str, form: str) -> None:
    for letter in "ABCDE":
        reply = form.format(letter)
        assert chosen(reply, OPTIONS) == LETTERS.index(letter), f"{source}: {reply}"


@pytest.mark.parametrize("form", ["{}", "({})", "[{}]", "**{}**", "answer: {}", "The answer is {}", "{}."])
def test_a_small_letter_is_read_where_it_can_be_nothing_else(form: str) -> None:
    for place, letter in enumerate("abcde"):
        assert chosen(form.format(letter), OPTIONS) == place


@pytest.mark.parametrize(
    "form",
    [
        "{} or {}",
        "({}) or ({})",
        "{}. or {}.",
        "({}) walk ({}) run",
        "{}) walk\n{}) run",
        "{}. walk\n{}. run",
        "{}. walk {}. run",
        "{}: walk, {}: run",
        "{}, {}",
        "{}/{}",
        "{} & {}",
        "{} and ({})",
        "Answer: {} or answer: {}",
        "Answer: {} or {}",
        "Answer: {}, {}",
        "The answer is {} and {}",
        "The answer is either ({}) or ({})",
        "({}) or answer: {}",
        "Option {} or option {}",
        "It's {}. Or {}.",
        "I choose {}, or {}",
        "<answer>{}</answer><answer>{}</answer>",
        "{} is correct, and so is ({})",
        "({}), not ({})",
    ],
)
def test_a_reply_that_names_two_letters_chooses_none(form: str) -> None:
    for one in "ABCDE":
        for other in set("ABCDE") - {one}:
            assert chosen(form.format(one, other), OPTIONS) is None, form.format(one, other)


def test_a_reply_that_repeats_the_list_chooses_none() -> None:
    pairs = list(zip("ABCDE", OPTIONS, strict=True))
    for echo in ("({}) {}", "{}. {}", "{}) {}", "{}: {}", "**{}** {}"):
        for between in (" ", "\n", ", "):
            assert chosen(between.join(echo.format(*pair) for pair in pairs), OPTIONS) is None


@pytest.mark.parametrize(
    "form",
    [
        "Not ({})",
        "It is not ({}).",
        "The answer is not {}.",
        "I don't think it is ({})",
        "Option {} is wrong.",
        "Option {} is not correct.",
        "({}) isn't right",
        "It can't be {}.",
        "{} is incorrect",
        "We can rule out ({})",
    ],
)
def test_a_reply_that_denies_a_letter_does_not_choose_it(form: str) -> None:
    for letter in "ABCDE":
        assert chosen(form.format(letter), OPTIONS) is None, form.format(letter)


@pytest.mark.parametrize(
    ("reply", "place"),
    [
        ("run", 1),
        ("Run!", 1),
        ("They run in the park", 1),
        ("It is a blue car.", 2),
        ("the car", 3),
        ("He will sit down", 4),
        ("The answer is I guess run", 1),
        ("A blue car", 2),
        ("A is wrong, B is correct", 1),
        ("B. a car", 1),
    ],
)
def test_an_options_text_is_read_where_no_letter_is_named(reply: str, place: int) -> None:
    assert chosen(reply, OPTIONS) == place


@pytest.mark.parametrize(
    "reply",
    [
        "",
        " . ",
        "VISA card",
        "A man is standing",
        "walk and run",
        "Z",
        "The answer is Z.",
        "The answer is A man",
        "The answer is a man",
        "It's A man",
        "I think A man does",
        "my choice, e.g. standing",
        "a vitamin C. pill",
        "running",
        "I don't know",
        "none",
        "neither A nor B",
    ],
)
def test_an_unclear_reply_is_not_guessed(reply: str) -> None:
    assert chosen(reply, OPTIONS) is None


def test_an_options_whole_text_may_name_other_options() -> None:
    options = ["walk", "run", "both (A) and (B)"]
    assert chosen("Both (A) and (B)", options) == 2
    assert chosen("C. Both A and B", options) is None  # three letters are named, and nothing is guessed


def test_the_ninth_option_is_no_speaker() -> None:
    options = [f"thing {number}" for number in range(10)]
    assert chosen("The answer is I.", options) == 8
    assert chosen("I think thing 3", options) == 3
    assert chosen("It is I who guess thing 3", options) == 3


@given(st.text("ABCDEabcderunwalkotIis .:()[]{}\\\n*'<>,-", max_size=40))
def test_any_reply_gets_one_verdict(reply: str) -> None:
    place = chosen(reply, OPTIONS)
    assert place is None or 0 <= place < len(OPTIONS)
    assert chosen(reply, OPTIONS) == place


def test_signs_may_be_options_and_nothing_is_none_of_them() -> None:
    assert [chosen(sign, ["<", ">", "="]) for sign in ("<", "=", "(B)", "")] == [0, 2, 1, None]
    assert chosen("", ["the", ""]) is None


def test_an_option_that_is_there_twice_is_chosen_by_letter_only() -> None:
    assert chosen("cat", ["cat", "cat"]) is None
    assert chosen("B", ["cat", "cat"]) == 1


def test_accuracy_and_unparsed_share_add_up() -> None:
    question = Choice(("cat", "dog"), answer=0)
    replies = ["A", "cat", "B", "maybe", "(A) or (B)", "Option A is correct."]
    assert ChoiceAccuracy().value(ChoiceAccuracy().statistics(replies, [question] * 6)) == 0.5
    assert ChoiceUnparsed().value(ChoiceUnparsed().statistics(replies, [question] * 6)) == 2 / 6


def test_bad_choices_are_named() -> None:
    with pytest.raises(MetricInputError, match="answer 2 of 2 options"):
        Choice(("cat", "dog"), answer=2)
    with pytest.raises(MetricInputError, match="item 0: its reply None"):
        ChoiceAccuracy().statistics([None], [Choice(("cat",), 0)])  # type: ignore[list-item]
    with pytest.raises(MetricInputError, match="1 predictions but 0"):
        ChoiceAccuracy().statistics(["A"], [])


def circular(replies: list[str], *turns: tuple[str, int, int]) -> float:
    """CircularEval of questions with so many options, the right one's place given."""
    options = ("cat", "dog", "hen", "cow")
    metric = ChoiceCircular()
    asked = [Turn(Choice(options[:count], place), question) for question, count, place in turns]
    return metric.value(metric.statistics(replies, asked))


def test_a_question_counts_only_where_all_its_turns_are_right() -> None:
    turns = [("7", 2, 0), ("7", 2, 1), ("8", 3, 0), ("8", 3, 1), ("8", 3, 2)]
    assert circular(["A", "B", "A", "B", "C"], *turns) == 1
    assert circular(["A", "A", "A", "B", "C"], *turns) == 0.5, "one question of two, whatever its turns"
    assert circular(["A", "B", "A", "B", "who knows"], *turns) == 0.5
    assert circular(["A", "B", "A", "B"], *turns[:4]) == 1, "question 8 lacks a turn, and is left out"
    with pytest.raises(MetricInputError, match="no question has all turns"):
        circular(["A"], ("7", 2, 0))


def test_a_question_that_is_drawn_twice_counts_twice() -> None:
    turns = [Turn(Choice(("cat", "dog"), place), question) for question in "78" for place in (0, 1)]
    metric = ChoiceCircular()
    statistics = metric.statistics(["A", "B", "A", "A"], turns)
    assert metric.value(statistics, np.array([2.0, 2.0, 1.0, 1.0])) == pytest.approx(2 / 3)
