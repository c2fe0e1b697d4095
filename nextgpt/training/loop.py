"""Training a stage, from its data to its checkpoint."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from nextgpt.checkpoints import CARD, TENSORS, Card, CheckpointError, folder_hash, load, save
from nextgpt.config import Config, Stage, StageConfig
from nextgpt.errors import ConfigError
from nextgpt.loading import backbones
from nextgpt.messages import Modality
from nextgpt.terminal import cell, note
from nextgpt.training.batches import Prepared
from nextgpt.training.data import Broken, Example, source
from nextgpt.training.features import Features
from nextgpt.training.stages import begin, beginnings, guarded, share
from nextgpt.training.steps import LOG, STATE, Run, rate_factor, step_of

if TYPE_CHECKING:
    from rich.progress import Progress

    from nextgpt.model import NextGPT

__all__ = ["LOG", "STATE", "Outcome", "Run", "rate_factor", "run", "train"]

LEFT_OUT = "left_out.txt"


@dataclasses.dataclass(frozen=True)
class Outcome:
    """What a stage came to.

    Attributes:
        folder: the checkpoint.
        steps: steps done in all, resumed ones included.
        figures: held-out losses ("held_out_text", ...), the trainable share, seconds of this run.
    """

    folder: Path
    steps: int
    figures: Mapping[str, float]


def train(  # noqa: PLR0913
    model: NextGPT,
    examples: Iterable[Example | Broken],
    plan: StageConfig,
    out: Path,
    *,
    resume: bool = False,
    beside: Mapping[str, str] | None = None,
    stands_on: Mapping[str, str] | None = None,
    features: Features | None = None,
    settings: str = "",
) -> Outcome:
    """Train one stage.

    Args:
        model: from `stages.begin`.
        examples: ``plan.examples`` to learn from, then ``plan.held_out`` to measure on.
        plan: the stage's settings.
        out: folder of the checkpoint, the log and the resumable state.
        resume: go on from the state in `out`, where there is one.
        beside: fingerprints of the frozen parts, for the checkpoint's card.
        stands_on: these, and those of the checkpoints that it starts from: a state that was saved on others
            is refused.
        features: what is frozen about the examples, as far as it was computed earlier.
        settings: for the checkpoint's card; see `finished`.

    Raises:
        TrainingError: the loss or a gradient is no number, the state in `out` belongs to other settings, or
            too many examples cannot be used.
        KeyboardInterrupt: Ctrl-C; the state is saved first.
    """
    first = first_process()
    out.mkdir(parents=True, exist_ok=True)
    with shown_progress(shown=first) as progress:
        data = _prepare(model, examples, plan, progress, features if features is not None else Features())
        if first:
            _tell_left_out(data, out, progress)
        for modality in data.denoised():  # read now, so that what is frozen can be told before and after
            _ = model.decoders[modality]
        with guarded(model):
            going = Run(model, data, plan, out, stands_on)
            going.restore(resume=resume)
            shares = share(model)
            progress.console.print(cell(shares), soft_wrap=True)
            seconds = going.steps(progress)
            figures = going.held_out()
            trained = going.moving.trained()
    if first:
        figures |= {"trainable_share": shares.ratio, "seconds": round(seconds, 1)}
        if data.left_out:
            figures["left_out"] = len(data.left_out)
        steps = going.plan.steps
        about = (model.stage, model.config.name, model.config.projection, beside or {})
        card = Card(*about, steps, figures, settings=settings)
        save(out, card, trained)
    return Outcome(out, going.plan.steps, figures)


def run(  # noqa: PLR0913
    config: Config,
    stage: Stage,
    *,
    steps: int | None = None,
    examples: int | None = None,
    out: Path | None = None,
    resume: bool = False,
    encoding: Path | None = None,
    decoding: Path | None = None,
    data: Path | None = None,
    features: Path | None = None,
) -> Outcome:
    """Train one stage of a preset: what `nextgpt train` does.

    Args:
        config: the preset.
        stage: which.
        steps: by default the preset's.
        examples: by default the preset's.
        out: by default ``checkpoints/nextgpt-PRESET/STAGE``.
        resume: go on from the state in `out`; a stage that is `finished` is left as it is.
        encoding: checkpoint of stage 1 that "instruct" starts from; by default the one beside `out`,
            then the preset's own.
        decoding: likewise, of stage 2.
        data: folder of the examples, for a source that reads files; by default the preset's.
        features: folder of `precompute`; by default ``features/nextgpt-PRESET``, where there is one.

    Raises:
        ConfigError: the preset has no training, or weights are missing.
        CheckpointError: an earlier stage's checkpoint is missing or does not fit.
        FeatureError: a file of precomputed features is damaged.
        TrainingError: see `train`.
    """
    first_process()
    plan, read = planned(config, stage, examples=examples, data=data)
    plan = dataclasses.replace(plan, steps=steps or plan.steps)
    suffix = "" if config.projection == "grouping" else f"-{config.projection}"
    root = out.parent if out is not None else Path("checkpoints") / f"nextgpt-{config.name}"
    out = out or root / (stage if stage == "decoding" else stage + suffix)
    beside = backbones(config, stage)
    encoding = encoding or _beside(root / f"encoding{suffix}")
    decoding = decoding or _beside(root / "decoding")
    stands_on = beside | _hashes(beginnings(config, stage, encoding=encoding, decoding=decoding))
    settings = _settings(config, stage, plan, stands_on, data)
    if resume and (done := finished(out, settings)) is not None:
        if first_process():
            note(f"{out}: its {done.steps:,} steps are done; without --resume it is trained anew")
        return done
    computed = Features(feature_folder(config, features), fingerprints(config, beside))
    model = begin(config, stage, encoding=encoding, decoding=decoding, seed=plan.seed)
    return train(
        model,
        read,
        plan,
        out,
        resume=resume,
        beside=beside,
        stands_on=stands_on,
        features=computed,
        settings=settings,
    )


def _hashes(checkpoints: Mapping[Stage, Path]) -> dict[str, str]:
    """Fingerprints of checkpoints: of their tensors alone, as their cards tell of seconds."""
    return {name: folder_hash(folder, [TENSORS])[:16] for name, folder in checkpoints.items()}


def finished(out: Path, settings: str) -> Outcome | None:
    """What a stage came to that is trained to its end under these settings; None for any other.

    Args:
        out: folder of its checkpoint and log.
        settings: hash of all that it is told.
    """
    try:
        card, _ = load(out)
        log = (out / LOG).read_text(encoding="utf-8").splitlines()
    except (CheckpointError, OSError, UnicodeDecodeError):  # its state makes another
        return None
    # One that was begun anew since has cut the log, and not yet replaced the card.
    if card.settings != settings or not log or step_of(log[-1]) != card.steps:
        return None
    return Outcome(out, card.steps, card.figures)


def _settings(
    config: Config, stage: Stage, plan: StageConfig, stands_on: Mapping[str, str], data: Path | None
) -> str:
    """A hash of all that a stage's training is told."""
    values = dataclasses.asdict(config)
    values.pop("weights")  # where they lie changes nothing
    folder = str(data.resolve()) if data is not None else ""
    about = (stage, values, dataclasses.asdict(plan), stands_on, folder)
    return hashlib.sha256(json.dumps(about, sort_keys=True).encode()).hexdigest()[:16]


