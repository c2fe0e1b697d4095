from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from benchmarks import cli, registry
from benchmarks.cards import BenchmarkEntry
from benchmarks.suites import Suite
from tests.benchmarks.terminal import Command

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Command:
    """Runs the command line in this process, with small benchmarks in the registry."""
    entries = {
        name: BenchmarkEntry(name, "vqa", "", f"tests.benchmarks.fakes:{name.upper()}")
        for name in ("numbers", "seeing", "correlated")
    }
    monkeypatch.setattr(registry, "BENCHMARKS", entries)
    monkeypatch.setattr(registry, "SUITES", {"small": Suite("small", "", ("numbers", "seeing"))})
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(ROOT)

    def run(*arguments: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["nextgpt-bench", *map(str, arguments)])
        code: Any = 0
        try:
            cli.main()
        except SystemExit as stop:
            code = stop.code or 0
        return (code, *capsys.readouterr())

    return run
