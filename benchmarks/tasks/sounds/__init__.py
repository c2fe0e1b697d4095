"""Data sets of sounds in their official formats."""
