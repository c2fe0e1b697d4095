"""`python -m toyworld.pretrain`: make every frozen backbone of this world again, from one seed.

In parts, one after the other, each of which ends in weights; within a part the state is saved every minute. A
run that was stopped goes on where its last saved state stands. `python -m toyworld.pretrain --help` lists the
parts; those of the picture world come first.
"""

from __future__ import annotations

import importlib
import shutil
import time
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Annotated

import typer

from nextgpt.terminal import say
from nextgpt.threads import wait_asleep
from toyworld.pretrain.progress import one_bar

# Of each part, its recipes, and about how many minutes each takes on a core that has nothing else to do.
PARTS: Mapping[str, Mapping[str, float]] = MappingProxyType(
    {
        "language_model": {
            "language_model": 40,
            "language_model_conversations": 30,
            "language_model_lessons": 12,
            "language_model_revision": 5,
        },
        "encoder": {"encoder": 12},
        "diffusion": {"autoencoder": 15, "diffusion": 25},
        "extractor": {"extractor": 8},
        "sound_extractor": {"sound_extractor": 16},
        "clip_extractor": {"clip_extractor": 17},
        "media_encoder": {"media_encoder": 22},
        "media_language_model": {"media_language_model": 38, "media_language_model_revision": 57},
        "clap": {"clap": 20},
        "mel_autoencoder": {"mel_autoencoder": 18},
        "audio_diffusion": {
            "audio_diffusion": 50,
            "audio_diffusion_revision": 9,
            "audio_diffusion_told": 30,
        },
        "video_diffusion": {
            "video_diffusion_stills": 15,
            "video_diffusion": 29,
            "video_diffusion_motion": 73,
        },
    }
)
# Parts of other parts, which hold them: their weights stay with the resumable states.
WITHIN = ("clap", "mel_autoencoder")
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
    """Pretrain the parts one after the other; one bar says how far all of them are."""
    unknown = [part for part in parts or () if part not in PARTS]
    if unknown:
        raise typer.BadParameter(f"no part is called {unknown[0]!r}; there are {', '.join(PARTS)}")
    if fresh and work.exists():
        shutil.rmtree(work)
    wait_asleep()
    import torch

    if threads:
        torch.set_num_threads(threads)
    chosen = parts or list(PARTS)
    minutes = {recipe: about for part in chosen for recipe, about in PARTS[part].items()}
    with one_bar(minutes):
        for part in chosen:
            _make(part, (work if part in WITHIN else out) / part, work)


def _make(part: str, folder: Path, work: Path) -> None:
    """Pretrain one part and write its card."""
    from toyworld.pretrain.cards import write_card

    module = importlib.import_module(f"toyworld.pretrain.{part}")
    for needed in getattr(module, "NEEDS", ()):
        if not ((work if needed in WITHIN else folder.parent) / needed).is_dir():
            raise typer.BadParameter(f"{part} stands on {needed}: make it before, by the same command")
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
