"""The registry: every benchmark, suite, system and extractor by its name, imported when it is asked for.

It holds strings, so listing it is instant and importing it imports no model. A system of your own needs
no entry: name it as ``package.module:factory``, where the factory, called without arguments, returns a
`benchmarks.harness.System`. A file of answers is a system too: ``answers:predictions.jsonl``.

Example:
    >>> [entry.name for entry in BENCHMARKS.values() if entry.family == "vqa"]
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
import sys
import traceback
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from benchmarks.harness.benchmark import Benchmark
    from benchmarks.harness.system import System

ANSWERS = "answers:"


class RegistryError(ValueError):
    """A name that leads nowhere; the message says what was meant, or how to find out."""


@dataclass(frozen=True)
class BenchmarkEntry:
    """Where a benchmark is found: ``package.module:attribute``."""

    name: str
    family: str
    about: str
    target: str


@dataclass(frozen=True)
class SystemEntry:
    """Where a system is found: ``package.module:factory``, and what the factory is called with."""

    name: str
    about: str
    target: str
    arguments: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True)
class ExtractorEntry:
    """A network that turns media into features: ``package.module:factory``.

    Attributes:
        name: as in ``--extractor NAME``, or ``NAME:WHERE`` with the file, folder or hub id of its weights.
        about: what it is for people.
        target: where its factory is found.
        media: what it looks at or listens to.
        source: the factory's argument where nobody says WHERE; None leaves it to the factory.
    """

    name: str
    about: str
    target: str
    media: Literal["pictures", "sounds"]
    source: str | None = None


@dataclass(frozen=True)
class Suite:
    """Benchmarks that belong together."""

    name: str
    about: str
    benchmarks: tuple[str, ...]


def _toy(task: str, family: str, about: str) -> tuple[BenchmarkEntry, BenchmarkEntry]:
    module = f"benchmarks.tasks.toyworld.{task.replace('-', '_')}"
    return (
        BenchmarkEntry(f"toy-{task}", family, f"{about}, test split", f"{module}:TEST"),
        BenchmarkEntry(
            f"toy-{task}-compositional",
            family,
            f"{about}, colours and shapes that never met in training",
            f"{module}:COMPOSITIONAL",
        ),
    )


BENCHMARKS: Mapping[str, BenchmarkEntry] = {
    entry.name: entry
    for entry in (
        *_toy("captioning", "image-captioning", "describe toyworld pictures"),
        *_toy("vqa", "vqa", "answer questions about toyworld pictures"),
        *_toy("text-to-image", "text-to-image", "draw toyworld pictures from captions"),
        *_toy("editing", "editing", "change toyworld pictures as told"),
        BenchmarkEntry(
            "coco-captions",
            "image-captioning",
            "COCO captions, official format",
            "benchmarks.tasks.images.coco:COCO_CAPTIONS",
        ),
        BenchmarkEntry("coco-vqa", "vqa", "VQA v2, official format", "benchmarks.tasks.images.vqa:COCO_VQA"),
    )
}

_TOY_TASKS = ("toy-captioning", "toy-vqa", "toy-text-to-image", "toy-editing")

SUITES: Mapping[str, Suite] = {
    suite.name: suite
    for suite in (
        Suite("toyworld", "the four tasks in toyworld, test split", _TOY_TASKS),
        Suite(
            "toyworld-compositional",
            "the same four, colours and shapes that never met in training",
            tuple(f"{task}-compositional" for task in _TOY_TASKS),
        ),
        Suite(
            "coco-mini",
            "real photographs through the official readers; needs --data",
            ("coco-captions", "coco-vqa"),
        ),
    )
}

_PIPELINE = "baselines.caption_then_tool:load"
_RECORDED = "baselines.recorded:Recorded"

SYSTEMS: Mapping[str, SystemEntry] = {
    entry.name: entry
    for entry in (
        SystemEntry(
            "nextgpt-tiny", "NExT-GPT, tiny, grouping projection", "nextgpt:load", {"preset": "tiny"}
        ),
        SystemEntry(
            "nextgpt-tiny-blind",
            "the same, not shown any picture",
            "baselines.blind:load",
            {"preset": "tiny"},
        ),
        SystemEntry(
            "nextgpt-tiny-linear",
            "the same with a linear projection",
            "nextgpt:load",
            {"preset": "tiny", "projection": "linear"},
        ),
        SystemEntry("caption-then-tool", "describe, plan in text, call the same painter", _PIPELINE),
        SystemEntry(
            "caption-then-tool+caption",
            "the same, given the true description",
            _PIPELINE,
            {"given": ("caption",)},
        ),
        SystemEntry(
            "caption-then-tool+plan", "the same, given the true plan", _PIPELINE, {"given": ("plan",)}
        ),
    )
}

EXTRACTORS: Mapping[str, ExtractorEntry] = {
    entry.name: entry
    for entry in (
        ExtractorEntry(
            "inception",
            "FID's Inception v3 of 2015; inception:FILE for its weights elsewhere",
            "metrics.extractors:InceptionExtractor",
            "pictures",
        ),
        ExtractorEntry(
            "clip",
            "CLIP ViT-B/32, as the published CLIPScore; clip:FOLDER for any other",
            "metrics.extractors:ClipExtractor",
            "pictures",
            "openai/clip-vit-base-patch32",
        ),
        ExtractorEntry(
            "toyworld",
            "toyworld's own CLIP, which no judged system contains",
            "benchmarks.tasks.toyworld.extractor:load",
            "pictures",
        ),
        ExtractorEntry(
            "vggish",
            "VGGish, as the published FAD; vggish:FILE for its weights elsewhere",
            "metrics.extractors:VGGishExtractor",
            "sounds",
        ),
        ExtractorEntry(
            "panns",
            "PANNs' Cnn14, 32 kHz, as AudioLDM's FD and KL; panns:FILE for its weights elsewhere",
            "metrics.extractors:PannsExtractor",
            "sounds",
        ),
        ExtractorEntry(
            "clap",
            "LAION's CLAP by transformers; clap:FOLDER for any other",
            "metrics.extractors:ClapExtractor",
            "sounds",
            "laion/clap-htsat-unfused",
        ),
    )
}

# What `benchmarks/speed` asks of a model besides answers: a function that measures it from inside.
MEASUREMENTS: Mapping[str, str] = {"full-size": "nextgpt.sizing.measuring:measure"}


def benchmark_names(name: str) -> tuple[str, ...]:
    """The benchmarks that a name stands for: itself, or those of a suite.

    Raises:
        RegistryError: no such benchmark or suite.
    """
    if name in SUITES:
        return SUITES[name].benchmarks
    if name in BENCHMARKS or ":" in name:
        return (name,)
    raise _unknown("benchmark or suite", name, [*BENCHMARKS, *SUITES])


def load_benchmark(name: str) -> Benchmark:
    """The benchmark of this name: one of `BENCHMARKS`, or ``package.module:ATTRIBUTE`` of one's own.

    Raises:
        RegistryError: no such benchmark.
    """
    if ":" in name:
        return _benchmark_of_user(name)
    if name not in BENCHMARKS:
        raise _unknown("benchmark", name, BENCHMARKS)
    module, _, attribute = BENCHMARKS[name].target.partition(":")
    found: Benchmark = getattr(import_module(module), attribute)
    return found


def headline_falls(name: str) -> bool:
    """Whether less of a benchmark's headline metric is better.

    Raises:
        RegistryError: no such benchmark: nobody can tell.
    """
    if name not in BENCHMARKS:
        more = "; the line of your own is made by `pytest --update-expected`"
        raise _unknown("benchmark", name, BENCHMARKS, more)
    benchmark = load_benchmark(name)
    (use,) = (use for use in benchmark.metrics if use.name == benchmark.headline)
    return not use.make().higher_is_better


def load_system(name: str) -> System:
    """The system of this name: one of `SYSTEMS`, ``answers:FILE``, or ``package.module:factory``.

    Raises:
        RegistryError: no such system, or what the factory returned is none.
    """
    if name in SYSTEMS:
        return _checked(_made(SYSTEMS[name].target, **SYSTEMS[name].arguments), name)
    if name.startswith(ANSWERS):
        return _recorded(Path(name.removeprefix(ANSWERS)))
    if ":" in name:
        return _checked(_made_by_user(name), name)
    raise _unknown("system", name, SYSTEMS, "; your own is named package.module:factory")


def load_extractor(name: str, **options: Any) -> Any:
    """The extractor of this name, one of `EXTRACTORS`, or ``NAME:WHERE`` with weights of one's own.

    Raises:
        RegistryError: no such extractor.
        MissingWeightsError: its weights are not at hand; the message says what that disables.
    """
    known, _, where = name.partition(":")
    if known not in EXTRACTORS:
        raise _unknown("extractor", known, EXTRACTORS)
    entry = EXTRACTORS[known]
    module, _, attribute = entry.target.partition(":")
    source = where or entry.source
    return getattr(import_module(module), attribute)(*([source] if source else []), **options)


def load_measurement(name: str) -> Callable[..., dict[str, Any]]:
    """The function of this name in `MEASUREMENTS`.

    Raises:
        RegistryError: no such measurement.
    """
    if name not in MEASUREMENTS:
        raise _unknown("measurement", name, MEASUREMENTS)
    module, _, attribute = MEASUREMENTS[name].partition(":")
    found: Callable[..., dict[str, Any]] = getattr(import_module(module), attribute)
    return found


def _recorded(path: Path) -> System:
    """A file's answers as a system, named after the file, or after the system whose run holds it."""
    import hashlib
    import re

    from benchmarks.tasks.answers import read_answers

    answers = read_answers(path)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()[:16]
    in_run = path.with_name("run.json").exists()
    source = path.resolve().parent.parent.name if in_run else path.name.partition(".")[0]
    name = f"answers-{re.sub(r'[^A-Za-z0-9_.+-]', '-', source)}"
    return _checked(_made(_RECORDED, answers=answers, name=name, fingerprint=f"answers:{digest}"), name)


