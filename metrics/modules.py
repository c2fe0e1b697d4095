"""torchmetrics, both ways: our metrics as its modules, and its modules as our metrics.

A training loop and the harness then print the same number. Needs `pip install nextgpt[torchmetrics]`;
nothing else imports this file.
"""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Callable, Iterator, Sequence
from itertools import chain
from typing import Any, cast

import numpy as np
import torch
from safetensors.numpy import load, save
from torch import Tensor

from metrics.metric import ArrayMetric, Arrays, FloatArray, Metric, MetricInputError, check_lengths

try:
    import torchmetrics
    from torchmetrics.utilities import dim_zero_cat, dim_zero_sum
    from torchmetrics.utilities.distributed import gather_all_tensors
except ModuleNotFoundError as error:
    missing = "metrics.modules needs torchmetrics: pip install nextgpt[torchmetrics]"
    raise ModuleNotFoundError(missing, name=error.name) from error

Update = Callable[[Any, Sequence[Any], Sequence[Any]], object]
_SIGNATURE = "signature"
_LENGTH = 8  # bytes before each record that say how long it is


# --- ours as torchmetrics' -----------------------------------------------------------------------


class ToTorchmetrics(torchmetrics.Metric):
    """Any metric of this project as a `torchmetrics.Metric`, its value to the last bit.

    Statistics travel between processes as bytes, so text, ragged windows and float64 arrive as they were on
    every device, also where a process saw no item. Items are put together process by process: what depends
    on their order (an Inception Score's splits, KID's subsets) depends on who saw what, and an item that a
    `DistributedSampler` gave to two processes to make their shares equal counts twice, as in torchmetrics.

    Args:
        metric: the metric. Its signature is part of the state, so that a `MetricCollection` shares a state
            between metrics only where they are the same measurement.
        options: as for every `torchmetrics.Metric`.

    >>> from metrics import ExactMatch
    >>> match = ToTorchmetrics(ExactMatch())
    >>> match.update(["a dog", "a cat"], ["a dog", "dog"])
    >>> match.update(["no"], ["no"])
    >>> print(f"{match.compute():.6f}")
    0.666667
    """

    is_differentiable = False
    full_state_update = False
    records: list[Tensor] | Tensor

    def __init__(self, metric: Metric[Any], **options: Any) -> None:
        super().__init__(**{"dist_sync_fn": _gather_bytes, **options})
        self.metric = metric
        self.add_state("records", default=[], dist_reduce_fx="cat")

    @property
    def higher_is_better(self) -> bool:  # type: ignore[override]  # a constant of the class over there
        """The direction of improvement."""
        return self.metric.higher_is_better

    @property
    def plot_lower_bound(self) -> float | None:  # type: ignore[override]
        """Where a plot's axis starts, if the metric has a least value."""
        return self.metric.least if np.isfinite(self.metric.least) else None

    def update(self, predictions: Any, references: Any) -> None:
        """Take items in, as the metric's own `statistics` does; tensors are read as arrays.

        Raises:
            MetricInputError: as the metric's `statistics`.
        """
        statistics = self.metric.statistics(_without_tensors(predictions), _without_tensors(references))
        record = _to_bytes(self.metric.packed(statistics), self.metric.signature)
        cast("list[Tensor]", self.records).append(record.to(self.device))

    def compute(self) -> Tensor:
        """The metric's value over all items of all processes, a float64 scalar.

        Raises:
            MetricInputError: no items, or as the metric's `value`.
        """
        # A device without double precision keeps what it can of the value.
        kind = torch.float32 if self.device.type == "mps" else torch.float64
        return torch.tensor(self.metric.value(self.statistics()), dtype=kind, device=self.device)

    def statistics(self) -> Any:
        """The statistics of this process's items, for `metrics.estimate` and `compare_metric`.

        Raises:
            MetricInputError: no items.
        """
        records = self.records if isinstance(self.records, Tensor) else [*map(torch.ravel, self.records)]
        data = dim_zero_cat(records) if len(records) else torch.zeros(0)
        parts = [
            self.metric.unpacked(arrays)
            for arrays in _from_bytes(data.detach().cpu().to(torch.uint8), self.metric.signature)
        ]
        if not parts:
            raise MetricInputError(f"{self.metric.name}: no items to score; update it with some first")
        return parts[0] if len(parts) == 1 else self.metric.merge(parts)

    def plot(self, val: Any = None, ax: Any = None) -> Any:
        """Figure and axes of the value, or of the values given, one for each step."""
        axes: Any
        figure, axes = self._plot(val, ax)
        axes.set_ylabel(self.metric.name)
        return figure, axes


