"""``-q`` and ``-v`` of every command: how much it says beside its results and its errors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

import typer

from nextgpt.terminal import Volume, set_volume


def audible(app: typer.Typer | Callable[..., Any]) -> Callable[..., Any]:
    """The command of a typer app, where each command below it takes ``--quiet`` and ``--verbose``.

    Typer has no way to give all commands an option; the options of a command of its own are as good. What is
    no typer app is returned as it is.
    """
    from typer.main import get_command

    if not isinstance(app, typer.Typer):
        return app
    donor = typer.Typer(add_completion=False, rich_markup_mode=None)
    donor.command()(_options)
    given = get_command(donor).params
    whole = get_command(app)
    pending: list[Any] = [whole]
    while pending:
        command = pending.pop()
        below = getattr(command, "commands", None)
        if below is None:
            command.params.extend(given)
        else:
            pending.extend(below.values())
    return whole


def _quietly(given: bool) -> None:
    if given:
        set_volume(Volume.QUIET)


def _verbosely(given: bool) -> None:
    if given:
        set_volume(Volume.VERBOSE)


def _options(
    *,
    quiet: Annotated[
        bool,
        typer.Option(
            "--quiet", "-q", help="Results and errors alone.", callback=_quietly, expose_value=False
        ),
    ] = False,
    verbose: Annotated[
        bool,
        typer.Option(
            "--verbose",
            "-v",
            help="Also what is loaded, each failure, and what libraries log.",
            callback=_verbosely,
            expose_value=False,
        ),
    ] = False,
) -> None: ...
