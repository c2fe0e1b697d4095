"""The command line of the benchmarks: ``nextgpt-bench run | merge | list | data | score ...``.

Results go to standard output as a table and, with ``--json FILE``, to a file as the same rows;
progress and notes go to standard error. What a person did wrong is one line and a non-zero exit.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from benchmarks.data.cli import app as data_app
from nextgpt.terminal import one_line, run_app, say
from nextgpt.threads import wait_asleep

if TYPE_CHECKING:
    from benchmarks.harness import Benchmark, System
    from benchmarks.harness.records import Result, Run

DEFAULT_SUITE = "toyworld"
DEFAULT_SYSTEMS = ("nextgpt-tiny", "caption-then-tool")

_MOST = 2**31 - 1
_ERRORS = (ValueError, OSError, RuntimeError)
_OURS = ("benchmarks", "metrics", "nextgpt", "baselines", "toyworld")

app = typer.Typer(
    help="Run systems on benchmarks, score their answers, and hold the line.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)

app.add_typer(data_app, name="data")

JsonFile = Annotated[Path | None, typer.Option("--json", help="Also write the rows to this file, as JSON.")]
ExpectedFolder = Annotated[Path | None, typer.Option("--expected", help="Folder of the expectations.")]


@app.command("run")
def run_command(  # noqa: PLR0913 - one parameter for each option
    *,
    suite: Annotated[str | None, typer.Option(help=f"Benchmarks by suite [{DEFAULT_SUITE}].")] = None,
    benchmark: Annotated[list[str] | None, typer.Option(help="One benchmark; may be repeated.")] = None,
    system: Annotated[
        list[str] | None, typer.Option(help=f"A system; may be repeated [{', '.join(DEFAULT_SYSTEMS)}].")
    ] = None,
    data: Annotated[Path | None, typer.Option(help="Folder of the data set's official files.")] = None,
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
    only: Annotated[str | None, typer.Option(help="Of these benchmarks, those of one family.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would run, and run nothing.")] = False,
    json: JsonFile = None,
) -> None:
    """Run systems on benchmarks, and score them; an interrupted run is continued."""
    from benchmarks.harness.benchmark import Options, Shard
    from benchmarks.harness.records import why_meaningless
    from benchmarks.harness.run import evaluate
    from benchmarks.plan import of_family, print_plan
    from benchmarks.registry import load_benchmark

    benchmarks = of_family(map(load_benchmark, _chosen(suite, benchmark)), only)
    options = Options(data, limit, Shard.parse(shard) if shard else None)
    json = json and json.absolute()  # a system may change the current folder
    if dry_run:
        if not print_plan(benchmarks, system or DEFAULT_SYSTEMS, options, json):
            raise typer.Exit(1)
        return
    evaluate_one = partial(
        evaluate, out=out, options=options, batch_size=batch_size, seed=seed, retry_failed=retry_failed
    )
    outcomes: list[Run | None] = []
    try:
        for outcome in _evaluate_all(system or DEFAULT_SYSTEMS, benchmarks, evaluate_one, timeout):
            outcomes.append(outcome)  # noqa: PERF402 - keeps what there is when an interrupt comes
    except KeyboardInterrupt:
        _note(f"stopped; every finished batch is kept in {out}, and the same command does what is left")
        raise typer.Exit(130) from None
    finally:
        runs = [outcome for outcome in outcomes if outcome is not None]
        _show([result for run in runs for result in run.results], json)
    for run in runs:
        if run.manifest.shard is not None:
            _note(f"part {run.manifest.shard}, {run.manifest.samples} samples, is finished in {run.folder}")
    meaningless = [problem for run in runs if (problem := why_meaningless(run))]
    for problem in meaningless:
        _note(f"error: {problem}")
    if meaningless or None in outcomes or not outcomes:
        raise typer.Exit(1)


@app.command("merge")
def merge_command(
    run: Annotated[Path, typer.Argument(help="Folder of one run, OUT/SYSTEM/BENCHMARK.")],
    *,
    data: Annotated[Path | None, typer.Option(help="Folder of the data set's official files.")] = None,
    json: JsonFile = None,
) -> None:
    """Put the parts that `run --shard` made together, and score them as one run."""
    from benchmarks.harness.benchmark import Options
    from benchmarks.harness.records import why_meaningless
    from benchmarks.harness.shards import merge
    from benchmarks.registry import load_benchmark

    merged = merge(run, load_benchmark(run.absolute().name), Options(data))
    _show(merged.results, json)
    if problem := why_meaningless(merged):
        _note(f"error: {problem}")
        raise typer.Exit(1)


@app.command("status")
def status_command(
    runs: Annotated[Path, typer.Argument(help="Folder of one run, or of many.")], *, json: JsonFile = None
) -> None:
    """Say who computes what, and what is missing; nobody at work is disturbed."""
    from benchmarks.harness.status import standings
    from benchmarks.tables import print_rows, write_rows

    found = standings(runs)
    head = ("system", "benchmark", "part", "state", "answered", "failed", "missing")
    rows = [[getattr(each, name) for name in head] for each in found]
    print_rows(head, [["?" if value is None else str(value) for value in row] for row in rows])
    if json:
        write_rows(json, map(asdict, found))


@app.command("verify")
def verify_command(
    run: Annotated[Path, typer.Argument(help="Folder of one scored run.")],
    *,
    data: Annotated[Path | None, typer.Option(help="Folder of the data set's official files.")] = None,
    system: Annotated[str | None, typer.Option(help="Also load this system, and compare it.")] = None,
    json: JsonFile = None,
) -> None:
    """Compute every number of a run again, without the model, and check all that it rests on."""
    from benchmarks.harness.benchmark import Options
    from benchmarks.harness.records import read_run
    from benchmarks.harness.verify import verify
    from benchmarks.registry import load_benchmark, load_system
    from benchmarks.tables import print_rows, write_rows

    made = read_run(run)
    fingerprint = load_system(system).fingerprint if system else None
    checks = verify(made, load_benchmark(made.manifest.benchmark), Options(data), fingerprint)
    rows = [("number" if each.cell else "ground", each.what, each.outcome, each.why) for each in checks]
    print_rows(("", "what", "outcome", "why"), rows)
    if json:
        write_rows(json, map(asdict, checks))
    if fallen := sum(not each.holds for each in checks):
        _note(
            f"error: {fallen} of {len(checks)} do not hold; find out why before you use a number of this run"
        )
        raise typer.Exit(1)


@app.command("list")
def list_command(
    *,
    data: Annotated[Path | None, typer.Option(help="Also say which data sets lie below this folder.")] = None,
    json: JsonFile = None,
) -> None:
    """List benchmarks with their data, suites, systems, metrics, extractors; of installed packages too."""
    from benchmarks.listing import list_all

    list_all(data, json)


@app.command("score")
def score_command(  # noqa: PLR0913 - one parameter for each option
    family: Annotated[
        str,
        typer.Argument(
            help="image-captioning, video-captioning, audio-captioning; vqa, exact-match, next-qa, "
            "activitynet-qa, pope; text-to-image, editing, text-to-video, text-to-audio; people; or results, "
            "which another tool wrote for each item."
        ),
    ],
    *,
    predictions: Annotated[
        Path,
        typer.Option(
            help="Official results file or our predictions.jsonl; folder of media; features as .npy or "
            ".npz; CSV of judgements; results of VBench, AudioBox, T2AV-Compass, UniM, lmms-eval, inspect_ai."
        ),
    ],
    references: Annotated[
        Path | None,
        typer.Option(
            help="Official annotation file, or its folder; folder of true media, or their features; another "
            "system's results, to compare with."
        ),
    ] = None,
    prompts: Annotated[
        Path | None,
        typer.Option(help="Generated media: JSON from file name, without ending, to the text asked for."),
    ] = None,
    extractor: Annotated[
        list[str] | None,
        typer.Option(help="Generated media: a network of `nextgpt-bench list`, as NAME or NAME:WEIGHTS."),
    ] = None,
    resize: Annotated[
        str | None, typer.Option(help="For Inception: clean [the default], pytorch-fid, tf1, torchmetrics.")
    ] = None,
    cache: Annotated[Path | None, typer.Option(help="Generated media: folder that keeps features.")] = None,
    allow_missing: Annotated[
        bool, typer.Option("--allow-missing", help="Count samples without an answer as failed.")
    ] = False,
    json: JsonFile = None,
) -> None:
    """Score what any program made: answers, pictures, clips, sounds; people's and other tools' judgements."""
    from difflib import get_close_matches

    from benchmarks.score import media
    from benchmarks.score.files import score_files
    from benchmarks.score.formats import FAMILIES
    from benchmarks.score.generated import Generated

    families = (*FAMILIES, *media.FAMILIES, "people", "results")
    if family not in families:
        close = get_close_matches(family, families, n=1, cutoff=0.5) or families
        raise typer.BadParameter(f"unknown family {family!r}; did you mean {' or '.join(close)}?")
    of_media = {"--prompts": prompts, "--extractor": extractor, "--resize": resize, "--cache": cache}
    for option, value in ({} if family in media.FAMILIES else of_media).items():
        if value is not None:
            raise typer.BadParameter(f"{option} is of no use for {family}; leave it out")
    if family in media.FAMILIES:
        asked = Generated(
            family, predictions, references, prompts, extractor or (), resize, cache, allow_missing
        )
        found = media.score_generated(asked)
        for note in found.notes:
            _note(f"missing: {note}")
        results = found.results
    elif family in ("people", "results"):
        results = _score_judged(family, predictions, references)
    elif references is None:
        raise typer.BadParameter(f"{family} is scored against --references; name the annotation file")
    else:
        results = score_files(family, references, predictions, allow_missing=allow_missing)
    _show(results, json)
    if all(result.value is None for result in results):
        raise typer.Exit(1)


@app.command("expect")
def expect_command(
    runs: Annotated[Path, typer.Argument(help="Folder of scored runs.")],
    *,
    margin: Annotated[float, typer.Option(min=0, help="A drop of the score that nobody minds.")] = 0.01,
    because: Annotated[str, typer.Option(help="Why a line may be lowered; kept in its file.")] = "",
    expected: ExpectedFolder = None,
    json: JsonFile = None,
) -> None:
    """Make finished runs the line that the regression tests hold; lowering it needs a reason."""
    from benchmarks.harness.expectations import FOLDER, expectation_of, renewed, write_expectation
    from benchmarks.harness.records import find_runs
    from benchmarks.registry import headline_falls

    found, folder = find_runs(runs), expected or FOLDER
    made = [
        expectation_of(run, margin, lower_is_better=headline_falls(run.manifest.benchmark)) for run in found
    ]
    for expectation in [renewed(each, folder, because) for each in made]:  # all or none are written
        lowered = f"; lowered: {expectation.because}" if expectation.because else ""
        _note(f"wrote {write_expectation(expectation, folder)}{lowered}")
    headlines = {run.folder: run.manifest.headline for run in found}
    _show([row for run in found for row in run.results if row.metric == headlines[run.folder]], json)


@app.command("init")
def init_command(
    folder: Annotated[Path, typer.Argument(help="Your repository.")] = Path(),
) -> None:
    """Put a repository under the gate: a test, a benchmark and a system to start from, a workflow."""
    from benchmarks.starting import NEXT, write_start

    for path, written in write_start(folder):
        say(one_line(f"wrote {path}" if written else f"kept {path}, which was there"))
    say(NEXT)


@app.command("doctor")
def doctor_command(json: JsonFile = None) -> None:
    """Say which weights and tools are missing, and which metrics that disables."""
    from benchmarks.doctor import examine
    from benchmarks.tables import print_rows, write_rows

    findings = []
    for found in examine():
        _note(f"looked for {found.what}")  # loading every system takes a while
        findings.append(found)
    head = ("what", "state", "without it, no", "why")
    rows = [(each.what, "ok" if each.present else "missing", each.disables, each.reason) for each in findings]
    print_rows(head, rows)
    if json:
        write_rows(json, map(asdict, findings))


@app.command("selftest")
def selftest_command(
    *,
    extractor: Annotated[
        str | None, typer.Option(help="Also see whether this network notices damaged pictures.")
    ] = None,
    json: JsonFile = None,
) -> None:
    """Check the metrics themselves: known values, and that growing damage costs."""
    from benchmarks.registry import load_extractor
    from benchmarks.tables import print_rows, write_rows
    from metrics.selftest import selftest

    checks = selftest(load_extractor(extractor) if extractor else None)
    rows = [(check.name, "ok" if check.passed else "FAILED", check.found) for check in checks]
    print_rows(("check", "outcome", "found"), rows)
    if json:
        write_rows(json, map(asdict, checks))
    failed = sum(not check.passed for check in checks)
    if failed:
        _note(f"error: {failed} of {len(checks)} checks failed; trust no number of these metrics")
        raise typer.Exit(1)


def main() -> None:
    """Run the command line; an error that is the user's to mend is one line and exit status 1."""
    wait_asleep()
    try:
        # Typer imports pydantic to parse even an absent option: twice the time of all else in a listing.
        run_app(app if sys.argv[1:] != ["list"] else lambda **_: list_command())
    except _ERRORS as error:
        _note(_complaint(error))
        raise SystemExit(1) from None


