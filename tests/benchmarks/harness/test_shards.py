from __future__ import annotations

import json
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.harness.benchmark import Benchmark, BenchmarkError, Broken, Options, Sample, Shard
from benchmarks.harness.records import FILE, RESULTS, SCORES, RecordError, Run, find_runs, read_run
from benchmarks.harness.run import RunError, evaluate, run
from benchmarks.harness.scoring import score
from benchmarks.harness.shards import MergeError, merge
from nextgpt.messages import Failure, Message, Request
from tests.benchmarks.fakes import Speaker, noisy, numbers, sample, text_of
from tests.benchmarks.terminal import Command, only_line

ROOT = Path(__file__).parents[3]
PROVENANCE = {
    "fits",
    "hardware",
    "versions",
    "command",
    "started",
    "batch_size",
    "parts",
    "memory",
    "device_memory",
}


def half(request: Request) -> Message | Failure:
    """Pictures, and now and then no answer."""
    return Failure("plan", "not today") if int(text_of(request)) % 5 == 4 else noisy(request)


def part(out: Path, index: int, of: int, benchmark: Benchmark | None = None, **changes: object) -> Run:
    options = Options(shard=Shard(index, of))
    return run(benchmark or numbers(), Speaker(half, **changes), out, options)  # type: ignore[arg-type]


def parts(out: Path, of: int, benchmark: Benchmark | None = None) -> Path:
    for index in range(1, of + 1):
        part(out, index, of, benchmark)
    return out / "speaker" / (benchmark or numbers()).name


