"""``nextgpt-bench job``: all that belongs to one job, with one line that says how far it is."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from benchmarks.commands import CsvFile, JsonFile, show
from nextgpt.terminal import note

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.harness.records import Result


def job_command(
    name: Annotated[str, typer.Argument(help="Which job.")] = "bench",
    *,
    out: Annotated[Path, typer.Option(help="Folder of all runs; what is in it is continued.")] = Path("runs"),
    limit: Annotated[int | None, typer.Option(min=1, help="Only the first so many samples of each.")] = None,
    workers: Annotated[
        int | None, typer.Option(min=1, help="Processes at once; by default one for each core, at most four.")
    ] = None,
    json: JsonFile = None,
    csv: CsvFile = None,
) -> None:
    """Run all systems of a job on their benchmarks; what lacks weights is left out by name."""
    from benchmarks.commands.side_by_side import Workers, enough
    from benchmarks.harness.progress import whole_job
    from benchmarks.jobs import JOBS, left_out, pieces
    from benchmarks.registry import unknown

    if name not in JOBS:
        raise unknown("job", name, JOBS)
    chosen = pieces(JOBS[name], limit)
    lacking = dict(left_out(chosen))
    for line in lacking.values():
        note(line)
    due = [piece for piece in chosen if piece.system not in lacking]
    found: dict[int, Sequence[Result] | None] = {}
    try:
        with whole_job(sum(piece.share for piece in due)) as job:
            for told in Workers(workers or enough(), out.absolute(), job.reach).run(due):
                found[due.index(told.piece)] = told.results
                job.tell(f"{told.piece.system} on {told.piece.benchmark}")
    except KeyboardInterrupt:
        note(f"stopped; every finished batch is kept in {out}, and the same command does what is left")
        raise typer.Exit(130) from None
    finally:
        show([result for k in sorted(found) for result in found[k] or ()], json, csv)
    if None in found.values() or not found:
        raise typer.Exit(1)
