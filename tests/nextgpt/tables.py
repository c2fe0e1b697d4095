"""A fifth modality, made up: a table of numbers. This file and one entry of `MODALITIES` are all of it."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import torch
from torch import Tensor

from nextgpt.signals import ModalityEntry

WIDTH = 16  # of the encoder beside which it is read
ROWS = COLUMNS = 2


@dataclass(frozen=True)
class Table:
    """Numbers in rows and columns; written as text, `1 2; 3 4`."""

    numbers: tuple[tuple[float, ...], ...]
    modality: ClassVar[str] = "table"

    @cached_property
    def content_hash(self) -> str:
        return hashlib.sha256(repr(self.numbers).encode()).hexdigest()


def encode(tables: Sequence[Table]) -> Tensor:
    """A token for each number, which says where it stands and how large it is, and their mean before them."""
    rows = []
    for table in tables:
        values = torch.tensor(table.numbers).float().flatten()
        place = torch.arange(1, len(values) + 1)[:, None] * torch.linspace(0.1, 3, WIDTH // 2)
        tokens = torch.cat([torch.sin(place), torch.tanh(values)[:, None].expand(-1, WIDTH // 2)], dim=1)
        rows.append(torch.cat([tokens.mean(0, keepdim=True), tokens]))
    return torch.stack(rows)


class TableMaker:
    """Makes a table of what it is told: a number for each number of its condition."""

    modality: ClassVar[str] = "table"
    length: ClassVar[int] = 1
    width: ClassVar[int] = ROWS * COLUMNS

    def __init__(self, device: torch.device) -> None:
        self.device = device

    def to(self, device: torch.device) -> None:
        self.device = device

    def parts(self) -> dict[str, Any]:
        return {}

    def encode_text(self, prompts: Sequence[str]) -> Tensor:
        numbers = [[float(word) for word in prompt.replace(";", "").split()] for prompt in prompts]
        return torch.tensor(numbers)[:, None]

    def generate(self, condition: Tensor, seeds: Sequence[int], **how: float) -> list[Table]:
        rows = condition.reshape(len(seeds), ROWS, COLUMNS).tolist()
        return [Table(tuple(map(tuple, table))) for table in rows]


ENTRY = ModalityEntry(
    noun="table",
    trunk="",
    signal="TAB",
    signals=2,
    template="table: {media}",
    encoder=encode,
    decoder=TableMaker,
)
