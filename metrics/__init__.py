"""Scores that can be trusted: exact, signed, with their intervals."""
