"""Tables on a terminal: they fit eighty columns and say a signature once."""

from __future__ import annotations

import sys
from dataclasses import replace

import pytest

from benchmarks.harness.records import Result
from benchmarks.tables import print_results

WHOLE = Result(
    "toy-captioning-compositional", "nextgpt-tiny-linear", "attribute_f1", "attribute_f1|world:toy|v:2",
    0.91234, 0.9, 0.93, 200, 0, None, "Wilson", 0.0123,
)  # fmt: skip
PART = replace(WHOLE, slice="three objects, one of them large", value=0.5, n=60)


def shown(capsys: pytest.CaptureFixture[str], *results: Result) -> list[str]:
    print_results(results)
    return capsys.readouterr().out.splitlines()


def test_a_table_with_every_column_fits_eighty_columns(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("TERM", "dumb")  # no colours
    worst = replace(WHOLE, failed=3, unjudged=12, answered=0.95)
    lines = shown(capsys, worst, PART)
    assert max(map(len, lines)) <= 80
    table = "\n".join(lines)
    for told in ("0.9123", "[0.9000, 0.9300]", "0.9500", "0.0123"[:5], "12", "200"):
        assert told in table


def test_a_signature_is_said_once_and_below(capsys: pytest.CaptureFixture[str]) -> None:
    lines = shown(capsys, WHOLE, PART, replace(WHOLE, system="caption-then-tool"))
    assert [line for line in lines if "world:toy" in line] == ["signature: attribute_f1|world:toy|v:2"]
    assert lines.index("signature: attribute_f1|world:toy|v:2") > max(
        k for k, line in enumerate(lines) if "0.9123" in line
    )


def test_columns_that_say_nothing_are_left_out(capsys: pytest.CaptureFixture[str]) -> None:
    assert "failed" not in "\n".join(shown(capsys, WHOLE))
    assert "failed" in "\n".join(shown(capsys, replace(WHOLE, failed=1)))


def test_a_run_is_named_once_with_its_speed(capsys: pytest.CaptureFixture[str]) -> None:
    lines = [line.rstrip() for line in shown(capsys, WHOLE, PART)]
    assert lines[0] == "toy-captioning-compositional, nextgpt-tiny-linear, 0.012 s a sample"
    assert sum("nextgpt-tiny-linear" in line for line in lines) == 1
