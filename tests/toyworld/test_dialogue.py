from __future__ import annotations

import itertools
import random

import pytest
from hypothesis import given

from tests.toyworld.strategies import any_scene, seeds
from toyworld.dialogue import SUBJECTS, lesson
from toyworld.instructions import EDITS, instruct
from toyworld.language import mentions, parse
from toyworld.pretrain.language_model import LESSONS, _subject
from toyworld.questions import TYPES, drill, questions
from toyworld.scene import HELD_OUT_PAIRS, Scene


@given(any_scene, seeds)
def test_every_question_is_of_a_known_type(scene: Scene, seed: int) -> None:
    assert {question.question_type for question in questions(scene, random.Random(seed))} <= set(TYPES)


@given(any_scene, seeds)
def test_a_drill_is_of_one_type_and_asks_nothing_twice(scene: Scene, seed: int) -> None:
    for question_type in TYPES:
        drawn = drill(scene, random.Random(seed), question_type, 5)
        assert len({question.text for question in drawn}) == len(drawn) <= 5
        assert all(question.question_type == question_type for question in drawn)


@given(any_scene, seeds)
def test_an_instruction_of_a_kind_is_of_that_kind(scene: Scene, seed: int) -> None:
    for kind in EDITS:
        edit = instruct(scene, random.Random(seed), kind=kind)
        assert edit is None or edit.kind == kind


@pytest.mark.parametrize("subject", SUBJECTS)
def test_a_lesson_keeps_to_its_subject_and_shows_no_held_out_pair(subject: str) -> None:
    for conversation in itertools.islice(lesson(subject, "train"), 10):
        first = conversation[0]
        assert first.request.startswith("picture: ")
        for turn in conversation:
            if subject in EDITS:
                drawn = parse(turn.reply.removeprefix("draw: "))
                assert drawn is not None
                assert not drawn.compositional
            else:
                assert subject in turn.request
        assert not {(thing.colour, thing.shape) for thing in mentions(first.request)} & HELD_OUT_PAIRS


def test_every_step_of_the_lessons_has_a_subject() -> None:
    taught = [_subject(step) for step in range(LESSONS.steps)]
    assert set(taught) == set(SUBJECTS)
    with pytest.raises(ValueError, match="over"):
        _subject(LESSONS.steps)
