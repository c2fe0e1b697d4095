from __future__ import annotations

import contextlib
import json
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.harness.benchmark import BenchmarkError, Broken, Options, Sample
from benchmarks.harness.door import ContractError, shown
from benchmarks.harness.records import FILE, Prediction, RecordError, Run, read_predictions
from benchmarks.harness.run import CannotTakePartError, RunError, evaluate, run
from nextgpt.messages import Failure, Message, Request, assistant, seed_of
from tests.benchmarks.fakes import BOTH, Speaker, echo, noisy, numbers, sample, slow, text_of

ROOT = Path(__file__).parents[3]


def answers(finished: Run) -> dict[str, Message | Failure]:
    return {prediction.sample: prediction.answer for prediction in finished.predictions}


def untimed(finished: Run) -> object:
    """All that must be the same, however often a run was interrupted."""
    rows = json.loads((finished.folder / "results.json").read_text())
    return [{**row, "seconds": None} for row in rows], finished.scores, sorted(answers(finished).items())


def test_every_sample_gets_its_answer_in_batches(tmp_path: Path) -> None:
    system = Speaker(echo)
    finished = run(numbers(10), system, tmp_path, batch_size=4)
    assert finished.folder == tmp_path / "speaker" / "numbers"
    assert answers(finished) == {f"s{k}": assistant(str(k)) for k in range(10)}
    assert system.batches == [4, 4, 2]
    assert (finished.manifest.samples, finished.manifest.batch_size) == (10, 4)


def test_a_seed_depends_on_the_sample_alone(tmp_path: Path) -> None:
    seen = {}

    def remember(request: Request) -> Message:
        seen[text_of(request)] = request.seed
        return assistant()

    run(numbers(5), Speaker(remember), tmp_path, batch_size=2, seed=7)
    assert seen == {str(k): seed_of(f"s{k}", 7) for k in range(5)}


def test_hints_are_given_to_those_who_ask_alone(tmp_path: Path) -> None:
    asking = Speaker(lambda request: assistant(str(dict(request.hints))), name="asking")
    asking.given = frozenset({"plan"})
    modest = Speaker(lambda request: assistant(str(dict(request.hints))), name="modest")
    assert answers(run(numbers(1), asking, tmp_path))["s0"] == assistant("{'plan': '0'}")
    assert answers(run(numbers(1), modest, tmp_path))["s0"] == assistant("{}")


def test_one_request_that_crashes_costs_no_other_its_answer(tmp_path: Path) -> None:
    def fragile(request: Request) -> Message:
        if text_of(request) == "2":
            raise RuntimeError("no luck\nwith /home/jane/weights.bin")
        return echo(request)

    found = answers(run(numbers(6), Speaker(fragile), tmp_path, batch_size=4))
    assert found.pop("s2") == Failure("system", "RuntimeError: no luck with …/weights.bin")
    assert found == {f"s{k}": assistant(str(k)) for k in (0, 1, 3, 4, 5)}


@pytest.mark.parametrize("answer", ["text", None, 3])
def test_an_answer_of_the_wrong_kind_is_a_failure(tmp_path: Path, answer: object) -> None:
    def sloppy(request: Request) -> object:
        return answer if text_of(request) == "1" else echo(request)

    found = answers(run(numbers(3), Speaker(sloppy), tmp_path))
    assert isinstance(found["s1"], Failure)
    assert f"must return messages or failures, returned {shown(answer)}" in found["s1"].reason
    assert found["s0"] == assistant("0")


def test_too_few_answers_are_not_matched_to_the_wrong_requests(tmp_path: Path) -> None:
    class Forgetful(Speaker):
        def respond(self, requests: Sequence[Request]) -> list[Message | Failure]:
            return [self.say(request) for request in requests if text_of(request) != "1"]

    found = answers(run(numbers(3), Forgetful(echo), tmp_path))
    assert found["s1"] == Failure("contract", "respond() must return a list of 1 answers, returned 0 answers")
    assert found["s2"] == assistant("2")


def test_a_broken_sample_is_recorded_and_never_put_to_the_system(tmp_path: Path) -> None:
    system = Speaker(echo)
    broken = Broken("s1", "images/1.jpg: empty")
    found = answers(run(numbers(samples=[sample(0), broken, sample(2)]), system, tmp_path))
    assert found == {"s0": assistant("0"), "s1": Failure("data", "images/1.jpg: empty"), "s2": assistant("2")}
    assert system.batches == [2]


