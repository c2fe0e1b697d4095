"""Text of systems, files and libraries on the terminals of the benchmarks: shown, never obeyed."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from benchmarks import doctor, tables
from benchmarks.doctor import Finding
from benchmarks.harness.records import Result
from nextgpt.errors import UserError
from nextgpt.messages import Failure, Request
from tests.benchmarks.fakes import Speaker, echo
from tests.benchmarks.repository import make, pytest_in
from tests.benchmarks.terminal import Command
from tests.hostile import HOSTILE, NAME, raw


def falling() -> Speaker:
    """A system that cannot be built."""
    raise UserError(HOSTILE)


def raising() -> Speaker:
    """Raises at every request."""

    def say(request: Request) -> Failure:
        raise ValueError(HOSTILE)

    return Speaker(say, name="raising")


def failing() -> Speaker:
    """Fails at every request."""
    return Speaker(lambda request: Failure(HOSTILE, HOSTILE), name="failing")


def changed() -> Speaker:
    """Has a fingerprint that says more than it should."""
    return Speaker(echo, fingerprint=HOSTILE)


@pytest.mark.parametrize("system", ["raising", "failing", "changed", "falling"])
def test_what_a_system_says_is_shown_and_not_obeyed(bench: Command, system: str) -> None:
    bench("run", "--benchmark", "numbers", "--system", "tests.benchmarks.fakes:speaker")
    shown = bench("run", "--benchmark", "numbers", "--system", f"{__name__}:{system}")
    told = shown[1] + shown[2]
    assert "\\x1b]0;owned\\x07" in told
    assert raw(told) == []


@pytest.mark.parametrize(
    "words",
    [
        ("run", "--benchmark", NAME),
        ("run", "--benchmark", "numbers", "--system", NAME),
        ("expect", NAME),
        ("score", NAME, "--predictions", "p"),
        ("score", "vqa", "--predictions", NAME, "--references", NAME),
        ("score", "people", "--predictions", NAME),
        ("score", "text-to-image", "--predictions", NAME, "--references", ".", "--extractor", NAME),
        ("selftest", "--extractor", NAME),
        ("list", "--json", f"/dev/null/{NAME}"),
        (f"--{NAME}",),
    ],
    ids=lambda words: "-".join(words).replace(NAME, "NAME").replace("/", "-"),
)
def test_mistakes_are_shown_and_not_obeyed(bench: Command, words: tuple[str, ...]) -> None:
    code, out, err = bench(*words)
    assert code != 0
    assert "\\x1b]0;owned\\x07" in err
    assert raw(out + err) == []


def test_ids_of_a_file_of_answers_are_shown_and_not_obeyed(bench: Command) -> None:
    Path("answers.json").write_text(json.dumps([{"question_id": HOSTILE, "answer": HOSTILE}]))
    questions = {
        "annotations": [{"question_id": 1, "image_id": 1, "answers": [{"answer": HOSTILE, "answer_id": 1}]}]
    }
    Path("questions.json").write_text(json.dumps(questions))
    code, out, err = bench("score", "vqa", "--predictions", "answers.json", "--references", "questions.json")
    assert code == 1
    assert "Traceback" not in err
    assert raw(out + err) == []


def test_every_field_of_a_result_is_shown_and_not_obeyed(capsys: pytest.CaptureFixture[str]) -> None:
    result = Result(HOSTILE, HOSTILE, HOSTILE, HOSTILE, None, None, 0.6, 10, 0, HOSTILE, HOSTILE)
    tables.print_results([result], title=HOSTILE)
    shown = "".join(capsys.readouterr())
    assert shown.count("[bold]b[/bold]") >= 2
    assert raw(shown) == []


def test_what_the_doctor_finds_is_shown_and_not_obeyed(
    bench: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doctor, "examine", lambda _: iter([Finding(HOSTILE, False, HOSTILE, HOSTILE)]))
    _, out, err = bench("doctor")
    assert "\\x1b" in out
    assert raw(out + err) == []


FAILS = (
    ("raises", lambda text: f"def load(): raise RuntimeError({text})"),
    ("fails", lambda text: f"def load(): return Speaker(lambda request: Failure('plan', {text}))"),
    ("is named", lambda text: f"def load(): return Speaker(echo, name={text})"),
)


@pytest.mark.parametrize(("how", "load"), FAILS, ids=[how for how, _ in FAILS])
def test_what_pytest_tells_of_benchmarks_is_shown_and_not_obeyed(
    tmp_path: Path, how: str, load: Callable[[str], str]
) -> None:
    words = "from nextgpt.messages import Failure\nfrom tests.benchmarks.fakes import Speaker, echo\n"
    made = make(tmp_path, model=words + load(ascii(NAME)))  # pytest escapes halves of surrogate pairs itself
    summary = tmp_path / "summary.md"
    done = pytest_in(made, GITHUB_ACTIONS="true", GITHUB_STEP_SUMMARY=str(summary))
    assert done.returncode == 1
    assert "\\x1b]0;owned\\x07" in done.stdout
    assert raw(done.stdout + done.stderr + summary.read_text()) == []
