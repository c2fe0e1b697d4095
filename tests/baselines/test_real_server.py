"""`openai:` against a server that others wrote, `transformers serve`, with real models behind it."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

from baselines import huggingface, openai_compatible
from nextgpt.messages import Failure, Message, Request, user
from tests.baselines import tiny_models

LACKING = [name for name in ("fastapi", "uvicorn", "openai", "pydantic") if find_spec(name) is None]
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        bool(LACKING),
        reason=f"no {', '.join(LACKING)}: pip install 'transformers[serving]' brings what serves",
    ),
]
ASKED = [Request((user(text),)) for text in ("What is the capital of France?", "Say hello.", "Two plus two?")]


@contextlib.contextmanager
def served(folder: Path, log: Path) -> Iterator[str]:
    """The URL of a server of the model in a folder, which is ended with the context."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "transformers.cli.transformers", "serve", folder, "--device", "cpu"]
    environment = os.environ | {"HF_HUB_OFFLINE": "1"}
    with (
        log.open("wb") as told,
        subprocess.Popen(
            [*map(str, command), "--host", "127.0.0.1", "--port", str(port)],
            stdout=told, stderr=told, env=environment,
        ) as process,
    ):  # fmt: skip
        try:
            for _ in range(600):
                assert process.poll() is None, log.read_text()
                with contextlib.suppress(OSError), urllib.request.urlopen(f"http://127.0.0.1:{port}/health"):
                    break
                time.sleep(0.2)
            yield f"http://127.0.0.1:{port}/v1?model={folder}"
        finally:
            process.terminate()


def words(answers: list[Message | Failure]) -> list[str]:
    assert not [answer for answer in answers if isinstance(answer, Failure)], answers
    return [answer.text for answer in answers if isinstance(answer, Message)]


@pytest.mark.parametrize("name", ["llama", "smollm2"])
def test_a_model_says_through_a_real_server_what_it_says_here(name: str, tmp_path: Path) -> None:
    folder = tmp_path / name
    tiny_models.smollm2(folder) if name == "smollm2" else tiny_models.build(name, folder)
    here = huggingface.load(f"{folder}?max_new_tokens=16")
    with served(folder, tmp_path / "log") as url:
        system = openai_compatible.load(f"{url}&max_tokens=16")
        said = words(system.respond(ASKED))
    assert said == words(here.respond(ASKED))
    assert name == "llama" or "Paris" in said[0]
    assert (system.spent.answers, system.spent.uncounted) == (3, 0)
    assert system.spent.written > 0
