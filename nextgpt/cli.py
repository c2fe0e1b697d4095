"""The command `nextgpt`: talk to a model, train it, convert and examine weights, count parameters.

Only typer is imported here; whatever is heavy is imported by the command that needs it.
"""

from __future__ import annotations

import enum
import os
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nextgpt.errors import UserError
from nextgpt.terminal import cell, error_line, one_line, run_app, say
from nextgpt.threads import wait_asleep

if TYPE_CHECKING:
    from nextgpt.config import Config
    from nextgpt.sizing.rehearsal import Need

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # importing rich would double the time of --help
    help="NExT-GPT: messages in, messages out; text and pictures either way.",
)


class StageName(enum.StrEnum):
    """The stages of training, in their order."""

    encoding = "encoding"
    decoding = "decoding"
    instruct = "instruct"


JsonFile = Annotated[Path | None, typer.Option("--json", help="Also write it to this file, as JSON.")]
CsvFile = Annotated[Path | None, typer.Option("--csv", help="Likewise, as CSV.")]
Preset = Annotated[str, typer.Option(help="A preset's name, or a YAML file.")]
ProjectionKind = Annotated[
    str | None,
    typer.Option(help="Input projection: grouping, linear, patches or mlp; by default the preset's."),
]
Folder = Annotated[Path | None, typer.Option(help="A checkpoint; by default the preset's own.")]
WeightsFolder = Annotated[
    Path | None,
    typer.Option(
        help="A folder of weights, with sub-folders encoder, language_model, image, video, audio and "
        "checkpoints; what is not in it is looked for where the preset says."
    ),
]

DataFolder = Annotated[
    Path | None, typer.Option(help="Folder of the examples, where the preset reads them from files.")
]
FeatureFolder = Annotated[
    Path | None, typer.Option(help="Precomputed features; by default features/nextgpt-PRESET.")
]


@app.command()
def chat(  # noqa: PLR0913, PLR0917
    image: Annotated[Path | None, typer.Option(help="A picture to go with the first message.")] = None,
    video: Annotated[Path | None, typer.Option(help="Likewise, a clip.")] = None,
    audio: Annotated[Path | None, typer.Option(help="Likewise, a sound.")] = None,
    message: Annotated[str | None, typer.Option(help="Say this, print the answer and end.")] = None,
    out: Annotated[Path, typer.Option(help="Where pictures, clips and sounds go.")] = Path("pictures"),
    preset: Preset = "tiny",
    weights: WeightsFolder = None,
    checkpoint: Folder = None,
    projection: ProjectionKind = None,
    seed: Annotated[int, typer.Option(help="Another seed makes other pictures.")] = 0,
) -> None:
    """Talk to a model: text, pictures, clips and sounds in; text, pictures, clips and sounds out."""
    from nextgpt.media import Audio, Image, Medium, Video
    from nextgpt.media.video import CHAT_FPS

    # A wrong file is found before the model is loaded.
    shown: list[Medium] = [
        *([Image.open(image)] if image is not None else []),
        *([Video.open(video, fps=CHAT_FPS)] if video is not None else []),
        *([Audio.open(audio)] if audio is not None else []),
    ]
    config = _configured(preset, projection, weights)
    from rich.console import Console

    import nextgpt
    from nextgpt.chat import Chat, loop, told
    from nextgpt.messages import Failure

    # Full-size weights take minutes; where no one watches, nothing is shown.
    wait = Console(stderr=True).status
    with wait("reading the weights ..."):
        model = nextgpt.load(config, checkpoint=checkpoint)
    talk = Chat(model, out, seed, busy=lambda: wait("answering ..."))
    for medium in shown:
        talk.show(medium)
    if message is None:
        loop(talk, lambda: input("> "), say)
        return
    answer, files = talk.say(message)
    say(told(answer, files))
    if isinstance(answer, Failure):
        raise typer.Exit(1)


