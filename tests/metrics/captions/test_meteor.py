"""METEOR: the program's own numbers, from one Java process that may be asked anything and may die."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from metrics.captions import meteor
from metrics.captions.java import JavaError
from metrics.captions.meteor import COLUMNS, meteor_scores, meteor_statistics

pytestmark = pytest.mark.java

ITEMS = st.lists(
    st.tuples(
        st.text("ab dogrunsé中'|-%\xa0", max_size=20),
        st.lists(st.text("ab dogrunsé中'|-%\xa0", max_size=20), min_size=1, max_size=3),
    ),
    min_size=1,
    max_size=30,
)
A_LINE = " ".join(["1.0"] * COLUMNS)


@pytest.fixture(autouse=True)
def _process_of_its_own(request: pytest.FixtureRequest) -> Iterator[None]:
    """Tests that bring their own program must neither find nor leave one running."""
    if "program" not in request.fixturenames:
        yield
        return
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(meteor._Process, "_shared", [])
        yield
        meteor.stop()


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A shell script, to be written by the test, that is started in Java's place."""
    path = tmp_path / "java"
    path.touch(mode=0o755)
    monkeypatch.setattr(meteor, "java", lambda: str(path))
    return path


def asked_one_by_one(question: str) -> float:
    """What the program itself answers to a line with one number."""
    return float(meteor._Process.running(1)[0].ask([question])[0])


@settings(max_examples=5)
@given(ITEMS)
def test_items_and_corpus_score_as_the_program_scores_them(items: list[tuple[str, list[str]]]) -> None:
    statistics = meteor_statistics([item[0] for item in items], [item[1] for item in items])
    assert statistics.shape == (len(items), COLUMNS)
    for row, score in zip(
        [*statistics, statistics.sum(axis=0)],
        [*meteor_scores(statistics), meteor_scores(statistics.sum(axis=0))],
        strict=True,
    ):
        line = " ".join(map(str, row))
        assert score == pytest.approx(asked_one_by_one(f"SING ||| {line}"), abs=1e-12)


def test_odd_captions_cannot_shift_the_answers_of_others() -> None:
    good = ("a dog runs", ["a dog runs"])
    odd = [
        ("", ["a"]),
        ("a ||| b", ["x"]),
        ("a\nb", ["a b"]),
        ("a", ["b ||| a"]),
        ("a", [""]),
        ("\r", ["\n"]),
        ("\ud83d", ["a"]),
    ]
    items = [item for one in odd for item in (one, good)]
    scores = meteor_scores(meteor_statistics([item[0] for item in items], [item[1] for item in items]))
    assert scores[1::2].tolist() == [1.0] * len(odd)
    assert scores[0] == scores[1 - 1] == 0.0
    assert ((scores >= 0) & (scores <= 1)).all()


def test_threads_get_their_own_answers() -> None:
    results: dict[int, float] = {}

    def ask(number: int) -> None:
        statistics = meteor_statistics(["a " * number + "dog"] * 20, [["a dog"]] * 20)
        results[number] = float(statistics[:, 0].mean())

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(1, 6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == {number: number + 1.0 for number in range(1, 6)}


def test_no_captions_need_no_program(program: Path) -> None:
    assert meteor_statistics([], []).shape == (0, COLUMNS)
    assert meteor._Process._shared == []


@pytest.mark.parametrize(
    ("ending", "message"),
    [
        ("kill -9 $$", "status -9 at item 1 of 5"),
        ("echo no memory >&2; exit 1", "status 1 at item 1 of 5: no memory"),
    ],
)
def test_a_program_that_dies_is_an_error_and_is_replaced(program: Path, ending: str, message: str) -> None:
    program.write_text(f"#!/bin/sh\nread line\necho {A_LINE}\nread line\n{ending}\n")
    with pytest.raises(JavaError, match=message):
        meteor_statistics(["a"] * 5, [["a"]] * 5)
    program.write_text(f"#!/bin/sh\nwhile read line; do echo {A_LINE}; done\n")
    assert meteor_statistics(["a"] * 5, [["a"]] * 5).shape == (5, COLUMNS)


def test_a_stopped_program_starts_again_when_it_is_asked(program: Path) -> None:
    program.write_text(f"#!/bin/sh\nwhile read line; do echo {A_LINE}; done\n")
    assert meteor_statistics(["a"], [["a"]]).shape == (1, COLUMNS)
    meteor.stop()
    meteor.stop()
    assert meteor_statistics(["a"], [["a"]]).shape == (1, COLUMNS)


def test_more_captions_than_a_pipe_holds_do_not_block(program: Path) -> None:
    program.write_text(f"#!/bin/sh\nwhile read line; do echo {A_LINE}; done\n")
    assert meteor_statistics(["a dog " * 50] * 3000, [["a dog"]] * 3000).shape == (3000, COLUMNS)


@pytest.mark.parametrize(("processors", "programs"), [(1, 1), (2, 2)])
def test_very_many_captions_are_shared_by_two_programs(
    program: Path, monkeypatch: pytest.MonkeyPatch, processors: int, programs: int
) -> None:
    monkeypatch.setattr(meteor, "SHARED", 100)
    monkeypatch.setattr(meteor, "CHUNK", 7)
    monkeypatch.setattr(os, "cpu_count", lambda: processors)
    rest = A_LINE.removeprefix("1.0")
    program.write_text(f"#!/bin/sh\nwhile read line; do echo ${{#line}}{rest}; done\n")
    captions = ["a" * (number % 50 + 1) for number in range(200)]
    counts = meteor_statistics(captions, [["b"]] * 200)
    assert (counts[:, 0] - counts[0, 0] + 1).tolist() == [len(caption) for caption in captions]
    assert len(meteor._Process.ours()) == programs
    meteor.stop()
    assert meteor._Process.ours() == []


def test_one_of_two_programs_that_dies_is_an_error_that_names_the_item(
    program: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(meteor, "SHARED", 100)
    monkeypatch.setattr(meteor, "CHUNK", 50)
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    program.write_text(
        f'#!/bin/sh\nwhile read line; do case "$line" in *fatal) exit 3;; esac; echo {A_LINE}; done\n'
    )
    captions = ["a"] * 200
    captions[120] = "fatal"
    with pytest.raises(JavaError, match="status 3 at item 120 of 200"):
        meteor_statistics(captions, [["a"]] * 200)
    assert meteor_statistics(["a"] * 200, [["a"]] * 200).shape == (200, COLUMNS)


def test_an_answer_that_is_no_statistics_names_the_item(program: Path) -> None:
    program.write_text(f"#!/bin/sh\nread line\necho {A_LINE}\nwhile read line; do echo Error: what; done\n")
    with pytest.raises(JavaError, match="item 1 with 'Error: what'"):
        meteor_statistics(["a"] * 3, [["a"]] * 3)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_forked_child_does_not_speak_to_its_parents_program(program: Path) -> None:
    program.write_text(f"#!/bin/sh\nwhile read line; do echo {A_LINE}; done\n")
    meteor.start()
    (ours,) = meteor._Process.running(1)
    child = os.fork()
    if child == 0:
        os._exit(0 if meteor._Process.running(1) != [ours] else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert meteor._Process.running(1) == [ours]


def test_a_perfect_sentence_has_no_penalty_and_an_empty_one_no_score() -> None:
    perfect = np.zeros(COLUMNS)
    perfect[[0, 1]] = 3
    perfect[[4, 5]] = 3
    perfect[[21, 22]] = 3, 3
    assert meteor_scores(perfect) == 1.0
    assert meteor_scores(np.zeros(COLUMNS)) == 0.0
