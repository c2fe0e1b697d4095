from __future__ import annotations

import random
from collections import Counter

from hypothesis import given

from tests.toyworld.strategies import any_sound, seeds
from toyworld.questions import annotate
from toyworld.sounds.questions import TYPES, questions
from toyworld.sounds.sound import Sound


@given(any_sound, seeds)
def test_an_answer_is_what_is_heard(sound: Sound, seed: int) -> None:
    for question in questions(sound, random.Random(seed)):
        words = question.text.rstrip("?").split()
        named = [event for event in sound.events if event.timbre in words]
        assert any(question.text.startswith(start) for start in TYPES)
        if question.question_type == "how often":
            assert [("once", "twice", "three times")[e.repeats - 1] for e in named] == [question.answer]
        elif question.text == "which instrument is heard last?":
            assert question.answer == sound.events[-1].timbre
        elif question.question_type == "is there a":
            assert question.answer == ("yes" if named else "no")
        elif question.text.endswith("low or high?"):
            assert [e.pitch for e in named] == [question.answer]
        elif " heard before " in question.text:
            order = [event.timbre for event in sound.events]
            assert question.answer == ("yes" if order.index(words[2]) < order.index(words[-1]) else "no")


@given(any_sound, seeds)
def test_ten_annotators_mostly_agree_with_the_sound(sound: Sound, seed: int) -> None:
    rng = random.Random(seed)
    for question in questions(sound, rng, 3):
        answers = Counter(a["answer"] for a in annotate(question, rng))
        assert answers.total() == 10
        assert answers.most_common(1)[0][0] == question.answer