@app.command()
def train(  # noqa: PLR0913, PLR0917
    stage: Annotated[StageName, typer.Argument(help="Which stage; instruct starts from the other two.")],
    preset: Preset = "tiny",
    projection: ProjectionKind = None,
    steps: Annotated[int | None, typer.Option(min=1, help="By default the preset's.")] = None,
    examples: Annotated[int | None, typer.Option(min=1, help="By default the preset's.")] = None,
    out: Annotated[Path | None, typer.Option(help="By default checkpoints/nextgpt-PRESET/STAGE.")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on from the state in --out.")] = False,
    encoding: Annotated[Path | None, typer.Option(help="Checkpoint of stage 1, for instruct.")] = None,
    decoding: Annotated[Path | None, typer.Option(help="Checkpoint of stage 2, for instruct.")] = None,
    weights: WeightsFolder = None,
    data: DataFolder = None,
    features: FeatureFolder = None,
) -> None:
    """Train a stage; frozen parts stay as they are, which is checked.

    On several GPUs: accelerate launch --config_file CONFIG -m nextgpt train ..., where CONFIG is one of
    nextgpt/training/configs/ddp.yaml, fsdp.yaml and deepspeed.yaml.
    """
    from nextgpt.training.loop import first_process, leave, run

    outcome = run(
        _configured(preset, projection, weights),
        stage.value,
        steps=steps,
        examples=examples,
        out=out,
        resume=resume,
        encoding=encoding,
        decoding=decoding,
        data=data,
        features=features,
    )
    leave()
    if not first_process():
        return
    for name, value in outcome.figures.items():
        say(f"{name}: {value:.4g}")
    say(f"checkpoint: {outcome.folder}")


@app.command()
def precompute(
    stage: Annotated[StageName, typer.Argument(help="Which stage's examples.")],
    preset: Preset = "tiny",
    examples: Annotated[int | None, typer.Option(min=1, help="By default the preset's.")] = None,
    weights: WeightsFolder = None,
    data: DataFolder = None,
    features: FeatureFolder = None,
) -> None:
    """Compute what is frozen about a stage's examples once; `nextgpt train` finds it there.

    Stopped, it goes on where it was. On several GPUs: accelerate launch, as for train.
    """
    from nextgpt.training.loop import first_process, leave
    from nextgpt.training.precompute import precompute as computed

    config = _configured(preset, None, weights)
    done = computed(config, stage.value, examples=examples, data=data, features=features)
    leave()
    if not first_process():
        return
    for line in done.left_out[:5]:
        say(f"left out: {line}")
    if done.left_out:
        say(f"{len(done.left_out):,} of {done.examples:,} examples cannot be used")
    say(f"{done.examples:,} examples: {done.new:,} features computed, {done.there:,} in {done.folder}")


@app.command()
def preset(
    name: Annotated[str | None, typer.Argument(help="By default all are listed.")] = None,
) -> None:
    """Print a preset, to be changed in a file of your own, which --preset takes as well as a name."""
    from nextgpt.config import preset_text, presets

    say("\n".join(presets()) if name is None else preset_text(name).rstrip("\n"))


@app.command()
def params(
    preset: Preset = "tiny",
    projection: ProjectionKind = None,
    memory: Annotated[
        bool, typer.Option("--memory", help="Also the peak memory of answering and of each stage.")
    ] = False,
    json: JsonFile = None,
    csv: CsvFile = None,
) -> None:
    """Count every part's parameters, trainable and frozen; full-size models are counted without weights."""
    from rich.console import Console
    from rich.table import Table

    from nextgpt.config import load_config
    from nextgpt.documents import write_csv, write_json
    from nextgpt.sizing.parameters import count, trainable_share
    from nextgpt.sizing.structure import parts_of

    config = load_config(preset, projection=projection)
    rows = count(parts_of(config))
    table = Table("part", "parameters", "", "after", title=cell(f"{config.name}, stage 3"))
    for row in rows:
        kind = "trains" if row.trainable else "frozen"
        table.add_row(cell(row.part), f"{row.parameters:,}", kind, cell(row.source))
    table.columns[1].justify = "right"
    Console().print(table)
    trained = sum(row.parameters for row in rows if row.trainable)
    say(f"{trained:,} of {sum(row.parameters for row in rows):,} train: {trainable_share(rows):.2%}")
    peaks: list[Need] = []
    if memory:
        from nextgpt.sizing.rehearsal import needs, told

        peaks = needs(config)
        say("\n".join(told(peaks)))
    if json:
        sizes = [asdict(peak) | {"total": peak.total} for peak in peaks]
        found = {"parts": list(map(asdict, rows)), "trainable_share": trainable_share(rows)}
        write_json(json, found | {"memory": sizes})
    if csv:
        write_csv(csv, map(asdict, rows))


@app.command()
def convert(
    sources: Annotated[
        list[Path],
        typer.Argument(
            help="A folder of released weights, or files; where a tensor stands in two, the later counts."
        ),
    ],
    out: Annotated[Path, typer.Option(help="The folder to write.")],
    preset: Annotated[str, typer.Option(help="The preset to use them with, or a YAML file.")] = "7b-v0",
    weights: WeightsFolder = None,
    projection: ProjectionKind = None,
    stage: Annotated[StageName, typer.Option(help="Which stage's checkpoint to make.")] = StageName.instruct,
) -> None:
    """Convert weights of the released code into a checkpoint of this project; nothing is guessed."""
    from nextgpt.convert import convert as converted

    config = _configured(preset, projection, weights)
    for line in converted(sources, config, out, stage=stage.value).lines():
        say(line)


@app.command()
def doctor(
    preset: Preset = "tiny",
    weights: WeightsFolder = None,
    projection: ProjectionKind = None,
    json: JsonFile = None,
    csv: CsvFile = None,
) -> None:
    """List each file that a preset needs: there or missing, its size, licence and origin. Loads nothing."""
    from nextgpt.documents import write_csv, write_json
    from nextgpt.weights import doctor as examination

    parts = examination.examine(_configured(preset, projection, None), weights)
    for line in examination.lines(parts):
        say(line)
    found = [asdict(part) | {"whole": part.whole} for part in parts]
    if json:
        write_json(json, found)
    if csv:
        write_csv(csv, found)
    if not all(part.whole for part in parts):
        raise typer.Exit(1)


def _configured(preset: str, projection: str | None, weights: Path | None) -> Config:
    """A preset, with what the command line says otherwise."""
    from nextgpt.config import load_config
    from nextgpt.weights.places import with_weights

    config = load_config(preset, projection=projection)
    return config if weights is None else with_weights(config, weights)


def _add_commands_of_others() -> None:
    """Packages that stand above this one bring commands by entry points ``nextgpt.commands``."""
    from importlib.metadata import entry_points

    for each in entry_points(group="nextgpt.commands"):
        app.command(each.name)(each.load())


def main() -> None:
    """Run the command line; what a person can put right is one line, not a traceback."""
    wait_asleep()
    _add_commands_of_others()
    # Their warnings speak to programmers; what matters here becomes an error.
    for library in ("TRANSFORMERS", "DIFFUSERS"):
        os.environ.setdefault(f"{library}_VERBOSITY", "error")
    try:
        run_app(app)
    except UserError as error:
        say(f"nextgpt: {error_line(error)}", err=True)
        sys.exit(1)
    except OSError as error:
        if error.filename is None:  # of no file that a person could look at
            raise
        say(f"nextgpt: {one_line(f'{error.filename}: {error.strerror}')}", err=True)
        sys.exit(1)
