"""Workers of a real Ray cluster: what they answer and measure, and what becomes of it when they die."""

from __future__ import annotations

import json
import os
import secrets
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from benchmarks.harness.benchmark import Benchmark, Broken, MetricUse, Sample
from benchmarks.harness.isolated import Isolated
from benchmarks.harness.pool import Pool, PoolError
from benchmarks.harness.predictions import FILE, read_lines
from benchmarks.harness.records import Run, read_run
from benchmarks.harness.run import evaluate
from benchmarks.tasks.images.coco import caption_uses
from nextgpt.messages import Failure, Message, Request, assistant
from tests.benchmarks.fakes import Speaker, noisy, numbers, sample, text_of
from tests.benchmarks.harness.test_asking import make
from tests.benchmarks.harness.test_run import answers, wait_for_lines

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def cluster() -> Iterator[str]:
    """The address of a cluster of 4 CPUs and what it takes for 1 GPU; no network, no dashboard."""
    for name, value in {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": secrets.token_hex(16)}.items():
        os.environ[name] = value  # before Ray is imported, which looks once
    pytest.importorskip("ray", reason="Ray is an extra: pip install 'nextgpt[ray]'")
    start = (
        "import ray, sys; print(ray.init(address='local', num_cpus=4, num_gpus=1, include_dashboard=False)"
    )
    start += ".address_info['gcs_address'], flush=True); sys.stdin.read()"
    head = subprocess.Popen(
        [sys.executable, "-c", start], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT
    )
    assert head.stdout is not None
    yield head.stdout.readline().strip()
    head.communicate("")


def thinking(request: Request) -> Message | Failure:
    """Takes its time, fails now and then, and paints; its seed decides."""
    time.sleep(0.02)
    if request.seed % 7 == 0:
        return Failure("plan", "nothing comes to mind")
    return noisy(request)


class Modest(Speaker):
    """Wishes for no GPU."""

    gpus = 0


def thinker(pids: Path | None = None) -> Speaker:
    if pids is not None:
        with pids.open("a") as file:
            file.write(f"{os.getpid()}\n")
    return Modest(thinking, name="thinker")


def deadly(request: Request) -> Message:
    if text_of(request) == "3":
        os._exit(9)
    return noisy(request)


def killer() -> Speaker:
    return Modest(deadly, name="killer")


class Miscounting(Modest):
    def respond(self, requests: Sequence[Request]) -> list[Message | Failure]:
        return super().respond(requests)[len(requests) > 1 :]


def miscounting() -> Speaker:
    return Miscounting(noisy, name="miscounting")


class OnGpu(Speaker):
    """Wishes for a share of a GPU, and says which it was given."""

    gpus = 0.5


def on_gpu() -> Speaker:
    return OnGpu(lambda _: assistant(os.environ.get("CUDA_VISIBLE_DEVICES", "")), name="on-gpu")


def unlike() -> Speaker:
    return Modest(noisy, fingerprint=f"v{os.getpid()}")


def wordy(count: int = 40) -> Benchmark:
    """Numbers, a record of them broken, judged by a metric of items, one of the whole, and one that fails."""
    (exact,) = numbers().metrics
    counted = [use for use in caption_uses() if use.name in ("bleu_4", "cider_d", "rouge_l")]

    def torn() -> Any:
        raise OSError("no weights in /home/jane/weights")

    return numbers(
        metrics=(
            exact,
            *(MetricUse(use.name, use.make, exact.prediction, _captions) for use in counted),
            MetricUse("torn", torn, exact.prediction, exact.reference),
        ),
        samples=[Broken("s3", "no picture") if k == 3 else sample(k) for k in range(count)],
    )


def _captions(each: Sample) -> tuple[str, ...]:
    return (each.references["answer"], "0")


def without_times(run: Run) -> bytes:
    rows = json.loads((run.folder / "results.json").read_bytes())
    return json.dumps([row | {"seconds": None} for row in rows]).encode()


def test_workers_give_the_results_of_one_process_to_the_byte(cluster: str, tmp_path: Path) -> None:
    here = evaluate(wordy(), thinker(), tmp_path / "here", batch_size=4)
    with Pool(thinker, 2, cluster) as pool:
        pool.piece = 7  # texts are measured in pieces too
        there = evaluate(wordy(), pool, tmp_path / "there", batch_size=4)
    assert without_times(there) == without_times(here)
    assert (there.folder / "scores.parquet").read_bytes() == (here.folder / "scores.parquet").read_bytes()
    assert answers(there) == answers(here)
    assert "torn" in {row.metric for row in there.results if row.value is None}
    assert there.manifest.hardware.startswith("2 workers: ")


def test_workers_that_are_killed_are_replaced_and_nothing_is_lost_or_doubled(
    cluster: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pids, over, killed = tmp_path / "pids", threading.Event(), list[int]()

    def kill() -> None:
        while not over.wait(0.5):
            for pid in map(int, pids.read_text().split()[-2:]):
                if pid not in killed and len(killed) < 5:
                    with suppress(ProcessLookupError):  # ended by the pool, which asked for its wish
                        os.kill(pid, signal.SIGKILL)
                        killed.append(pid)
                        break

    here = evaluate(numbers(300), thinker(), tmp_path / "here")
    with Pool(partial(thinker, pids), 2, cluster) as pool:
        murderer = threading.Thread(target=kill)
        murderer.start()
        there = evaluate(numbers(300), pool, tmp_path / "there", batch_size=8)
        over.set()
        murderer.join()
    assert len(killed) >= 2
    assert len([record for _, record in read_lines(there.folder / FILE)]) == 300
    assert answers(there) == answers(here)
    assert without_times(there) == without_times(here)
    assert "a worker died, and is replaced" in capsys.readouterr().err


@pytest.mark.parametrize("load", [killer, miscounting], ids=["exits", "miscounts"])
def test_a_row_that_fails_is_a_row(cluster: str, tmp_path: Path, load: Callable[[], Speaker]) -> None:
    with Pool(load, 2, cluster) as pool:
        found = answers(evaluate(numbers(12), pool, tmp_path, batch_size=4))
    failed = {name: each.reason for name, each in found.items() if isinstance(each, Failure)}
    expected = {"s3"} if load is killer else set()
    assert set(failed) == expected
    assert all("3 workers died of it" in reason for reason in failed.values())
    assert found | {"s3": None} == answers(evaluate(numbers(12), Speaker(noisy), tmp_path)) | {"s3": None}


def test_a_system_that_hangs_is_ended_in_its_worker(cluster: str, tmp_path: Path) -> None:
    with Pool(partial(Isolated, make, 0.4), 2, cluster) as pool:
        found = answers(evaluate(numbers(9), pool, tmp_path, batch_size=3))
    assert isinstance(found["s1"], Failure)
    assert found["s1"].reason == "TimeoutError: no answer within 0.4 s; its process was ended"
    assert sorted(name for name, each in found.items() if not isinstance(each, Failure)) == ["s0", "s7", "s8"]


def test_a_worker_gets_the_share_of_a_gpu_that_the_system_wishes_for(cluster: str, tmp_path: Path) -> None:
    with Pool(on_gpu, 2, cluster) as pool:  # both at once on one GPU, or the second would never come
        pool.wait()
        found = answers(evaluate(numbers(4), pool, tmp_path, batch_size=1))
    assert {each.text for each in found.values() if isinstance(each, Message)} == {"0"}


def test_workers_of_unlike_machines_are_refused(cluster: str, tmp_path: Path) -> None:
    with Pool(unlike, 2, cluster) as pool, pytest.raises(PoolError, match="another system: fingerprint"):
        pool.wait()
    with pytest.raises(PoolError, match="can't be loaded: OSError: no weights in …/weights"):
        Pool(_unloadable, 2, cluster)


def _unloadable() -> Speaker:
    raise OSError("no weights in /home/jane/weights")


def test_an_interrupted_run_keeps_what_is_done_and_goes_on_without_ray(cluster: str, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "benchmarks.cli", "run", "--benchmark", "tests.benchmarks.fakes:LONG"]
    command += ["--system", "tests.benchmarks.harness.test_pool:thinker", "--out", str(tmp_path / "runs")]
    there = [*command, "--engine", "ray", "--workers", "2", "--address", cluster, "--batch-size", "4"]
    running = subprocess.Popen(there, cwd=ROOT, stderr=subprocess.PIPE, text=True, start_new_session=True)
    folder = tmp_path / "runs" / "thinker" / "numbers"
    wait_for_lines(folder / FILE, 20)
    os.killpg(running.pid, signal.SIGINT)
    said = running.communicate()[1].splitlines()[-1]
    assert running.returncode == 130
    assert said.startswith("stopped; every finished batch is kept in ")
    kept = len([record for _, record in read_lines(folder / FILE)])
    assert 20 <= kept < 400
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    assert len(answers(read_run(folder))) == 400


def test_without_ray_the_engine_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(PoolError, match=r"needs Ray: pip install 'nextgpt\[ray\]'"):
        Pool(thinker, 2)
