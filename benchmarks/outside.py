"""What stands in somebody's own module: a system's factory or a benchmark, named ``package.module:name``."""

from __future__ import annotations

import sys
import traceback
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.registry import RegistryError, unknown

if TYPE_CHECKING:
    from benchmarks.harness.benchmark import Benchmark

_OURS = ("benchmarks", "metrics", "nextgpt", "baselines", "toyworld")


def benchmark_of_user(target: str) -> Benchmark:
    """The benchmark that stands at ``package.module:ATTRIBUTE``.

    Raises:
        RegistryError: there is none.
    """
    from benchmarks.harness.benchmark import Benchmark

    found = of_user(target, "benchmark")
    if not isinstance(found, Benchmark):
        raise RegistryError(f"{target}: is no Benchmark but {type(found).__name__}; name one.")
    return found


def of_user(target: str, kind: str) -> Any:
    """What stands at ``package.module:name``, looked for in the current folder too.

    Args:
        target: the module and the name.
        kind: "factory" or "benchmark", for messages.

    Raises:
        RegistryError: there is nothing, or the module's code raises; says what and where.
    """
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
    except (Exception, SystemExit) as error:
        raise raised(target, error, __file__) from error
    found = getattr(module, attribute, None) if attribute else None
    if found is None:
        names = [key for key, value in vars(module).items() if not key.startswith("_") and _is(value, kind)]
        raise unknown(f"{kind} in {module_name}:", attribute, names)
    return found


def raised(
    name: str, error: BaseException, caller: str, called: str = "when it is imported"
) -> RegistryError:
    """The error for somebody's code that raised: what, and where.

    Args:
        name: of what was asked for.
        error: what was raised.
        caller: the file that called; an error raised there is one of how it was called:
        called: in words.
    """
    trace = traceback.extract_tb(error.__traceback__)
    last = [frame for frame in trace if not frame.filename.startswith("<")][-1]  # importlib is frozen
    place = f"in {Path(last.filename).name}:{last.lineno}"
    if last.filename == caller:
        place = called
    return RegistryError(f"{name}: raised {type(error).__name__}: {error}, {place}; mend it.")


def _is(value: Any, kind: str) -> bool:
    """Whether something that a person's module holds may be what is looked for."""
    return callable(value) if kind == "factory" else type(value).__name__ == "Benchmark"


def is_written_for_people(error: BaseException) -> bool:
    """Whether an error's message says what to do: its class is one that this project defines.

    Example:
        >>> is_written_for_people(RegistryError("no such system")), is_written_for_people(ValueError("?"))
        (True, False)
    """
    return type(error).__module__.partition(".")[0] in _OURS
