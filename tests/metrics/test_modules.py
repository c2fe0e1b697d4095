"""torchmetrics, both ways: the same numbers in a training loop, in two processes and in the harness."""

from __future__ import annotations

import importlib
import json
import pkgutil
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from metrics.captions import spice
from metrics.metric import Metric, MetricInputError
from tests.metrics.every_metric import alone, cases

pytestmark = pytest.mark.slow  # importing torchmetrics takes seconds

CASES = cases()
QUICK = cases(java=False)


def kinds(metric: type[Metric[Any]] = Metric) -> Iterator[type[Metric[Any]]]:
    """Every metric class that the packages define and that can be made."""
    for kind in metric.__subclasses__():
        yield from kinds(kind)
        if not getattr(kind, "__abstractmethods__", None) and not kind.__name__.startswith("_"):
            yield kind


# --- ours as torchmetrics' -----------------------------------------------------------------------


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, dict[str, float]]]:
    """What every metric gave in each of two gloo processes."""
    from tests.nextgpt.two_processes import launched

    out = tmp_path_factory.mktemp("ranks")
    done = launched(out, "tests.metrics.every_metric", out)
    assert done.returncode == 0, done.stdout + done.stderr
    return [json.loads((out / f"{rank}.json").read_text("utf-8")) for rank in (0, 1)]


@pytest.mark.java
@pytest.mark.parametrize("name", CASES)
def test_two_processes_give_the_value_of_one_pass(
    shared: list[dict[str, dict[str, float]]], name: str
) -> None:
    once = alone(CASES[name])
    assert np.isfinite(once)
    for rank in shared:
        assert rank["parts"][name] == pytest.approx(once, rel=0, abs=1e-9)


@pytest.mark.java
def test_a_process_that_saw_nothing_takes_nothing_away(shared: list[dict[str, dict[str, float]]]) -> None:
    for rank in shared:
        for name, value in rank["idle"].items():
            assert value == pytest.approx(alone(CASES[name]), rel=0, abs=1e-9)


def test_every_metric_there_is_was_tried() -> None:
    import metrics

    for module in pkgutil.walk_packages(metrics.__path__, "metrics."):
        importlib.import_module(module.name)
    tried = {type(case.make()) for case in CASES.values()}
    due = {kind for kind in kinds() if kind.__module__.startswith("metrics.")}
    unfinished = {"WindowMetric"}  # its subclasses say what is between the windows
    without_jar = {"Spice", "Spider"} if spice.missing() else set()
    assert {kind.__name__ for kind in due - tried} - unfinished - without_jar == set()


def test_collection_holds_metrics_whose_first_batch_looks_alike() -> None:
    """torchmetrics lets metrics of one collection share a state where their first batch left the same."""
    from torchmetrics import MetricCollection

    from metrics import ExactMatch
    from metrics.modules import ToTorchmetrics

    both = MetricCollection(
        {"strict": ToTorchmetrics(ExactMatch()), "free": ToTorchmetrics(ExactMatch(normalize=True))}
    )
    both.update(["dog"], ["dog"])
    both.update(["A dog."], ["dog"])
    found = both.compute()
    assert (float(found["strict"]), float(found["free"])) == (0.5, 1.0)


@pytest.mark.parametrize("name", ["rouge_l", "cider_d", "fid", "fad"])
def test_merge_state_and_reset_are_those_of_torchmetrics(name: str) -> None:
    from metrics.modules import ToTorchmetrics

    case = QUICK[name]
    first, second = ToTorchmetrics(case.make()), ToTorchmetrics(case.make())
    first.update(case.predictions[:5], case.references[:5])
    second.update(case.predictions[5:], case.references[5:])
    second.merge_state(first)
    assert float(second.compute()) == pytest.approx(alone(case), rel=0, abs=1e-9)
    first.reset()
    with pytest.raises(MetricInputError, match="no items"):
        first.compute()


def test_forward_gives_the_batch_and_keeps_the_whole() -> None:
    from metrics import ExactMatch
    from metrics.modules import ToTorchmetrics

    match = ToTorchmetrics(ExactMatch())
    steps = [float(match(["a"], ["a"])), float(match(["a", "b"], ["b", "b"])), float(match.compute())]
    assert steps == [1.0, 0.5, pytest.approx(2 / 3)]


def test_tensors_of_features_are_read_as_arrays() -> None:
    import torch

    from metrics.modules import ToTorchmetrics

    case = QUICK["fid"]
    module = ToTorchmetrics(case.make())
    module.update(torch.from_numpy(case.predictions), [torch.from_numpy(row) for row in case.references])
    assert float(module.compute()) == pytest.approx(alone(case), rel=0, abs=1e-9)


