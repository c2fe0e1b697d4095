"""Dataclasses made from what a YAML file says, each field checked against its type."""

from __future__ import annotations

import dataclasses
import difflib
import reprlib
import sys
import types
import typing
from collections.abc import Mapping
from typing import Any, Literal, TypeVar

from nextgpt.errors import ConfigError

T = TypeVar("T")
_BRIEF = reprlib.Repr()
_BRIEF.maxstring = _BRIEF.maxother = 80


def build(kind: type[T], values: Any, where: str) -> T:
    """Make a dataclass, nested ones included, from what YAML gives.

    Args:
        kind: a dataclass.
        values: a mapping of its fields.
        where: what to call the place in error messages.

    Raises:
        ConfigError: an unknown, missing or ill-typed field; names it.

    Example:
        >>> from nextgpt.config import Lora
        >>> build(Lora, {"rank": 8, "alfa": 16}, "my.yaml: lora")
        Traceback (most recent call last):
        nextgpt.errors.ConfigError: my.yaml: lora: there is no field 'alfa'; did you mean 'alpha'?
    """
    if not isinstance(values, Mapping):
        raise ConfigError(f"{where}: expected fields and values, got {_shown(values)}")
    hints = typing.get_type_hints(kind)
    fields = {item.name: item for item in dataclasses.fields(kind)}  # type: ignore[arg-type]
    for name in values:
        if name not in fields:
            raise ConfigError(f"{where}: there is no field {_shown(name)}{meant(str(name), tuple(fields))}")
    for name, item in fields.items():
        required = item.default is dataclasses.MISSING and item.default_factory is dataclasses.MISSING
        if required and name not in values:
            raise ConfigError(f"{where}: the field {name!r} is missing")
    return kind(**{name: _value(hints[name], value, f"{where}: {name}") for name, value in values.items()})


def _value(hint: Any, value: Any, where: str) -> Any:
    """Check one value against its type, and make what is nested in it."""
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if dataclasses.is_dataclass(hint) and isinstance(hint, type):
        return build(hint, value, where)
    if origin in {types.UnionType, typing.Union}:
        inner = next(item for item in arguments if item is not type(None))
        return None if value is None else _value(inner, value, where)
    if origin is tuple and isinstance(value, list):
        return tuple(_value(arguments[0], item, where) for item in value)
    if hint is Any or (origin is Literal and value in arguments):
        return value
    if origin is not None and isinstance(origin, type) and issubclass(origin, Mapping):
        if isinstance(value, Mapping):
            return {
                _value(arguments[0], key, where): _value(arguments[1], item, f"{where}: {key}")
                for key, item in value.items()
            }
    elif hint is float and isinstance(value, int | float) and not isinstance(value, bool):
        if abs(value) <= sys.float_info.max:  # neither infinite nor NaN
            return float(value)
    elif isinstance(hint, type) and isinstance(value, hint) and not (hint is int and value is True):
        return value
    # YAML reads 1e-4 as text; 1.0e-4 is a number.
    raise ConfigError(f"{where}: expected {getattr(hint, '__name__', hint)}, got {_shown(value)}")


def _shown(value: Any) -> str:
    """A value in a message, however long it is."""
    return _BRIEF.repr(value)


def meant(name: str, known: tuple[str, ...]) -> str:
    """What a misspelt name was probably to be, or all that there are, to end a message with."""
    close = difflib.get_close_matches(name, known, n=1)
    return f"; did you mean {close[0]!r}?" if close else f"; there are {', '.join(known)}"
