"""The modality table, and telling text and spans apart."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nextgpt.signals import MODALITIES, Signals, Span

SIGNALS = Signals(100, {"image": 4})


@given(st.lists(st.integers(90, 103)))
def test_whatever_is_generated_is_told_apart_and_accounted_for(tokens: list[int]) -> None:
    parsed = SIGNALS.parse(tokens)
    text = [token for piece in parsed.pieces if isinstance(piece, tuple) for token in piece]
    spans = [piece for piece in parsed.pieces if isinstance(piece, Span)]
    assert text == [token for token in tokens if token < 100]
    for span in spans:
        assert tokens[span.start : span.start + span.length] == [100, 101, 102, 103]
    assert bool(parsed.problems) == (len(text) + 4 * len(spans) < len(tokens))


@given(st.lists(st.one_of(st.just((100, 101, 102, 103)), st.integers(0, 99).map(lambda n: (n,)))))
def test_whole_spans_are_all_found(pieces: list[tuple[int, ...]]) -> None:
    parsed = SIGNALS.parse([token for piece in pieces for token in piece])
    assert not parsed.problems
    assert sum(isinstance(piece, Span) for piece in parsed.pieces) == sum(len(piece) == 4 for piece in pieces)


def test_a_span_cut_short_is_reported() -> None:
    parsed = SIGNALS.parse([5, 100, 101, 6])
    assert parsed.pieces == ((5,), (6,))
    assert parsed.problems == ("the span at position 1 stops after 2 of 4 signals",)


def test_each_signal_knows_the_next() -> None:
    assert [SIGNALS.after(token) for token in (99, 100, 102, 103)] == [None, 101, 103, None]
    assert [SIGNALS.name(token) for token in SIGNALS.ids("image")] == ["[IMG0]", "[IMG1]", "[IMG2]", "[IMG3]"]


def test_each_modality_has_signals_of_its_own() -> None:
    signals = Signals(100, {"image": 4, "video": 24, "audio": 8})
    assert signals.total == 36
    assert [signals.name(token) for token in (103, 104, 127, 128, 135)] == [
        "[IMG3]",
        "[VID0]",
        "[VID23]",
        "[AUD0]",
        "[AUD7]",
    ]
    assert signals.after(103) is signals.after(127) is None
    parsed = signals.parse([*range(100, 136), 104, 128])
    assert parsed.pieces == (Span("image", 0, 4), Span("video", 4, 24), Span("audio", 28, 8))
    assert parsed.problems == (
        "the span at position 36 stops after 1 of 24 signals",
        "the span at position 37 stops after 1 of 8 signals",
    )


def test_a_modality_joins_by_one_entry(monkeypatch: pytest.MonkeyPatch) -> None:
    more: dict = {**MODALITIES, "smell": MODALITIES["image"]}
    monkeypatch.setattr("nextgpt.signals.MODALITIES", more)
    signals = Signals(100, {"image": 4, "smell": 8})  # type: ignore[dict-item]
    assert signals.total == 12
    assert str(signals.modality_of(104)) == "smell"
    assert [type(piece) for piece in signals.parse([*range(100, 112)]).pieces] == [Span, Span]


@pytest.mark.parametrize("counts", [{"image": 0}, {"smell": 3}])
def test_impossible_counts_are_refused(counts: dict) -> None:
    with pytest.raises(ValueError, match="signals: "):
        Signals(10, counts)
