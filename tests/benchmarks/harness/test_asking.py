"""Systems that hang, die, exit or run out of memory: real ones, in processes of their own where need be."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import pytest

from benchmarks.harness.isolated import Isolated, IsolatedError
from benchmarks.harness.records import read_run
from benchmarks.harness.run import evaluate, run
from nextgpt.messages import Failure, Message, Request, assistant
from tests.benchmarks.fakes import Speaker, echo, noisy, numbers, text_of
from tests.benchmarks.harness.test_run import answers, wait_for_lines
from tests.benchmarks.terminal import Command

ROOT = Path(__file__).parents[3]
GIB = 2**30


class Narrow(Speaker):
    """Memory for so many requests and no more: a larger batch asks for more than any machine has."""

    def __init__(self, room: int) -> None:
        super().__init__(echo, name="narrow")
        self.room = room

    def respond(self, requests: Sequence[Request]) -> list[Message | Failure]:
        self.batches.append(len(requests))
        if len(requests) > self.room:
            bytearray(2**62)
        return [self.say(request) for request in requests]


def bad(request: Request) -> Message:
    """Goes wrong in a way that depends on what it is asked."""
    match text_of(request):
        case "1":
            time.sleep(3600)
        case "2":
            os._exit(3)
        case "3":
            os.kill(os.getpid(), signal.SIGKILL)
        case "4":
            raise RuntimeError("no luck")
        case "5":
            sys.exit("enough")
        case "6":
            return assistant(lambda: None)  # type: ignore[arg-type]
    return noisy(request)


def make(name: str = "bad") -> Speaker:
    return Speaker({"bad": bad, "noisy": noisy}[name])


def unloadable() -> Speaker:
    raise OSError("no weights in /home/jane/weights")


def test_a_batch_that_does_not_fit_into_memory_is_halved_and_the_size_remembered(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    system = Narrow(3)
    finished = run(numbers(20), system, tmp_path, batch_size=8)
    assert answers(finished) == {f"s{k}": assistant(str(k)) for k in range(20)}
    assert system.batches == [8, 4, 2, 2, 2, 2, *[2] * 6]
    err = capsys.readouterr().err
    assert err.splitlines() == [
        f"narrow on numbers: out of memory; going on with batches of {size}" for size in (4, 2)
    ]
    assert (read_run(finished.folder).manifest.fits, finished.manifest.batch_size) == (2, 8)
    log = finished.folder / "predictions.jsonl"
    log.write_bytes(b"".join(log.read_bytes().splitlines(keepends=True)[:10]))
    again = Narrow(3)
    run(numbers(20), again, tmp_path, batch_size=8)
    assert again.batches == [2] * 5


def test_a_sample_that_does_not_fit_alone_is_a_failure(tmp_path: Path) -> None:
    found = answers(run(numbers(3), Narrow(0), tmp_path))
    assert {each.reason for each in found.values() if isinstance(each, Failure)} == {"MemoryError"}
    assert len(found) == 3


def test_a_gpus_full_memory_is_full_memory(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")

    class OnGpu(Speaker):
        def respond(self, requests: Sequence[Request]) -> list[Message | Failure]:
            if len(requests) > 2:
                raise torch.OutOfMemoryError("CUDA out of memory")
            return super().respond(requests)

    system = OnGpu(echo)
    assert run(numbers(8), system, tmp_path, batch_size=8).manifest.fits == 2
    assert system.batches == [2, 2, 2, 2]


def test_a_system_that_hangs_dies_or_exits_costs_no_other_sample_its_answer(tmp_path: Path) -> None:
    system = Isolated(make, timeout=0.4)
    try:
        found = answers(run(numbers(9), system, tmp_path, batch_size=4))
    finally:
        system.close()
    reasons = {name: found.pop(f"s{name}") for name in range(1, 7)}
    assert {name: each.reason for name, each in reasons.items() if isinstance(each, Failure)} == {
        1: "TimeoutError: no answer within 0.4 s; its process was ended",
        2: "RuntimeError: its process ended with status 3",
        3: "MemoryError: its process was killed, as happens when memory is full",
        4: "RuntimeError: no luck",
        5: "SystemExit: enough",
        6: reasons[6].reason,  # type: ignore[union-attr]
    }
    here = answers(run(numbers(9), make("noisy"), tmp_path / "here"))
    assert found == {name: here[name] for name in ("s0", "s7", "s8")}


def test_in_a_process_of_its_own_a_system_answers_as_it_does_here(tmp_path: Path) -> None:
    system = Isolated(partial(make, "noisy"))
    try:
        there = evaluate(numbers(), system, tmp_path / "there")
    finally:
        system.close()
    assert answers(there) == answers(evaluate(numbers(), make("noisy"), tmp_path / "here"))


def test_a_system_that_cannot_be_loaded_there_says_why() -> None:
    with pytest.raises(IsolatedError, match="can't be loaded: OSError: no weights in …/weights"):
        Isolated(unloadable)
    with pytest.raises(IsolatedError, match="its process ended with status 7"):
        Isolated(partial(os._exit, 7))


HANGING = """
import sys
from pathlib import Path
from benchmarks.harness.isolated import Isolated
from benchmarks.harness.run import run
from tests.benchmarks.fakes import numbers
from tests.benchmarks.harness.test_asking import make
if __name__ == "__main__":
    system = Isolated(make)
    print(system._process.pid, flush=True)
    run(numbers(2), system, Path(sys.argv[1]), batch_size=1)
"""


def test_a_run_that_is_killed_leaves_no_system_behind(tmp_path: Path) -> None:
    script = tmp_path / "hanging.py"
    script.write_text(HANGING)
    parent = subprocess.Popen(
        [sys.executable, str(script), str(tmp_path)],
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    )
    assert parent.stdout is not None
    child = int(parent.stdout.readline())
    wait_for_lines(tmp_path / "speaker" / "numbers" / "predictions.jsonl", 1)
    parent.kill()
    parent.communicate()
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        try:
            state = Path(f"/proc/{child}/stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            return
        if state == "Z":  # ended, and nobody has asked how
            return
        time.sleep(0.01)
    pytest.fail("the system lives on")


def test_a_time_limit_from_the_command_line(bench: Command) -> None:
    system = "tests.benchmarks.harness.test_asking:make"
    options = ("--benchmark", "numbers", "--limit", "2", "--batch-size", "1", "--timeout", "0.5")
    code, *_ = bench("run", "--system", system, *options, "--json", "rows.json")
    assert code == 0
    (row,) = json.loads(Path("rows.json").read_text())
    assert (row["n"], row["failed"]) == (2, 1)