def _gather_bytes(record: Tensor, group: Any = None) -> list[Tensor]:
    """Every process's bytes; torchmetrics takes floats where a process has none, and these do not mix."""
    return gather_all_tensors(record.to(torch.uint8), group)


def _to_bytes(arrays: Arrays, signature: str) -> Tensor:
    """The arrays as one row of bytes that says how long it is."""
    said = np.frombuffer(signature.encode(), dtype=np.uint8)
    data = save({_SIGNATURE: said, **{name: np.ascontiguousarray(rows) for name, rows in arrays.items()}})
    return torch.frombuffer(bytearray(len(data).to_bytes(_LENGTH, "little") + data), dtype=torch.uint8)


def _from_bytes(records: Tensor, signature: str) -> Iterator[Arrays]:
    """The arrays of each record in a row of bytes."""
    data, start = records.numpy().tobytes(), 0
    while start < len(data):
        begin = start + _LENGTH
        start = begin + int.from_bytes(data[start:begin], "little")
        arrays = load(data[begin:start])
        said = arrays.pop(_SIGNATURE).tobytes().decode()
        if said != signature:
            raise MetricInputError(f"the state of {said} was given to {signature}; use one metric everywhere")
        yield arrays


def _without_tensors(items: Any) -> Any:
    """The items with arrays in place of tensors."""
    if isinstance(items, Tensor):
        plain = items.detach().cpu()
        return (plain.float() if plain.dtype == torch.bfloat16 else plain).numpy()
    if isinstance(items, list | tuple) and any(isinstance(item, Tensor) for item in items):
        return [_without_tensors(item) for item in items]
    return items


# --- torchmetrics' as ours -----------------------------------------------------------------------


def from_torchmetrics(
    module: torchmetrics.Metric,
    name: str,
    *,
    of: str | int | None = None,
    update: Update | None = None,
    higher_is_better: bool | None = None,
) -> Metric[Any]:
    """Any torchmetrics metric as a metric of this project, for a benchmark or for `metrics.estimate`.

    Where all its states are sums, they are its statistics per sample, and intervals come from a bootstrap.
    Where they are not (lists of all items, running moments), the items themselves are kept, and the interval
    comes from a jackknife over blocks, which computes the metric twenty times more: give such a metric
    features rather than pictures, so that no network runs twenty times.

    Args:
        module: the metric, set up as you want it; a copy is used.
        name: its name in tables, in snake case.
        of: which value to take where it computes several: a key of a dict, a place in a tuple.
        update: hands items to the module where `module.update(predictions, references)` does not fit, such
            as the two calls of its FID. By default text stays a list, and all else becomes one tensor.
        higher_is_better: the direction, where the module does not say.

    Raises:
        MetricInputError: no torchmetrics metric, one without state, or one without direction.

    >>> from torchmetrics.text import WordErrorRate
    >>> from metrics import estimate
    >>> errors = from_torchmetrics(WordErrorRate(), "word_error_rate")
    >>> found = errors.statistics(["a dog", "one cat", "no"], ["a dog", "a cat", "no it is not"])
    >>> print(f"{errors.value(found):.3f}", estimate(errors, found).method)
    0.500 bootstrap 1000
    """
    kind = type(module).__name__
    if not isinstance(module, torchmetrics.Metric):
        raise MetricInputError(f"{name}: {kind} is no torchmetrics.Metric; give one, such as MeanMetric()")
    if not module.metric_state:
        raise MetricInputError(
            f"{name}: {kind} keeps no state of its own, so nothing of it can be put together over samples; "
            "give the metric that it is made of, or compute it from its parts' values"
        )
    better = module.higher_is_better if higher_is_better is None else higher_is_better
    if better is None:
        raise MetricInputError(f"{name}: {kind} does not say what is better; give higher_is_better")
    summed = all(
        reduction == dim_zero_sum and isinstance(module.metric_state[state], Tensor)
        for state, reduction in module._reductions.items()
    )
    adapter = _Summed if summed else _Kept
    return adapter(module, name, of, update or _update, higher_is_better=better)


