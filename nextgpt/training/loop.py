"""The training loop: resumable to the step, and bit for bit the same after a kill.

Nothing random outlives a step: data order, noise and dropout follow from the seed and the step's number.
So the state to save is weights, optimiser and step, written whole or not at all.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import math
import os
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from nextgpt.checkpoints import CARD, Card, save
from nextgpt.config import Config, ConfigError, Stage, StageConfig
from nextgpt.loading import backbones
from nextgpt.training.data import Example, Order, Prepared, TrainingError, source
from nextgpt.training.losses import Objective
from nextgpt.training.stages import begin, guarded, share

if TYPE_CHECKING:
    from rich.progress import Progress

    from nextgpt.model import NextGPT

STATE, LOG = "state.pt", "log.jsonl"


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


def rate_factor(step: int, steps: int, warmup: float) -> float:
    """The learning rate of a step over its peak: a linear rise, then a linear fall to zero.

    Example:
        >>> [round(rate_factor(step, 10, 0.2), 2) for step in (0, 1, 2, 9)]
        [0.5, 1.0, 1.0, 0.12]
    """
    rise = max(1, round(steps * warmup))
    return (step + 1) / rise if step < rise else (steps - step) / max(1, steps - rise)


def train(
    model: NextGPT,
    examples: Iterable[Example],
    plan: StageConfig,
    out: Path,
    *,
    resume: bool = False,
    beside: Mapping[str, str] | None = None,
) -> Outcome:
    """Train one stage.

    Args:
        model: from `stages.begin`.
        examples: ``plan.examples`` to learn from, then ``plan.held_out`` to measure on.
        plan: the stage's settings.
        out: folder of the checkpoint, the log and the resumable state.
        resume: go on from the state in `out`, where there is one.
        beside: fingerprints of the frozen parts, for the checkpoint's card.

    Raises:
        TrainingError: the loss is no number, or the state in `out` belongs to other settings.
        KeyboardInterrupt: Ctrl-C; the state is saved first.
    """
    out.mkdir(parents=True, exist_ok=True)
    with _progress() as progress, guarded(model):
        data = _prepare(model, examples, plan, progress)
        going = _Run(model, data, plan, out)
        if resume:
            going.restore()
        else:
            (out / LOG).unlink(missing_ok=True)
        progress.console.print(str(share(model)), soft_wrap=True)
        seconds = going.steps(progress)
        figures = going.held_out()
    if going.accelerator.is_main_process:
        figures |= {"trainable_share": share(model).ratio, "seconds": round(seconds, 1)}
        card = Card(
            model.stage, model.config.name, model.config.projection, beside or {}, plan.steps, figures
        )
        save(out, card, model.trained())
    return Outcome(out, plan.steps, figures)


def run(
    config: Config,
    stage: Stage,
    *,
    steps: int | None = None,
    examples: int | None = None,
    out: Path | None = None,
    resume: bool = False,
    encoding: Path | None = None,
    decoding: Path | None = None,
) -> Outcome:
    """Train one stage of a preset: what `nextgpt train` does.

    Args:
        config: the preset.
        stage: which.
        steps: by default the preset's.
        examples: by default the preset's.
        out: by default ``checkpoints/nextgpt-PRESET/STAGE``.
        resume: go on from the state in `out`.
        encoding: checkpoint of stage 1 that "instruct" starts from; by default the one beside `out`,
            then the preset's own.
        decoding: likewise, of stage 2.

    Raises:
        ConfigError: the preset has no training, or weights are missing.
        CheckpointError: an earlier stage's checkpoint is missing or does not fit.
        TrainingError: see `train`.
    """
    if config.training is None:
        raise ConfigError(f"the preset {config.name} says nothing of training; add a field 'training'")
    plan = config.training.stage(stage)
    plan = dataclasses.replace(plan, steps=steps or plan.steps, examples=examples or plan.examples)
    suffix = "" if config.projection == "grouping" else f"-{config.projection}"
    root = out.parent if out is not None else Path("checkpoints") / f"nextgpt-{config.name}"
    out = out or root / (stage if stage == "decoding" else stage + suffix)
    read = source(config.training.source)
    model = begin(
        config,
        stage,
        encoding=encoding or _beside(root / f"encoding{suffix}"),
        decoding=decoding or _beside(root / "decoding"),
        seed=plan.seed,
    )
    count = plan.examples + plan.held_out
    return train(
        model, read(stage, count, plan.seed), plan, out, resume=resume, beside=backbones(config, stage)
    )


def _beside(folder: Path) -> Path | None:
    return folder if (folder / CARD).exists() else None


class _Run:
    """The moving parts of one stage."""

    def __init__(self, model: NextGPT, data: Prepared, plan: StageConfig, out: Path) -> None:
        from accelerate import Accelerator, DistributedDataParallelKwargs

        # A batch without pictures leaves projections without gradient.
        unused = DistributedDataParallelKwargs(find_unused_parameters=True)
        self.accelerator = Accelerator(cpu=not torch.cuda.is_available(), kwargs_handlers=[unused])
        self.model, self.data, self.plan, self.out = model, data, plan, out
        self.count = len(data) - plan.held_out
        if self.count < 1:
            raise TrainingError(f"{len(data)} examples are too few to keep {plan.held_out} of them held out")
        self.order = Order([len(data.ids[row]) for row in range(self.count)], plan.batch, plan.seed)
        self.peaks: list[float] = []
        optimizer = torch.optim.AdamW(self._groups(), lr=plan.learning_rate)
        self.objective, self.optimizer = self.accelerator.prepare(Objective(model, plan.losses), optimizer)
        self.step = 0

    def _groups(self) -> list[dict[str, Any]]:
        """One group for each part's matrices, and one for its vectors, which do not decay."""
        unknown = set(self.plan.rates) - set(self.model.parts())
        if unknown:
            raise TrainingError(
                f"rates: {', '.join(sorted(unknown))} does not train in stage {self.model.stage}; "
                f"there are {', '.join(self.model.parts())}"
            )
        groups = []
        for part, parameters in self.model.parts().items():
            rate = self.plan.rates.get(part, self.plan.learning_rate)
            for decays in (True, False):
                chosen = [value for value in parameters.values() if (value.ndim > 1) == decays]
                if chosen:
                    decay = self.plan.weight_decay if decays else 0.0
                    groups.append({"params": chosen, "lr": rate, "weight_decay": decay})
                    self.peaks.append(rate)
        return groups

    def steps(self, progress: Progress) -> float:
        """Run the steps that are left; returns seconds."""
        plan, began, saved = self.plan, time.monotonic(), self.step
        task = progress.add_task(self.model.stage, total=plan.steps, completed=self.step)
        every = max(1, plan.steps // 20)
        try:
            while self.step < plan.steps:
                terms = self._advance()
                self.step += 1
                progress.update(task, completed=self.step)
                if self.step % every == 0 or self.step == plan.steps:
                    self._log(terms, time.monotonic() - began, progress)
                if self.step - saved >= plan.save_every and self.step < plan.steps:
                    self.keep()
                    saved = self.step
        except KeyboardInterrupt:
            self.keep()
            progress.console.print(f"stopped after step {self.step}; go on with --resume")
            raise
        self.keep()
        return time.monotonic() - began

    def _advance(self) -> dict[str, torch.Tensor]:
        """One optimiser step; returns the loss and its terms."""
        plan = self.plan
        processes, rank = self.accelerator.num_processes, self.accelerator.process_index
        rows = self.order.rows(self.step)[rank::processes]
        seed = _seed(plan.seed, self.step, rank)
        torch.manual_seed(seed)
        factor = rate_factor(self.step, plan.steps, plan.warmup)
        for group, peak in zip(self.optimizer.param_groups, self.peaks, strict=True):
            group["lr"] = peak * factor
        self.model.train()
        batch = self.data.batch(rows, self.accelerator.device)
        loss, terms = self.objective(batch, torch.Generator().manual_seed(seed))
        if not math.isfinite(loss.item()):
            values = ", ".join(f"{name} {value.item():g}" for name, value in terms.items())
            raise TrainingError(
                f"the loss of step {self.step + 1} is {loss.item():g} ({values}); its examples are "
                f"{', '.join(map(str, rows[:16]))}{' ...' if len(rows) > 16 else ''}. The last saved state "
                "is kept; lower the learning rate or look at these examples, then --resume"
            )
        self.accelerator.backward(loss)
        if plan.clip:
            self.accelerator.clip_grad_norm_(self.model.trained().values(), plan.clip)
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        return {"loss": loss.detach(), **terms}

    def _log(self, terms: Mapping[str, torch.Tensor], seconds: float, progress: Progress) -> None:
        values = {name: round(value.item(), 5) for name, value in terms.items()}
        if self.accelerator.is_main_process:
            with (self.out / LOG).open("a", encoding="utf-8") as file:
                file.write(json.dumps({"step": self.step, **values, "seconds": round(seconds, 1)}) + "\n")
            said = "  ".join(f"{name} {value:.4f}" for name, value in values.items())
            progress.console.print(f"step {self.step:>6}  {said}  {seconds:.0f} s", soft_wrap=True)

    def keep(self) -> None:
        """Write the resumable state, whole or not at all."""
        if not self.accelerator.is_main_process:
            return
        state = {
            "plan": self._plan_hash(),
            "step": self.step,
            "trained": {name: value.detach().cpu() for name, value in self.model.trained().items()},
            "optimizer": self.optimizer.state_dict(),
        }
        temporary = self.out / f".{STATE}.part"
        with temporary.open("wb") as file:
            torch.save(state, file)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(self.out / STATE)

    def restore(self) -> None:
        """Go on from the state in the folder; a folder without one begins at the first step."""
        path = self.out / STATE
        if not path.exists():
            _cut_log(self.out / LOG, 0)
            return
        state = torch.load(path, map_location="cpu", weights_only=True)
        if state["plan"] != self._plan_hash():
            raise TrainingError(
                f"{path}: saved under other settings or beside other data; use these again, or "
                "another --out, or leave out --resume to begin anew"
            )
        with torch.no_grad():
            for name, value in self.model.trained().items():
                value.copy_(state["trained"][name])
        self.optimizer.load_state_dict(state["optimizer"])
        self.step = state["step"]
        _cut_log(self.out / LOG, self.step)

    def _plan_hash(self) -> str:
        values = dataclasses.asdict(self.plan)
        del values["save_every"]
        about = (self.model.stage, self.model.config.projection, len(self.data), values)
        return hashlib.sha256(json.dumps(about, sort_keys=True).encode()).hexdigest()

    @torch.no_grad()
    def held_out(self) -> dict[str, float]:
        """Mean losses on the examples kept apart."""
        if not self.plan.held_out:
            return {}
        self.model.eval()
        rows = sorted(range(self.count, len(self.data)), key=lambda row: len(self.data.ids[row]))
        sums: dict[str, list[float]] = {}
        for start in range(0, len(rows), self.plan.batch):
            batch = self.data.batch(rows[start : start + self.plan.batch], self.accelerator.device)
            _, terms = self.objective(batch, torch.Generator().manual_seed(start))
            for name, value in terms.items():
                sums.setdefault(name, []).append(value.item())
        return {f"held_out_{name}": sum(values) / len(values) for name, values in sums.items()}


def _seed(seed: int, step: int, rank: int) -> int:
    digest = hashlib.sha256(f"{seed}:{step}:{rank}".encode()).digest()
    return int.from_bytes(digest[:4], "big")


def _prepare(model: NextGPT, examples: Iterable[Example], plan: StageConfig, progress: Progress) -> Prepared:
    task = progress.add_task("computing what is frozen", total=plan.examples + plan.held_out)
    data = Prepared(model, examples, lambda count: progress.advance(task, count))
    progress.remove_task(task)
    return data


def _cut_log(path: Path, step: int) -> None:
    """Drop the lines after a step: they will be written again."""
    if path.exists():
        lines = [line for line in path.read_text(encoding="utf-8").splitlines() if _step_of(line) <= step]
        path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")


def _step_of(line: str) -> float:
    try:
        return float(json.loads(line)["step"])
    except (ValueError, KeyError):  # cut in half by a kill
        return math.inf


@contextmanager
def _progress() -> Iterator[Progress]:
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns) as progress:
        yield progress
