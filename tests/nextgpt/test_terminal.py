"""Foreign text on a terminal: shown, never obeyed."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
import typer
import yaml
from hypothesis import given
from hypothesis import strategies as st

import nextgpt
from nextgpt import cli
from nextgpt.config import Generation, preset_text
from nextgpt.messages import Failure, assistant
from nextgpt.terminal import run_app, visible
from tests.hostile import HOSTILE, NAME, raw

ROOT = Path(__file__).resolve().parents[2]


@given(st.text(st.characters() | st.sampled_from(HOSTILE)))
def test_visible_text_commands_nothing_and_stays_as_it_is(text: str) -> None:
    shown = visible(text)
    assert raw(shown) == []
    assert visible(shown) == shown
    shown.encode("utf-8")


@given(st.text(st.characters(categories=["L", "N", "P", "S"], codec="utf-8")))
def test_letters_of_every_script_stay(text: str) -> None:
    assert visible(text) == text


def test_lines_and_joined_emoji_stay() -> None:
    text = "one\n\ttwo \N{WOMAN}\N{ZERO WIDTH JOINER}\N{PERSONAL COMPUTER}"
    assert visible(text.replace("\n", "\r\n")) == text


def command(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *words: object) -> str:
    """What a person sees of `nextgpt`, on both streams."""
    monkeypatch.setattr(sys, "argv", ["nextgpt", *map(str, words)])
    with pytest.raises(SystemExit):
        cli.main()
    return "".join(capsys.readouterr())


@pytest.mark.parametrize(
    "answer", [assistant(HOSTILE, steps=((HOSTILE, HOSTILE),)), Failure(HOSTILE, HOSTILE)]
)
@pytest.mark.parametrize("spoken", [True, False])
def test_chat_shows_an_answer_without_obeying_it(
    answer: object, spoken: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    model = SimpleNamespace(
        config=SimpleNamespace(generation=Generation()),
        respond=lambda requests: [answer] * len(requests),
        history=8,
    )
    monkeypatch.setattr(nextgpt, "load", lambda *_, **__: model, raising=False)
    monkeypatch.setattr(sys, "stdin", io.StringIO(f"hello\n/image {NAME}.png\n/quit\n"))
    shown = command(monkeypatch, capsys, "chat", *(["--message", "hello"] if spoken else []))
    assert "\\x1b]0;owned\\x07" in shown
    assert raw(shown) == []


@pytest.mark.parametrize(
    "words",
    [
        ("chat", "--image", f"{NAME}.png"),
        ("chat", f"--{NAME}"),
        ("params", "--preset", NAME),
        ("convert", NAME, "--out", "out"),
        (NAME,),
    ],
    ids=["file", "option", "preset", "folder", "command"],
)
def test_mistakes_are_shown_and_not_obeyed(
    words: tuple[str, ...], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shown = command(monkeypatch, capsys, *words)
    assert "\\x1b]0;owned\\x07" in shown
    assert raw(shown) == []


@pytest.mark.parametrize("words", [("doctor",), ("params",)])
def test_a_preset_is_shown_and_not_obeyed(
    words: tuple[str, ...],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    values = yaml.safe_load(preset_text("tiny"))
    values["name"] = values["language_model"] = "x\x1b[2J\x9b\u202e[bold]"
    path = tmp_path / "hostile.yaml"
    path.write_text(yaml.safe_dump(values))
    shown = command(monkeypatch, capsys, *words, "--preset", path)
    assert shown
    assert raw(shown) == []


def test_a_bugs_trace_is_shown_and_not_obeyed() -> None:
    program = (
        "import typer\n"
        "from nextgpt.terminal import run_app\n"
        "app = typer.Typer(pretty_exceptions_enable=False)\n"
        "@app.command()\n"
        "def fall(): raise ZeroDivisionError('\\x1b[2J\\x9b\\u202e')\n"
        "run_app(app)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "ZeroDivisionError: \\x1b[2J\\x9b\\u202e" in done.stderr
    assert raw(done.stdout + done.stderr) == []


def test_a_terminal_of_few_letters_is_no_reason_to_fall() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "reports.cli", "compare", "nowhere–"],
        cwd=ROOT,
        env={"PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "no such folder" in done.stderr


@pytest.mark.parametrize(("status", "expected"), [(None, 0), (3, 3)])
def test_a_commands_status_is_the_programs(
    status: int | None, expected: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = typer.Typer()

    @app.command()
    def end() -> None:
        if status is not None:
            raise typer.Exit(status)

    monkeypatch.setattr(sys, "argv", ["program"])
    with pytest.raises(SystemExit) as ended:
        run_app(app)
    assert (ended.value.code or 0) == expected


@pytest.mark.parametrize(
    ("number", "status", "words"),
    [
        (signal.SIGTERM, 143, "stopped by SIGTERM\n"),
        (signal.SIGHUP, 129, "stopped by SIGHUP\n"),
        (signal.SIGINT, 130, ""),  # whoever pressed the keys knows
    ],
)
def test_a_stopped_program_clears_up_and_says_by_what_it_was_stopped(
    tmp_path: Path, number: signal.Signals, status: int, words: str
) -> None:
    program = (
        "import tempfile, time, typer\n"
        "from nextgpt.terminal import run_app, say\n"
        "app = typer.Typer(pretty_exceptions_enable=False)\n"
        "@app.command()\n"
        "def wait():\n"
        f"    with tempfile.TemporaryDirectory(dir={str(tmp_path)!r}):\n"
        "        say('ready', flush=True)\n"
        "        time.sleep(60)\n"
        "run_app(app)\n"
    )
    child = subprocess.Popen(
        [sys.executable, "-c", program], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert child.stdout is not None
    assert child.stdout.readline() == "ready\n"
    assert len(list(tmp_path.iterdir())) == 1
    child.send_signal(number)
    _, err = child.communicate(timeout=30)
    assert (child.returncode, err) == (status, words)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("words", [["list"], ["--help"]])
def test_output_that_cannot_be_written_is_one_line(words: list[str]) -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "benchmarks.cli", *words],
            cwd=ROOT,
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert (done.returncode, done.stderr) == (
        1,
        "error: standard output can't be written (No space left on device); send it elsewhere\n",
    )


@pytest.mark.parametrize("words", [["list"], ["--help"]])
def test_a_reader_that_has_seen_enough_is_no_error(words: list[str]) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.cli", *words],
        cwd=ROOT,
        stdout=writing,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    os.close(writing)
    assert (done.returncode, done.stderr) == (1, "")
