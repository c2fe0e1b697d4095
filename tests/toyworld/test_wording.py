from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toyworld.wording import normalise


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("what is in the picture ?", "what is in the picture?"),
        ("What is in the picture?", "what is in the picture?"),
        ("make the red one green .", "make the red one green."),
        ("draw  a\tstar , please !!", "draw a star, please!"),
        ("which colour ?", "which color?"),
        ("", ""),
    ],
)
def test_what_is_typed_loosely_reads_as_what_was_learnt(typed: str, read: str) -> None:
    assert normalise(typed) == read


@given(st.text())
def test_normalising_twice_changes_nothing(text: str) -> None:
    assert normalise(normalise(text)) == normalise(text)