def planned(
    config: Config, stage: Stage, *, examples: int | None = None, data: Path | None = None
) -> tuple[StageConfig, Iterable[Example | Broken]]:
    """A stage's settings, and its examples with those to measure on; see `run`."""
    if config.training is None or not config.training.source:
        raise ConfigError(
            f"the preset {config.name} says nothing of training; add fields 'training' and 'source'"
        )
    if stage == "decoding" and not config.signals:
        raise ConfigError(f"the preset {config.name} makes no media; it has no stage {stage}")
    plan = config.training.stage(stage)
    plan = dataclasses.replace(plan, examples=examples or plan.examples)
    options: dict[str, Any] = dict(config.training.options)
    if data is not None:
        options["folder"] = str(data)
    try:
        read = source(config.training.source, options)
    except ConfigError as error:
        hint = "; --data is for presets that read files, as 7b does" if data is not None else ""
        raise ConfigError(f"{error}{hint}") from error
    return plan, read(stage, plan.examples + plan.held_out, plan.seed)


def feature_folder(config: Config, folder: Path | None = None) -> Path:
    """Where a preset's features lie."""
    return folder if folder is not None else Path("features") / f"nextgpt-{config.name}"


def fingerprints(config: Config, beside: Mapping[str, str]) -> dict[str, str]:
    """What features are told apart by: the networks, and at what size the diffusion models are used.

    Args:
        config: the preset.
        beside: fingerprints of the weights, from `loading.backbones`.
    """
    told = {}
    for name, value in beside.items():
        options = config.generation.options.get(cast(Modality, name), {})
        digest = hashlib.sha256(json.dumps(dict(options), sort_keys=True).encode()).hexdigest()
        told[name] = value + (digest[:8] if options else "")
    return told


def _beside(folder: Path) -> Path | None:
    return folder if (folder / CARD).exists() else None


def first_process() -> bool:
    """Whether this is the process that writes and speaks: the only one, but for `accelerate launch`.

    To be asked before anything is loaded: it gives each process a GPU of its own.
    """
    import torch
    from accelerate import PartialState

    return bool(PartialState(cpu=not torch.cuda.is_available()).is_main_process)


def leave() -> None:
    """Part from the other processes when all is done; the interpreter must not end beside gloo's threads."""
    from accelerate import PartialState

    PartialState().destroy_process_group()


def _prepare(
    model: NextGPT,
    examples: Iterable[Example | Broken],
    plan: StageConfig,
    progress: Progress,
    features: Features,
) -> Prepared:
    count = plan.examples + plan.held_out
    there = len(features)
    task = progress.add_task("computing what is frozen", total=count)
    data = Prepared(
        model,
        examples,
        lambda done: progress.advance(task, done),
        features=features,
        denoising=bool(plan.losses.denoising),
        count=count,
        longest=plan.longest,
        tolerated=plan.tolerated,
    )
    progress.remove_task(task)
    if there:
        said = f"features: {there:,} were there, {len(features) - there:,} computed now"
        progress.console.print(cell(said), soft_wrap=True)
    return data


def _tell_left_out(data: Prepared, out: Path, progress: Progress) -> None:
    """Show the first examples that were left out, and write all of them down."""
    path = out / LEFT_OUT
    path.unlink(missing_ok=True)
    if not data.left_out:
        return
    path.write_text("".join(f"{line}\n" for line in data.left_out), encoding="utf-8")
    total = len(data.left_out) + len(data)
    lines = [f"left out: {line}" for line in data.left_out[:5]]
    for line in [*lines, f"{len(data.left_out)} of {total} examples were left out; see {path}"]:
        progress.console.print(cell(line), soft_wrap=True)


@contextmanager
def shown_progress(*, shown: bool = True) -> Iterator[Progress]:
    """Progress bars, and a console to print above them; nothing in every process but the first."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    from nextgpt.terminal import Volume, volume

    shown = shown and volume() > Volume.QUIET
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, disable=not shown, console=Console(quiet=not shown)) as progress:
        yield progress