def test_half_precision_of_a_model_costs_no_digit() -> None:
    import torch

    from metrics.modules import ToTorchmetrics

    case = QUICK["fid"]
    module = ToTorchmetrics(case.make())
    module.update(case.predictions, case.references)
    module.set_dtype(torch.bfloat16)
    assert float(module.compute()) == pytest.approx(alone(case), rel=0, abs=1e-9)


def test_plot_is_named_after_the_metric() -> None:
    matplotlib = pytest.importorskip("matplotlib", reason="plots need matplotlib: nextgpt[torchmetrics]")
    matplotlib.use("Agg")
    from metrics import ExactMatch
    from metrics.modules import ToTorchmetrics

    match = ToTorchmetrics(ExactMatch())
    values = [match(["a"], ["a"]), match(["a"], ["b"])]
    figure, axes = match.plot(values)
    assert axes.get_ylabel() == "exact_match"
    assert list(axes.lines[0].get_ydata()) == [1.0, 0.0]
    assert figure is axes.figure


def test_interval_of_the_loop_is_that_of_the_harness() -> None:
    from metrics import estimate
    from metrics.modules import ToTorchmetrics

    case = QUICK["rouge_l"]
    metric, module = case.make(), ToTorchmetrics(case.make())
    module.update(case.predictions, case.references)
    whole = metric.statistics(case.predictions, case.references)
    assert estimate(metric, module.statistics()) == estimate(metric, whole)


def test_metric_with_statistics_of_its_own_says_what_is_missing() -> None:
    from metrics.modules import ToTorchmetrics

    class Odd(Metric[dict[str, int]]):
        name, signature, higher_is_better = "odd", "odd|v:1", True

        def statistics(self, predictions: Any, references: Any) -> dict[str, int]:
            return {}

        def merge(self, parts: Any) -> dict[str, int]:
            return {}

        def value(self, statistics: Any, weights: Any = None) -> float:
            return 0.0

        def size(self, statistics: Any) -> int:
            return 0

    with pytest.raises(MetricInputError, match="define `packed` and `unpacked` in Odd"):
        ToTorchmetrics(Odd()).update([1], [1])


def test_state_of_another_metric_is_refused() -> None:
    from metrics import ExactMatch
    from metrics.modules import ToTorchmetrics

    strict, free = ToTorchmetrics(ExactMatch()), ToTorchmetrics(ExactMatch(normalize=True))
    strict.update(["a"], ["a"])
    free.records = strict.records
    with pytest.raises(MetricInputError, match=r"the state of exact_match\|norm:none"):
        free.statistics()


def test_without_torchmetrics_one_line_says_what_to_install() -> None:
    program = "import sys; sys.modules['torchmetrics'] = None; import metrics.modules"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert "pip install nextgpt[torchmetrics]" in done.stderr.splitlines()[-1]


# --- torchmetrics' as ours -----------------------------------------------------------------------


SAID = ["a dog runs", "one cat", "no", "a bus in town"]
TRUE = [["a dog runs"], ["a cat"], ["no it is not"], ["the bus in town", "a bus"]]


def test_sums_are_statistics_per_sample() -> None:
    from torchmetrics.text import BLEUScore

    from metrics import estimate
    from metrics.modules import from_torchmetrics

    metric = from_torchmetrics(BLEUScore(n_gram=2), "bleu_2")
    parts = [metric.statistics(SAID[:1], TRUE[:1]), metric.statistics(SAID[1:], TRUE[1:])]
    statistics = metric.merge(parts)
    assert metric.value(statistics) == pytest.approx(float(BLEUScore(n_gram=2)(SAID, TRUE)), abs=1e-6)
    twice = metric.value(statistics, np.array([2.0, 0, 1, 1]))
    pairs = [*SAID[:1] * 2, *SAID[2:]], [*TRUE[:1] * 2, *TRUE[2:]]
    assert twice == pytest.approx(float(BLEUScore(n_gram=2)(*pairs)), abs=1e-6)
    assert estimate(metric, statistics).method == "bootstrap 1000"


