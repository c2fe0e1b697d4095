"""Options that several commands of ``nextgpt-report`` take."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Own = Annotated[
    list[str] | None, typer.Option(help="package.module:NAME of a benchmark of your own; may be repeated.")
]
JsonFile = Annotated[
    Path | None, typer.Option("--json", help="Also write the numbers to this file, as JSON.")
]
CsvFile = Annotated[Path | None, typer.Option("--csv", help="Likewise, as CSV, a row for each.")]
