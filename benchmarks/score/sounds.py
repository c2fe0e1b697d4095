"""Scores of generated sounds: a set against another, each against its pair, and each against its prompt."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from benchmarks import registry
from benchmarks.score.generated import Generated, Scored, absent_names, of_another_network
from benchmarks.score.material import SOUNDS, files_by_name, open_sound, read_prompts
from benchmarks.score.networks import Network, networks
from benchmarks.score.sets import Rows
from nextgpt.media import MediaError

if TYPE_CHECKING:
    from metrics.metric import Metric
    from metrics.sets.real import RealSet


def score_sounds(asked: Generated) -> Scored:
    """A set of sounds against another, pair by pair where names agree, and each sound against its prompt."""
    from metrics.statistics import estimate

    scored = Scored()
    files = files_by_name(asked.predictions, SOUNDS, "sounds")
    prompts = read_prompts(asked.prompts) if asked.prompts else {}
    lost = absent_names(asked, files, prompts, asked.prompts)
    given = asked.real_set()
    true = {} if given or not asked.references else files_by_name(asked.references, SOUNDS, "sounds")
    heard = {name: open_sound(path) for name, path in true.items()}
    said = {}
    for name, path in files.items():
        try:
            said[name] = open_sound(path)
        except MediaError:
            if not asked.allow_missing:
                raise
            lost.append(name)
    if heard and said.keys() != heard.keys():
        scored.notes.append("the names differ on the two sides, so no kl_reference_prediction of pairs")
    for network in networks(asked, scored):
        rows = Rows(asked.family, asked.predictions.resolve().name, len(lost))
        for metric, references in _sound_metrics(network, said, heard, prompts, given):
            statistics = metric.statistics([*said.values()], references)
            if given is not None and (width := _width(statistics)) not in (None, given.width):
                scored.notes.append(of_another_network(asked, network.name, width, given.width))
                continue
            rows.add(metric.signature, len(said), partial(estimate, metric, statistics))
        scored.results += rows.results
    return scored


def _width(statistics: Any) -> int | None:
    """Numbers in a row of what is measured against a real set; None for what is not."""
    from metrics.sets.metrics import FeatureSets
    from metrics.sets.sounds import WindowSets

    if isinstance(statistics, WindowSets) and statistics.real is not None:
        return int(statistics.predictions[0].shape[1])
    return int(statistics.predictions.shape[1]) if isinstance(statistics, FeatureSets) else None


def _sound_metrics(
    network: Network,
    said: Mapping[str, Any],
    heard: Mapping[str, Any],
    prompts: Mapping[str, str],
    given: RealSet | None,
) -> Iterator[tuple[Metric[Any], Sequence[Any]]]:
    """What a network can measure, each with what the predictions are held against."""
    from metrics.pairs.sounds import AudioKL, CLAPScore
    from metrics.sets.frechet import Moments
    from metrics.sets.sounds import FAD, FD, AudioInceptionScore, WindowKAD

    true = [given] * len(said) if given else [*heard.values()]
    if true and hasattr(network.source, "windows"):
        frechet, kernel = FAD(network.cached), WindowKAD(network.cached)
        # Over some networks a distance goes by a name of its own, and never by FAD's.
        frechet.name, kernel.name = getattr(network.source, "distances", (frechet.name, kernel.name))
        yield frechet, true
        if given is None or not isinstance(given.truth, Moments):
            yield kernel, true
    if hasattr(network.source, "probabilities"):
        classifier = registry.load_extractor(network.asked, layer="logits")
        if true:
            yield FD(network.cached), true
        if said.keys() == heard.keys() and heard:
            yield AudioKL(classifier), true
        yield AudioInceptionScore(classifier), true
    if prompts and network.embeds:
        yield CLAPScore(network.cached), [prompts[name] for name in said]
