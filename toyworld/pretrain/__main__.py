"""`python -m toyworld.pretrain`: make every frozen backbone of this world again, from one seed.

Resumable: a run that was stopped goes on where its last saved state stands. Parts: the language model,
the encoder, the diffusion model (its autoencoder first) and the extractor of the metrics.
"""

from __future__ import annotations

import importlib
import shutil
import time
from pathlib import Path
from typing import Annotated

import typer

from nextgpt.terminal import say
from nextgpt.threads import wait_asleep

PARTS = ("language_model", "encoder", "diffusion", "extractor")
WEIGHTS = Path(__file__).resolve().parent.parent / "weights"

app = typer.Typer(add_completion=False, help=__doc__)


@app.command()
def pretrain(
    parts: Annotated[
        list[str] | None, typer.Argument(help=f"Which parts: {', '.join(PARTS)}. All by default.")
    ] = None,
    out: Annotated[Path, typer.Option(help="Folder of the weights.")] = WEIGHTS,
    work: Annotated[Path, typer.Option(help="Folder of the resumable states.")] = Path(".pretrain"),
    threads: Annotated[int, typer.Option(help="Processor cores to use; 0 for all.", min=0)] = 0,
    fresh: Annotated[bool, typer.Option(help="Forget the saved states and start again.")] = False,
) -> None:
    """Pretrain the parts one after the other; about two hours in all on two cores."""
    unknown = [part for part in parts or () if part not in PARTS]
    if unknown:
        raise typer.BadParameter(f"no part is called {unknown[0]!r}; there are {', '.join(PARTS)}")
    if fresh and work.exists():
        shutil.rmtree(work)
    wait_asleep()
    import torch

    from toyworld.pretrain.cards import write_card

    if threads:
        torch.set_num_threads(threads)
    for part in parts or PARTS:
        module = importlib.import_module(f"toyworld.pretrain.{part}")
        folder = out / part
        folder.mkdir(parents=True, exist_ok=True)
        started = time.monotonic()
        try:
            figures = module.pretrain(work, folder)
        except KeyboardInterrupt:
            say(f"\nstopped; the same command goes on with {part}", err=True)
            raise typer.Exit(130) from None
        card = write_card(part, folder, figures)
        say(f"{part}: {time.monotonic() - started:.0f} s, {card}")


if __name__ == "__main__":
    app()
