"""Toyworld's benchmarks: every question has an exact answer, and an oracle reads what was made."""
