"""Faults, injected by seed and counted: what is killed often ends with the digits of what was not."""
