"""The command line of the benchmarks: ``nextgpt-bench run | merge | list | data | score ...``.

Results go to standard output as a table and, with ``--json FILE``, to a file as the same rows;
progress and notes go to standard error. What a person did wrong is one line and a non-zero exit.
The commands that measure stand in `benchmarks.commands`; here are those that look about.
"""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from benchmarks.commands import MENDABLE, CsvFile, JsonFile, complain, complaint, fetch, job, kept, run, score
from benchmarks.data.cli import app as data_app
from nextgpt.terminal import note, one_line, run_app, say
from nextgpt.threads import wait_asleep

app = typer.Typer(
    help="Run systems on benchmarks, score their answers, and hold the line.",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
app.add_typer(data_app, name="data")
app.add_typer(fetch.app, name="fetch")
app.command("run")(run.run_command)
app.command("job")(job.job_command)
app.command("merge")(run.merge_command)
app.command("status")(kept.status_command)
app.command("verify")(kept.verify_command)


@app.command("list")
def list_command(
    names: Annotated[
        list[str] | None, typer.Argument(help="Benchmarks or suites whose whole cards to show.")
    ] = None,
    *,
    data: Annotated[Path | None, typer.Option(help="Also say which data sets lie below this folder.")] = None,
    json: JsonFile = None,
    csv: CsvFile = None,
) -> None:
    """List benchmarks with their data, suites, systems, metrics, extractors; of installed packages too."""
    from benchmarks.listing import list_all, list_cards

    if names:
        list_cards(names, data, json, csv)
    else:
        list_all(data, json, csv)


app.command("score")(score.score_command)
app.command("expect")(kept.expect_command)


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
def doctor_command(
    *,
    packaged: Annotated[
        Path | None, typer.Option(help="Folder of `fetch packaged` [NEXTGPT_PACKAGED, or the cache].")
    ] = None,
    json: JsonFile = None,
    csv: CsvFile = None,
) -> None:
    """Say which weights and tools are missing, and which metrics that disables."""
    from benchmarks.doctor import examine
    from benchmarks.harness.storage import write_rows
    from benchmarks.tables import print_rows

    findings = []
    for found in examine(packaged):
        note(f"looked for {found.what}")  # loading every system takes a while
        findings.append(found)
    head = ("what", "state", "without it, no", "why")
    rows = [(each.what, "ok" if each.present else "missing", each.disables, each.reason) for each in findings]
    print_rows(head, rows)
    write_rows(map(asdict, findings), json, csv)


@app.command("selftest")
def selftest_command(
    *,
    extractor: Annotated[
        str | None, typer.Option(help="Also see whether this network notices damaged pictures.")
    ] = None,
    json: JsonFile = None,
    csv: CsvFile = None,
) -> None:
    """Check the metrics themselves: known values, and that growing damage costs."""
    from benchmarks.harness.storage import write_rows
    from benchmarks.registry import load_extractor
    from benchmarks.tables import print_rows
    from metrics.selftest import selftest

    checks = selftest(load_extractor(extractor) if extractor else None)
    rows = [(check.name, "ok" if check.passed else "FAILED", check.found) for check in checks]
    print_rows(("check", "outcome", "found"), rows)
    write_rows(map(asdict, checks), json, csv)
    failed = sum(not check.passed for check in checks)
    if failed:
        complain(f"error: {failed} of {len(checks)} checks failed; trust no number of these metrics")
        raise typer.Exit(1)


def main() -> None:
    """Run the command line; an error that is the user's to mend is one line and exit status 1."""
    wait_asleep()
    try:
        # Typer imports pydantic to parse even an absent option: twice the time of all else in a listing.
        run_app(app if sys.argv[1:] != ["list"] else lambda **_: list_command())
    except MENDABLE as error:
        complain(complaint(error))
        raise SystemExit(1) from None


if __name__ == "__main__":
    main()