@pytest.mark.parametrize("samples", [[], [Broken("a", "a.jpg: empty"), Broken("b", "b.jpg: empty")]])
def test_a_benchmark_without_a_usable_sample_is_an_error(
    tmp_path: Path, samples: list[Sample | Broken]
) -> None:
    with pytest.raises(RunError, match=f"none of {len(samples)} samples is usable; .*(a.jpg|empty)"):
        run(numbers(samples=samples), Speaker(echo), tmp_path)


def test_two_samples_of_one_id_are_refused(tmp_path: Path) -> None:
    with pytest.raises(BenchmarkError, match="two samples have the id 's1'"):
        run(numbers(samples=[sample(1), sample(1)]), Speaker(echo), tmp_path)


def test_a_finished_run_is_not_run_again(tmp_path: Path) -> None:
    first = evaluate(numbers(), Speaker(noisy), tmp_path)
    again = Speaker(noisy)
    assert untimed(evaluate(numbers(), again, tmp_path)) == untimed(first)
    assert again.batches == []


@settings(max_examples=15)  # each writes and syncs a few dozen files
@given(stops=st.lists(st.integers(0, 12), max_size=3), batch_size=st.integers(1, 5))
def test_interrupted_anywhere_a_run_ends_as_if_it_had_not_been(
    stops: list[int], batch_size: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("runs")
    for stop in stops:
        left = stop

        def interrupted(request: Request) -> Message:
            nonlocal left
            left -= 1
            if left < 0:
                raise KeyboardInterrupt
            return noisy(request)

        with contextlib.suppress(KeyboardInterrupt):
            run(numbers(), Speaker(interrupted), folder / "a", batch_size=batch_size)
    finished = evaluate(numbers(), Speaker(noisy), folder / "a")
    assert untimed(finished) == untimed(evaluate(numbers(), Speaker(noisy), folder / "b", batch_size=5))


def test_failed_samples_are_run_again_when_asked(tmp_path: Path) -> None:
    def half(request: Request) -> Message | Failure:
        return echo(request) if int(text_of(request)) % 2 else Failure("plan", "not today")

    run(numbers(6), Speaker(half), tmp_path)
    kept = Speaker(echo)
    assert sum(p.failed for p in run(numbers(6), kept, tmp_path).predictions) == 3
    assert kept.batches == []
    again = Speaker(echo)
    found = answers(run(numbers(6), again, tmp_path, retry_failed=True))
    assert found == {f"s{k}": assistant(str(k)) for k in range(6)}
    assert again.batches == [3]


@pytest.mark.parametrize(
    ("benchmark", "system", "changes", "complaint"),
    [
        (numbers(), Speaker(echo, fingerprint="v2"), {}, "fingerprint (v1, now v2)"),
        (numbers(version=2), Speaker(echo), {}, "version (1, now 2)"),
        (numbers(protocol={"prompt": "?"}), Speaker(echo), {}, "protocol prompt ('{number}', now '?')"),
        (numbers(), Speaker(echo), {"seed": 1}, "seed (0, now 1)"),
        (numbers(), Speaker(echo), {"options": Options(limit=3)}, "limit (None, now 3)"),
    ],
)
def test_a_different_run_in_the_same_folder_is_refused(
    tmp_path: Path, benchmark: object, system: Speaker, changes: dict[str, object], complaint: str
) -> None:
    before = run(numbers(), Speaker(echo), tmp_path)
    with pytest.raises(RunError) as error:
        run(benchmark, system, tmp_path, **changes)  # type: ignore[arg-type]
    assert complaint in str(error.value)
    assert read_predictions(before.folder / FILE) == list(before.predictions)


def test_a_note_is_kept_and_may_be_rewritten_between_two_starts(tmp_path: Path) -> None:
    assert run(numbers(note="few samples"), Speaker(echo), tmp_path).manifest.note == "few samples"
    assert run(numbers(note="too few samples"), Speaker(echo), tmp_path).manifest.note == "too few samples"


def test_data_that_changed_under_a_run_are_noticed(tmp_path: Path) -> None:
    run(numbers(6), Speaker(echo), tmp_path)
    with pytest.raises(RunError, match="the data changed, 6 samples before and 8 now"):
        run(numbers(8), Speaker(echo), tmp_path)
    with pytest.raises(RunError, match="answers to unknown samples, the first 's"):
        run(numbers(3), Speaker(echo), tmp_path)


def test_answers_without_their_manifest_are_not_adopted(tmp_path: Path) -> None:
    (run(numbers(3), Speaker(echo), tmp_path).folder / "run.json").unlink()
    with pytest.raises(RunError, match=r"predictions\.jsonl without run\.json"):
        run(numbers(3), Speaker(echo), tmp_path)


def test_a_limit_takes_the_first_samples(tmp_path: Path) -> None:
    assert list(answers(run(numbers(), Speaker(echo), tmp_path, Options(limit=2)))) == ["s0", "s1"]


def test_who_cannot_see_does_not_take_part(tmp_path: Path) -> None:
    seeing = numbers(accepts=BOTH)
    with pytest.raises(
        CannotTakePartError, match="speaker can't take part in numbers: it does not accept image"
    ):
        run(seeing, Speaker(echo), tmp_path)


@pytest.mark.parametrize("name", ["../x", "a/b", "", ".hidden", "a b"])
def test_a_name_that_could_leave_the_folder_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(ContractError, match="can't name a folder"):
        run(numbers(), Speaker(echo, name=name), tmp_path)


def test_a_run_tells_neither_where_nor_who(tmp_path: Path) -> None:
    def failing(request: Request) -> Failure:
        return Failure("tool", f"missing {tmp_path}/weights and {Path.home()}/x")

    finished = run(numbers(2), Speaker(failing), tmp_path)
    for file in finished.folder.iterdir():
        text = file.read_text()
        assert str(tmp_path) not in text
        assert str(ROOT) not in text
        assert f"{Path.home()}/" not in text


# --- faults that no Python code can catch ------------------------------------------------------------

VICTIM = """
import sys
from pathlib import Path
from benchmarks.harness.run import evaluate
from tests.benchmarks.fakes import BOTH, Speaker, numbers, slow
evaluate(numbers(400), Speaker(slow), Path(sys.argv[1]), batch_size=5)
"""


def victim(out: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", VICTIM, str(out)], cwd=ROOT, stderr=subprocess.PIPE)


def wait_for_lines(log: Path, count: int) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if log.exists() and log.read_bytes().count(b"\n") >= count:
            return
        time.sleep(0.002)
    raise TimeoutError(f"{log} did not reach {count} lines")


def test_kill_9_loses_at_most_the_batch_under_way(tmp_path: Path) -> None:
    log = tmp_path / "killed" / "speaker" / "numbers" / FILE
    for kept in (7, 120):
        process = victim(tmp_path / "killed")
        wait_for_lines(log, kept)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        assert kept <= log.read_bytes().count(b"\n") < 400
    again = Speaker(slow)
    finished = evaluate(numbers(400), again, tmp_path / "killed", batch_size=5)
    assert sum(again.batches) <= 400 - 120
    assert len(finished.predictions) == 400
    assert untimed(finished) == untimed(evaluate(numbers(400), Speaker(noisy), tmp_path / "whole"))


def test_a_full_disk_is_one_line_and_keeps_what_was_written(tmp_path: Path) -> None:
    limit = 6_000  # bytes a file may have: as on a full disk, a write stops in the middle of a line

    def small_files() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    process = subprocess.run(
        [sys.executable, "-c", VICTIM, str(tmp_path)],
        cwd=ROOT,
        stderr=subprocess.PIPE,
        preexec_fn=small_files,
        check=False,
    )
    assert process.returncode == 1
    last = process.stderr.decode().strip().splitlines()[-1]
    assert "cannot be written (File too large); all batches before this one are safe" in last
    assert (tmp_path / "speaker" / "numbers" / FILE).stat().st_size == limit
    finished = evaluate(numbers(400), Speaker(noisy), tmp_path)
    assert len({p.sample for p in finished.predictions}) == 400


def test_an_unwritable_folder_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "speaker").write_text("a file where a folder should be")
    with pytest.raises(RecordError, match="cannot be written"):
        run(numbers(), Speaker(echo), tmp_path)


def test_predictions_name_their_seconds(tmp_path: Path) -> None:
    finished = run(numbers(4), Speaker(slow), tmp_path)
    assert all(isinstance(p, Prediction) and (p.seconds or 0) > 0.001 for p in finished.predictions)