def _score_judged(family: str, predictions: Path, references: Path | None) -> list[Result]:
    """What people or other tools judged already."""
    from benchmarks.score.judgements import score_judgements
    from benchmarks.score.results import score_results

    if family == "people":
        return score_judgements(predictions)
    results, notes = score_results(predictions, references)
    for note in notes:
        _note(note)
    return results


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
    timeout: float | None,
) -> Iterator[Run | None]:
    """A run for every pair that fits together; None for what went wrong, which spoils no other pair."""
    from benchmarks.harness.isolated import Isolated
    from benchmarks.harness.run import CannotTakePartError
    from benchmarks.plan import with_known_overlaps
    from benchmarks.registry import load_system

    for name in systems:
        try:
            load = partial(load_system, name)
            system = load() if timeout is None else Isolated(load, timeout)
        except _ERRORS as error:
            _note(_complaint(error))
            yield None
            continue
        for benchmark in benchmarks:
            try:
                yield evaluate_one(with_known_overlaps(benchmark, system.name), system)
            except CannotTakePartError as error:
                _note(f"skipped: {error}")
            except _ERRORS as error:
                _note(_complaint(error))
                yield None
        if spent := getattr(system, "spent", None):  # what asking an endpoint has cost
            _note(f"{name}: {spent}")
        if isinstance(system, Isolated):
            system.close()


def _complaint(error: Exception) -> str:
    """The line that a person gets for an error.

    An error class that this project defines is written for people, and an `OSError` names its file; any
    other is a bug: it is raised again and keeps its trace.
    """
    if not isinstance(error, OSError) and type(error).__module__.partition(".")[0] not in _OURS:
        raise error
    return f"error: {one_line(error)}"


def _show(results: Iterable[Result], json: Path | None) -> None:
    from benchmarks.tables import print_results, write_rows

    results = list(results)
    if results:
        print_results(results)
    if json:
        write_rows(json, (asdict(result) for result in results))


def _note(text: str) -> None:
    say(text, err=True)


if __name__ == "__main__":
    main()
