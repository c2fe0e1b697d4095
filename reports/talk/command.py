"""The command ``nextgpt serve``, which the program `nextgpt` finds by its entry point."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nextgpt.terminal import refusal, say

if TYPE_CHECKING:
    from reports.talk.page import Page
    from reports.talk.shelf import Shelf


def serve(
    *,
    system: Annotated[
        str, typer.Option(help="Who answers: a name of `nextgpt-bench list`, or package.module:factory.")
    ] = "nextgpt-tiny",
    against: Annotated[
        str | None, typer.Option(help="A second system: both answer, unnamed, and votes are kept.")
    ] = None,
    votes: Annotated[
        Path, typer.Option(help="File to append votes to; `nextgpt-report ratings` reads it.")
    ] = Path("votes.jsonl"),
    host: Annotated[
        str, typer.Option(help="Address to serve on; 0.0.0.0 lets the local network in.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port; 0 takes a free one.")] = 7860,
    seed: Annotated[int, typer.Option(help="Draws sides and media.")] = 0,
) -> None:
    """Talk to a system on a page of your browser, or to two at once, blind, and vote."""
    from benchmarks.harness.storage import RecordError
    from benchmarks.registry import RegistryError, load_system
    from reports.talk.page import Page
    from reports.talk.shelf import Shelf
    from reports.talk.votes import Ballot

    try:
        with socket.create_server((host, port)) as door, Shelf() as shelf:
            ballot = None if against is None else Ballot(votes)
            systems = [load_system(name) for name in (system, against) if name is not None]
            if len({each.name for each in systems}) < len(systems):
                raise RegistryError(f"{system} and {against} have one name; compare two systems")
            _run(Page(systems, shelf, ballot, seed), shelf, door)
    except ModuleNotFoundError as error:
        if error.name != "gradio":
            raise
        raise refusal("gradio is not installed: pip install 'nextgpt[serve]'") from error
    except OSError as error:
        if error.filename is not None:
            raise
        raise refusal(f"{host}:{port} can't be served on ({error.strerror}); choose another") from error
    except (RegistryError, RecordError) as error:
        raise refusal(error) from error


def application(page: Page, shelf: Shelf) -> Any:
    """The page as an ASGI application, guarded; nothing is told to anybody outside."""
    import os

    # Before Gradio is imported: it asks the network for its newest version, and keeps uploads there.
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
    os.environ["GRADIO_TEMP_DIR"] = str(shelf.folder / "uploads")
    import gradio as gr
    from fastapi import FastAPI, Response
    from fastapi.responses import FileResponse

    from reports.talk.guard import LARGEST, Guard
    from reports.talk.page import STYLE
    from reports.talk.shelf import KINDS

    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)

    @app.get("/media/{name}")
    def medium(name: str) -> Response:
        path = shelf.find(name)
        if path is None:
            return Response("nothing here\n", status_code=404, media_type="text/plain")
        return FileResponse(path, media_type=KINDS[path.suffix[1:]], headers={"Cache-Control": "no-store"})

    fonts = ["system-ui", "sans-serif"]  # of this machine: Gradio's own come from another
    gr.mount_gradio_app(
        app,
        page.build(),
        path="/",
        footer_links=[],
        allowed_paths=[],
        show_error=False,
        max_file_size=LARGEST,
        ssr_mode=False,
        enable_monitoring=False,
        mcp_server=False,
        theme=gr.themes.Default(font=fonts, font_mono=["ui-monospace", "monospace"]),
        css=STYLE.read_text(encoding="utf-8"),
    )
    return Guard(app)


def _run(page: Page, shelf: Shelf, door: socket.socket) -> None:
    app = application(page, shelf)
    import uvicorn

    host, port = door.getsockname()[:2]
    say(
        f"Talk to it at http://{f'[{host}]' if ':' in host else host}:{port}/ ; stop with Ctrl-C.", flush=True
    )
    settings = uvicorn.Config(
        app, log_level="error", access_log=False, server_header=False, timeout_graceful_shutdown=1
    )
    uvicorn.Server(settings).run(sockets=[door])
    say("stopped")