class _Borrowed:
    """What both kinds of borrowed metric share: the module, its value and its signature."""

    def __init__(
        self,
        module: torchmetrics.Metric,
        name: str,
        of: str | int | None,
        update: Update,
        *,
        higher_is_better: bool,
    ) -> None:
        self._module = copy.deepcopy(module)
        self._module.sync_on_compute = False  # the harness puts shards together itself
        self._module.reset()
        self._of, self._update = of, update
        self.name, self.higher_is_better = name, higher_is_better

    @property
    def signature(self) -> str:
        """The class, torchmetrics' version, its settings and its networks' weights."""
        of = "" if self._of is None else f"|of:{self._of}"
        how = "" if self._update is _update else f"|update:{_described(self._update)}"
        kind, version = type(self._module).__name__, torchmetrics.__version__
        return f"{self.name}|torchmetrics-{version}:{kind}{_settings(self._module)}{of}{how}|v:1"

    def _states(self, predictions: Sequence[Any], references: Sequence[Any]) -> None:
        """Let the module see these items and no other."""
        self._module.reset()
        with torch.no_grad():
            self._update(self._module, predictions, references)

    def _value(self) -> float:
        """What the module computes of its states, as one number."""
        with torch.no_grad():
            found = self._module.compute()
        if isinstance(found, dict | tuple | list) and self._of is None:
            known = list(found) if isinstance(found, dict) else list(range(len(found)))
            raise MetricInputError(f"{self.name}: several values are computed; choose one of {known} by `of`")
        try:
            number = found if self._of is None else found[self._of]
            return float(number)
        except (LookupError, TypeError, ValueError, RuntimeError) as error:
            raise MetricInputError(
                f"{self.name}: {self._of!r} is no single number of what is computed ({error})"
            ) from error


class _Summed(_Borrowed, ArrayMetric):
    """A torchmetrics metric all of whose states are sums; statistics are each item's, [N, K]."""

    def statistics(self, predictions: Sequence[Any], references: Sequence[Any]) -> FloatArray:
        """The states after each item alone, one row each."""
        check_lengths(self.name, predictions, references)
        width = sum(cast(Tensor, state).numel() for state in self._module.metric_state.values())
        rows = np.empty((len(predictions), width))
        for number, (prediction, reference) in enumerate(zip(predictions, references, strict=True)):
            self._states([prediction], [reference])
            states = cast("list[Tensor]", list(self._module.metric_state.values()))
            rows[number] = torch.cat([state.detach().double().ravel() for state in states]).cpu()
        return rows

    def value(self, statistics: FloatArray, weights: FloatArray | None = None) -> float:
        """What the module computes of the sums over items."""
        return self._of_sums(statistics.sum(axis=0) if weights is None else weights @ statistics)

    def items(self, statistics: FloatArray) -> FloatArray | None:
        """What the module computes of each item alone, [N]."""
        return np.array([self._of_sums(row) for row in statistics])

    def _of_sums(self, sums: FloatArray) -> float:
        self._module.reset()
        start = 0
        for name, state in cast("dict[str, Tensor]", self._module.metric_state).items():
            part = torch.from_numpy(sums[start : start + state.numel()])
            setattr(self._module, name, part.reshape(state.shape).to(state))
            start += state.numel()
        self._module._update_count = 1  # or it warns that nothing was seen
        return self._value()


