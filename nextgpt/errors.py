"""What a person can put right: the command line prints these as one line, without a traceback."""

from __future__ import annotations


class UserError(ValueError):
    """The base of all errors whose message says what is wrong, where, and what to do about it."""


class ConfigError(UserError):
    """A preset that cannot be used, or weights that are not there; the message says what to do."""
