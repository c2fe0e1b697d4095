"""``nextgpt-bench run | merge``: systems on benchmarks."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from benchmarks.commands import MENDABLE, CsvFile, DataFolder, JsonFile, Own, complain, complaint, show
from benchmarks.commands.engines import Engine, opened
from nextgpt.terminal import note

if TYPE_CHECKING:
    from benchmarks.harness import Benchmark, System
    from benchmarks.harness.records import Run

DEFAULT_SUITE = "toyworld"
DEFAULT_SYSTEMS = ("nextgpt-tiny", "caption-then-tool")

_MOST = 2**31 - 1


def run_command(  # noqa: PLR0913 - one parameter for each option
    *,
    suite: Annotated[str | None, typer.Option(help=f"Benchmarks by suite [{DEFAULT_SUITE}].")] = None,
    benchmark: Annotated[list[str] | None, typer.Option(help="One benchmark; may be repeated.")] = None,
    system: Annotated[
        list[str] | None, typer.Option(help=f"A system; may be repeated [{', '.join(DEFAULT_SYSTEMS)}].")
    ] = None,
    data: DataFolder = None,
    out: Annotated[Path, typer.Option(help="Folder of all runs; what is in it is continued.")] = Path("runs"),
    limit: Annotated[
        int | None, typer.Option(min=1, max=_MOST, help="Only the first so many samples.")
    ] = None,
    shard: Annotated[str | None, typer.Option(help="Only this part, as 3/16; see `merge`.")] = None,
    batch_size: Annotated[int, typer.Option(min=1, max=_MOST, help="Samples in one call of a system.")] = 32,
    seed: Annotated[int, typer.Option(min=0, max=_MOST, help="Base of the seeds of all samples.")] = 0,
    retry_failed: Annotated[bool, typer.Option("--retry-failed", help="Run failed samples again.")] = False,
    timeout: Annotated[
        float | None,
        typer.Option(min=0.001, help="Seconds for a sample; the system gets a process, ended when it hangs."),
    ] = None,
    engine: Annotated[
        Literal["local", "ray"], typer.Option(help="Who answers: this process, or workers of a Ray cluster.")
    ] = "local",
    workers: Annotated[
        int | None, typer.Option(min=1, max=_MOST, help="Workers of Ray; each loads the system once.")
    ] = None,
    address: Annotated[
        str | None, typer.Option(help="A Ray cluster that is there [one is started here].")
    ] = None,
    only: Annotated[str | None, typer.Option(help="Of these benchmarks, those of one family.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would run, and run nothing.")] = False,
    json: JsonFile = None,
    csv: CsvFile = None,
) -> None:
    """Run systems on benchmarks, and score them; an interrupted run is continued."""
    from benchmarks.harness.benchmark import Options, Shard
    from benchmarks.harness.records import why_meaningless
    from benchmarks.harness.run import evaluate
    from benchmarks.plan import of_family, print_plan
    from benchmarks.registry import load_benchmark

    where = Engine(engine, workers, address, timeout)
    benchmarks = of_family(map(load_benchmark, _chosen(suite, benchmark)), only)
    options = Options(data, limit, Shard.parse(shard) if shard else None)
    # A system may change the current folder.
    json, csv = (path and path.absolute() for path in (json, csv))
    if dry_run:
        if not print_plan(benchmarks, system or DEFAULT_SYSTEMS, options, json, csv):
            raise typer.Exit(1)
        return
    evaluate_one = partial(
        evaluate, out=out, options=options, batch_size=batch_size, seed=seed, retry_failed=retry_failed
    )
    outcomes: list[Run | None] = []
    try:
        for outcome in _evaluate_all(system or DEFAULT_SYSTEMS, benchmarks, evaluate_one, where):
            outcomes.append(outcome)  # noqa: PERF402 - keeps what there is when an interrupt comes
    except KeyboardInterrupt:
        note(f"stopped; every finished batch is kept in {out}, and the same command does what is left")
        raise typer.Exit(130) from None
    finally:
        runs = [outcome for outcome in outcomes if outcome is not None]
        show([result for run in runs for result in run.results], json, csv)
    for run in runs:
        if run.manifest.shard is not None:
            note(f"part {run.manifest.shard}, {run.manifest.samples} samples, is finished in {run.folder}")
    meaningless = [problem for run in runs if (problem := why_meaningless(run))]
    for problem in meaningless:
        complain(f"error: {problem}")
    if meaningless or None in outcomes or not outcomes:
        raise typer.Exit(1)


def merge_command(
    run: Annotated[Path, typer.Argument(help="Folder of one run, OUT/SYSTEM/BENCHMARK.")],
    *,
    data: DataFolder = None,
    benchmark: Own = None,
    json: JsonFile = None,
    csv: CsvFile = None,
) -> None:
    """Put the parts that `run --shard` made together, and score them as one run."""
    from benchmarks.harness.benchmark import Options
    from benchmarks.harness.records import why_meaningless
    from benchmarks.harness.shards import merge, read_parts
    from benchmarks.registry import benchmark_of_run, load_benchmark

    if benchmark:
        load_benchmark(benchmark)
    merged = merge(run, benchmark_of_run(read_parts(run)[0].manifest), Options(data))
    show(merged.results, json, csv)
    if problem := why_meaningless(merged):
        complain(f"error: {problem}")
        raise typer.Exit(1)


def _chosen(suite: str | None, benchmarks: list[str] | None) -> list[str]:
    """Names of the benchmarks asked for, each once, in order."""
    from benchmarks.registry import benchmark_names

    asked = [] if suite is None else [suite]
    asked += benchmarks or []
    names = [name for each in asked or [DEFAULT_SUITE] for name in benchmark_names(each)]
    return list(dict.fromkeys(names))


def _evaluate_all(
    systems: Iterable[str],
    benchmarks: Sequence[Benchmark],
    evaluate_one: Callable[[Benchmark, System], Run],
    engine: Engine,
) -> Iterator[Run | None]:
    """A run for every pair that fits together; None for what went wrong, which spoils no other pair."""
    for name in systems:
        with ExitStack() as stack:
            try:
                system = stack.enter_context(opened(name, engine))
            except MENDABLE as error:
                complain(complaint(error))
                yield None
                continue
            for benchmark in benchmarks:
                yield from evaluated(benchmark, system, evaluate_one)
            if spent := getattr(system, "spent", None):  # what asking an endpoint has cost
                note(f"{name}: {spent}")


def evaluated(
    benchmark: Benchmark, system: System, evaluate_one: Callable[[Benchmark, System], Run]
) -> Iterator[Run | None]:
    """The run of one pair; None where it went wrong, which is said, and nothing where the two do not fit."""
    from benchmarks.harness.run import CannotTakePartError
    from benchmarks.plan import with_known_overlaps

    try:
        yield evaluate_one(with_known_overlaps(benchmark, system.name), system)
    except CannotTakePartError as error:
        note(f"skipped: {error}")
    except MENDABLE as error:
        complain(complaint(error))
        yield None