def _benchmark_of_user(target: str) -> Benchmark:
    """What stands at ``package.module:ATTRIBUTE``; whatever its code raises is named."""
    from benchmarks.harness.benchmark import Benchmark

    try:
        found = _of_user(target, "benchmark")
    except RegistryError:
        raise
    except (Exception, SystemExit) as error:
        raise RegistryError(f"{target}: raised {type(error).__name__}: {error}; mend it.") from error
    if not isinstance(found, Benchmark):
        raise RegistryError(f"{target}: is no Benchmark but {type(found).__name__}; name one.")
    return found


def _made(target: str, **arguments: Any) -> Any:
    module, _, attribute = target.partition(":")
    return getattr(import_module(module), attribute)(**arguments)


def _made_by_user(target: str) -> Any:
    """What the factory behind ``package.module:factory`` returns; whatever its code raises is named."""
    try:
        factory = _of_user(target, "factory")
        if callable(factory):
            return factory()
    except RegistryError:
        raise
    except (Exception, SystemExit) as error:
        trace = traceback.extract_tb(error.__traceback__)
        last = [frame for frame in trace if not frame.filename.startswith("<")][-1]  # importlib is frozen
        here = last.filename == __file__
        place = "when called without arguments" if here else f"in {Path(last.filename).name}:{last.lineno}"
        raise RegistryError(f"{target}: raised {type(error).__name__}: {error}, {place}; mend it.") from error
    raise RegistryError(
        f"{target}: {target.partition(':')[2]} is no factory but {type(factory).__name__}; name a callable."
    )


