from __future__ import annotations

import random
from collections import Counter

from hypothesis import given

from tests.toyworld.strategies import any_scene, seeds
from toyworld.questions import annotate, questions
from toyworld.scene import CELLS, Scene


@given(any_scene, seeds)
def test_an_answer_is_what_the_scene_shows(scene: Scene, seed: int) -> None:
    for question in questions(scene, random.Random(seed)):
        words = question.text.rstrip("?").split()
        if question.text.startswith("what color is the") and "object" not in words:
            assert [t.colour for t in scene.things if t.shape == words[-1]] == [question.answer]
        elif question.text == "how many objects are there?":
            assert question.answer == str(len(scene.things))
        elif question.text.startswith("where is the") and "object" not in words:
            assert [CELLS[t.cell] for t in scene.things if t.shape == words[-1]] == [question.answer]
        elif question.text.startswith("is there a"):
            there = any((t.colour, t.shape) == (words[3], words[4]) for t in scene.things)
            assert question.answer == ("yes" if there else "no")
        elif " left of the " in question.text:
            a, b = (next(t for t in scene.things if t.shape == w) for w in (words[2], words[-1]))
            assert question.answer == ("yes" if a.column < b.column else "no")


@given(any_scene, seeds)
def test_the_true_answer_is_the_most_common_of_ten(scene: Scene, seed: int) -> None:
    rng = random.Random(seed)
    for question in questions(scene, rng, 3):
        answers = annotate(question, rng)
        assert [a["answer_id"] for a in answers] == list(range(1, 11))
        assert Counter(a["answer"] for a in answers).most_common(1)[0][0] == question.answer


def test_annotators_disagree_sometimes_and_not_often() -> None:
    rng = random.Random(0)
    asked = [q for seed in range(300) for q in questions(Scene.from_json(_TWO), random.Random(seed), 1)]
    disagreeing = sum(len({a["answer"] for a in annotate(q, rng)}) > 1 for q in asked) / len(asked)
    assert 0.1 < disagreeing < 0.8


_TWO = [
    {"shape": "circle", "colour": "purple", "size": "small", "cell": "top left"},
    {"shape": "star", "colour": "green", "size": "large", "cell": "right"},
]