class _Kept(_Borrowed, Metric[tuple[tuple[Any, Any], ...]]):
    """A torchmetrics metric that must see all items at once; statistics are the items."""

    interval = "jackknife"

    def statistics(
        self, predictions: Sequence[Any], references: Sequence[Any]
    ) -> tuple[tuple[Any, Any], ...]:
        """The pairs of prediction and reference."""
        check_lengths(self.name, predictions, references)
        return tuple(zip(predictions, references, strict=True))

    def merge(self, parts: Sequence[tuple[tuple[Any, Any], ...]]) -> tuple[tuple[Any, Any], ...]:
        """All parts' items, in order."""
        return tuple(chain.from_iterable(parts))

    def value(self, statistics: tuple[tuple[Any, Any], ...], weights: FloatArray | None = None) -> float:
        """What the module computes of the items; `weights` must be whole numbers."""
        times = [1] * len(statistics) if weights is None else weights.astype(np.intp).tolist()
        pairs = [pair for pair, count in zip(statistics, times, strict=True) for _ in range(count)]
        self._states([one for one, _ in pairs], [other for _, other in pairs])
        return self._value()

    def size(self, statistics: tuple[tuple[Any, Any], ...]) -> int:
        """Number of items."""
        return len(statistics)


def _update(module: Any, predictions: Sequence[Any], references: Sequence[Any]) -> None:
    module.update(_batch(predictions), _batch(references))


def _batch(items: Sequence[Any]) -> Any:
    """Text as a list, tensors stacked, numbers and arrays as one tensor."""
    if items and isinstance(items[0], Tensor):
        return torch.stack(list(items))
    if items and isinstance(next(_leaves(items[0]), ""), str):
        return list(items)
    return torch.as_tensor(np.asarray(items))


def _leaves(item: Any) -> Iterator[Any]:
    """What a nest of lists holds, from the left."""
    if isinstance(item, list | tuple):
        for each in item:
            yield from _leaves(each)
    else:
        yield item


class _Bare(torchmetrics.Metric):
    """No metric: it has the attributes that every torchmetrics metric has, and no other."""

    def update(self) -> None:
        """Nothing."""

    def compute(self) -> None:
        """Nothing."""


def _settings(module: torchmetrics.Metric) -> str:
    """All that a module was set up with, in words, and its networks' weights as a hash."""
    own = vars(module).keys() - vars(_Bare()).keys() - module.metric_state.keys()
    told = "".join(f"|{name.strip('_')}:{_described(vars(module)[name])}" for name in sorted(own))
    weights = hashlib.sha256()
    tensors = [*module.named_parameters(), *module.named_buffers()]
    for name, tensor in tensors:
        weights.update(f"{name}{tuple(tensor.shape)}".encode())
        weights.update(tensor.detach().cpu().contiguous().view(torch.uint8).numpy().tobytes())
    return f"{told}|weights:{weights.hexdigest()[:8]}" if tensors else told


def _described(value: Any) -> str:
    """A setting in few words without a bar in them, the same in every process."""
    if isinstance(value, Tensor):
        return hashlib.sha256(value.detach().cpu().numpy().tobytes()).hexdigest()[:8]
    if isinstance(value, dict):
        return _described(list(value.items()))
    if isinstance(value, list | tuple):
        return f"({','.join(map(_described, value))})"
    if value is None or isinstance(value, str | int | float):
        return str(value).replace("|", "/")
    return str(getattr(value, "__qualname__", type(value).__qualname__))
