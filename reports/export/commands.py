"""``nextgpt-report export | push``: runs in the forms that others read, and to where they read them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from nextgpt.terminal import one_line, refusal, say

Format = Literal["every-eval-ever", "hf-eval-results", "hf-model-card"]


def export_command(
    runs: Annotated[Path, typer.Argument(help="Folder that `nextgpt-bench run --out` wrote to.")],
    *,
    to: Annotated[Format, typer.Option(help="Whose form to write.")],
    out: Annotated[Path | None, typer.Option(help="Folder to write to [RUNS/FORM].")] = None,
    data: Annotated[Path | None, typer.Option(help="Folder of the data set's official files.")] = None,
    dataset: Annotated[
        list[str] | None, typer.Option(help="BENCHMARK=ORG/NAME: its data set on the Hub; may be repeated.")
    ] = None,
    model: Annotated[
        list[str] | None, typer.Option(help="SYSTEM=ORG/NAME: its model on the Hub; may be repeated.")
    ] = None,
    organization: Annotated[str, typer.Option(help="Who ran it, for the record.")] = "unknown",
    licence: Annotated[str | None, typer.Option(help="The weights' licence, for a model card.")] = None,
) -> None:
    """Write runs in the forms that the field's registries read."""
    from benchmarks.harness.records import RecordError
    from reports.evidence import ReportError
    from reports.export.every_eval_ever import export_records
    from reports.export.hf_eval_results import ExportError, export_headlines, parse_hub_id
    from reports.export.model_card import export_cards

    target = out or runs / to
    try:
        datasets, models = (dict(map(parse_hub_id, given or ())) for given in (dataset, model))
        if to == "hf-eval-results":
            written, left_out = export_headlines(runs, target, datasets)
        elif to == "hf-model-card":
            written, left_out = export_cards(runs, target, datasets, models, licence)
        else:
            written, left_out = export_records(runs, target, models, organization=organization, data=data)
    except (ExportError, ReportError, RecordError) as error:
        raise refusal(error) from error
    for path in written:
        say(path)
    for line in left_out:
        say(f"left out: {one_line(line)}", err=True)
    if left_out:
        raise typer.Exit(1)


def push_command(
    folder: Annotated[Path, typer.Argument(help="Folder to upload, as an export made it.")],
    *,
    to: Annotated[str, typer.Option(help="Repository on the Hub, ORG/NAME; made where it is not there.")],
    kind: Annotated[Literal["model", "dataset"], typer.Option(help="Of which kind it is.")] = "model",
    private: Annotated[bool, typer.Option("--private", help="Make it private.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Upload a folder to the Hugging Face Hub, after showing what would go there."""
    from reports.export.hf_eval_results import ExportError, parse_hub_id
    from reports.export.push import push, uploads

    try:
        parse_hub_id(f"to={to}")
        for each in uploads(folder):
            say(f"{each.size:>12,}  {one_line(each.path)}")
        if not yes and not typer.confirm(f"Upload this to {to} on huggingface.co?", default=False, err=True):
            raise typer.Exit(1)
        say(push(folder, to, kind, private=private))
    except ExportError as error:
        raise refusal(error) from error
