"""Numbers and foreign text in tables."""

from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from reports.tables import escape_markdown, interval, number, p_value, said, signed
from tests.reports.invented import NASTY


def in_markdown_table(escaped: str) -> tuple[list[str], str]:
    """The kinds of tokens that a table cell is parsed into, and its text."""
    parser = MarkdownIt("commonmark").enable(["table", "strikethrough"])
    tokens = parser.parse(f"| a | b |\n| --- | --- |\n| x {escaped} y | z |\n")
    rows = [token for token in tokens if token.type == "inline"]
    assert [row.content for row in rows[:2]] == ["a", "b"]
    assert len(rows) == 4, "the text opened or closed a cell"
    assert rows[3].content == "z"
    children = rows[2].children or []
    return sorted({child.type for child in children}), "".join(child.content for child in children)


@given(st.text())
@example(NASTY)
@example("a\\|b")
@example("&lt;b&gt; &#124;")
@example("~~gone~~ __bold__ ![x](y) <http://evil.example>")
def test_any_text_stays_one_cell_of_plain_text(text: str) -> None:
    kinds, content = in_markdown_table(escape_markdown(text))
    assert set(kinds) <= {"text", "text_special"}
    assert content.split() == ["x", *said(text).replace("\n", " ⏎ ").split(), "y"]


@given(st.text())
@example("\ud800")
def test_said_can_be_written_as_utf8_and_is_never_a_control_character(text: str) -> None:
    said(text).encode("utf-8")
    assert not {"\x00", "\r", "\x1b", "\u2028"} & set(said(text))


def test_bare_addresses_do_not_become_links() -> None:
    escaped = escape_markdown("see https://evil.example or www.evil.example")
    assert "://" not in escaped
    assert "www." not in escaped


def test_long_answers_are_cut_and_say_so() -> None:
    assert said("x" * 1000).endswith("… (400 more characters)")


def test_numbers_never_print_a_negative_nought_or_nan() -> None:
    assert number(-0.0001) == "0.000"
    assert signed(-0.0001) == "0.000"
    assert number(None) == "–"
    assert number(float("nan")) == signed(float("inf")) == "undefined"
    assert interval(float("-inf"), 1.0) == ""


@given(st.floats(min_value=1e-300, max_value=1.0))
def test_a_p_value_is_never_nought(p: float) -> None:
    assert p_value(p) != "0.000"
