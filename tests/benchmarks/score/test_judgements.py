"""`nextgpt-bench score people`: judgements in a CSV file."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.benchmarks.terminal import ROW, Command, only_line

PAIRS = "first,second,outcome,rater\n" + "\n".join(
    f"a,b,{outcome},{rater}" for rater in "xyz" for outcome in ("first", "first", "tie", "second")
)
# Krippendorff's own example, of which alpha is published.
RATINGS = "item,rater,rating\n" + "\n".join(
    f"{item},{rater},{'' if rating == '0' else rating}"
    for rater, row in zip(
        "ABCD", ("123321412000", "123322412503", "033323422510", "123324412510"), strict=True
    )
    for item, rating in enumerate(row)
)


def test_pairs_make_strengths_and_win_rates(bench: Command) -> None:
    Path("judged.csv").write_text(PAIRS)
    code, out, err = bench("score", "people", "--predictions", "judged.csv", "--json", "rows.json")
    assert (code, err) == (0, "")
    rows = json.loads(Path("rows.json").read_text())
    assert all(set(row) >= ROW for row in rows)
    assert [(row["metric"], row["system"]) for row in rows] == [
        ("bradley_terry", "a"),
        ("bradley_terry", "b"),
        ("win_rate", "a over b"),
    ]
    assert rows[0]["value"] > 1000 > rows[1]["value"]
    assert (rows[2]["value"], rows[2]["n"]) == (0.625, 12)
    assert "draws:raters" in rows[2]["signature"]
    assert "a over b" in out


def test_ratings_make_alphas(bench: Command) -> None:
    Path("rated.csv").write_text(RATINGS)
    assert bench("score", "people", "--predictions", "rated.csv", "--json", "rows.json")[0] == 0
    rows = json.loads(Path("rows.json").read_text())
    assert [round(row["value"], 3) for row in rows] == [0.743, 0.815, 0.849]
    assert [row["signature"].split("|")[1] for row in rows] == [
        "level:nominal",
        "level:ordinal",
        "level:interval",
    ]


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "judged.csv: the file is empty"),
        ("first,second,outcome\n", "judged.csv: holds no judgement"),
        (
            "a,b\n1,2\n",
            "judged.csv: its first line names a, b; give first,second,outcome or item,rater,rating",
        ),
        (
            "first,second,outcome\na,b,won\n",
            "judged.csv, line 2: the outcome is 'won'; write first, second or tie",
        ),
        ("first,second,outcome\na,b,tie\na,a,tie\n", "line 3: 'a' against 'a'; name two different systems"),
        ("first,second,outcome\na,b,tie,x,y\n", "line 2: more cells than columns"),
        ("first,second,outcome\na,b,tie\nc,d,tie\n", "no chain of judgements connects a and c"),
        ("item,rater,rating\n1,x,good\n", "line 2: the rating is 'good'; write a number"),
        ("item,rater,rating\n1,x,2\n1,x,3\n", "line 3: x rated 1 already"),
        ("item,rater,rating\n1,,2\n", "line 2: names no item or no rater"),
    ],
)
def test_a_file_that_makes_no_sense_is_a_line(bench: Command, text: str, complaint: str) -> None:
    Path("judged.csv").write_text(text)
    code, out, err = bench("score", "people", "--predictions", "judged.csv")
    assert (code, out) == (1, "")
    assert complaint in only_line(err)


def test_ratings_that_say_nothing_have_a_reason(bench: Command) -> None:
    Path("rated.csv").write_text("item,rater,rating\n1,x,2\n2,x,3\n")
    code, out, _ = bench("score", "people", "--predictions", "rated.csv")
    assert code == 1
    assert "no item has two ratings" in out


def test_a_missing_file_and_one_that_is_no_text_are_named(bench: Command) -> None:
    assert "none.csv: no such file" in only_line(bench("score", "people", "--predictions", "none.csv")[2])
    Path("judged.csv").write_bytes(b"\xff\xfe\x00a")
    assert "judged.csv: not readable" in only_line(bench("score", "people", "--predictions", "judged.csv")[2])