@settings(max_examples=12)  # each writes and syncs up to a few dozen files
@given(
    of=st.sampled_from([1, 2, 5, 16]),
    order=st.randoms(use_true_random=False),
    twice=st.booleans(),
    count=st.integers(2, 40),
)
def test_shards_in_any_order_score_as_one_run_does_byte_for_byte(
    of: int, order: object, twice: bool, count: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    out = tmp_path_factory.mktemp("runs")
    samples: list[Sample | Broken] = [*map(sample, range(count)), Broken("broken", "1.jpg: empty")]
    benchmark = numbers(samples=samples, slices=lambda each: f"{len(each.id)} signs")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(time, "perf_counter", lambda: 0.0)  # how long it took is no part of a result
        one = evaluate(benchmark, Speaker(half), out / "one")
        indices = list(range(1, of + 1)) + [1] * twice
        order.shuffle(indices)  # type: ignore[attr-defined]
        for index in indices:
            part(out / "many", index, of, benchmark)
        folder = out / "many" / "speaker" / "numbers"
        if twice:  # by two machines, which know nothing of each other, and whose folders were put together
            part(out / "elsewhere", of, of, benchmark)
            copy = out / "elsewhere/speaker/numbers/shards" / f"{of}-of-{of}"
            shutil.copytree(copy, folder / "shards" / f"again-{of}")
        merged = merge(folder, benchmark)
        assert merged.results == merge(folder, benchmark).results  # done again, it changes nothing
    for name in (FILE, SCORES, RESULTS):
        assert (merged.folder / name).read_bytes() == (one.folder / name).read_bytes()
    first, second = (json.loads((each.folder / "run.json").read_text()) for each in (one, merged))
    assert {name for name in first if first[name] != second[name]} <= PROVENANCE
    assert merged.unscored == ""
    media = [sorted(path.name for path in (each.folder / "media").iterdir()) for each in (one, merged)]
    assert media[0] == media[1]


def test_a_plan_keeps_groups_together_and_is_the_same_everywhere() -> None:
    homes = {sample(k).group: {Shard.holding(sample(k + j), 5) for j in range(3)} for k in range(0, 300, 3)}
    assert all(len(found) == 1 for found in homes.values())
    assert len({shard for found in homes.values() for shard in found}) == 5
    # What `printf g0 | sha256sum | cut -c16` says, and so on, plus 1.
    assert [Shard.holding(sample(k), 16).index for k in range(0, 24, 3)] == [11, 1, 7, 15, 8, 4, 16, 14]


def test_missing_parts_are_named(tmp_path: Path) -> None:
    for index in (1, 3, 5):
        part(tmp_path, index, 5)
    with pytest.raises(MergeError, match="2 of 5 parts are missing: 2/5, 4/5; make each with"):
        merge(tmp_path / "speaker" / "numbers", numbers())


def test_a_part_that_stopped_is_named_and_can_be_finished(tmp_path: Path) -> None:
    folder = parts(tmp_path, 2)
    log = folder / "shards" / "1-of-2" / FILE
    log.write_bytes(b"".join(log.read_bytes().splitlines(keepends=True)[:-2]))
    with pytest.raises(
        MergeError, match=r"2 of 12 samples are not answered yet, .*; finish 1/2 with the same"
    ):
        merge(folder, numbers())
    part(tmp_path, 1, 2)
    assert merge(folder, numbers()).results[0].n == 12


@pytest.mark.parametrize(
    ("spoil", "complaint"),
    [
        (lambda row: row | {"fingerprint": "v2"}, "fingerprint (v1, now v2)"),
        (lambda row: row | {"seed": 3}, "seed (0, now 3)"),
        (lambda row: row | {"limit": 11}, "limit (None, now 11)"),
        (lambda row: row | {"protocol": {"prompt": "?"}}, "protocol prompt ('{number}', now '?')"),
        (lambda row: row | {"shard": "2/3"}, "parts of plans of 2 and 3 parts"),
        (lambda row: row | {"shard": None}, "a whole run, and no part of one"),
        (lambda row: row | {"shard": "x"}, "'x' is no shard"),
    ],
)
def test_parts_of_different_runs_are_not_merged(tmp_path: Path, spoil: object, complaint: str) -> None:
    folder = parts(tmp_path, 2)
    path = folder / "shards" / "2-of-2" / "run.json"
    path.write_text(json.dumps(spoil(json.loads(path.read_text()))))  # type: ignore[operator]
    with pytest.raises((RecordError, BenchmarkError), match=re.escape(complaint)):
        merge(folder, numbers())
    assert not (folder / FILE).exists()


def test_a_part_made_twice_with_other_answers_is_refused(tmp_path: Path) -> None:
    folder = parts(tmp_path, 2)
    copy = shutil.copytree(folder / "shards" / "1-of-2", folder / "shards" / "copy")
    log = copy / FILE
    log.write_text(log.read_text().replace("not today", "never"))
    with pytest.raises(MergeError, match="is answered differently in 1-of-2, the same part; delete one"):
        merge(folder, numbers())


def test_a_sample_in_two_parts_is_refused(tmp_path: Path) -> None:
    folder = parts(tmp_path, 2)
    first, second = (folder / "shards" / name / FILE for name in ("1-of-2", "2-of-2"))
    second.write_bytes(second.read_bytes() + first.read_bytes().splitlines(keepends=True)[0])
    with pytest.raises(MergeError, match="is in 1-of-2 too, and parts share none"):
        merge(folder, numbers())


def test_parts_are_not_merged_over_other_data_nor_over_a_run(tmp_path: Path) -> None:
    folder = parts(tmp_path, 2)
    with pytest.raises(MergeError, match="6 answers to samples that these data do not hold"):
        merge(folder, numbers(6))
    with pytest.raises(RecordError, match="the data changed"):
        merge(folder, numbers(samples=[sample(k, "other") for k in range(12)]))
    shutil.rmtree(folder)
    evaluate(numbers(), Speaker(half), tmp_path)
    parts(tmp_path, 2)
    with pytest.raises(MergeError, match="holds a run that was made in one"):
        merge(folder, numbers())


def test_a_part_is_no_run_to_score_or_report_and_a_merged_run_no_run_to_continue(tmp_path: Path) -> None:
    folder = parts(tmp_path, 2)
    with pytest.raises(RecordError, match=r"part 1/2 of a run; put all parts together"):
        score(read_run(folder / "shards" / "1-of-2"), numbers())
    merge(folder, numbers())
    assert [found.folder for found in find_runs(tmp_path)] == [folder]
    with pytest.raises(RunError, match=r"parts \(2, now None\)"):
        run(numbers(), Speaker(half), tmp_path)


def test_a_part_at_work_is_not_merged(tmp_path: Path) -> None:
    folder = parts(tmp_path, 2)

    def merging(request: Request) -> Message:
        with pytest.raises(RecordError, match="another run is at work here"):
            merge(folder, numbers())
        return noisy(request)

    options = Options(shard=Shard(2, 2))
    run(numbers(), Speaker(merging), tmp_path, options, retry_failed=True)


MERGING = """
import sys
from pathlib import Path
from benchmarks.harness.shards import merge
from tests.benchmarks.fakes import numbers
print("ready", flush=True)
merge(Path(sys.argv[1]), numbers(400))
"""


def test_a_merge_that_is_killed_anywhere_is_done_again(tmp_path: Path) -> None:
    folder = parts(tmp_path, 5, numbers(400))
    for delay in (0.0, 0.01, 0.03, 0.08):
        child = subprocess.Popen(
            [sys.executable, "-c", MERGING, str(folder)], cwd=ROOT, stdout=subprocess.PIPE
        )
        assert child.stdout is not None
        child.stdout.readline()
        time.sleep(delay)
        child.send_signal(signal.SIGKILL)
        child.communicate()
    merged = merge(folder, numbers(400))
    one = evaluate(numbers(400), Speaker(half), tmp_path / "one")
    rows = [
        [(row.value, row.low, row.high, row.n, row.failed) for row in each.results] for each in (one, merged)
    ]
    assert rows[0] == rows[1]


def test_shards_from_the_command_line(bench: Command) -> None:
    command = ("run", "--benchmark", "numbers", "--system", "tests.benchmarks.fakes:speaker", "--shard")
    code, out, err = bench(*command, "1/2")
    assert (code, out) == (0, "")
    assert "part 1/2" in only_line(err)
    assert "missing: 2/2" in only_line(bench("merge", "runs/speaker/numbers")[2])
    assert bench(*command, "2/2")[0] == 0
    code, out, _ = bench("merge", "runs/speaker/numbers")
    assert code == 0
    assert "0.5000" in out
    assert "'2/1' is no shard" in only_line(bench(*command, "2/1")[2])
