"""CSV that any program reads back, and that no spreadsheet runs."""

from __future__ import annotations

import csv
import io

from hypothesis import given
from hypothesis import strategies as st

from nextgpt.rows import csv_text

texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\n\0"))
values = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), texts)


@given(st.lists(st.dictionaries(st.sampled_from(["a", "b", "c"]), values, min_size=1), max_size=5))
def test_rows_come_back_and_nothing_is_a_formula(rows: list[dict[str, object]]) -> None:
    read = list(csv.DictReader(io.StringIO(csv_text(rows), newline="")))
    assert len(read) == len(rows)
    for row, again in zip(rows, read, strict=True):
        for name, value in row.items():
            if isinstance(value, str):
                assert again[name].removeprefix("'") == value.removeprefix("'")
                assert not again[name].lstrip().startswith(("=", "+", "-", "@", "|", "%"))
            elif isinstance(value, float):
                assert float(again[name]) == value
            else:
                assert again[name] == ("" if value is None else str(value))
