"""The steps of a stage: resumable to each of them, and bit for bit the same after a kill.

Nothing random outlives a step: data order, noise and dropout follow from the seed and the step's number.
So the state to save is weights, optimiser and step, written whole or not at all. A step computes the mean
over its whole batch, however many processes and turns share it.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import math
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch.nn.attention import SDPBackend, sdpa_kernel

from nextgpt.config import StageConfig
from nextgpt.errors import DiskError, written_aside
from nextgpt.terminal import cell
from nextgpt.training import state, zero
from nextgpt.training.batches import Prepared
from nextgpt.training.data import TrainingError
from nextgpt.training.draws import Draws
from nextgpt.training.interrupts import whole
from nextgpt.training.losses import Objective, terms
from nextgpt.training.order import Order
from nextgpt.training.stages import checkpointed

if TYPE_CHECKING:
    from rich.progress import Progress

    from nextgpt.model import NextGPT

STATE, LOG = "state.pt", "log.jsonl"
# Settings that joined later: they count in a state's fingerprint only where they say something.
_JOINED = frozenset({"accumulate", "checkpointing", "betas", "longest", "tolerated", "precision"})


def rate_factor(step: int, steps: int, warmup: float) -> float:
    """The learning rate of a step over its peak: a linear rise, then a linear fall to zero.

    Example:
        >>> [round(rate_factor(step, 10, 0.2), 2) for step in (0, 1, 2, 9)]
        [0.5, 1.0, 1.0, 0.12]
    """
    rise = max(1, round(steps * warmup))
    return (step + 1) / rise if step < rise else (steps - step) / max(1, steps - rise)


class Run:
    """The moving parts of one stage.

    Args:
        model: what trains.
        data: examples to learn from, then ``plan.held_out`` to measure on.
        plan: the stage's settings; without a number of steps it has as many as its epochs take.
        out: folder of the log and the resumable state.
        stands_on: fingerprints of what it is trained beside and starts from; a saved state that stands on
            others is refused.

    Raises:
        TrainingError: too few examples, a batch that cannot be shared out, or rates of what does not train.
    """

    def __init__(
        self,
        model: NextGPT,
        data: Prepared,
        plan: StageConfig,
        out: Path,
        stands_on: Mapping[str, str] | None = None,
    ) -> None:
        from accelerate import Accelerator, DistributedDataParallelKwargs

        # A batch without pictures leaves projections without gradient.
        unused = DistributedDataParallelKwargs(find_unused_parameters=True)
        self.accelerator = Accelerator(
            cpu=not torch.cuda.is_available(),
            # Trained parts are float32; beside halved ones they are computed in bfloat16, whose range
            # needs no scaling of losses.
            mixed_precision="no" if model.language_model.causal.dtype == torch.float32 else "bf16",
            gradient_accumulation_steps=plan.accumulate,
            kwargs_handlers=[unused],
        )
        self.model, self.data, self.out = model, data, out
        self._stands_on = dict(stands_on or {})
        self.count = len(data) - plan.held_out
        if self.count < 1:
            raise TrainingError(f"{len(data)} examples are too few to keep {plan.held_out} of them held out")
        self.order = Order([len(data.ids[row]) for row in range(self.count)], plan.batch, plan.seed)
        if not plan.steps:
            plan = dataclasses.replace(plan, steps=max(1, round(self.order.steps_per_epoch * plan.epochs)))
        self.plan = plan
        self.parts = plan.accumulate * self.accelerator.num_processes
        if self.parts > min(plan.batch, self.count):
            raise TrainingError(
                f"a batch of {min(plan.batch, self.count)} examples cannot be shared by {self.parts} parts "
                f"({self.accelerator.num_processes} processes, {plan.accumulate} turns); make it larger"
            )
        self.peaks: list[float] = []
        self._draws: Draws | None = None
        self.step = 0
        betas = (plan.betas[0], plan.betas[1])
        optimizer = torch.optim.AdamW(self._groups(), lr=plan.learning_rate, betas=betas)
        parameters = [value for group in optimizer.param_groups for value in group["params"]]
        if zero.used(self.accelerator):
            zero.configure(self.accelerator.state.deepspeed_plugin, plan.batch // self.parts)
        self.objective, self.optimizer = self.accelerator.prepare(Objective(model, plan.losses), optimizer)
        self.moving = state.Moving(self.accelerator, model, self.optimizer, parameters)

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

    # Steps ---------------------------------------------------------------------------------------

    def steps(self, progress: Progress) -> float:
        """Run the steps that are left; returns seconds.

        Raises:
            TrainingError: a loss or a gradient is no number.
            KeyboardInterrupt: Ctrl-C; the state is saved first, where one process can save it alone.
        """
        plan, began, saved, halfway = self.plan, time.monotonic(), self.step, False
        task = progress.add_task(self.model.stage, total=plan.steps, completed=self.step)
        every = max(1, plan.steps // 20)
        try:
            while self.step < plan.steps:
                with whole():
                    halfway = True
                    found = self.advance()
                    self.step += 1
                    halfway = False
                    progress.update(task, completed=self.step)
                    if self.step % every == 0 or self.step == plan.steps:
                        self._log(found, time.monotonic() - began, progress)
                if self.step - saved >= plan.save_every and self.step < plan.steps:
                    self.keep()
                    saved = self.step
        except KeyboardInterrupt:
            # Who asks twice does not wait for the step: its weights are then no state to go on from.
            if not (self.moving.sharded or halfway):
                self.keep()
                saved = self.step
            progress.console.print(cell(f"stopped after step {saved}; go on with --resume"))
            raise
        self.keep()
        return time.monotonic() - began

    def advance(self) -> dict[str, torch.Tensor]:
        """One optimiser step; returns the loss and its terms."""
        plan, rows = self.plan, self.order.rows(self.step)
        factor = rate_factor(self.step, plan.steps, plan.warmup)
        for group, peak in zip(self.optimizer.param_groups, self.peaks, strict=True):
            group["lr"] = peak * factor
        self.model.train()
        checkpointed(self.model, on=plan.checkpointing, again=self._again)
        sums: dict[str, torch.Tensor] = {}
        for turn in range(plan.accumulate):
            with self.accelerator.accumulate(self.objective):
                place = turn * self.accelerator.num_processes + self.accelerator.process_index
                for name, value in self._part(rows, place).items():
                    sums[name] = sums[name] + value if name in sums else value
                if turn == plan.accumulate - 1:
                    # Always asked for: a gradient that is no number would spoil the weights before the
                    # next loss could tell.
                    trained = list(self.model.trained().values())
                    norm = self.accelerator.clip_grad_norm_(trained, plan.clip or math.inf)
                    if norm is not None:
                        self._check("gradient", state.whole(torch.as_tensor(norm)), {}, rows)
                self.optimizer.step()
                self.optimizer.zero_grad(set_to_none=True)
        return sums

    def _part(self, rows: Sequence[int], place: int) -> dict[str, torch.Tensor]:
        """Add the gradient of one part of a batch; returns what all processes' parts add to its loss."""
        shared, device = self.parts > 1, self.accelerator.device
        batch = self.data.batch(rows[place :: self.parts], device, whole=rows if shared else None)
        # The same in every process: what is drawn is drawn for the whole batch.
        seed = _seed(self.plan.seed, self.step)
        torch.manual_seed(seed)
        draws = self._draws = Draws() if shared else None
        with draws if draws is not None else nullcontext(), self._products():
            found: dict[str, torch.Tensor]
            loss, found = self.objective(batch, torch.Generator().manual_seed(seed), draws)
            found = {"loss": loss.detach(), **found}
            if shared:
                found = self._together(found)
            self._check("loss", found["loss"], {name: found[name] for name in found if name != "loss"}, rows)
            # Accelerate takes the mean over processes and turns; the parts are shares of a mean already.
            self.accelerator.backward(loss * self.parts if shared else loss)
        return found

    @contextmanager
    def _products(self) -> Iterator[None]:
        """Where the plan says so, in bfloat16; layers that are computed again in the backward pass as well.

        Attention then by plain products: the fused kernel for CPUs takes nearly three times as long in it.
        """
        if self.plan.precision == "float32":
            yield
            return
        with torch.autocast(self.accelerator.device.type, torch.bfloat16), sdpa_kernel(SDPBackend.MATH):
            yield

    def _again(self) -> AbstractContextManager[Any]:
        return self._draws.again() if self._draws is not None else nullcontext()

    def _together(self, found: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        """The sums over all processes of what each of them found; a process may have no pictures to make."""
        names = ("loss", *terms(self.model.language_model.signals.modalities))
        device = self.accelerator.device
        zero = torch.zeros((), device=device)
        values = torch.stack([found.get(name, zero).float() for name in names])
        there = torch.tensor([float(name in found) for name in names], device=device)
        values, there = self.accelerator.reduce(torch.stack([values, there]), reduction="sum")
        return {name: values[k] for k, name in enumerate(names) if there[k]}

    def _check(
        self, what: str, value: torch.Tensor, parts: Mapping[str, torch.Tensor], rows: Sequence[int]
    ) -> None:
        if math.isfinite(value.item()):
            return
        values = ", ".join(f"{name} {part.item():g}" for name, part in parts.items())
        names = [self.data.names[row] or str(row) for row in rows[:16]]
        raise TrainingError(
            f"the {what} of step {self.step + 1} is {value.item():g}{f' ({values})' if values else ''}; its "
            f"examples are {', '.join(names)}{' ...' if len(rows) > 16 else ''}. The last saved state is "
            "kept; lower the learning rate or look at these examples, then --resume"
        )

    def _log(self, found: Mapping[str, torch.Tensor], seconds: float, progress: Progress) -> None:
        values = {name: round(value.item(), 5) for name, value in found.items()}
        if self.accelerator.is_main_process:
            path = self.out / LOG
            try:
                with path.open("a", encoding="utf-8") as file:
                    file.write(json.dumps({"step": self.step, **values, "seconds": round(seconds, 1)}) + "\n")
            except OSError as error:
                raise DiskError(
                    f"{path}: cannot be written ({error.strerror}); make room, then go on with --resume"
                ) from error
            said = "  ".join(f"{name} {value:.4f}" for name, value in values.items())
            progress.console.print(cell(f"step {self.step:>6}  {said}  {seconds:.0f} s"), soft_wrap=True)

    # State ---------------------------------------------------------------------------------------

    def keep(self) -> None:
        """Write the resumable state, whole or not at all."""
        path = self.out / STATE
        state.keep(path, self.moving, self.step, self._plan_hash())

    def restore(self, *, resume: bool) -> None:
        """Go on from the state in the folder; without one, or anew, begin at the first step.

        Raises:
            TrainingError: the state belongs to other settings, other data or other weights.
        """
        path = self.out / STATE
        if resume:
            self.step = state.restore(path, self.moving, self._plan_hash())
        if self.accelerator.is_main_process:
            _cut_log(self.out / LOG, self.step)
        self.accelerator.wait_for_everyone()

    def _plan_hash(self) -> str:
        values = dataclasses.asdict(self.plan)
        del values["save_every"], values["epochs"]
        for field in dataclasses.fields(StageConfig):
            if field.name in _JOINED and values[field.name] == field.default:
                del values[field.name]
        about = (self.model.stage, self.model.config.projection, len(self.data), values, self._stands_on)
        return hashlib.sha256(json.dumps(about, sort_keys=True).encode()).hexdigest()

    # Measuring -----------------------------------------------------------------------------------

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
            _, found = self.objective(batch, torch.Generator().manual_seed(start))
            for name, value in found.items():
                sums.setdefault(name, []).append(value.item())
        return {f"held_out_{name}": sum(values) / len(values) for name, values in sums.items()}


def _seed(seed: int, step: int) -> int:
    digest = hashlib.sha256(f"{seed}:{step}:0".encode()).digest()
    return int.from_bytes(digest[:4], "big")


def _cut_log(path: Path, step: int) -> None:
    """Drop the lines after a step: they will be written again."""
    if path.exists():
        lines = [line for line in path.read_text(encoding="utf-8").splitlines() if step_of(line) <= step]
        with written_aside(path) as aside:
            aside.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")


def step_of(line: str) -> float:
    """The step of a line of the log; infinity where a kill has cut it in half."""
    try:
        return float(json.loads(line)["step"])
    except (ValueError, KeyError):
        return math.inf
