from __future__ import annotations

import random
from collections import Counter

from hypothesis import given, settings

from tests.toyworld.strategies import any_clip, seeds
from toyworld.clips.clip import TURNS, Clip
from toyworld.clips.questions import KINDS_WITH_OPTIONS, OPTIONS, TYPES, choices, questions
from toyworld.questions import annotate
from toyworld.scene import CELLS, SHAPES
from toyworld.splits import clips


@given(any_clip, seeds)
def test_an_answer_is_what_the_clip_shows(clip: Clip, seed: int) -> None:
    for question in questions(clip, random.Random(seed)):
        words = question.text.rstrip("?").split()
        named = [a for a in clip.actors if a.thing.shape in words]
        assert any(question.text.startswith(start) for start in TYPES)
        assert question.answer in (question.family or ("yes", "no"))
        if question.text.startswith("what does the") and len(named) == 1 and "object" not in words:
            deed = named[0].deed
            assert question.answer == (deed.kind if deed else "stays")
        elif question.text.startswith("where is the") and len(named) == 1:
            assert [CELLS[t.cell] for t in clip.after(TURNS) if t.shape == named[0].thing.shape] == [
                question.answer
            ]
        elif question.text.startswith("how many objects are there at the end"):
            assert question.answer == str(len(clip.after(TURNS)))
        elif question.text == "which object acts first?":
            assert question.answer == clip.acting[0].thing.shape
        elif question.question_type == "does the":
            first, second = (next(a for a in clip.acting if a.thing.shape == w) for w in words if w in SHAPES)
            assert question.answer == ("yes" if first.turn < second.turn else "no")


@given(any_clip, seeds)
@settings(max_examples=20, deadline=None)
def test_exactly_one_option_is_right(clip: Clip, seed: int) -> None:
    known = {(q.text, q.answer) for s in range(30) for q in questions(clip, random.Random(s))}
    for choice in choices(clip, random.Random(seed)):
        assert len(set(choice.options)) == OPTIONS
        assert choice.kind in KINDS_WITH_OPTIONS
        answers = {answer for text, answer in known if text == choice.text}
        assert answers <= {choice.options[choice.answer]}


def test_options_give_nothing_away_by_their_place() -> None:
    drawn = [c for clip in clips("train", 150) for c in choices(clip, random.Random(clip.key))]
    places = Counter(choice.answer for choice in drawn)
    assert set(places) == set(range(OPTIONS))
    assert max(places.values()) < 0.3 * len(drawn)
    assert {choice.kind for choice in drawn} == set(KINDS_WITH_OPTIONS)


@given(any_clip, seeds)
def test_ten_annotators_mostly_agree_with_the_clip(clip: Clip, seed: int) -> None:
    rng = random.Random(seed)
    for question in questions(clip, rng, 3):
        answers = Counter(a["answer"] for a in annotate(question, rng))
        assert answers.total() == 10
        assert answers.most_common(1)[0][0] == question.answer
