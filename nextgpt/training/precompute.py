"""Everything frozen about a stage's examples, computed once and kept on disk: `nextgpt precompute`.

`nextgpt train` looks there first. What is computed goes to disk shard by shard, so a computation that was
cut off goes on where it was; several processes share it, each taking every so many-th piece.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from nextgpt.config import Config, Stage
from nextgpt.terminal import cell
from nextgpt.training.batches import compute
from nextgpt.training.data import Broken, Example, TrainingError, pieces, refuse
from nextgpt.training.features import PER_SHARD, Features
from nextgpt.training.loop import feature_folder, fingerprints, first_process, planned, shown_progress

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from nextgpt.decoding.shelf import Shelf
    from nextgpt.media import Medium


@dataclass(frozen=True)
class Computed:
    """What a computation came to.

    Attributes:
        folder: where the features lie.
        examples: read.
        new: features computed now, by all processes; two may compute the same.
        there: features in the folder, all in all.
        left_out: what was wrong with each record that cannot be used.
    """

    folder: Path
    examples: int
    new: int
    there: int
    left_out: list[str] = field(default_factory=list)


class FrozenParts:
    """The parts of a model that compute features; its language model stays where it is.

    Args:
        config: the preset.
        device: where to.
    """

    def __init__(self, config: Config, device: torch.device) -> None:
        self.device = device
        self._config = config

    @cached_property
    def _encoder(self) -> torch.nn.Module:
        from nextgpt.loading import load_encoders

        return load_encoders(self._config).to(self.device, self._dtype).eval()

    @cached_property
    def decoders(self) -> Shelf:
        """The diffusion models, each loaded when there is something for it to compute."""
        from nextgpt.loading import shelf

        return shelf(self._config, self._dtype, self.device)

    @property
    def _dtype(self) -> torch.dtype:
        import torch

        dtype: torch.dtype = getattr(torch, self._config.dtype)
        return dtype if self.device.type == "cuda" else torch.float32

    def encode(self, media: Sequence[Medium]) -> Tensor:
        """The encoder's tokens ``[N, 1 + P, D]`` of media of one kind."""
        import torch

        with torch.no_grad():
            tokens: Tensor = self._encoder.encode(media)  # type: ignore[operator]
        return tokens


def precompute(
    config: Config,
    stage: Stage,
    *,
    examples: int | None = None,
    data: Path | None = None,
    features: Path | None = None,
) -> Computed:
    """Compute what is frozen about a stage's examples, as far as it is not there yet.

    Args:
        config: the preset.
        stage: whose examples: encoder tokens for "encoding", text conditions and latents for "decoding",
            all of them for "instruct".
        examples: by default the preset's.
        data: folder of the examples, for a source that reads files.
        features: where to; by default ``features/nextgpt-PRESET``.

    Raises:
        ConfigError: the preset has no training, or weights are missing.
        FeatureError: a file of features is damaged.
        TrainingError: too many examples cannot be used, or there are none.
        KeyboardInterrupt: Ctrl-C; what was computed is written first.
    """
    import torch
    from accelerate import PartialState
    from accelerate.utils import gather_object

    from nextgpt.loading import backbones

    first = first_process()
    state = PartialState()
    plan, read = planned(config, stage, examples=examples, data=data)
    folder = feature_folder(config, features)
    kept = Features(folder, fingerprints(config, backbones(config, stage)))
    frozen = FrozenParts(config, torch.device("cuda" if torch.cuda.is_available() else "cpu"))
    count, total, new = plan.examples + plan.held_out, 0, 0
    left_out: list[str] = []
    with shown_progress(shown=first) as progress:
        task = progress.add_task(f"{stage}: computing what is frozen", total=count)
        try:
            for turn, piece in enumerate(pieces(read)):
                total += len(piece)
                left_out += [f"{item.name}: {item.reason}" for item in piece if isinstance(item, Broken)]
                refuse(left_out, max(total, count), plan.tolerated)
                if turn % state.num_processes == state.process_index:
                    good = [item for item in piece if isinstance(item, Example)]
                    new += compute(kept, good, frozen, denoising=bool(plan.losses.denoising))
                    kept.flush(least=PER_SHARD)
                progress.update(task, completed=total)
        except KeyboardInterrupt:
            kept.flush()
            progress.console.print(
                cell(f"stopped after {total:,} examples; the same command goes on from there")
            )
            raise
        kept.flush()
    new = sum(gather_object([new]))
    # What the other processes have written is there too, now that they have said how much it was.
    kept = Features(folder, fingerprints(config, backbones(config, stage)))
    refuse(left_out, total, plan.tolerated)
    if not total:
        raise TrainingError(f"there are no examples for stage {stage}; look at the preset's training: source")
    return Computed(folder, total, new, len(kept), left_out)
