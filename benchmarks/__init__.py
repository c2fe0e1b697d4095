"""Benchmarks: benchmark x system x metrics -> a run, a folder of plain files."""