def test_what_needs_all_items_gets_a_jackknife() -> None:
    from torchmetrics.regression import SpearmanCorrCoef

    from metrics import estimate
    from metrics.modules import from_torchmetrics

    rng = np.random.default_rng(0)
    said = rng.normal(size=200)
    true = said + rng.normal(size=200)
    metric = from_torchmetrics(SpearmanCorrCoef(), "spearman")
    statistics = metric.merge(
        [metric.statistics(list(said[part]), list(true[part])) for part in (slice(90), slice(90, None))]
    )
    found = estimate(metric, statistics)
    from scipy.stats import spearmanr

    assert found.value == pytest.approx(spearmanr(said, true).statistic, abs=1e-5)
    assert found.method == "jackknife 20 blocks"
    assert found.low < found.value < found.high


def test_one_of_several_values_is_chosen_by_name() -> None:
    from torchmetrics.text.rouge import ROUGEScore

    from metrics.modules import from_torchmetrics

    module = ROUGEScore(rouge_keys="rouge1")
    metric = from_torchmetrics(module, "rouge_1", of="rouge1_fmeasure", higher_is_better=True)
    value = metric.value(metric.statistics(SAID, TRUE))
    assert value == pytest.approx(float(module(SAID, TRUE)["rouge1_fmeasure"]), abs=1e-6)
    several = from_torchmetrics(module, "rouge_1", higher_is_better=True)
    statistics = several.statistics(SAID, TRUE)
    with pytest.raises(MetricInputError, match=r"choose one of \['rouge1_fmeasure'"):
        several.value(statistics)


def test_update_of_one_s_own_feeds_a_distance() -> None:
    """torchmetrics' FID takes its two sets in two calls."""
    import torch
    from torchmetrics.image.fid import FrechetInceptionDistance

    from metrics.modules import from_torchmetrics

    class Flat(torch.nn.Module):
        num_features = 3

        def forward(self, pictures: torch.Tensor) -> torch.Tensor:
            return pictures.flatten(1)[:, :3].double()

    def both_sets(module: Any, predictions: Any, references: Any) -> None:
        module.update(torch.stack(list(predictions)), real=False)
        module.update(torch.stack(list(references)), real=True)

    rng = torch.Generator().manual_seed(0)
    one, other = torch.rand((2, 30, 3, 2, 2), generator=rng)
    module = FrechetInceptionDistance(Flat(), normalize=True)
    metric = from_torchmetrics(module, "tm_fid", update=both_sets)
    both_sets(module, one, other)
    value = metric.value(metric.statistics(list(one), list(other)))
    assert value == pytest.approx(float(module.compute()), abs=1e-5)
    assert not metric.higher_is_better


def test_signature_names_what_moves_a_digit() -> None:
    import torch
    from torchmetrics.text import BLEUScore, WordErrorRate

    from metrics.modules import from_torchmetrics

    def signature(module: Any, **options: Any) -> str:
        return from_torchmetrics(module, "x", **options).signature

    assert signature(BLEUScore(n_gram=2)) != signature(BLEUScore(n_gram=3))
    assert signature(BLEUScore(smooth=True)) != signature(BLEUScore())
    assert signature(WordErrorRate()) == signature(WordErrorRate())

    def weighted(seed: int) -> Any:
        torch.manual_seed(seed)
        module = WordErrorRate()
        module.network = torch.nn.Linear(2, 2)
        return module

    assert signature(weighted(0)) == signature(weighted(0)) != signature(weighted(1))


def test_without_state_there_is_one_clear_error() -> None:
    from torchmetrics.text import WordErrorRate
    from torchmetrics.wrappers import BootStrapper

    from metrics.modules import from_torchmetrics

    wrapped: Any = BootStrapper(WordErrorRate())
    with pytest.raises(MetricInputError, match="BootStrapper keeps no state of its own"):
        from_torchmetrics(wrapped, "x", higher_is_better=True)
    function: Any = len
    with pytest.raises(MetricInputError, match=r"is no torchmetrics.Metric"):
        from_torchmetrics(function, "x")


def test_direction_is_asked_for_where_nobody_knows_it() -> None:
    from torchmetrics import MeanMetric, SumMetric

    from metrics.modules import from_torchmetrics

    with pytest.raises(MetricInputError, match="give higher_is_better"):
        from_torchmetrics(SumMetric(), "x")
    assert from_torchmetrics(MeanMetric(), "x", higher_is_better=True).higher_is_better


def test_items_of_sums_are_values_of_samples_alone() -> None:
    from torchmetrics.text import WordErrorRate

    from metrics.modules import from_torchmetrics

    metric = from_torchmetrics(WordErrorRate(), "wer")
    items = metric.items(metric.statistics(SAID, [group[0] for group in TRUE]))
    assert items is not None
    assert items.round(3).tolist() == [0.0, 0.5, 0.75, 0.25]
