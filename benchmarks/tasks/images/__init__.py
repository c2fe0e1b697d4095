"""Data sets of pictures in their official formats."""