def _of_user(target: str, kind: str) -> Any:
    """What stands at ``package.module:name``, looked for in the current folder too."""
    module_name, _, attribute = target.partition(":")
    if not all(part.isidentifier() for part in module_name.split(".")):
        raise RegistryError(f"{target}: not of the form package.module:{kind}.")
    # A console script starts without the current folder on its path; `python -m` starts with it.
    here = str(Path.cwd())
    if here not in sys.path:
        sys.path.insert(0, here)
    try:
        module = import_module(module_name)
    except ModuleNotFoundError as error:
        missing = error.name or ""
        if module_name != missing and not module_name.startswith(f"{missing}."):
            raise RegistryError(
                f"{target}: {module_name} needs {missing}, which is not installed."
            ) from error
        raise RegistryError(
            f"{target}: no module named {missing!r}; install it, or run in the folder that holds it."
        ) from error
    found = getattr(module, attribute, None) if attribute else None
    if found is None:
        names = [key for key, value in vars(module).items() if not key.startswith("_") and _is(value, kind)]
        raise _unknown(f"{kind} in {module_name}:", attribute, names)
    return found


def _is(value: Any, kind: str) -> bool:
    """Whether something that a person's module holds may be what is looked for."""
    return callable(value) if kind == "factory" else type(value).__name__ == "Benchmark"


def _checked(found: Any, name: str) -> System:
    from benchmarks.harness.system import System

    if not isinstance(found, System):
        needed = ("name", "fingerprint", "accepts", "produces", "given", "respond")
        lacking = ", ".join(member for member in needed if not hasattr(found, member))
        raise RegistryError(
            f"{name}: the factory returned {type(found).__name__}, which is no system; it lacks {lacking}."
        )
    return found


def _unknown(kind: str, name: str, known: Iterable[str], more: str = "") -> RegistryError:
    names = list(known)
    close = difflib.get_close_matches(name, names, n=1, cutoff=0.6)
    hint = f"did you mean {close[0]}?" if close else "that is none of them."
    return RegistryError(f"unknown {kind} {name!r}; {hint} There are: {', '.join(names) or 'none'}{more}")
