"""What installed packages bring: systems, benchmarks, metrics and extractors, by entry point.

A package names them in its metadata, in the group of their kind (`GROUPS`), and they are listed without being
imported. A name that is taken, by this project or by a second package, is found under its package's name
before it, ``package.name``; where two packages share a name, the bare name is refused, for nobody knows which
is meant. What can't be imported is named when it is asked for, and all else works.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from importlib import import_module, metadata
from typing import TYPE_CHECKING, Any, Literal

from benchmarks.outside import raised
from benchmarks.registry import BENCHMARKS, RegistryError

if TYPE_CHECKING:
    from benchmarks.harness.benchmark import Benchmark
    from metrics.metric import Metric

Kind = Literal["system", "benchmark", "metric", "extractor"]
GROUPS: Mapping[Kind, str] = {
    "system": "nextgpt.systems",
    "benchmark": "nextgpt.benchmarks",
    "metric": "nextgpt.metrics",
    "extractor": "nextgpt.extractors",
}


@dataclass(frozen=True)
class Plugin:
    """One entry point of an installed package.

    Attributes:
        kind: what it brings.
        name: as it is asked for; with the package before it where the name alone is taken.
        package: the distribution that brings it.
        target: where it is found, ``package.module:attribute``.
        own: its name in its package.
    """

    kind: Kind
    name: str
    package: str
    target: str
    own: str

    @property
    def about(self) -> str:
        """Where it comes from."""
        return f"of the package {self.package}"

    def load(self) -> Any:
        """What stands at the target.

        Raises:
            RegistryError: it can't be imported; names the plugin and its package.
        """
        module_name, _, attribute = self.target.partition(":")
        try:
            found: Any = import_module(module_name)
            for part in attribute.split("."):
                found = getattr(found, part)
        except (Exception, SystemExit) as error:
            reason = f"can't be imported from {self.target}: {type(error).__name__}: {error}"
            raise RegistryError(f"{self.name}, {self.about}, {reason}; mend or remove it.") from error
        return found

    def factory(self) -> Callable[..., Any]:
        """What stands at the target, if it can be called.

        Raises:
            RegistryError: it can't be imported, or called.
        """
        found = self.load()
        if not callable(found):
            raise RegistryError(
                f"{self.name}, {self.about}: {self.own} is no factory but {type(found).__name__}; "
                "name a callable."
            )
        return found  # type: ignore[no-any-return]

    def made(self, *arguments: Any, **options: Any) -> Any:
        """What the factory returns.

        Raises:
            RegistryError: whatever its code raises.
        """
        factory = self.factory()
        try:
            return factory(*arguments, **options)
        except (Exception, SystemExit) as error:
            called = f"when called with{'' if arguments or options else 'out'} arguments"
            raise raised(self.name, error, __file__, called) from error


def plugins(kind: Kind, taken: Iterable[str] = ()) -> Mapping[str, Plugin]:
    """All plugins of a kind by the name that they are asked for, none of them imported.

    Args:
        kind: of plugin.
        taken: names of this project's own.

    >>> sorted(GROUPS)
    ['benchmark', 'extractor', 'metric', 'system']
    """
    points = sorted(metadata.entry_points(group=GROUPS[kind]), key=lambda point: (point.name, point.value))
    times = Counter([*taken, *(point.name for point in points)])
    found = {}
    for point in points:
        package = point.dist.name if point.dist is not None else "an unknown package"
        name = point.name if times[point.name] == 1 else f"{package}.{point.name}"
        found[name] = Plugin(kind, name, package, f"{point.module}:{point.attr}", point.name)
    return found


def find(kind: Kind, name: str, taken: Iterable[str] = ()) -> Plugin | None:
    """The plugin of this name, or None.

    Raises:
        RegistryError: two packages bring one of that name.
    """
    taken = frozenset(taken)
    known = plugins(kind, taken)
    several = [each for each in known.values() if each.own == name != each.name]
    if several and name not in taken:
        packages = " and ".join(sorted({each.package for each in several}))
        names = " or ".join(each.name for each in several)
        raise RegistryError(f"{kind} {name!r} is brought by {packages}; say which: {names}")
    return known.get(name)


def benchmark_of(plugin: Plugin) -> Benchmark:
    """A plugin's benchmark.

    Raises:
        RegistryError: it can't be imported, is none, or has another name than its entry point, or one of
            this project's.
    """
    from benchmarks.harness.benchmark import Benchmark

    found = plugin.load()
    if not isinstance(found, Benchmark):
        raise RegistryError(
            f"{plugin.name}, {plugin.about}: is no Benchmark but {type(found).__name__}; name one."
        )
    where = f"{plugin.name}, {plugin.about}: its benchmark's name, {found.name!r},"
    if found.name in BENCHMARKS:
        raise RegistryError(f"{where} is this project's too; rename it, for runs are kept by it.")
    if found.name != plugin.own:
        raise RegistryError(f"{where} is not that of its entry point, {plugin.own!r}; let them be one.")
    return found


def metric_of(plugin: Plugin) -> Metric[Any]:
    """What a plugin's factory of metrics returns.

    Raises:
        RegistryError: it can't be imported, its code raises, or it returns no metric.
    """
    from metrics.metric import Metric

    found = plugin.made()
    if not isinstance(found, Metric):
        raise RegistryError(
            f"{plugin.name}, {plugin.about}: its factory returned {type(found).__name__}, which is no metric."
        )
    return found
