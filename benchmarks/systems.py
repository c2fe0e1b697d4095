"""How a system is found by its name: in the registry, in other people's packages, in a module of one's own.

A package makes its systems known by entry points of the group ``nextgpt.systems`` (see `plugins`); `systems`
lists them beside the registry's without importing any.
"""

from __future__ import annotations

import hashlib
import re
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks import plugins
from benchmarks.outside import of_user, raised
from benchmarks.registry import RECORDED, SYSTEMS, RegistryError, SystemEntry, unknown

if TYPE_CHECKING:
    from collections.abc import Mapping

    from benchmarks.harness.system import System


def systems() -> Mapping[str, SystemEntry]:
    """All systems with a name: the registry's, then those of installed packages."""
    others = plugins.plugins("system", SYSTEMS).values()
    return {**SYSTEMS, **{each.name: SystemEntry(each.name, each.about, each.target) for each in others}}


def find(name: str) -> System:
    """The system of this name; see `benchmarks.registry.load_system`.

    Raises:
        RegistryError: no such system, or what the factory returned is none.
    """
    if name in SYSTEMS and ":" not in name:
        return checked(_made(SYSTEMS[name].target, **SYSTEMS[name].arguments), name)
    head, colon, argument = name.partition(":")
    for entry in SYSTEMS.values():
        if entry.name.startswith(f"{head}:"):
            if not argument or name == entry.name:
                raise RegistryError(f"{name}: name it as {entry.name}, {entry.about}")
            return checked(_made(entry.target, argument, **entry.arguments), name)
    plugin = plugins.find("system", head, SYSTEMS)
    if plugin is not None:
        return checked(plugin.made(*([argument] if colon else [])), name)
    if colon:
        return checked(_called(name, _callable(name, of_user(name, "factory"))), name)
    raise unknown("system", name, systems(), "; your own is named package.module:factory")


def recorded(place: str) -> System:
    """A file's or folder's answers as a system, named after it, or after the system whose run holds it."""
    from benchmarks.tasks.answers import FolderAnswers, read_answers

    path = Path(place)
    answers = read_answers(path)
    whole = answers.digest if isinstance(answers, FolderAnswers) else _hash(path)
    digest = whole[:16]
    in_run = path.with_name("run.json").exists()
    source = path.resolve().parent.parent.name if in_run else path.name.partition(".")[0]
    name = f"answers-{re.sub(r'[^A-Za-z0-9_.+-]', '-', source)}"
    found: System = _made(RECORDED, answers=answers, name=name, fingerprint=f"answers:{digest}")
    return found


def _hash(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def checked(found: Any, name: str) -> System:
    """What a factory returned, if it is a system.

    Raises:
        RegistryError: it is none; says what it lacks.
    """
    from benchmarks.harness.system import System

    if not isinstance(found, System):
        needed = ("name", "fingerprint", "accepts", "produces", "given", "respond")
        lacking = ", ".join(member for member in needed if not hasattr(found, member))
        raise RegistryError(
            f"{name}: the factory returned {type(found).__name__}, which is no system; it lacks {lacking}."
        )
    return found


def needs(name: str) -> list[tuple[str, str]] | None:
    """Weights that a system would load, each with why it can't, empty where it is here; nothing is loaded.

    Returns:
        None for a system of somebody else's, whose weights nobody here knows.

    Raises:
        ValueError: what the name names, such as a YAML file, can't be read.

    >>> needs("null"), needs("my.module:factory")
    ([], None)
    """
    head, colon, argument = name.partition(":")
    entry = SYSTEMS.get(name) or next(
        (each for each in SYSTEMS.values() if each.name.startswith(f"{head}:")), None
    )
    if entry is None or (colon and not argument):
        return None
    if not entry.needs:
        return []
    return list(_made(entry.needs, *([argument] if colon else []), **entry.arguments))


def _made(target: str, *positional: Any, **arguments: Any) -> Any:
    module, _, attribute = target.partition(":")
    return getattr(import_module(module), attribute)(*positional, **arguments)


def _called(name: str, factory: Any, *arguments: str) -> Any:
    """What somebody else's factory returns; whatever its code raises is named."""
    try:
        return factory(*arguments)
    except (Exception, SystemExit) as error:
        raise raised(
            name, error, __file__, f"when called with{'' if arguments else 'out'} arguments"
        ) from error


def _callable(name: str, found: Any) -> Any:
    """A factory, if it is one."""
    if not callable(found):
        attribute = name.rpartition(":")[2].strip()
        raise RegistryError(f"{name}: {attribute} is no factory but {type(found).__name__}; name a callable.")
    return found
