"""SPICE and SPIDEr: skipped with a reason without CoreNLP, attached to the right captions with it."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from metrics.captions import spice
from metrics.captions.corpus import CaptionCorpus
from metrics.captions.java import JavaError
from metrics.captions.metrics import CiderD, Spice, Spider
from metrics.captions.scores import caption_metrics, caption_scores

CORPUS = CaptionCorpus(("a dog", "a big cat"), (("a dog runs",), ("a cat", "one big cat")))

# Answers as SPICE does, last caption first; each caption's score is its number of words over ten.
PROGRAM = """#!{python}
import json, sys
if "-out" not in sys.argv: sys.exit("what?")
items = json.load(open(sys.argv[sys.argv.index("-out") - 1]))
answers = [
    {{"image_id": item["image_id"], "scores": {{"All": {{"f": {f}}}, "Color": {{"f": float("nan")}}}}}}
    for item in reversed(items)
]
json.dump(answers{cut}, open(sys.argv[sys.argv.index("-out") + 1], "w"))
"""
WORDS = "len(item['test'].split()) / 10"


@pytest.fixture
def corenlp(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that looks as if CoreNLP were in it."""
    for name in spice._CORENLP:
        (tmp_path / name).touch()
    monkeypatch.setenv(spice.FOLDER_VARIABLE, str(tmp_path))
    return tmp_path


def program(folder: Path, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    """Puts a program in Java's place."""
    path = folder / "java"
    path.write_text(text)
    path.chmod(0o755)
    monkeypatch.setattr(spice, "java", lambda: str(path))


def test_without_corenlp_the_reason_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(spice.FOLDER_VARIABLE, str(tmp_path))
    assert "stanford-corenlp-full-2015-12-09.zip" in (spice.missing() or "")
    with pytest.raises(JavaError, match="set SPICE_CORENLP"):
        caption_metrics(["spider"])
    monkeypatch.setattr("metrics.captions.scores._METRICS", {"cider_d": CiderD})
    scores = caption_scores(["", ""], [[""], [""]])
    assert set(scores.skipped) == {"spice", "spider"}
    assert set(scores.values) == {"cider_d"}


def test_scores_are_attached_by_id(corenlp: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program(corenlp, monkeypatch, PROGRAM.format(python=sys.executable, f=WORDS, cut=""))
    assert spice.missing() is None
    assert Spice().from_corpus(CORPUS).tolist() == [0.2, 0.3]
    spider = Spider()
    assert spider.items(spider.from_corpus(CORPUS)).tolist() == pytest.approx(
        (np.array([0.2, 0.3]) + CiderD().items(CORPUS)) / 2
    )
    assert spider.signature.startswith("spider|cider_d,n:4,")


@pytest.mark.parametrize(("f", "cut"), [(WORDS, "[1:]"), ("float('nan')", "")])
def test_scores_that_are_missing_or_none_are_an_error(
    corenlp: Path, monkeypatch: pytest.MonkeyPatch, f: str, cut: str
) -> None:
    program(corenlp, monkeypatch, PROGRAM.format(python=sys.executable, f=f, cut=cut))
    with pytest.raises(JavaError, match="of 2 captions"):
        spice.spice_scores(CORPUS.predictions, CORPUS.references)


def test_a_program_that_fails_is_an_error(corenlp: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program(corenlp, monkeypatch, "#!/bin/sh\necho no heap >&2\nexit 3\n")
    with pytest.raises(JavaError, match=r"status 3.*no heap"):
        spice.spice_scores(CORPUS.predictions, CORPUS.references)
    assert spice.spice_scores([], []).shape == (0,)
